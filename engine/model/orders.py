"""From wish to order: intents, their approval, and the order the venue was told about."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Generic, TypeVar, final

import msgspec

from engine.model.money import ZERO
from engine.model.words import Word


class Side(Word):
    """Direction of an order, a fill or a taker."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for BUY, -1 for SELL."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(Word):
    """How an order meets the book."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    """Market order released when the touch crosses `trigger_price` against the position."""
    TAKE_PROFIT = "TAKE_PROFIT"
    """Market order released when the touch reaches `trigger_price` in favor of the position."""
    TRAILING = "TRAILING"
    """A stop whose trigger follows the best price seen at `trail_bps` distance."""


REQUIRED_NUMBER = {
    OrderType.LIMIT: "price",
    OrderType.STOP: "trigger_price",
    OrderType.TAKE_PROFIT: "trigger_price",
    OrderType.TRAILING: "trail_bps",
}
"""The number without which an order of that type means nothing."""


class TimeInForce(Word):
    """How long an order may rest."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class OrderState(Word):
    """States of domain.md section 4; the transitions are in `engine.execution.orders`."""

    INITIALIZED = "INITIALIZED"
    DENIED = "DENIED"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    PENDING_UPDATE = "PENDING_UPDATE"
    PENDING_CANCEL = "PENDING_CANCEL"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"


BUY: Final = Side.BUY
SELL: Final = Side.SELL
MARKET: Final = OrderType.MARKET
LIMIT: Final = OrderType.LIMIT
"""Members for hot paths: to read one off its Enum class costs as much as ten attributes."""


class OrderIntent(msgspec.Struct, frozen=True, gc=False):
    """What somebody wishes to have working in one slot, before any risk check.

    A slot is a name the owner chooses ("bid", "exit"); at most one order works in each
    (agent, symbol, slot). A new intent for a slot amends or replaces what works there.
    """

    ts_ns: int
    intent_id: str
    """`<agent>-<sequence>`: derived, never random; also the id of the order it leads to."""
    agent: str
    symbol: str
    slot: str
    side: Side
    qty: Decimal
    type: OrderType = OrderType.MARKET
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    trail_bps: Decimal | None = None
    tif: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    reason: str = ""
    confidence: float = 1.0


@final
class CancelIntent(msgspec.Struct, frozen=True, gc=False):
    """The wish that nothing works in a slot any more."""

    ts_ns: int
    intent_id: str
    agent: str
    symbol: str
    slot: str
    reason: str = ""


Intent = OrderIntent | CancelIntent

T = TypeVar("T")


class Approved(Generic[T]):
    """An intent the gate let pass. Only `engine.risk.gate` may construct one (a test holds it)."""

    __slots__ = ("intent",)

    def __init__(self, intent: T) -> None:
        self.intent = intent


@dataclass(slots=True)
class Order:
    """The engine's own record of one order, updated in place inside the kernel."""

    order_id: str
    agent: str
    symbol: str
    slot: str
    side: Side
    qty: Decimal
    type: OrderType
    price: Decimal | None
    trigger_price: Decimal | None
    trail_bps: Decimal | None
    tif: TimeInForce
    post_only: bool
    reduce_only: bool
    """As sent: the venue refuses to let it add to the net position."""
    is_exit: bool
    """As wished: it may only close its agent's own position, see `engine.kernel.dealing`."""
    created_ns: int
    arrival_mid: Decimal | None
    """Mid when the intent was decided, for slippage; None where no quote was known."""
    state: OrderState = OrderState.INITIALIZED
    filled_qty: Decimal = ZERO
    changed_ns: int = 0
    venue_order_id: str = ""
    qty_before_amend: Decimal | None = None
    """What to return to if the venue refuses the amend in flight."""

    @property
    def leaves_qty(self) -> Decimal:
        """Quantity that can still fill."""
        return self.qty - self.filled_qty
