"""Waiting in line: a resting order fills only from lots the market has shown to trade.

Rule 1: on joining a level, all it displays is ahead of us; nothing is when we improve the touch. A
        level beyond what we know counts as the touch's size until we see it, then as what it shows.
Rule 2: a print at our price first consumes the queue, then fills us, and spends its size once
        across our orders. A print beyond our price swept the level: we fill whole. That is the
        adverse case, so it never flatters.
Rule 3: when displayed size shrinks without prints, `queue_cancel_share` of it leaves from ahead of
        us; and no more can be ahead than is displayed. Later arrivals never count.
Rule 4: an opposite touch at or through our price fills us up to the size it displays; those lots
        are then gone for our takers, too.
Rule 5: a print and the quote that already reflects it count once, whichever comes first: a print
        not newer than the quote is charged against what that quote advanced us; a print older than
        the quote we joined on happened without us.
"""

from collections.abc import Sequence

from brokers.paper.market import Market
from brokers.paper.order import Hit, PaperOrder, by_priority
from engine.model.market import Trade
from engine.model.orders import Side

UNSEEN = -1
"""`PaperOrder.shown` of a level nobody has displayed to us."""


class QueueMaker:
    """Estimates the lots ahead of each of our orders."""

    __slots__ = ("_share",)

    def __init__(self, cancel_share: float) -> None:
        self._share = cancel_share

    def join(self, market: Market, order: PaperOrder) -> None:
        """Stand behind everything displayed at the price (rule 1)."""
        touch = market.bid if order.is_buy else market.ask
        touch_lots = market.bid_lots if order.is_buy else market.ask_lots
        order.credit = 0
        order.joined_event_ns = market.event_ns
        if order.ticks == touch:
            order.ahead = order.shown = touch_lots
        elif order.ticks > touch if order.is_buy else order.ticks < touch:
            order.ahead = order.shown = 0
        else:
            seen = market.depth.size_at(order.side, order.ticks)
            order.ahead = touch_lots if seen is None else seen
            order.shown = UNSEEN if seen is None else seen

    def quoted(self, market: Market) -> Sequence[Hit]:
        """Move every queue by a new touch, and fill what it crosses (rules 3 and 4)."""
        hits: list[Hit] = []
        is_crossed = False
        bid, ask, event_ns = market.bid, market.ask, market.event_ns
        for order in market.buys.values():
            if order.ticks >= bid:
                self._show(order, market.bid_lots if order.ticks == bid else 0, event_ns)
                is_crossed = is_crossed or order.ticks >= ask
        for order in market.sells.values():
            if order.ticks <= ask:
                self._show(order, market.ask_lots if order.ticks == ask else 0, event_ns)
                is_crossed = is_crossed or order.ticks <= bid
        if is_crossed:
            _cross(market, hits, is_buy=True)
            _cross(market, hits, is_buy=False)
        return hits

    def printed(self, market: Market, trade: Trade) -> Sequence[Hit]:
        """Let a print consume the queue, then us (rule 2)."""
        hits: list[Hit] = []
        is_buy = trade.aggressor is Side.SELL
        left = trade.qty_lots
        for order in by_priority(market.resting(is_buy=is_buy).values()):
            beyond = order.ticks - trade.price_ticks if is_buy else trade.price_ticks - order.ticks
            if beyond < 0:
                break
            if 0 < trade.ts_event_ns < order.joined_event_ns:
                continue
            if beyond:
                order.ahead = 0
                hits.append((order, order.leaves))
                continue
            lots = _advance(order, left, trade.ts_event_ns)
            if lots:
                hits.append((order, lots))
                left -= lots
        return hits

    def deepened(self, market: Market, event_ns: int) -> None:
        """Move the queues of levels behind the touch; the touch itself belongs to quotes."""
        for order in market.buys.values():
            if order.ticks < market.bid:
                self._reread(market, order, event_ns)
        for order in market.sells.values():
            if order.ticks > market.ask:
                self._reread(market, order, event_ns)

    def ahead(self, order: PaperOrder) -> int | None:
        """Return the lots that must trade at its price before it does."""
        return order.ahead

    def _reread(self, market: Market, order: PaperOrder, event_ns: int) -> None:
        lots = market.depth.size_at(order.side, order.ticks)
        if lots is not None:
            self._show(order, lots, event_ns)

    def _show(self, order: PaperOrder, lots: int, event_ns: int) -> None:
        """Take note of the size now displayed at an order's price (rule 3)."""
        if order.shown == UNSEEN:
            order.ahead = lots
        elif order.ahead:
            shrink = max(0, order.shown - lots)
            ahead = min(order.ahead - int(self._share * shrink), lots)
            if ahead < order.ahead:
                order.credit += order.ahead - max(0, ahead)
                order.credit_ns = event_ns
                order.ahead = max(0, ahead)
        order.shown = lots


def _advance(order: PaperOrder, volume: int, event_ns: int) -> int:
    """Spend a print at the order's price on its queue; return the lots left for the order."""
    order.shown = max(0, order.shown - volume) if order.shown != UNSEEN else UNSEEN
    if 0 < event_ns <= order.credit_ns:
        known = min(volume, order.credit)
        order.credit -= known
        volume -= known
    else:
        order.credit = 0
    passed = min(order.ahead, volume)
    order.ahead -= passed
    return min(volume - passed, order.leaves)


def _cross(market: Market, hits: list[Hit], *, is_buy: bool) -> None:
    """Fill the orders of one side that the opposite touch reached, from what it displays."""
    orders = market.resting(is_buy=is_buy).values()
    if is_buy:
        ticks, free = market.ask, market.ask_lots - market.ask_taken
        crossed = [order for order in orders if order.ticks >= ticks]
    else:
        ticks, free = market.bid, market.bid_lots - market.bid_taken
        crossed = [order for order in orders if order.ticks <= ticks]
    for order in by_priority(crossed):
        order.ahead = 0
        lots = min(order.leaves, free)
        if lots > 0:
            hits.append((order, lots))
            market.spend(ticks, lots, is_buy=is_buy)
            free -= lots
