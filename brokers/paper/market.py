"""One instrument as the venue sees it: touch, depth, working orders, our position.

The only mutable state of matching, plain data throughout; the models beside it decide, this holds.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from typing import Final

from brokers.paper.depth import DepthBook
from brokers.paper.order import PaperOrder
from brokers.paper.terms import Terms

ALWAYS: Final = 1 << 62
"""A tick band edge that every price lies below."""

JUMP_SHARE: Final = 20
"""A mid that moves by more than 1/20 of the last one is not believed."""
JUMP_REPEATS: Final = 5
"""Unless so many quotes in a row agree on the new level: then it was the market."""


class Source(IntEnum):
    """Where the touch comes from. A better source, once seen, silences the lesser ones."""

    NONE = 0
    BARS = 1
    DEPTH = 2
    QUOTES = 3


@dataclass(slots=True)
class Market:
    """Prices in ticks, sizes in lots, signs from our point of view."""

    terms: Terms
    depth: DepthBook
    bid: int = 0
    bid_lots: int = 0
    ask: int = 0
    ask_lots: int = 0
    bid_taken: int = 0
    """Lots of the displayed bid that our own orders consumed since it last changed."""
    ask_taken: int = 0
    event_ns: int = 0
    """Venue time of the last quote."""
    source: Source = Source.NONE
    bar_interval_s: int = 0
    low: int = 0
    """Between `low` and `high`, `bid + ask` is plausible without a closer look."""
    high: int = 0
    odd_total: int = 0
    odd_count: int = 0
    buys: dict[str, PaperOrder] = field(default_factory=dict)
    """Resting bids in order of arrival."""
    sells: dict[str, PaperOrder] = field(default_factory=dict)
    conditionals: dict[str, PaperOrder] = field(default_factory=dict)
    buy_units: int = 0
    """Ticks times open lots of the resting bids."""
    sell_units: int = 0
    position: int = 0
    flow: int = 0
    """Ticks times lots received minus paid since the position was last flat."""
    is_engaged: bool = False
    """Whether an order works here or a position is open: a quote then has consequences."""
    liquidation_low: int = 0
    """A `bid + ask` at or below this asks for an exact margin check."""
    liquidation_high: int = ALWAYS
    mark: Decimal | None = None
    funding_rate: Decimal = Decimal(0)
    funding_ns: int = 0
    """Announced settlement, 0 before the first announcement."""
    settled_ns: int = 0

    def resting(self, *, is_buy: bool) -> dict[str, PaperOrder]:
        """Return the resting orders of one side."""
        return self.buys if is_buy else self.sells

    def working(self, order_id: str) -> PaperOrder | None:
        """Find an order that is still in the book or waits for its trigger."""
        return (
            self.buys.get(order_id) or self.sells.get(order_id) or self.conditionals.get(order_id)
        )

    def add(self, order: PaperOrder) -> None:
        """Put an order where it works, behind the earlier ones."""
        self.is_engaged = True
        if order.is_conditional:
            self.conditionals[order.order_id] = order
        elif order.is_buy:
            self.buys[order.order_id] = order
            self.buy_units += order.ticks * (order.lots - order.filled)
        else:
            self.sells[order.order_id] = order
            self.sell_units += order.ticks * (order.lots - order.filled)

    def remove(self, order: PaperOrder) -> None:
        """Take an order out of the book."""
        if order.is_conditional:
            del self.conditionals[order.order_id]
        else:
            del (self.buys if order.is_buy else self.sells)[order.order_id]
            self.release_units(order, order.lots - order.filled)
        self.settle_engagement()

    def release_units(self, order: PaperOrder, lots: int) -> None:
        """Stop holding margin for some lots of a resting order."""
        if order.is_buy:
            self.buy_units -= order.ticks * lots
        else:
            self.sell_units -= order.ticks * lots

    def settle_engagement(self) -> None:
        """Recompute whether a quote has consequences."""
        self.is_engaged = bool(self.position or self.buys or self.sells or self.conditionals)

    def reducible(self, *, is_buy: bool) -> int:
        """Return the lots by which an order of this side can reduce the position."""
        return max(0, -self.position if is_buy else self.position)

    def exposure(self) -> int:
        """Return ticks times lots of the worse of: all bids fill, all offers fill."""
        held = self.position * (self.bid + self.ask) // 2
        return max(held + self.buy_units, self.sell_units - held, 0)

    def worth(self) -> Decimal:
        """Return what position and cash flow of this cycle are worth, at mark or else at mid."""
        terms = self.terms
        if self.mark is None:
            return (self.position * (self.bid + self.ask) + 2 * self.flow) * terms.half_unit
        return self.flow * terms.unit + self.position * terms.lot_value * self.mark

    def notional(self) -> Decimal:
        """Return the size of the position in quote currency, at mark or else at mid."""
        if self.mark is None:
            return abs(self.position) * (self.bid + self.ask) * self.terms.half_unit
        return abs(self.position) * self.terms.lot_value * self.mark

    def show(self, bid: int, bid_lots: int, ask: int, ask_lots: int) -> None:
        """Take a new touch; what we had consumed of the old one is forgotten."""
        self.bid, self.bid_lots, self.ask, self.ask_lots = bid, bid_lots, ask, ask_lots
        self.bid_taken = self.ask_taken = 0

    def spend(self, ticks: int, lots: int, *, is_buy: bool) -> None:
        """Note that our buyer (or seller) consumed displayed lots at a price.

        Where no ladder was ever shown, what trades beyond the touch is charged to the touch too.
        """
        is_touch = ticks == (self.ask if is_buy else self.bid) or not self.depth.is_known
        if is_touch and is_buy:
            self.ask_taken += lots
        elif is_touch:
            self.bid_taken += lots
        if self.depth.is_known:
            self.depth.take(is_buy=is_buy, ticks=ticks, lots=lots)


def is_plausible(market: Market, total: int) -> bool:
    """Judge a `bid + ask` that lies outside the quick band, and move the band.

    The quick band is narrow enough (-2.4 % to +2.4 % of an anchor) that two prices inside it are
    never 5 % apart, so only a quote outside it costs this call. After a refusal the band is empty:
    every quote comes here until one is believed.
    """
    last = market.bid + market.ask
    if last and abs(total - last) * JUMP_SHARE > last:
        market.low = market.high = 0
        if not market.odd_count or abs(total - market.odd_total) * JUMP_SHARE > market.odd_total:
            market.odd_total, market.odd_count = total, 0
        market.odd_count += 1
        if market.odd_count < JUMP_REPEATS:
            return False
    market.odd_total = market.odd_count = 0
    market.low, market.high = total * 976 // 1000, total * 1024 // 1000
    return True


def is_near(market: Market, ticks: int) -> bool:
    """Whether a print lies within 5 % of the mid; nothing is near before the first quote."""
    total = market.bid + market.ask
    return abs(2 * ticks - total) * JUMP_SHARE <= total
