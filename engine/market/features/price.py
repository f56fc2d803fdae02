"""Features of the touch: where the price is, how wide, which way it leans, how far it came."""

from dataclasses import dataclass, field
from typing import ClassVar, Final

from engine.market.features.base import Feature, FeatureInput
from engine.market.view import MarketView

RETURN_BUCKETS: Final = 60
"""Samples kept over the window of a return: its horizon is exact to a sixtieth."""


@dataclass(slots=True)
class Mid(Feature):
    """`(bid + ask) / 2`, quote currency.

    Inputs: quotes. Window: none. Warm-up: one quote. Stale: with the quote. Source: style.md.
    """

    half_tick: float
    value: float | None = None
    input: ClassVar[FeatureInput] = "quotes"
    version: ClassVar[int] = 1

    def on_quote(self, view: MarketView) -> None:
        """Take the touch."""
        self.value = view.mid2_ticks * self.half_tick


@dataclass(slots=True)
class SpreadBps(Feature):
    """`(ask - bid) / mid * 10,000`.

    Inputs: quotes. Window: none. Warm-up: one quote. Stale: with the quote. Source: style.md.
    """

    value: float | None = None
    input: ClassVar[FeatureInput] = "quotes"
    version: ClassVar[int] = 1

    def on_quote(self, view: MarketView) -> None:
        """Take the touch."""
        self.value = 20_000 * (view.ask_ticks - view.bid_ticks) / view.mid2_ticks


@dataclass(slots=True)
class Microprice(Feature):
    """`(ask * bid_qty + bid * ask_qty) / (bid_qty + ask_qty)`, quote currency.

    The mid pulled toward the side about to give way. Inputs: quotes. Window: none. Warm-up: one
    quote with sizes; None again where a source shows none. Stale: with the quote.
    Source: domain.md section 9; Stoikov (2018), "The micro-price", weighted mid.
    """

    tick: float
    value: float | None = None
    input: ClassVar[FeatureInput] = "quotes"
    version: ClassVar[int] = 1

    def on_quote(self, view: MarketView) -> None:
        """Take the touch."""
        lots = view.bid_lots + view.ask_lots
        weighted = view.ask_ticks * view.bid_lots + view.bid_ticks * view.ask_lots
        self.value = weighted / lots * self.tick if lots else None


@dataclass(slots=True)
class QueueImbalance(Feature):
    """`(bid_qty - ask_qty) / (bid_qty + ask_qty)`, -1 to 1.

    Inputs: quotes. Window: none. Warm-up: one quote with sizes; None again where a source shows
    none. Stale: with the quote. Source: domain.md section 9.
    """

    value: float | None = None
    input: ClassVar[FeatureInput] = "quotes"
    version: ClassVar[int] = 1

    def on_quote(self, view: MarketView) -> None:
        """Take the touch."""
        lots = view.bid_lots + view.ask_lots
        self.value = (view.bid_lots - view.ask_lots) / lots if lots else None


@dataclass(slots=True)
class Returns(Feature):
    """`mid / mid N seconds ago - 1`, a fraction.

    Time is cut in buckets of N / 60 s. "N seconds ago" is the last mid known when the bucket 60
    before the present one ended, so the horizon is N to N * 61/60 seconds.

    Inputs: quotes. Window: N seconds. Warm-up: 60 buckets after the first quote. Stale: with the
    quote. Source: domain.md section 9.
    """

    bucket_ns: int
    value: float | None = None
    buckets: list[int] = field(default_factory=list)
    mids2: list[int] = field(default_factory=list)
    """The last mid of each bucket in `buckets`; at most `RETURN_BUCKETS` + 2 of them."""
    input: ClassVar[FeatureInput] = "quotes"
    version: ClassVar[int] = 1

    def on_quote(self, view: MarketView) -> None:
        """Take the touch."""
        bucket = view.priced_ns // self.bucket_ns
        mid2 = view.mid2_ticks
        if self.buckets and self.buckets[-1] == bucket:
            self.mids2[-1] = mid2
        else:
            self.buckets.append(bucket)
            self.mids2.append(mid2)
            while len(self.buckets) > 1 and self.buckets[1] <= bucket - RETURN_BUCKETS:
                del self.buckets[0], self.mids2[0]
        if self.buckets[0] <= bucket - RETURN_BUCKETS:
            self.value = mid2 / self.mids2[0] - 1

    @property
    def warmth(self) -> tuple[int, int]:
        """In buckets of the window."""
        span = self.buckets[-1] - self.buckets[0] if self.buckets else 0
        return min(span, RETURN_BUCKETS), RETURN_BUCKETS
