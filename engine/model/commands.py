"""What the kernel asks of a venue, sent once the records of the same step are written."""

from decimal import Decimal
from typing import Final

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


class QueryAccount(msgspec.Struct, frozen=True, gc=False):
    """Ask what the venue holds of the account; the answer is one `VenueSnapshot`."""

    ts_ns: int
    since_ns: int
    """Fills from this venue time on are to be told again."""


class QueryOrder(msgspec.Struct, frozen=True, gc=False):
    """Ask what became of one order, by its client id; the answer is one `VenueOrderStatus`."""

    ts_ns: int
    order_id: str
    symbol: str


Query = QueryAccount | QueryOrder
"""Changes nothing at the venue."""

QUERIES: Final = frozenset({QueryAccount, QueryOrder})
"""The classes of `Query`, for a look-up on the way of every command."""

Command = PlaceOrder | AmendOrder | CancelOrder | Query
