"""The displayed book of one invented instrument.

The size at a price is a property of that price: a fixed table of log-normal factors, scaled by how
thick the market is at the moment. So a level shown in one snapshot is there when the touch arrives
at it, a hundred levels cost no memory, and what is displayed always reverts to the same mean.
"""

from random import Random
from typing import Final

from brokers.mock.universe import Listing
from engine.model.market import Levels

_PATTERN: Final = 509
"""Prices after which the pattern of sizes repeats; prime, so it never meets a round price."""

_REVERSION: Final = 0.35
"""Share of the way a touch size goes back to its mean at each refresh."""

BUY: Final = 1
SELL: Final = -1


class MockBook:
    """Touch and depth in ticks and lots; `bid < ask` and every size at least one lot, always."""

    __slots__ = ("_gap", "_pattern", "_rng", "_touch_lots", "ask", "ask_lots", "bid", "bid_lots")

    def __init__(self, listing: Listing, rng: Random) -> None:
        self._rng = rng
        self._gap = listing.level_gap_ticks
        self._touch_lots = listing.touch_lots
        self._pattern = [rng.lognormvariate(-0.4, 0.9) for _ in range(_PATTERN)]
        self.bid = listing.instrument.ticks(listing.start_price)
        self.ask = self.bid + 1
        self.bid_lots = self.lots_at(self.bid, 1.0)
        self.ask_lots = self.lots_at(self.ask, 1.0)

    def lots_at(self, ticks: int, thickness: float) -> int:
        """Return the size a level shows when nobody has traded against it."""
        return int(self._pattern[ticks // self._gap % _PATTERN] * self._touch_lots * thickness) + 1

    def move(self, bid: int, ask: int, thickness: float, skew: float) -> None:
        """Quote new prices; an unchanged price keeps its queue and lets it revert.

        Args:
            skew: -1 to 1; above 0 shows more on the bid, which is where support is.
        """
        noise = self._rng.random() * 0.3 + 0.85
        bid_mean = self.lots_at(bid, thickness * (1 + 0.6 * skew) * noise)
        ask_mean = self.lots_at(ask, thickness * (1 - 0.6 * skew) * noise)
        self.bid_lots = _refreshed(self.bid_lots, bid_mean, is_same_level=bid == self.bid)
        self.ask_lots = _refreshed(self.ask_lots, ask_mean, is_same_level=ask == self.ask)
        self.bid, self.ask = bid, ask

    def take(self, direction: int, lots: int, thickness: float) -> int:
        """Trade against the touch, and show the next level when it is eaten.

        Returns:
            Lots taken: `lots`, or all that the touch had.
        """
        if direction == BUY:
            taken = min(lots, self.ask_lots)
            self.ask_lots -= taken
            if not self.ask_lots:
                self.ask = self._above(self.ask)
                self.ask_lots = self.lots_at(self.ask, thickness)
        else:
            taken = min(lots, self.bid_lots)
            self.bid_lots -= taken
            if not self.bid_lots:
                self.bid = self._below(self.bid)
                self.bid_lots = self.lots_at(self.bid, thickness)
        return taken

    def is_deep(self) -> bool:
        """Whether another bid level still fits above zero."""
        return self.bid > self._gap + 1

    def levels(self, count: int, thickness: float) -> tuple[Levels, Levels]:
        """Return bids then asks, best first; fewer bids than `count` only near a price of zero."""
        first_bid, first_ask = self._below(self.bid), self._above(self.ask)
        gap = self._gap
        stop_bid = max(first_bid - gap * (count - 1), 0)
        lots_at = self.lots_at
        bids = [(ticks, lots_at(ticks, thickness)) for ticks in range(first_bid, stop_bid, -gap)]
        ask_range = range(first_ask, first_ask + gap * (count - 1), gap)
        asks = [(ticks, lots_at(ticks, thickness)) for ticks in ask_range]
        return ((self.bid, self.bid_lots), *bids), ((self.ask, self.ask_lots), *asks)

    def _above(self, ticks: int) -> int:
        return (ticks // self._gap + 1) * self._gap

    def _below(self, ticks: int) -> int:
        return (ticks - 1) // self._gap * self._gap


def _refreshed(shown: int, mean: int, *, is_same_level: bool) -> int:
    if not is_same_level:
        return mean
    return max(1, shown + round(_REVERSION * (mean - shown)))
