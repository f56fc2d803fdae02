"""When a resting order trades: the queue model, the touch model, and bars.

Every model answers with hits, in price-time priority: which orders trade, and how many lots, each
at its own limit. None of them books anything.
"""

from collections.abc import Sequence
from typing import Protocol

from brokers.paper.config import PaperConfig
from brokers.paper.market import Market
from brokers.paper.order import Hit, PaperOrder, by_priority
from brokers.paper.queue import QueueMaker
from engine.model.market import Bar, Trade

NO_HITS: Sequence[Hit] = ()


class Maker(Protocol):
    """A model of passive fills."""

    def join(self, market: Market, order: PaperOrder) -> None:
        """Give an order that starts to rest its place."""
        ...

    def quoted(self, market: Market) -> Sequence[Hit]:
        """React to a new touch."""
        ...

    def printed(self, market: Market, trade: Trade) -> Sequence[Hit]:
        """React to a public trade."""
        ...

    def deepened(self, market: Market, event_ns: int) -> None:
        """React to a change of the ladder."""
        ...

    def ahead(self, order: PaperOrder) -> int | None:
        """Return the lots in line before a resting order; None where there is no line."""
        ...


class TouchMaker:
    """No queue: an order fills whole at its price when the other side's touch reaches it."""

    __slots__ = ()

    def join(self, market: Market, order: PaperOrder) -> None:
        """Every place is first."""

    def quoted(self, market: Market) -> Sequence[Hit]:
        """Fill bids at or above the ask, and offers at or below the bid."""
        hits: list[Hit] | None = None
        ask = market.ask
        for order in market.buys.values():
            if ask <= order.ticks:
                hits = hits or []
                hits.append((order, order.lots - order.filled))
        bid = market.bid
        for order in market.sells.values():
            if bid >= order.ticks:
                hits = hits or []
                hits.append((order, order.lots - order.filled))
        return hits or NO_HITS

    def printed(self, market: Market, trade: Trade) -> Sequence[Hit]:  # noqa: ARG002 - protocol
        """Ignore prints: only the touch counts."""
        return NO_HITS

    def deepened(self, market: Market, event_ns: int) -> None:
        """Ignore depth: only the touch counts."""

    def ahead(self, order: PaperOrder) -> int | None:  # noqa: ARG002 - protocol
        """Say that there is no line."""
        return None


def traded_through(market: Market, bar: Bar) -> list[Hit]:
    """Fill what a bar traded strictly through, up to its volume on each side."""
    hits: list[Hit] = []
    for orders in (market.buys, market.sells):
        volume = bar.volume_lots
        for order in by_priority(orders.values()):
            is_through = (
                bar.low_ticks < order.ticks if order.is_buy else bar.high_ticks > order.ticks
            )
            lots = min(order.leaves, volume)
            if is_through and lots > 0:
                hits.append((order, lots))
                volume -= lots
    return hits


def maker_of(config: PaperConfig) -> Maker:
    """Choose by `paper.maker_model`."""
    return TouchMaker() if config.maker_model == "touch" else QueueMaker(config.queue_cancel_share)
