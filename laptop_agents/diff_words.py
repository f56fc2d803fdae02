"""Two runs side by side, for people and for programs. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from engine.session.audit_diff import Difference, Parting, Side
from engine.session.journal_reader import Line
from engine.session.sanitize import sanitize
from laptop_agents.audit_words import columns, details, fields, figure, offset

MONEY = ("equity", "pnl", "gross", "realised", "unrealised", "fees", "funding")
"""`pnl` is net: gross - fees + funding; `gross` is realised + unrealised."""


def as_text(found: Difference, names: Sequence[str]) -> Iterator[str]:
    """Yield lines: where they part and after which input, then settings, counts and money.

    Args:
        found: Both journals, read to their ends.
        names: What to call the two sides.
    """
    if found.partings is None:
        yield f"same decisions: {found.same}"
    else:
        yield f"{found.same} decisions are the same, then they part:"
        for name, side, parting in zip(names, found.sides, found.partings, strict=True):
            yield from _parting(name, side, parting)
    rows = [("", *names), *_settings(found.sides), *_figures(found.sides)]
    yield ""
    yield from columns(rows, right=(1, 2))


def as_document(found: Difference) -> dict[str, object]:
    """Return the same for a program; lines of the journals are as they stand there."""
    return {
        "same_decisions": found.same,
        "partings": None
        if found.partings is None
        else [
            {"decision": _raw(parting.decision), "after": _raw(parting.cause)}
            for parting in found.partings
        ],
        "settings": {name: [a, b] for name, a, b in _settings(found.sides)},
        "runs": [
            {
                "run_id": side.started.get("run_id"),
                "stop_reason": side.last.get("stop_reason"),
                "counts": dict(sorted(side.counts.items())),
                "money": _money(side),
            }
            for side in found.sides
        ],
    }


def _parting(name: str, side: Side, parting: Parting) -> Iterator[str]:
    yield f"  {name}"
    yield f"    decides: {_line(parting.decision, side) or 'nothing more'}"
    yield f"    after:   {_line(parting.cause, side) or 'no input is recorded'}"


def _line(line: Line | None, side: Side) -> str:
    if line is None:
        return ""
    when = offset(line.ts_ns, side.began_ns)
    return f"line {line.seq}, {when}, {sanitize(line.type)} {details(fields(line))}"


def _settings(sides: tuple[Side, Side]) -> Iterator[tuple[str, str, str]]:
    """Yield the settings in which the runs differ."""
    ours, theirs = (_mapping(side.started.get("settings")) for side in sides)
    for name in sorted({*ours, *theirs}):
        if ours.get(name) != theirs.get(name):
            yield sanitize(name), _cell(ours.get(name)), _cell(theirs.get(name))


def _figures(sides: tuple[Side, Side]) -> Iterator[tuple[str, str, str]]:
    for name in sorted({*sides[0].counts, *sides[1].counts}):
        yield sanitize(name), str(sides[0].counts[name]), str(sides[1].counts[name])
    ours, theirs = map(_money, sides)
    for name in MONEY:
        yield f"{name} at the end", _cell(ours.get(name)), _cell(theirs.get(name))
    ending, other = (_cell(side.last.get("stop_reason")) for side in sides)
    yield "stop_reason", ending, other


def _money(side: Side) -> dict[str, Decimal | None]:
    """Return the last heartbeat's money, and what its causes leave of gross and realised."""
    known: dict[str, Decimal | None] = {name: figure(side.last.get(name)) for name in MONEY}
    pnl, fees, funding = known["pnl"], known["fees"], known["funding"]
    if pnl is not None and fees is not None and funding is not None:
        gross, unrealised = pnl + fees - funding, known["unrealised"]
        known["gross"] = gross
        known["realised"] = None if unrealised is None else gross - unrealised
    return known


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return sanitize(f"{value:zf}" if isinstance(value, Decimal) else str(value), 60)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _raw(line: Line | None) -> dict[str, object] | None:
    if line is None:
        return None
    data = msgspec.Raw(line.data)
    return {"seq": line.seq, "ts": line.ts_ns, "type": line.type, "data": data}
