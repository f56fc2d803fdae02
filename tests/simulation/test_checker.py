"""The checker finds what is wrong: evidence of a sound session, spoiled in one place each."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import localcontext
from pathlib import Path
from typing import Any

import pytest

from engine.model.money import use_exact_arithmetic
from laptop_agents.agent_shelf import shelf
from tests.simulation.checker.checker import check
from tests.simulation.checker.evidence import Evidence
from tests.simulation.lives import live
from tests.simulation.swarm import KINDS
from tests.simulation.world import HOSTILE, make_world

SEED, MINUTES = 9, 2.0
PLUGIN = Path(__file__).with_name("plugin")
Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def sound() -> Iterator[Evidence]:
    """A real session in which nothing goes wrong."""
    with pytest.MonkeyPatch.context() as patch, localcontext():
        use_exact_arithmetic()
        patch.syspath_prepend(str(PLUGIN))
        shelf.cache_clear()
        without = {*KINDS, *(f"agent.{name}" for name in HOSTILE)}
        yield live(make_world(SEED, MINUTES, without)).evidence[-1]
    shelf.cache_clear()


def found(evidence: Evidence) -> set[str]:
    """The invariants that do not hold."""
    return {broken.invariant for broken in check(evidence)[0].broken}


def spoiled(evidence: Evidence, edit: Callable[[Lines], object]) -> Evidence:
    """Edit the journal's lines and chain them anew: only what they say is wrong."""
    lines = [json.loads(line) for line in evidence.journal.splitlines()]
    edit(lines)
    content, prev = b"", "0" * 64
    for seq, line in enumerate(lines, 1):
        body = {"v": 1, "seq": seq, "ts": line["ts"], "type": line["type"], "data": line["data"]}
        text = json.dumps(body | {"prev": prev}, separators=(",", ":"), ensure_ascii=False)
        prev = hashlib.sha256(text.encode()).hexdigest()
        content += f'{text[:-1]},"hash":"{prev}"}}\n'.encode()
    return replace(evidence, journal=content)


def first(lines: Lines, kind: str, **fields: Any) -> int:
    """Where the first line of a type stands that says so."""
    for place, line in enumerate(lines):
        if line["type"] == kind and fields.items() <= line["data"].items():
            return place
    raise LookupError(kind)


def test_a_sound_session_is_found_sound(sound: Evidence) -> None:
    """Every invariant that a calm session can touch has been judged."""
    verdicts, visited = check(sound)

    assert [] == verdicts.broken
    assert {"INIT", "READY", "ACTIVE", "STOPPED"} <= visited
    assert {"A1", "A4", "A5", "A6", "A7", "B3", "B4", "B8", "C10", "L1", "L3", "L4"} <= set(
        verdicts.counts
    )


def drop(kind: str, **fields: Any) -> Callable[[Lines], object]:
    return lambda lines: lines.pop(first(lines, kind, **fields))


def repeat(kind: str) -> Callable[[Lines], object]:
    return lambda lines: lines.insert(first(lines, kind), lines[first(lines, kind)])


def say(kind: str, name: str, value: Any) -> Callable[[Lines], object]:
    return lambda lines: lines[first(lines, kind)]["data"].update({name: value})


def limit(name: str, value: Any) -> Callable[[Lines], object]:
    return lambda lines: lines[0]["data"]["settings"].update({f"risk.{name}": value})


def turn_into(kind: str, other: str) -> Callable[[Lines], object]:
    return lambda lines: lines[first(lines, kind)].update(type=other)


def cause_as(kind: str, cause: str) -> Callable[[Lines], object]:
    """Let the venue have said something else just before."""

    def edit(lines: Lines) -> None:
        lines[first(lines, kind) - 1]["type"] = cause

    return edit


def insert(after: int, line_type: str, **data: Any) -> Callable[[Lines], object]:
    return lambda lines: lines.insert(
        after, {"ts": lines[after]["ts"], "type": line_type, "data": data}
    )


def shrink_order(lines: Lines) -> None:
    """Let an order that filled have been for less."""
    order_id = lines[first(lines, "fill")]["data"]["order_id"]
    lines[first(lines, "order_submitted", order_id=order_id)]["data"]["qty"] = "0.0001"


def halt_early(lines: Lines) -> None:
    """Say that somebody killed the session at its start, and let it trade on."""
    place = first(lines, "fsm_transition", to_state="ACTIVE")
    halt = {"from_state": "ACTIVE", "to_state": "EMERGENCY", "event": "OPERATOR_KILL"}
    data = halt | {"scope": "session", "reasons": [], "evidence_ref": ""}
    lines.insert(place + 1, {"ts": lines[place]["ts"], "type": "fsm_transition", "data": data})


def leave_emergency(lines: Lines) -> None:
    """The same, and leave the state by a way that does not exist."""
    halt_early(lines)
    place = first(lines, "fsm_transition", to_state="EMERGENCY")
    data = lines[place]["data"] | {
        "from_state": "EMERGENCY", "to_state": "ACTIVE", "event": "OPERATOR_RESUME",
    }  # fmt: skip
    lines.insert(place + 1, {"ts": lines[place]["ts"], "type": "fsm_transition", "data": data})


def order_twice(lines: Lines) -> None:
    """Let two orders work in one slot."""
    place = first(lines, "order_submitted")
    twin = lines[place]["data"] | {"order_id": "gambler-999999"}
    lines.insert(place + 1, {"ts": lines[place]["ts"], "type": "order_submitted", "data": twin})


SPOILED = [
    ("A1", drop("order_submitted")),
    ("A1", say("order_submitted", "qty", "7")),
    ("A2", order_twice),
    ("A2", drop("intent")),
    ("A3", cause_as("order_filled", "venue_canceled")),
    ("A4", turn_into("order_accepted", "order_filled")),
    ("A4", repeat("order_accepted")),
    ("A5", repeat("fill")),
    ("A5", drop("fill")),
    ("A5", say("fill", "price", "1")),
    ("A5", say("venue_fill", "trade_id", "t0")),
    ("A6", say("position", "qty", "12")),
    ("A7", say("heartbeat", "equity", "10001")),
    ("A7", say("session_ended", "fees", "0")),
    ("A8", shrink_order),
    ("B2", limit("max_quote_age_ms", -1)),
    ("B3", limit("max_position_notional", "1")),
    ("B3", limit("max_open_orders", 0)),
    ("B4", drop("fsm_transition", to_state="ACTIVE")),
    ("B6", limit("max_orders_per_minute", 1)),
    ("B8", drop("fsm_transition", to_state="READY")),
    ("B8", say("fsm_transition", "event", "RECOVERED")),
    ("D1", halt_early),
    ("D2", leave_emergency),
    ("E2", limit("max_feed_lag_s", -1)),
    ("F1", insert(20, "alert", kind="agent_quarantined", message="agent gambler is out")),
]  # fmt: skip


@pytest.mark.parametrize(("invariant", "edit"), SPOILED)
def test_a_spoiled_journal_is_found_out(
    sound: Evidence, invariant: str, edit: Callable[[Lines], object]
) -> None:
    """Each edit breaks the invariant it is meant to break."""
    assert invariant in found(spoiled(sound, edit))


def test_a_changed_byte_breaks_the_chain(sound: Evidence) -> None:
    """Any byte, also in the middle of a line."""
    at = len(sound.journal) // 2
    flipped = bytes([sound.journal[at] ^ 1])

    assert "C10" in found(
        replace(sound, journal=sound.journal[:at] + flipped + sound.journal[at + 1 :])
    )


def with_report(evidence: Evidence, **fields: Any) -> Evidence:
    return replace(evidence, report={**(evidence.report or {}), **fields})


SPOILED_OTHERWISE = [
    ("A6", lambda e: replace(e, venue=e.venue[:-1] + stray_fill())),
    ("A7", lambda e: with_report(e, equity="1")),
    ("B8", lambda e: replace(e, logged_transitions=0)),
    ("C2", lambda e: replace(e, prefixes=(b"something else",))),
    ("E1", lambda e: replace(e, tags=("flawed",) * len(e.tags))),
    ("L2", lambda e: replace(e, venue=(*e.venue, *stray_order()))),
    ("L3", lambda e: replace(e, venue=(*e.venue, *stray_fill()))),
    ("L4", lambda e: with_report(e, exit_code="3")),
    ("L4", lambda e: replace(e, error="Traceback")),
]  # fmt: skip


def stray_fill() -> tuple[dict[str, Any], ...]:
    fill = {"order_id": "x", "symbol": "BTCUSDT", "side": "BUY", "qty": "1", "trade_id": "t9999"}
    return ({"entry": "fact", "what": "venue_fill", "ts": 0, **fill},)


def stray_order() -> tuple[dict[str, Any], ...]:
    order = {"order_id": "x", "ts": 0}
    place = {"entry": "request", "what": "place", "qty": "1", "lines": 1, "is_journal_sound": True}
    return (place | order, {"entry": "fact", "what": "venue_accepted"} | order)


@pytest.mark.parametrize(("invariant", "spoil"), SPOILED_OTHERWISE)
def test_spoiled_evidence_is_found_out(
    sound: Evidence, invariant: str, spoil: Callable[[Evidence], Evidence]
) -> None:
    """What the venue, the report or the log says counts as much as the journal."""
    assert invariant in found(spoil(sound))
