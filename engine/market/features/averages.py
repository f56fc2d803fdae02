"""Averages: exponential over mids or closes, volume-weighted over prints."""

from dataclasses import dataclass
from typing import ClassVar

from engine.market.features.base import Feature, FeatureInput
from engine.market.features.window import IntegerWindow
from engine.market.view import MarketView
from engine.model.market import Bar, Trade


@dataclass(slots=True)
class Ema:
    """`ema += alpha * (x - ema)`, alpha = 2 / (N + 1), seeded with the first x.

    Source: Hunter (1986), "The exponentially weighted moving average"; alpha as in performance.md.
    """

    window: int
    alpha: float
    average: float = 0.0
    missing: int = 0
    """Inputs still to come before it is warm."""

    @classmethod
    def over(cls, window: int) -> "Ema":
        """Make one of `window` inputs."""
        return cls(window, 2 / (window + 1), missing=window)

    def push(self, x: float) -> float | None:
        """Add an input, return the average once warm."""
        if not self.missing:
            self.average = average = self.average + self.alpha * (x - self.average)
            return average
        is_first = self.missing == self.window
        self.average = x if is_first else self.average + self.alpha * (x - self.average)
        self.missing -= 1
        return None if self.missing else self.average

    @property
    def warmth(self) -> tuple[int, int]:
        """Inputs seen, of those it needs."""
        return self.window - self.missing, self.window


@dataclass(slots=True)
class QuoteEma(Feature):
    """`Ema` of the mid, quote currency.

    Inputs: quotes. Window: N quotes. Warm-up: N quotes. Stale: with the quote. Source: `Ema`.
    """

    ema: Ema
    half_tick: float
    value: float | None = None
    input: ClassVar[FeatureInput] = "quotes"
    version: ClassVar[int] = 1

    def on_quote(self, view: MarketView) -> None:
        """Take the touch."""
        self.value = self.ema.push(view.mid2_ticks * self.half_tick)

    @property
    def warmth(self) -> tuple[int, int]:
        """In quotes."""
        return self.ema.warmth


@dataclass(slots=True)
class BarEma(Feature):
    """`Ema` of the close, quote currency.

    Inputs: bars. Window: N bars. Warm-up: N bars. Stale: one interval after the bar.
    Source: `Ema`.
    """

    ema: Ema
    tick: float
    value: float | None = None
    input: ClassVar[FeatureInput] = "bars"
    version: ClassVar[int] = 1

    def on_bar(self, bar: Bar) -> None:
        """Take a closed bar."""
        self.value = self.ema.push(bar.close_ticks * self.tick)

    @property
    def warmth(self) -> tuple[int, int]:
        """In bars."""
        return self.ema.warmth


@dataclass(slots=True)
class Vwap(Feature):
    """`sum(price * qty) / sum(qty)` of prints, quote currency.

    Sums are integers, hence exact. Inputs: trades. Window: N prints, or 0 for all since the start.
    Warm-up: N prints, at least one. Stale: never by itself; it is as old as its prints.
    Source: Berkowitz, Logue, Noser (1988), "The total cost of transactions on the NYSE".
    """

    tick: float
    notional: IntegerWindow
    lots: IntegerWindow
    value: float | None = None
    input: ClassVar[FeatureInput] = "trades"
    version: ClassVar[int] = 1

    def on_trade(self, trade: Trade) -> None:
        """Take a print."""
        self.notional.push(trade.price_ticks * trade.qty_lots)
        self.lots.push(trade.qty_lots)
        if self.lots.is_full:
            self.value = self.notional.total / self.lots.total * self.tick

    @property
    def warmth(self) -> tuple[int, int]:
        """In prints."""
        return self.lots.warmth
