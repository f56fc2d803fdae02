"""What the venue says: each outcome as an event, stamped with when it reaches us."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from msgspec.structs import replace

from brokers.paper.courier import Courier, funding_lane
from brokers.paper.order import PaperOrder
from brokers.paper.rules import Refusal
from engine.model.account import Liquidity
from engine.model.market import Funding
from engine.model.orders import Side
from engine.model.venue_events import (
    RejectReason,
    Standing,
    VenueAccepted,
    VenueAmended,
    VenueAmendRejected,
    VenueCanceled,
    VenueCancelRejected,
    VenueEvent,
    VenueExpired,
    VenueFill,
    VenueFunding,
    VenueRejected,
    VenueTriggered,
)

FILLS_TOLD_MAX: Final = 1_024
"""Latest executions that can be told again."""
ENDED_MAX: Final = 1_024
"""Latest ended orders whose end can be told again."""

CANCELED: Final = Standing.CANCELED
"""A module global, because reading a member off its Enum class costs 50 ns each time."""

IDS_MAX: Final = 4_096
"""Order ids of one generation; the last one to two generations are refused as duplicates."""


class Ended(NamedTuple):
    """How an order ended."""

    standing: Standing
    filled: int
    """Lots."""


@dataclass(slots=True)
class Numbers:
    """Counters behind ids, the ids recently used, and what may be asked about again."""

    orders: int = 0
    trades: int = 0
    liquidations: int = 0
    recent: dict[str, None] = field(default_factory=dict)
    earlier: dict[str, None] = field(default_factory=dict)
    ended: dict[str, Ended] = field(default_factory=dict)
    """By order id, oldest first."""
    fills: list[VenueFill] = field(default_factory=list)
    """The latest, stamped with the venue's own time, oldest first."""
    forgotten_ns: int = 0
    """Time of the newest fill that is no longer among them."""

    def __post_init__(self) -> None:
        """Forget in constant time: a plain dict walks over its deletions to its first key."""
        self.ended = OrderedDict(self.ended)

    def end(self, order_id: str, standing: Standing, filled: int) -> None:
        """Remember how an order ended."""
        self.ended[order_id] = Ended(standing, filled)
        if len(self.ended) > ENDED_MAX:
            del self.ended[next(iter(self.ended))]

    def remember(self, fill: VenueFill) -> None:
        """Remember an execution."""
        self.fills.append(fill)
        if len(self.fills) > FILLS_TOLD_MAX:
            self.forgotten_ns = self.fills.pop(0).ts_ns

    def is_new(self, order_id: str) -> bool:
        """Remember an order id; False if it was used before."""
        if order_id in self.recent or order_id in self.earlier:
            return False
        if len(self.recent) >= IDS_MAX:
            self.earlier, self.recent = self.recent, {}
        self.recent[order_id] = None
        return True


class Answers:
    """Numbers and sends every answer; `ts_ns` is always the venue's time of the fact."""

    __slots__ = ("_courier", "_deliver", "numbers")

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._deliver: Callable[[VenueEvent], None] = courier.deliver
        self.numbers = Numbers()

    def accepted(self, ts_ns: int, order: PaperOrder) -> None:
        """Say that the order is in."""
        self.numbers.orders += 1
        order_id = order.order_id
        due_ns = self._courier.ack_ns(ts_ns, order_id)
        self._deliver(VenueAccepted(due_ns, order.symbol, order_id, f"p{self.numbers.orders}"))

    def rejected(self, ts_ns: int, symbol: str, order_id: str, refusal: Refusal) -> None:
        """Say that the order never was in."""
        if refusal.reason is not RejectReason.DUPLICATE_CLIENT_ID:
            self.numbers.end(order_id, Standing.REJECTED, 0)
        due_ns = self._courier.ack_ns(ts_ns, order_id)
        self._deliver(VenueRejected(due_ns, symbol, order_id, refusal.reason, refusal.detail))

    def amended(self, ts_ns: int, order: PaperOrder, price: Decimal, qty: Decimal) -> None:
        """Say that the order has a new price and total quantity."""
        due_ns = self._courier.ack_ns(ts_ns, order.order_id)
        self._deliver(VenueAmended(due_ns, order.symbol, order.order_id, price, qty))

    def amend_rejected(self, ts_ns: int, symbol: str, order_id: str, refusal: Refusal) -> None:
        """Say that the order is as it was."""
        due_ns = self._courier.ack_ns(ts_ns, order_id)
        self._deliver(VenueAmendRejected(due_ns, symbol, order_id, refusal.reason, refusal.detail))

    def canceled(self, ts_ns: int, order: PaperOrder) -> None:
        """Say that the order is out because somebody asked."""
        order_id = order.order_id
        self.numbers.end(order_id, CANCELED, order.filled)
        due_ns = self._courier.ack_ns(ts_ns, order_id)
        self._deliver(VenueCanceled(due_ns, order.symbol, order_id))

    def cancel_rejected(self, ts_ns: int, symbol: str, order_id: str) -> None:
        """There is no such order, or no longer."""
        due_ns = self._courier.ack_ns(ts_ns, order_id)
        reason = RejectReason.ORDER_NOT_FOUND
        self._deliver(VenueCancelRejected(due_ns, symbol, order_id, reason))

    def triggered(self, ts_ns: int, order: PaperOrder) -> None:
        """Say that the order became a market order."""
        due_ns = self._courier.ack_ns(ts_ns, order.order_id)
        self._deliver(VenueTriggered(due_ns, order.symbol, order.order_id))

    def expired(self, ts_ns: int, order: PaperOrder, reason: str) -> None:
        """Say that what was left of the order ended by its own terms."""
        self.numbers.end(order.order_id, Standing.EXPIRED, order.filled)
        due_ns = self._courier.ack_ns(ts_ns, order.order_id)
        self._deliver(VenueExpired(due_ns, order.symbol, order.order_id, reason))

    def filled(
        self,
        ts_ns: int,
        symbol: str,
        order_id: str,
        side: Side,
        *,
        price: Decimal,
        qty: Decimal,
        fee: Decimal,
        liquidity: Liquidity,
    ) -> None:
        """Say that some of an order, or of a liquidated position, traded."""
        self.numbers.trades += 1
        due_ns = self._courier.fill_ns(ts_ns, order_id)
        trade_id = f"t{self.numbers.trades}"
        told = VenueFill(due_ns, symbol, order_id, trade_id, side, price, qty, fee, liquidity)
        self.numbers.remember(told if due_ns == ts_ns else replace(told, ts_ns=ts_ns))
        self._deliver(told)

    def funded(
        self, funding: Funding, rate: Decimal, qty: Decimal, amount: Decimal, settled_ns: int
    ) -> None:
        """Funding was paid or received at the message's mark price."""
        due_ns = self._courier.fill_ns(funding.ts_ns, funding_lane(funding))
        symbol, mark = funding.symbol, funding.mark_price
        self._deliver(VenueFunding(due_ns, symbol, rate, mark, qty, amount, settled_ns))
