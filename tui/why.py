"""Why an intent became what it became: what `audit why --json` tells, as rows. Pure.

The journal is the source: the screen asks a process of its own, so that neither the engine nor the
screen waits for an index or a replay.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from tui.format import clock_ms, fit, text
from tui.pane import Cell, Row
from tui.story import JournalLine, Judged, Rule, Told

VALUE_MAX: Final = 200
"""Characters of one value."""
RULE, SETTING, LIMIT, READING, VERDICT = 13, 26, 34, 30, 7
"""Cells of the columns of the gate: limit and reading share what is left."""
WIDE: Final = 100
"""From this many cells a rule has its name and its setting; below, one of them."""
VERDICTS: Final = {True: ("pass", "ok"), False: ("STOP", "danger bold"), None: ("-", "dim")}
SHAPE: Final = ("side", "qty", "symbol", "type", "price", "trigger_price", "trail_bps", "tif")
SEEN: Final = ("order_id", "symbol")
"""What a line of the aftermath need not repeat."""
HEAD: Final = Rule("RULE", "risk.*", "LIMIT", "READING", None)


class Entry(NamedTuple):
    """A row, and what `enter` opens there."""

    row: Row
    line: JournalLine | None = None
    intent_id: str = ""
    """An intent to ask about instead."""


def entries(told: Told, width: int) -> list[Entry]:
    """Return the whole story, a row each."""
    return [*_wish(told), *_gate(told, width), *_way(told), *_recent(told)]


def _heading(name: str, words: str = "") -> Entry:
    return Entry((Cell(f" {name:<10}", "title bold"), Cell(words)))


def _wish(told: Told) -> Iterator[Entry]:
    if not told.intents:
        fate = "a wish that never became an intent" if told.consensus else "no intent of that id"
        yield _heading("wish", fate)
    for line in told.intents:
        shape = " ".join(_value(line.data[key]) for key in SHAPE if line.data.get(key) is not None)
        flags = "".join(f" {key}" for key in ("post_only", "reduce_only") if line.data.get(key))
        what = shape if line.type == "intent" else f"cancel of {_value(line.data.get('symbol'))}"
        slot = _value(line.data.get("slot"))
        yield _heading("wish", f"{what}{flags}, slot {slot}")._replace(line=line)
        reason = _value(line.data.get("reason")) or "none given"
        yield _heading("", f"{clock_ms(line.ts)}  reason: {reason}")._replace(line=line)
    for line in told.consensus:
        verb = "let it pass" if told.intent_id in line.data["chosen"] else "DROPPED it"
        said = f"{verb}: {_value(line.data['rationale'])}"
        yield _heading("consensus", said)._replace(line=line)


def _gate(told: Told, width: int) -> Iterator[Entry]:
    for line in told.verdicts:
        yield Entry((Cell(" gate      ", "title bold"), _verdict(line)), line)
    if told.readings_absent:
        yield _heading("", f"readings: {told.readings_absent}")
    for judged in told.judgements:
        yield from _rules(judged, width)


def _rules(judged: Judged, width: int) -> Iterator[Entry]:
    names = (RULE, SETTING) if width >= WIDE else (0, SETTING)
    left = max(0, width - sum(names) - VERDICT - 8)
    limit, reading = min(LIMIT, left // 2), min(READING, left - left // 2)

    def row(rule: Rule, verdict: str, token: str) -> Row:
        name, setting = (rule.name, rule.setting) if names[0] else ("", rule.setting or rule.name)
        figures = ((name, names[0]), (setting, names[1]), (rule.limit, limit))
        cells = " ".join(fit(text(words, cells), cells, "left") for words, cells in figures)
        look = "text" if rule.passed is False else "dim"
        shown = fit(text(rule.reading, reading), reading, "left")
        return (Cell(f"  {cells} ", look), Cell(f"{shown} ", "text"), Cell(verdict, token))

    yield Entry(row(HEAD, "VERDICT", "dim"))
    for rule in judged.rules:
        yield Entry(row(rule, *VERDICTS[rule.passed]))
    if judged.doubts and any(not rule.passed and rule.name == "state" for rule in judged.rules):
        held = ", ".join(judged.doubts)
        yield Entry((Cell("   held back by: ", "dim"), Cell(_value(held), "warn")))
    if any(rule.passed is False for rule in judged.rules):
        change = ", or ".join(judged.changes) or "no single change"
        yield Entry((Cell("   would have let it pass: ", "dim"), Cell(_value(change), "warn")))


def _way(told: Told) -> Iterator[Entry]:
    for line in told.router:
        of = f" of {_value(line.data['working_order_id'])}" if line.data["working_order_id"] else ""
        said = f"{_value(line.data['decision'])}{of}, {_value(line.data['reason'])}"
        yield _heading("router", said)._replace(line=line)
    for place, line in enumerate(told.aftermath):
        head = Cell(f" {'' if place else 'became':<10}", "title bold")
        when = Cell(f"{clock_ms(line.ts)} {text(line.type, 20):<20} ", "dim")
        yield Entry((head, when, Cell(_details(line.data))), line)
    if told.changed_next_by:
        yield _heading("then", f"changed by {_value(told.changed_next_by)}")._replace(
            intent_id=told.changed_next_by
        )


def _recent(told: Told) -> Iterator[Entry]:
    if told.recent_verdicts:
        yield _heading("verdicts", f"the last {len(told.recent_verdicts)} on {_value(told.symbol)}")
    for line in told.recent_verdicts:
        intent_id = str(line.data["intent_id"])
        head = Cell(f"   {clock_ms(line.ts)} {text(intent_id, 18):<18} ", "dim")
        yield Entry((head, _verdict(line)), line, intent_id)


def _verdict(line: JournalLine) -> Cell:
    data = line.data
    if data["is_approved"]:
        return Cell("approved", "ok")
    setting = f" ({_value(data['setting'])})" if data["setting"] else ""
    rule = f"{_value(data['rule'])}{setting}"
    figures = f"limit {_value(data['limit']) or '-'}, reading {_value(data['reading']) or '-'}"
    if data["is_waiting"]:
        return Cell(f"WAITS for {rule}: {figures}", "warn")
    return Cell(f"REFUSED by {rule}: {figures}", "danger")


def _details(data: Mapping[str, object]) -> str:
    words = (
        f"{key}={_value(value)}"
        for key, value in data.items()
        if key not in SEEN and value not in ("", None, False, [], {})
    )
    return text(" ".join(words), VALUE_MAX)


def _value(value: object) -> str:
    return text("" if value is None else str(value), VALUE_MAX)
