"""From the venue's decimal strings to our ticks: exact while the grids are one, else rounded away.

See `brokers.hyperliquid.rules` for when they part. A bid is never shown higher than it is, nor an
ask lower; sizes are always exact.
"""

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Final

from brokers.link.grid import REMEMBERED_MAX, STEPS_MAX, Refused, Steps, plain_decimal
from engine.model.instrument import Instrument

WIDE: Final = Context(prec=60)
"""Holds the count of any number that passes for plain."""


class RoundedSteps(dict[str, int]):
    """Look a price up as its count of ticks, like `brokers.link.grid.Steps`."""

    def __init__(self, tick: Decimal, *, is_up: bool) -> None:
        self._tick = tick
        self._is_up = is_up

    def __missing__(self, text: str) -> int:
        """Convert.

        Raises:
            Refused: `nan`, `non_positive` or `malformed`.
        """
        count, rest = WIDE.divmod(Decimal(plain_decimal(text)), self._tick)
        ticks = int(count) + (self._is_up and rest > 0)
        if ticks < 1:
            raise Refused("non_positive", f"not above zero: {text}")
        if ticks > STEPS_MAX:
            raise Refused("malformed", f"{text} is no price")
        if len(self) >= REMEMBERED_MAX:
            self.clear()
        self[text] = ticks
        return ticks


class CoinGrid:
    """How to read the numbers of one coin."""

    __slots__ = ("asks", "bids", "lots", "symbol")

    def __init__(self, instrument: Instrument) -> None:
        self.symbol = instrument.symbol
        self.bids = RoundedSteps(instrument.tick_size, is_up=False)
        self.asks = RoundedSteps(instrument.tick_size, is_up=True)
        self.lots = Steps(instrument.lot_size, least=0)


Grids = Mapping[str, CoinGrid]
NO_GRIDS: Final[Grids] = {}
