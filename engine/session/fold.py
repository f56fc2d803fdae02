"""Counts a session's figures from its recorded lines, as they were counted when it made them."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from engine.model.events import INPUT_TYPES, RECORD_TYPES
from engine.reports.statistics import Curve
from engine.reports.tally import Tally
from engine.session.journal_reader import Line, event_of
from engine.session.recorded import STARTED

HEARTBEAT: Final = "heartbeat"


class _Worth(msgspec.Struct, frozen=True, gc=False):
    """What the equity curve takes from a heartbeat."""

    equity: Decimal
    positions: dict[str, Decimal]


class _Start(msgspec.Struct, frozen=True, gc=False):
    """What it takes from the first line."""

    starting_balance: Decimal


def fold(lines: Iterable[Line], tally: Tally, curve: Curve) -> None:
    """Feed proven lines, the first one of the run included, to the counters."""
    counted = {
        name: kind for name, kind in (INPUT_TYPES | RECORD_TYPES).items() if tally.counts(kind)
    }
    for line in lines:
        kind = counted.get(line.type)
        if kind is not None:
            tally.see(event_of(line, kind))
        elif line.type == HEARTBEAT:
            worth = msgspec.json.decode(line.data, type=_Worth)
            curve.add(line.ts_ns, worth.equity, bool(worth.positions))
        elif line.type == STARTED:
            start = msgspec.json.decode(line.data, type=_Start)
            curve.add(line.ts_ns, start.starting_balance, False)
