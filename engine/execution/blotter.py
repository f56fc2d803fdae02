"""All orders of the session: the live ones, and the last closed ones for late fills.

The sums the gate needs (open quantity per side, counts) are kept as orders change, so that judging
an intent never walks the book of orders.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec

from engine.execution.orders import LIVE, TRANSITIONS, OrderEvent
from engine.model.money import ZERO
from engine.model.orders import BUY, Order, OrderState
from engine.model.recent import Recent

CLOSED_MAX: Final = 256
"""Closed orders remembered for late fills; older ones are in the journal only."""

SEEN_FILLS_MAX: Final = 4_096
"""Trade ids remembered per instrument; venues resend the last minutes, not the last day."""

FILL_ALL: Final = OrderEvent.FILL_ALL
FILL_PART: Final = OrderEvent.FILL_PART

SlotKey = tuple[str, str, str]
"""(agent, symbol, slot)."""


@dataclass(slots=True)
class OpenOrders:
    """What works on one instrument; the quantities leave out orders the venue keeps reduce-only."""

    buy_qty: Decimal = ZERO
    sell_qty: Decimal = ZERO
    orders: dict[str, Order] = field(default_factory=dict)


@dataclass(slots=True)
class _State:
    live: dict[str, Order] = field(default_factory=dict)
    closed: dict[str, Order] = field(default_factory=dict)
    seen_fills: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Forget in constant time: a plain dict walks over its deletions to its first key."""
        self.closed = OrderedDict(self.closed)


class Blotter:
    """Orders by id, slot and instrument."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self._seen = {symbol: Recent(SEEN_FILLS_MAX) for symbol in symbols}
        self._state = _State()
        self.live = self._state.live
        """Live orders by id, oldest first."""
        self.open = {symbol: OpenOrders() for symbol in self._seen}
        self.slots: dict[SlotKey, Order] = {}
        """The live order of each slot."""

    def find(self, order_id: str) -> Order | None:
        """Return a live or recently closed order."""
        return self.live.get(order_id) or self._state.closed.get(order_id)

    def add(self, order: Order) -> None:
        """Take in an order about to be submitted."""
        order_id, symbol = order.order_id, order.symbol
        book = self.open[symbol]
        self.live[order_id] = book.orders[order_id] = order
        self.slots[order.agent, symbol, order.slot] = order
        self._count(book, order, order.qty)

    def _count(self, book: OpenOrders, order: Order, qty: Decimal) -> None:
        if order.reduce_only:
            return
        if order.side is BUY:
            book.buy_qty += qty
        else:
            book.sell_qty += qty

    def apply(self, order: Order, event: OrderEvent, ts_ns: int) -> bool:
        """Move an order along the table; return False when the table refuses the event."""
        before = order.state
        target = TRANSITIONS[before, event, order.filled_qty > ZERO]
        if target is None:
            return False
        order.state = target
        order.changed_ns = ts_ns
        if target not in LIVE and before in LIVE:
            self._close(order)
        return True

    def fill(self, order: Order, qty: Decimal, ts_ns: int) -> bool:
        """Add a fill's quantity and move the order; return False when the table refuses it."""
        leaves = order.qty - order.filled_qty
        if order.state in LIVE:
            self._count(self.open[order.symbol], order, -min(qty, leaves))
        order.filled_qty += qty
        event = FILL_ALL if qty >= leaves else FILL_PART
        return self.apply(order, event, ts_ns)

    def resize(self, order: Order, qty: Decimal, ts_ns: int) -> None:
        """Set an order's total quantity; one with nothing left to fill is FILLED."""
        if order.state in LIVE:
            left = max(qty - order.filled_qty, ZERO)
            self._count(self.open[order.symbol], order, left - order.leaves_qty)
        order.qty = qty
        if order.state in LIVE and order.leaves_qty <= 0:
            self.apply(order, FILL_ALL, ts_ns)

    def _close(self, order: Order) -> None:
        order_id, symbol, leaves = order.order_id, order.symbol, order.qty - order.filled_qty
        book, closed = self.open[symbol], self._state.closed
        del self.live[order_id]
        del book.orders[order_id]
        if leaves > ZERO:
            self._count(book, order, -leaves)
        key = (order.agent, symbol, order.slot)
        if self.slots.get(key) is order:
            del self.slots[key]
        closed[order_id] = order
        if len(closed) > CLOSED_MAX:
            del closed[next(iter(closed))]

    def is_new_fill(self, symbol: str, trade_id: str) -> bool:
        """Remember a trade id; False when it was booked before (reliability.md A5)."""
        return self._seen[symbol].add(trade_id)

    def has_fill(self, symbol: str, trade_id: str) -> bool:
        """Whether a trade id was booked, as far back as they are remembered."""
        return trade_id in self._seen[symbol]

    def of_agent(self, agent: str, symbol: str) -> list[Order]:
        """Return the agent's live orders on an instrument, oldest first."""
        return [o for o in self.open[symbol].orders.values() if o.agent == agent]

    def snapshot(self) -> bytes:
        """Encode every remembered order for a checkpoint."""
        self._state.seen_fills = {symbol: seen.keys() for symbol, seen in self._seen.items()}
        return msgspec.json.encode(self._state)

    def restore(self, state: bytes) -> None:
        """Continue from a snapshot; sums and indexes are computed again, in the same containers."""
        self._state = msgspec.json.decode(state, type=_State)
        self.live = self._state.live
        for symbol, keys in self._state.seen_fills.items():
            self._seen[symbol] = Recent(SEEN_FILLS_MAX, keys)
        self.slots.clear()
        self.open.update({symbol: OpenOrders() for symbol in self._seen})
        for order in self.live.values():
            self.slots[order.agent, order.symbol, order.slot] = order
            book = self.open[order.symbol]
            book.orders[order.order_id] = order
            self._count(book, order, order.leaves_qty)


def is_working(order: Order) -> bool:
    """Whether the venue is known to hold the order and no request is in flight."""
    return order.state in (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)
