"""What a sandbox's trading core is asked and what it tells: no venue's words, no sockets.

All quantities are in base units, prices and money in quote currency, times Unix nanoseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from engine.model.money import ZERO
from engine.model.orders import OrderType, Side, TimeInForce
from engine.model.words import Word


class Ticket(NamedTuple):
    """An order as somebody wants it."""

    symbol: str
    side: Side
    type: OrderType
    qty: Decimal
    price: Decimal | None = None
    client_id: str = ""
    """Empty lets the core name it."""
    tif: TimeInForce = TimeInForce.GTC
    is_post_only: bool = False
    is_reduce_only: bool = False
    trigger_price: Decimal | None = None


class Why(Word):
    """Why the core refuses, one word for each code that some venue has for it."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    OFF_TICK = "off_tick"
    OFF_LOT = "off_lot"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    MIN_NOTIONAL = "min_notional"
    PRICE_BAND = "price_band"
    TOO_MANY_ORDERS = "too_many_orders"
    REDUCE_ONLY = "reduce_only"
    MARGIN = "margin"
    DUPLICATE_ID = "duplicate_id"
    POST_ONLY_WOULD_CROSS = "post_only_would_cross"
    WOULD_NOT_FILL = "would_not_fill"
    """A fill-or-kill order, where the venue refuses instead of accepting and expiring it."""
    NOT_FOUND = "not_found"
    NO_PRICE = "no_price"
    NOTHING_TO_CHANGE = "nothing_to_change"
    TOO_MANY_AMENDMENTS = "too_many_amendments"
    NOT_AMENDABLE = "not_amendable"
    LEVERAGE = "leverage"
    SET_ALREADY = "set_already"
    HAS_ORDERS = "has_orders"
    HAS_POSITION = "has_position"
    HALTED = "halted"
    INVALID = "invalid"


class Refusal(NamedTuple):
    """A no that changed nothing."""

    why: Why
    detail: str = ""


class State(Word):
    """Where an order stands."""

    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


OPEN = frozenset({State.NEW, State.PARTIALLY_FILLED})


@dataclass(slots=True)
class OrderRecord:
    """One order from its arrival on; kept after its end, changed only by the core."""

    order_id: int
    ticket: Ticket
    """As placed, its client id filled in."""
    qty: Decimal
    """Total, as last amended."""
    price: Decimal | None
    created_ns: int
    updated_ns: int
    state: State = State.NEW
    filled_qty: Decimal = ZERO
    cost: Decimal = ZERO
    """Sum of price times quantity of its fills."""
    amendments: int = 0
    is_triggered: bool = False
    is_forced: bool = False
    """The venue's own, to close a position that could not pay."""
    reason: str = ""
    """Why it was rejected or expired."""

    @property
    def client_id(self) -> str:
        """The client's name for it."""
        return self.ticket.client_id

    @property
    def symbol(self) -> str:
        """What it trades."""
        return self.ticket.symbol

    @property
    def is_open(self) -> bool:
        """Whether it can still fill."""
        return self.state in OPEN


class FillRecord(NamedTuple):
    """One execution."""

    trade_id: int
    order_id: int
    client_id: str
    symbol: str
    side: Side
    price: Decimal
    qty: Decimal
    fee: Decimal
    """Paid is positive."""
    realized_pnl: Decimal
    """Of what it closed, before fees."""
    is_maker: bool
    at_ns: int
    fee_asset: str = ""
    """What `fee` was paid in; empty: the quote currency."""


class PositionRecord(NamedTuple):
    """One symbol's net position, open or not."""

    symbol: str
    qty: Decimal
    """Signed."""
    entry_price: Decimal
    """Average; 0 when flat."""
    mark_price: Decimal
    unrealized_pnl: Decimal
    leverage: int
    is_isolated: bool
    liquidation_price: Decimal
    """0 where there is none."""
    updated_ns: int


class BalanceRecord(NamedTuple):
    """The account's money."""

    wallet: Decimal
    """Without unrealised profit."""
    unrealized_pnl: Decimal
    margin: Decimal
    """Initial margin that positions and orders tie up."""
    updated_ns: int

    @property
    def equity(self) -> Decimal:
        """Return what is left if every position closes at its mark."""
        return self.wallet + self.unrealized_pnl

    @property
    def available(self) -> Decimal:
        """Return what new orders may tie up."""
        return max(ZERO, self.equity - self.margin)


class Kind(Word):
    """What happened to an order."""

    NEW = "new"
    AMENDED = "amended"
    TRIGGERED = "triggered"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    """It never was in; it has no record to be found later."""


class OrderTold(NamedTuple):
    """Something happened to an order; the record is as it stands after that."""

    at_ns: int
    kind: Kind
    order: OrderRecord
    fill: FillRecord | None = None


class MoneyTold(NamedTuple):
    """Balance and position of a symbol changed by a fill; told after the fill's `OrderTold`."""

    at_ns: int
    symbol: str
    change: Decimal
    """Of the wallet: realised profit minus fee."""


class FundingTold(NamedTuple):
    """Funding was settled; received is positive."""

    at_ns: int
    symbol: str
    amount: Decimal
    rate: Decimal


class TransferTold(NamedTuple):
    """Money came in (positive) or went out."""

    at_ns: int
    amount: Decimal
    transfer_id: int


class LeverageTold(NamedTuple):
    """A symbol's leverage or margin mode was changed."""

    at_ns: int
    symbol: str
    leverage: int
    is_isolated: bool


Told = OrderTold | MoneyTold | FundingTold | TransferTold | LeverageTold
Listener = Callable[[Told], None]
"""Called inside the core's own steps: it may store and send, never ask for a change."""
