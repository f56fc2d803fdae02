"""`laptop-agents audit why [RUN] SYMBOL|ORDER|--last`: why an intent became what it became."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from engine.model.errors import JournalDamaged, StateDamaged, UsageError
from engine.model.money import use_exact_arithmetic
from engine.session.audit_database import SYMBOL
from engine.session.audit_index import AuditIndex, open_index
from engine.session.audit_story import (
    Story,
    data_of,
    judgements,
    newest_of_symbol,
    newest_refused,
    recent_verdicts,
    story_of,
    symbol_of,
)
from engine.session.journal_reader import Line, read_journal
from engine.session.sanitize import sanitize
from laptop_agents.audit_why_json import Readings, as_json
from laptop_agents.audit_words import columns, details, iso, offset
from laptop_agents.home import find_home
from laptop_agents.runs import find_journal

HELD = frozenset({"DEGRADED", "PAUSED", "ACTIVE", "THROTTLED", "EMERGENCY"})
"""Readings of the state rule behind which a reason stands, or has stood until just now."""
AFTERMATH_MAX = 40
"""Lines of what became of it; the rest is counted. `audit query --order` has them all."""
VERDICTS = {True: "pass", False: "STOP", None: "-"}
SHAPE = ("side", "qty", "symbol", "type", "price", "trigger_price", "trail_bps", "tif")


def run(arguments: argparse.Namespace) -> int:
    """Tell the story of one intent.

    Raises:
        UsageError: The journal names no such intent.
        StateDamaged: The journal is damaged, or its replay decides differently; then what the
            journal itself says was printed first.
    """
    use_exact_arithmetic()
    name, target = _words(arguments)
    journal = find_journal(name, find_home(os.environ))
    with open_index(journal) as index:
        intent_id = _intent_id(index, target, arguments.as_of)
        story = story_of(index, intent_id, arguments.as_of)
        began_ns = index.began_ns
        if story is None:
            raise UsageError(f"the journal names no symbol and no intent {target!r}")
        recent = recent_verdicts(index, symbol_of(story), arguments.as_of)
    readings = _readings(journal, story)
    text = as_json(story, readings, recent) if arguments.json else _text(story, readings, began_ns)
    sys.stdout.write(text + "\n")
    if readings.mismatch is not None:
        raise StateDamaged(
            f"{journal}:{readings.mismatch.line}: the replay decides differently from here on, so"
            " the readings of the rules are left out; compare with `laptop-agents replay`"
        )
    return 0


def _words(arguments: argparse.Namespace) -> tuple[str, str | None]:
    """Tell the run from the target; None is the last refused intent."""
    words: list[str] = arguments.words
    if len(words) > (1 if arguments.last else 2):
        raise UsageError("there are more words than this command takes")
    if arguments.last:
        return (words[0] if words else "latest"), None
    if not words:
        raise UsageError("audit why needs a SYMBOL, an ORDER or --last")
    return (words[0] if len(words) == 2 else "latest"), words[-1]


def _intent_id(index: AuditIndex, target: str | None, as_of: int | None) -> str:
    if target is None:
        found = newest_refused(index, as_of)
        if found is None:
            raise UsageError("no intent was refused in this run")
        return found
    if target in index.named(SYMBOL):
        found = newest_of_symbol(index, target, as_of)
        if found is None:
            raise UsageError(f"nobody wanted anything of {target!r} in this run")
        return found
    return target


def _readings(journal: Path, story: Story) -> Readings:
    if not story.verdicts:
        return Readings((), None, "it never came to the gate")
    lines = read_journal(journal)
    first = next(lines)
    if first.type != "session_started":
        raise JournalDamaged(str(journal), 1, "the first line is not session_started")
    started = data_of(first)
    try:
        detail = started["settings"]["journal.detail"]
    except (KeyError, TypeError) as error:
        raise JournalDamaged(str(journal), 1, "it describes no session") from error
    if detail != "inputs":
        return Readings((), None, f"not to be had: the run kept journal.detail = {detail}")
    from laptop_agents.recorded_kernel import recorded_kernel  # noqa: PLC0415 - a whole session

    found, mismatch = judgements(recorded_kernel(started), _again(first, lines), story)
    if mismatch is not None:
        return Readings((), mismatch, "left out: the replay decides differently")
    return Readings(found, None, "" if found else "none: it was refused before the rules")


def _again(first: Line, lines: Iterator[Line]) -> Iterator[Line]:
    yield first
    yield from lines


# --- for people ----------------------------------------------------------------------------------


def _text(story: Story, readings: Readings, began_ns: int) -> str:
    parts = [*_wish(story, began_ns)]
    for line in story.consensus:
        data = data_of(line)
        verb = "let it pass" if story.intent_id in data["chosen"] else "dropped it"
        parts.append(f"consensus {verb}: {sanitize(data['rationale'])} (line {line.seq})")
    parts += _gate(story, readings, began_ns)
    for line in story.routes:
        data = data_of(line)
        of = f" of {sanitize(data['working_order_id'])}" if data["working_order_id"] else ""
        parts.append(f"router: {data['decision']}{of}, {data['reason']} (line {line.seq})")
    return "\n".join([*parts, *_aftermath(story, began_ns)])


def _wish(story: Story, began_ns: int) -> Iterator[str]:
    intent_id = sanitize(story.intent_id)
    if not story.wishes:
        if story.consensus:
            yield f"{intent_id}: a wish that never became an intent"
        else:
            yield f"{intent_id}: the journal holds no intent of that id"
    for line in story.wishes:
        data = data_of(line)
        shape = " ".join(sanitize(str(data[k])) for k in SHAPE if data.get(k) is not None)
        flags = "".join(f" {k}" for k in ("post_only", "reduce_only") if data.get(k))
        what = shape if line.type == "intent" else f"cancel of {sanitize(data['symbol'])}"
        yield f"{intent_id}: {what}{flags}, slot {sanitize(data['slot'])}"
        yield f"  {iso(line.ts_ns)}, {offset(line.ts_ns, began_ns)}, line {line.seq}"
        yield f"  reason: {sanitize(data['reason']) or 'none given'}"


def _gate(story: Story, readings: Readings, began_ns: int) -> Iterator[str]:
    for line in story.verdicts:
        data = data_of(line)
        verdict = "approved"
        if not data["is_approved"]:
            setting = f" (risk.{data['setting']})" if data["setting"] else ""
            verdict = (
                f"{'made to wait' if data['is_waiting'] else 'refused'} by"
                f" {sanitize(data['rule'])}{setting}: limit {sanitize(data['limit']) or '-'},"
                f" reading {sanitize(data['reading']) or '-'}"
            )
        yield f"gate: {verdict} ({offset(line.ts_ns, began_ns)}, line {line.seq})"
    if readings.absence:
        yield f"  readings: {readings.absence}"
    for judged in readings.judgements:
        yield f"  every rule at {offset(judged.at_ns, began_ns)}, for qty {judged.intent.qty}:"
        rows = [
            ("", row.name, row.setting, row.limit, row.reading, VERDICTS[row.passed])
            for row in judged.readings
        ]
        heading = ("", "rule", "risk.*", "limit", "reading", "verdict")
        yield from columns([tuple(map(sanitize, row)) for row in (heading, *rows)])
        if any(row.passed is False and row.reading in HELD for row in judged.readings):
            held = ", ".join(judged.doubts) or "what has cleared since: see risk.resume_backoff_s"
            yield f"  held back by: {sanitize(held)}"
        if any(row.passed is False for row in judged.readings):
            change = ", or ".join(judged.changes) or "no single change"
            yield f"  would have let it pass: {sanitize(change)}"


def _aftermath(story: Story, began_ns: int) -> Iterator[str]:
    if story.aftermath:
        yield "what became of it:"
        rows = [
            (
                "",
                str(line.seq),
                offset(line.ts_ns, began_ns),
                sanitize(line.type),
                details(data_of(line), leave_out=("symbol",)),
            )
            for line in story.aftermath[:AFTERMATH_MAX]
        ]
        yield from columns(rows, right=(1, 2))
    hidden = len(story.aftermath) - AFTERMATH_MAX
    if hidden > 0:
        yield f"  and {hidden} more: audit query --order {sanitize(story.intent_id)}"
    if story.taken_over_by:
        yield f"changed next by {sanitize(story.taken_over_by)}"
