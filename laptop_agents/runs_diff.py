"""`laptop-agents runs diff A B`: where two runs part, then their figures side by side."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from engine.model.errors import StateDamaged
from engine.session.audit_diff import Difference, Parting, Side, difference
from engine.session.journal_reader import Line
from engine.session.sanitize import sanitize
from laptop_agents.audit_words import ascii_json, columns, details, fields, figure, offset
from laptop_agents.home import find_home
from laptop_agents.runs import find_journal

MONEY = ("equity", "pnl", "gross", "fees", "funding", "unrealised")
"""`pnl` is net: gross - fees + funding."""


def run(arguments: argparse.Namespace) -> int:
    """Print the first difference and the figures; different runs are no error.

    Raises:
        JournalDamaged: One of the journals is not proven.
    """
    home = find_home(os.environ)
    first, second = find_journal(arguments.first, home), find_journal(arguments.second, home)
    try:
        found = difference(first, second)
    except OSError as error:
        where = sanitize(str(error.filename or first), 4_096)
        raise StateDamaged(f"can't read {where}: {error.strerror or error}") from error
    text = _json(found) if arguments.json else "\n".join(_text(found))
    sys.stdout.write(text + "\n")
    return 0


def _text(found: Difference) -> Iterator[str]:
    names = [sanitize(str(side.started.get("run_id", "?"))) for side in found.sides]
    if found.partings is None:
        yield f"same decisions: {found.same}"
    else:
        yield f"{found.same} decisions are the same, then they part:"
        for name, side, parting in zip(names, found.sides, found.partings, strict=True):
            yield from _parting(name, side, parting)
    rows = [("", *names), *_settings(found.sides), *_figures(found.sides)]
    yield ""
    yield from columns(rows, right=(1, 2))


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


def _money(side: Side) -> dict[str, Decimal | None]:
    """Return the last heartbeat's money and the gross that its causes leave."""
    known: dict[str, Decimal | None] = {name: figure(side.last.get(name)) for name in MONEY}
    pnl, fees, funding = known["pnl"], known["fees"], known["funding"]
    if pnl is not None and fees is not None and funding is not None:
        known["gross"] = pnl + fees - funding
    return known


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return sanitize(f"{value:zf}" if isinstance(value, Decimal) else str(value), 60)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _json(found: Difference) -> str:
    told = {
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
                "counts": dict(sorted(side.counts.items())),
                "money": _money(side),
            }
            for side in found.sides
        ],
    }
    return ascii_json(msgspec.json.encode(told))


def _raw(line: Line | None) -> dict[str, object] | None:
    if line is None:
        return None
    data = msgspec.Raw(line.data)
    return {"seq": line.seq, "ts": line.ts_ns, "type": line.type, "data": data}
