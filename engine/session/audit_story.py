"""The story of one intent: the wish, what consensus and gate said, the route, what became of it.

What is told comes from two places, and they are kept apart: the journal's lines, which are proven,
and the readings of every rule, which the journal does not hold. Those come from a replay of its
inputs up to the intent, and count only while the replay makes the recorded decisions.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from engine.kernel import Kernel
from engine.model.errors import StateDamaged
from engine.model.events import INPUT_TYPES, RECORD_TYPES
from engine.risk.attentive_gate import AttentiveGate, Judgement
from engine.risk.lifecycle import open_reasons
from engine.session.audit_index import AuditIndex, Question
from engine.session.journal_reader import Line
from engine.session.replay import Mismatch, Replay

WISHES: Final = ("intent", "intent_cancel")
SENDING: Final = frozenset({"PLACE", "AMEND", "CANCEL", "CANCEL_REPLACE"})
"""Router decisions by which an intent lays hand on an order."""
RECENT: Final = 20
BOOKED: Final = ("fill", "round_trip", "error")


class Story(NamedTuple):
    """Everything the journal says of one intent."""

    intent_id: str
    wishes: tuple[Line, ...]
    """As it was judged; none where consensus dropped it."""
    consensus: tuple[Line, ...]
    verdicts: tuple[Line, ...]
    routes: tuple[Line, ...]
    aftermath: tuple[Line, ...]
    """What the venue and the order did, until another intent changed that order."""
    taken_over_by: str
    """The intent that changed the order next; empty where none did."""


def newest_of_symbol(index: AuditIndex, symbol: str, until_seq: int | None = None) -> str | None:
    """Return the id of the last intent about an instrument, as of a line of the journal."""
    question = Question(
        types=WISHES, symbol=symbol, until_seq=until_seq, limit=1, newest_first=True
    )
    return next((data_of(found.line)["intent_id"] for found in index.find(question)), None)


def newest_refused(index: AuditIndex, until_seq: int | None = None) -> str | None:
    """Return the id of the last intent the gate refused for good, as of a line of the journal."""
    question = Question(types=("gate_verdict",), until_seq=until_seq, newest_first=True)
    for found in index.find(question):
        verdict = data_of(found.line)
        if not verdict["is_approved"] and not verdict["is_waiting"]:
            return str(verdict["intent_id"])
    return None


def recent_verdicts(index: AuditIndex, symbol: str, until_seq: int | None = None) -> list[Line]:
    """Return the gate's last `RECENT` verdicts about an instrument, newest first."""
    question = Question(
        types=("gate_verdict",), symbol=symbol, until_seq=until_seq, limit=RECENT, newest_first=True
    )
    return [found.line for found in index.find(question)]


def story_of(index: AuditIndex, intent_id: str, until_seq: int | None = None) -> Story | None:
    """Collect what the journal says up to a line; None where it never names the intent."""
    question = Question(order=intent_id, until_seq=until_seq)
    lines = [found.line for found in index.find(question)]
    if not lines:
        return None
    by_type: dict[str, list[Line]] = {}
    for line in lines:
        by_type.setdefault(line.type, []).append(line)
    wishes = [line for name in WISHES for line in by_type.get(name, [])]
    verdicts = [x for x in by_type.get("gate_verdict", []) if data_of(x)["intent_id"] == intent_id]
    routes = [x for x in by_type.get("router_decision", []) if data_of(x)["intent_id"] == intent_id]
    aftermath, heir = _aftermath(index, question, lines, routes)
    return Story(
        intent_id,
        tuple(wishes),
        tuple(by_type.get("meta_decision", [])),
        tuple(verdicts),
        tuple(routes),
        tuple(aftermath),
        heir,
    )


def symbol_of(story: Story) -> str:
    """Return the instrument an intent is about; empty where no line says it."""
    lines = (*story.wishes, *story.consensus, *story.verdicts, *story.routes)
    return next((data_of(line)["symbol"] for line in lines), "")


def _aftermath(
    index: AuditIndex, asked: Question, own: Sequence[Line], routes: Iterable[Line]
) -> tuple[list[Line], str]:
    """Follow the order the intent made, or the one it changed, until somebody else changes it."""
    intent_id = asked.order or ""
    told, heir = _until_heir(own, intent_id)
    for route in routes:
        decided = data_of(route)
        working = decided["working_order_id"]
        if working and working != intent_id and decided["decision"] in SENDING:
            lines = [found.line for found in index.find(asked._replace(order=working))]
            later = [line for line in lines if line.seq > route.seq]
            more, next_heir = _until_heir(later, intent_id)
            told += more
            heir = heir or next_heir
    return sorted({line.seq: line for line in told}.values()), heir


def _until_heir(lines: Iterable[Line], intent_id: str) -> tuple[list[Line], str]:
    """Return an order's lines up to the next intent that changed it, fills beyond, and that intent.

    Fills are told to the end: the order is still this one's, whatever its price has become.
    """
    told: list[Line] = []
    heir = ""
    for line in lines:
        if line.type == "router_decision" and not heir:
            decided = data_of(line)
            if decided["intent_id"] != intent_id and decided["decision"] in SENDING:
                heir = decided["intent_id"]
        elif line.type in BOOKED or (not heir and line.type.startswith(("order_", "venue_"))):
            told.append(line)
    return told, heir


def data_of(line: Line) -> dict[str, Any]:
    """Return a line's data, with every field its type must have.

    Raises:
        StateDamaged: The line is proven but has not the shape of its type: no session wrote it.

    """
    comma = b"," if len(line.data) > 2 else b""
    kind = RECORD_TYPES.get(line.type) or INPUT_TYPES.get(line.type)
    try:
        if kind is None:
            return msgspec.json.decode(line.data, type=dict[str, Any])
        event: object = msgspec.json.decode(b'{"ts_ns":0%b%b' % (comma, line.data[1:]), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateDamaged(f"line {line.seq} is chained, but no session wrote it so") from error
    data: dict[str, Any] = msgspec.to_builtins(event)
    del data["ts_ns"]
    return data


# --- readings ------------------------------------------------------------------------------------


def judgements(
    kernel: Kernel, lines: Iterator[Line], story: Story
) -> tuple[list[Judgement], Mismatch | None]:
    """Replay up to the intent's last verdict and return every reading of it.

    Args:
        kernel: Fresh, as the journal's first line describes it.
        lines: The journal from its first line.
        story: Of the intent to look out for.

    Returns:
        A judgement for each time the gate was asked, and the first decision that did not come out
        as recorded; readings from behind it are worth nothing and are left out.

    """
    conduct = kernel.conduct
    gate = AttentiveGate(
        kernel.config.limits, story.intent_id, lambda: open_reasons(conduct.lifecycle)
    )
    kernel.dealing.gate = gate
    first = next(lines)
    last = max((line.seq for line in story.verdicts), default=0)
    outcome = Replay(kernel, first).run(_until(lines, last))
    if outcome.mismatch is not None:
        return [], outcome.mismatch
    return gate.judgements, None


def _until(lines: Iterator[Line], seq: int) -> Iterator[Line]:
    """Yield lines up to `seq` and on to the end of that step: the next input is not begun."""
    for line in lines:
        if line.seq > seq and line.type in INPUT_TYPES:
            return
        yield line
