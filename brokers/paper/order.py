"""An order as the paper venue holds it: integers for matching, decimals for what goes out."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from engine.model.orders import OrderType, Side, TimeInForce


class PaperOrder(msgspec.Struct, gc=False):
    """One accepted order. Plain data, so that a snapshot of the venue is its encoding."""

    order_id: str
    symbol: str
    side: Side
    is_buy: bool
    type: OrderType
    tif: TimeInForce
    is_conditional: bool
    """Waits for its trigger; a released order is a market order."""
    post_only: bool
    reduce_only: bool
    qty: Decimal
    price: Decimal | None
    lots: int
    """Total, including what has filled."""
    ticks: int
    """Limit price; 0 for none."""
    filled: int = 0
    trigger: int = 0
    """Price, in ticks, that releases a stop, take-profit or trailing order."""
    trail_bps: Decimal | None = None
    best: int = 0
    """Best touch a trailing order has seen since it was accepted."""
    ahead: int = 0
    """Displayed lots that must trade at our price before we do."""
    shown: int = 0
    """Displayed lots at our price when last seen; -1 while nobody has shown us the level."""
    credit: int = 0
    """Lots by which quotes advanced us in the queue and which no print has explained yet."""
    credit_ns: int = 0
    """Venue time of the last such quote."""
    joined_event_ns: int = 0
    """Venue time of the quote we joined on; earlier prints happened without us."""

    @property
    def leaves(self) -> int:
        """Lots that can still fill."""
        return self.lots - self.filled


Hit = tuple[PaperOrder, int]
"""A resting order and the lots of it that trade now, at its own price."""


def by_priority(orders: Iterable[PaperOrder]) -> list[PaperOrder]:
    """Sort one side's orders best price first; equal prices keep their order of arrival."""
    return sorted(orders, key=lambda order: -order.ticks if order.is_buy else order.ticks)
