"""What the kernel asks of a venue, sent once the records of the same step are written."""

from decimal import Decimal

import msgspec

from engine.model.orders import (
    Approved,
    OrderIntent,
)


class PlaceOrder(msgspec.Struct, frozen=True, gc=False):
    """Send a new order, at most once for each `order_id`."""

    ts_ns: int
    order_id: str
    approved: Approved[OrderIntent]
    """Quantity and price are the intent's: what was approved is what is sent."""


class AmendOrder(msgspec.Struct, frozen=True, gc=False):
    """Change price and total quantity of a working order to the approved intent's."""

    ts_ns: int
    order_id: str
    price: Decimal
    qty: Decimal
    """Total quantity including what has filled."""
    approved: Approved[OrderIntent]


class CancelOrder(msgspec.Struct, frozen=True, gc=False):
    """Take a working order out of the book."""

    ts_ns: int
    order_id: str
    symbol: str


Command = PlaceOrder | AmendOrder | CancelOrder
