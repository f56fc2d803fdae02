"""Features of the tape: who is in a hurry."""

from dataclasses import dataclass
from typing import ClassVar

from engine.market.features.base import Feature, FeatureInput
from engine.market.features.window import IntegerWindow
from engine.model.market import Trade
from engine.model.orders import Side


@dataclass(slots=True)
class Cvd(Feature):
    """Cumulative volume delta: `sum(qty bought) - sum(qty sold)` by takers, base currency.

    Inputs: trades. Window: N prints, or 0 for all since the start. Warm-up: N prints, at least one.
    Stale: never by itself; it is as old as its prints. Source: domain.md section 9.
    """

    lot: float
    delta: IntegerWindow
    value: float | None = None
    input: ClassVar[FeatureInput] = "trades"
    version: ClassVar[int] = 1

    def on_trade(self, trade: Trade) -> None:
        """Take a print."""
        self.delta.push(trade.qty_lots if trade.aggressor is Side.BUY else -trade.qty_lots)
        if self.delta.is_full:
            self.value = self.delta.total * self.lot

    @property
    def warmth(self) -> tuple[int, int]:
        """In prints."""
        return self.delta.warmth
