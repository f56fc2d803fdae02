"""The rules a sandbox lists and holds orders to: its market's own, but where a fault changed them.

Prices and sizes that it shows stay on its market's grid, whatever is listed meanwhile. Of a grid
finer than that nothing new can be ordered: the matching behind knows no such steps.
"""

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from brokers.sandbox.faults import Fault
from engine.model.instrument import Instrument


class Listed:
    """What clients are told of each instrument."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._first = instruments
        self.now: dict[str, Instrument] = dict(instruments)
        self.halted: dict[str, None] = {}
        """Symbols of which nothing can be ordered."""

    def change(self, fault: Fault) -> bool:
        """List the symbol that is named, or all, on these terms; False for one that is not there.

        What a fault leaves out is as it was first.
        """
        if fault.symbol and fault.symbol not in self._first:
            return False
        for symbol in [fault.symbol] if fault.symbol else self._first:
            self.now[symbol] = _changed(self._first[symbol], fault)
            self.halted.pop(symbol, None)
            if fault.is_halted:
                self.halted[symbol] = None
        return True


def _changed(first: Instrument, fault: Fault) -> Instrument:
    return replace(
        first,
        tick_size=_either(fault.tick, first.tick_size),
        lot_size=_either(fault.lot, first.lot_size),
        min_qty=_either(fault.lot, first.min_qty),
        min_notional=_either(fault.min_notional, first.min_notional),
    )


def _either(wanted: Decimal | None, first: Decimal) -> Decimal:
    return first if wanted is None else wanted
