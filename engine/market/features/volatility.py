"""How much the price moves: average true range, realized volatility."""

from dataclasses import dataclass
from math import log, sqrt
from typing import ClassVar

from engine.market.features.base import Feature, FeatureInput
from engine.market.features.window import MomentWindow
from engine.market.view import MarketView
from engine.model.market import Bar


@dataclass(slots=True)
class Atr(Feature):
    """`atr = (atr * (N - 1) + tr) / N`, quote currency, seeded with the mean of the first N.

    `tr = max(high - low, |high - close before|, |low - close before|)`; the first bar has no close
    before it and gives `high - low`.

    Inputs: bars. Window: N bars. Warm-up: N bars. Stale: one interval after the bar.
    Source: Wilder (1978), "New Concepts in Technical Trading Systems".
    """

    window: int
    tick: float
    value: float | None = None
    close_ticks: int = 0
    """Close of the bar before; 0 before the first."""
    seen: int = 0
    seed_ticks: int = 0
    """Sum of the first N true ranges."""
    average_ticks: float = 0.0
    input: ClassVar[FeatureInput] = "bars"
    version: ClassVar[int] = 1

    def on_bar(self, bar: Bar) -> None:
        """Take a closed bar."""
        close = self.close_ticks
        high = max(bar.high_ticks, close) if close else bar.high_ticks
        low = min(bar.low_ticks, close) if close else bar.low_ticks
        true_range = high - low
        self.close_ticks = bar.close_ticks
        if self.seen < self.window:
            self.seen += 1
            self.seed_ticks += true_range
            self.average_ticks = self.seed_ticks / self.window
        else:
            self.average_ticks += (true_range - self.average_ticks) / self.window
        if self.seen == self.window:
            self.value = self.average_ticks * self.tick

    @property
    def warmth(self) -> tuple[int, int]:
        """In bars."""
        return self.seen, self.window


@dataclass(slots=True)
class QuoteVolatility(Feature):
    """Sample standard deviation of the last N log returns of the mid, a fraction per quote.

    Inputs: quotes. Window: N returns, hence N + 1 quotes, at least 2. Warm-up: the window. Stale:
    with the quote. Amortized O(1). Source: domain.md sections 8 and 9.
    """

    returns: MomentWindow
    value: float | None = None
    mid2_ticks: int = 0
    input: ClassVar[FeatureInput] = "quotes"
    version: ClassVar[int] = 1

    def on_quote(self, view: MarketView) -> None:
        """Take the touch."""
        if self.mid2_ticks:
            self.returns.push(log(view.mid2_ticks / self.mid2_ticks))
            self.value = _deviation(self.returns)
        self.mid2_ticks = view.mid2_ticks

    @property
    def warmth(self) -> tuple[int, int]:
        """In returns."""
        return self.returns.warmth


@dataclass(slots=True)
class BarVolatility(Feature):
    """Sample standard deviation of the last N log returns of closes, a fraction per interval.

    Inputs: bars. Window: N returns, hence N + 1 bars, at least 2. Warm-up: the window. Stale: one
    interval after the bar. Amortized O(1). Source: domain.md section 9.
    """

    returns: MomentWindow
    value: float | None = None
    close_ticks: int = 0
    input: ClassVar[FeatureInput] = "bars"
    version: ClassVar[int] = 1

    def on_bar(self, bar: Bar) -> None:
        """Take a closed bar."""
        if self.close_ticks:
            self.returns.push(log(bar.close_ticks / self.close_ticks))
            self.value = _deviation(self.returns)
        self.close_ticks = bar.close_ticks

    @property
    def warmth(self) -> tuple[int, int]:
        """In returns."""
        return self.returns.warmth


def _deviation(window: MomentWindow) -> float | None:
    count, _, squares = window.moments()
    return sqrt(squares / (count - 1)) if count == window.length else None
