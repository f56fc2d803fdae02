"""What venues answer: inputs of the kernel, all msgspec structs whose first field is `ts_ns`."""

from decimal import Decimal

import msgspec

from engine.model.account import Liquidity, MarginMode, OtherFee
from engine.model.money import ZERO
from engine.model.orders import (
    Side,
)
from engine.model.words import Word


class RejectReason(Word):
    """Why a venue refused; the shared taxonomy of venues/README.md section 4."""

    INVALID_ORDER = "invalid_order"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    ORDER_NOT_FOUND = "order_not_found"
    POST_ONLY_WOULD_CROSS = "post_only_would_cross"
    REDUCE_ONLY_REJECTED = "reduce_only_rejected"
    DUPLICATE_CLIENT_ID = "duplicate_client_id"
    MARKET_CLOSED = "market_closed"
    RATE_LIMIT = "rate_limit"
    NO_LIQUIDITY = "no_liquidity"
    AUTH = "auth"
    VENUE_UNAVAILABLE = "venue_unavailable"
    CLOCK_SKEW = "clock_skew"


class VenueAccepted(msgspec.Struct, frozen=True, gc=False):
    """The venue holds the order."""

    ts_ns: int
    symbol: str
    order_id: str
    venue_order_id: str


class VenueRejected(msgspec.Struct, frozen=True, gc=False):
    """The venue refused the order; it never was in the book."""

    ts_ns: int
    symbol: str
    order_id: str
    reason: RejectReason
    detail: str = ""


class VenueAmended(msgspec.Struct, frozen=True, gc=False):
    """The working order now has this price and total quantity."""

    ts_ns: int
    symbol: str
    order_id: str
    price: Decimal
    qty: Decimal


class VenueAmendRejected(msgspec.Struct, frozen=True, gc=False):
    """The amend was refused; the order works on as it was."""

    ts_ns: int
    symbol: str
    order_id: str
    reason: RejectReason
    detail: str = ""


class VenueCanceled(msgspec.Struct, frozen=True, gc=False):
    """The order left the book because somebody asked for it."""

    ts_ns: int
    symbol: str
    order_id: str


class VenueCancelRejected(msgspec.Struct, frozen=True, gc=False):
    """The cancel was refused: filled, gone, or never known."""

    ts_ns: int
    symbol: str
    order_id: str
    reason: RejectReason


class VenueExpired(msgspec.Struct, frozen=True, gc=False):
    """The order, or what was left of it, ended by its own terms (IOC, FOK, reduce-only)."""

    ts_ns: int
    symbol: str
    order_id: str
    reason: str


class VenueTriggered(msgspec.Struct, frozen=True, gc=False):
    """A stop, take-profit or trailing order was released."""

    ts_ns: int
    symbol: str
    order_id: str


class VenueFill(msgspec.Struct, frozen=True, gc=False):
    """The venue executed some of an order. `order_id` of a liquidation starts `liquidation-`."""

    ts_ns: int
    symbol: str
    order_id: str
    trade_id: str
    side: Side
    price: Decimal
    qty: Decimal
    fee: Decimal
    liquidity: Liquidity
    other_fee: OtherFee | msgspec.UnsetType = msgspec.UNSET
    """Where it was paid in another asset; `fee` is what that was worth."""


class VenueFunding(msgspec.Struct, frozen=True, gc=False):
    """Funding settled: `amount` in quote currency, received is positive."""

    ts_ns: int
    symbol: str
    rate: Decimal
    mark_price: Decimal
    qty: Decimal
    amount: Decimal
    funding_ns: int = 0
    """The settlement this pays, by the venue's time; with the symbol it tells payments apart."""


class VenueMargin(msgspec.Struct, frozen=True, gc=False):
    """Positions of an instrument are made with other terms than before; another hand did it."""

    ts_ns: int
    symbol: str
    leverage: int
    mode: MarginMode | None
    """None where the venue says something that nobody has described; so of `was_mode`."""
    was_leverage: int
    """What the session knew; so of `was_mode`."""
    was_mode: MarginMode | None


class VenueUnknown(msgspec.Struct, frozen=True, gc=False):
    """A request was sent and no answer came: the order may or may not exist."""

    ts_ns: int
    symbol: str
    order_id: str
    detail: str = ""


class VenueStatus(msgspec.Struct, frozen=True, gc=False):
    """The trading side of a venue became reachable, or stopped being so."""

    ts_ns: int
    venue: str
    is_up: bool
    reason: str = ""


class Standing(Word):
    """What a venue says of an order it was asked about."""

    WORKING = "working"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    NOT_FOUND = "not_found"
    UNANSWERED = "unanswered"
    """The question failed, which is not the same as not found."""


class VenueOrderStatus(msgspec.Struct, frozen=True, gc=False):
    """The answer to `QueryOrder`."""

    ts_ns: int
    symbol: str
    order_id: str
    standing: Standing
    filled_qty: Decimal = ZERO
    """What of it has filled at the venue, told to us or not."""
    qty: Decimal | None = None
    """Total quantity; it and `price` only of a working order."""
    price: Decimal | None = None
    venue_order_id: str = ""
    detail: str = ""


class VenueHolding(msgspec.Struct, frozen=True, gc=False):
    """A position at the venue, quantity signed; flat ones are left out."""

    symbol: str
    qty: Decimal


class VenueWorkingOrder(msgspec.Struct, frozen=True, gc=False):
    """An order that works at the venue."""

    order_id: str
    """Ours; of a foreign order the venue's id."""
    symbol: str
    side: Side
    qty: Decimal
    filled_qty: Decimal
    is_foreign: bool = False
    """Placed by somebody else on the same account: reported, never touched."""


class VenueSnapshot(msgspec.Struct, frozen=True, gc=False):
    """The answer to `QueryAccount`: the whole account at one instant, or why it can't be told.

    An adapter that could fetch only a part of it answers with `failure` and nothing else.
    """

    ts_ns: int
    taken_ns: int
    """Venue time of the picture; never before that of an earlier one."""
    asked_ns: int
    """`ts_ns` of the question."""
    positions: tuple[VenueHolding, ...] = ()
    orders: tuple[VenueWorkingOrder, ...] = ()
    fills: tuple[VenueFill, ...] = ()
    """Every fill since the time asked for, oldest first."""
    balance: Decimal | None = None
    """Quote currency without unrealised profit; None where it can't be told."""
    failure: str = ""
    """Why nothing is known; empty when everything is."""
    is_denied: bool = False
    """It failed because the venue does not take the key."""


VenueEvent = (
    VenueAccepted
    | VenueRejected
    | VenueAmended
    | VenueAmendRejected
    | VenueCanceled
    | VenueCancelRejected
    | VenueExpired
    | VenueTriggered
    | VenueFill
    | VenueFunding
    | VenueMargin
    | VenueUnknown
    | VenueStatus
    | VenueOrderStatus
    | VenueSnapshot
)
