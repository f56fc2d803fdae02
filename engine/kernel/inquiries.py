"""Finds out what became of orders whose fate is not known, by asking and never by assuming.

Rule 1: an order is lost when its request was not answered, by the venue's own word or for longer
        than `IN_FLIGHT_MAX_NS`. It counts at full size in every limit until it is found.
Rule 2: asked by its client id, at most every `QUERY_GAP_NS`. "Not found" counts as an end only
        after `NOT_FOUND_MIN` such answers and beyond the venue's documented lag.
Rule 3: an end whose fills we have not all booked waits for them: the account is asked instead.

Source: reliability.md A3, section 6, rows 23-29, 37; the figures are NautilusTrader's.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from engine.execution.blotter import Blotter
from engine.execution.order_flow import OrderAnswer, OrderFlow
from engine.execution.orders import IN_FLIGHT
from engine.model.commands import QueryOrder
from engine.model.effects import Outbox
from engine.model.money import ZERO
from engine.model.orders import Order, OrderState
from engine.model.records import ErrorRecord
from engine.model.venue_events import (
    RejectReason,
    Standing,
    VenueAccepted,
    VenueAmended,
    VenueCanceled,
    VenueExpired,
    VenueOrderStatus,
    VenueRejected,
    VenueUnknown,
)

IN_FLIGHT_MAX_NS: Final = 5_000_000_000
"""Longest a request may stay unanswered."""
QUERY_GAP_NS: Final = 2_000_000_000
NOT_FOUND_MIN: Final = 3
SOUGHT: Final = frozenset({OrderState.UNKNOWN, OrderState.PENDING_CANCEL})
QUERIES_MAX: Final = 10
"""Orders asked after at one beat of the timer."""


class Inquiry(msgspec.Struct):
    """One order being looked for."""

    since_ns: int
    asked_ns: int = 0
    not_found: int = 0


class Inquiries:
    """Looks for lost orders."""

    def __init__(
        self,
        blotter: Blotter,
        flow: OrderFlow,
        out: Outbox,
        *,
        lag_ns: int,
        answer: Callable[[OrderAnswer, int], None],
        ask_account: Callable[[int], None],
    ) -> None:
        """Take over the parts.

        Args:
            lag_ns: How long the venue may not find an order it has.
            answer: Takes an answer as if the venue had given it unasked.
            ask_account: Asks for the fills we may lack.
        """
        self._blotter = blotter
        self._flow = flow
        self._out = out
        self._lag_ns = lag_ns
        self._answer = answer
        self._ask_account = ask_account
        self.open: dict[str, Inquiry] = {}
        """By order id."""

    def on_time(self, now_ns: int) -> None:
        """Give up waiting for answers that are overdue, and ask."""
        asked = 0
        for order in list(self._blotter.live.values()):
            if order.state not in IN_FLIGHT:
                continue
            if order.state is not OrderState.UNKNOWN:
                if now_ns - order.changed_ns <= IN_FLIGHT_MAX_NS:
                    continue
                lost = VenueUnknown(now_ns, order.symbol, order.order_id, "no answer")
                self._answer(lost, now_ns)
            if asked < QUERIES_MAX:
                asked += self._ask(order, now_ns)
        for order_id in [one for one in self.open if not self._is_sought(one)]:
            del self.open[order_id]

    def _is_sought(self, order_id: str) -> bool:
        """Whether an order is still lost; to ask for its cancel does not find it."""
        order = self._blotter.live.get(order_id)
        return order is not None and order.state in SOUGHT

    def _ask(self, order: Order, now_ns: int) -> bool:
        inquiry = self.open.setdefault(order.order_id, Inquiry(since_ns=order.changed_ns))
        if inquiry.asked_ns and now_ns - inquiry.asked_ns < QUERY_GAP_NS:
            return False
        inquiry.asked_ns = now_ns
        self._out.send(QueryOrder(now_ns, order.order_id, order.symbol))
        return True

    def on_status(self, status: VenueOrderStatus, now_ns: int) -> None:
        """Take what the venue says of one order; only what we still look for is moved by it."""
        order = self._blotter.find(status.order_id)
        inquiry = self.open.get(status.order_id)
        if order is None or inquiry is None or order.state not in SOUGHT:
            return
        if status.standing is Standing.NOT_FOUND:
            inquiry.not_found += 1
            if inquiry.not_found >= NOT_FOUND_MIN and now_ns - inquiry.since_ns > self._lag_ns:
                waited_s = (now_ns - inquiry.since_ns) / 1e9
                why = f"not found: asked {inquiry.not_found} times in {waited_s:.1f} s"
                self._out.emit(ErrorRecord(now_ns, "order_lost", order.order_id, why))
                self._end(_gone(order, now_ns, why))
        elif status.standing is Standing.WORKING:
            self._end(_working(order, status, now_ns))
        elif status.standing is not Standing.UNANSWERED:
            if status.filled_qty > order.filled_qty:
                self._ask_account(now_ns)
            elif status.standing is not Standing.FILLED:
                self._end(_ended(status, now_ns))
            elif ZERO < status.filled_qty == order.filled_qty and order.price is not None:
                self._end(_shrunk(order, order.price, now_ns))

    def _end(self, answer: OrderAnswer) -> None:
        del self.open[answer.order_id]
        self._answer(answer, answer.ts_ns)


def _gone(order: Order, now_ns: int, why: str) -> OrderAnswer:
    """Return how an order ends that the venue does not know: it never was there, or is no more."""
    if order.venue_order_id or order.filled_qty:
        return VenueExpired(now_ns, order.symbol, order.order_id, why)
    not_found = RejectReason.ORDER_NOT_FOUND
    return VenueRejected(now_ns, order.symbol, order.order_id, not_found, why)


def _working(order: Order, status: VenueOrderStatus, now_ns: int) -> OrderAnswer:
    symbol, order_id = order.symbol, order.order_id
    if order.qty_before_amend is not None and status.price is not None and status.qty is not None:
        return VenueAmended(now_ns, symbol, order_id, status.price, status.qty)
    venue_id = status.venue_order_id or order.venue_order_id
    return VenueAccepted(now_ns, symbol, order_id, venue_id)


def _shrunk(order: Order, price: Decimal, now_ns: int) -> OrderAnswer:
    """Return how an order became whole all of which is booked: nobody told its amendment."""
    return VenueAmended(now_ns, order.symbol, order.order_id, price, order.filled_qty)


def _ended(status: VenueOrderStatus, now_ns: int) -> OrderAnswer:
    symbol, order_id = status.symbol, status.order_id
    if status.standing is Standing.CANCELED:
        return VenueCanceled(now_ns, symbol, order_id)
    if status.standing is Standing.EXPIRED:
        return VenueExpired(now_ns, symbol, order_id, status.detail or "expired")
    return VenueRejected(
        now_ns, symbol, order_id, RejectReason.INVALID_ORDER, status.detail or "rejected"
    )
