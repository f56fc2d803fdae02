"""Carries out what was decided and follows each order through the venue's answers."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from engine.execution.blotter import Blotter
from engine.execution.orders import LATE_FILL_STATES, LIVE, OrderEvent
from engine.model.account import Fill
from engine.model.commands import AmendOrder, CancelOrder, PlaceOrder
from engine.model.effects import Outbox
from engine.model.money import ZERO
from engine.model.orders import Approved, Order, OrderIntent, OrderState
from engine.model.records import ErrorRecord, OrderChanged, OrderSubmitted
from engine.model.venue_events import (
    RejectReason,
    VenueAccepted,
    VenueAmended,
    VenueAmendRejected,
    VenueCanceled,
    VenueCancelRejected,
    VenueExpired,
    VenueFill,
    VenueRejected,
    VenueTriggered,
    VenueUnknown,
)
from engine.portfolio.portfolio import HOUSE

OrderAnswer = (
    VenueAccepted
    | VenueRejected
    | VenueAmended
    | VenueAmendRejected
    | VenueCanceled
    | VenueCancelRejected
    | VenueExpired
    | VenueTriggered
    | VenueUnknown
)

ORDER_EVENTS: Final[Mapping[type, OrderEvent]] = {
    VenueAccepted: OrderEvent.ACCEPT,
    VenueRejected: OrderEvent.REJECT,
    VenueAmended: OrderEvent.AMENDED,
    VenueAmendRejected: OrderEvent.AMEND_REJECTED,
    VenueCanceled: OrderEvent.CANCELED,
    VenueCancelRejected: OrderEvent.CANCEL_REJECTED,
    VenueExpired: OrderEvent.EXPIRE,
    VenueTriggered: OrderEvent.TRIGGER,
    VenueUnknown: OrderEvent.LOSE,
}
"""What each answer of a venue means to the order state machine."""


def meaning(event: OrderAnswer, state: OrderState) -> OrderEvent:
    """Return what an answer means to an order in a state.

    A venue that does not find what is to be canceled, or has seen the id before, has said nothing
    of where the order stands: it has to be asked (reliability.md rows 27, 37).
    """
    kind = type(event)
    if kind in TELLS_NOTHING and state in LIVE and _reason(event) in TELLS_NOTHING[kind]:
        return OrderEvent.LOSE
    return ORDER_EVENTS[kind]


TELLS_NOTHING: Final[Mapping[type, tuple[RejectReason, ...]]] = {
    VenueRejected: (RejectReason.DUPLICATE_CLIENT_ID,),
    VenueCancelRejected: (RejectReason.ORDER_NOT_FOUND,),
}
"""Refusals after which nobody knows where the order stands."""

REASONED: Final = frozenset({VenueRejected, VenueAmendRejected, VenueCancelRejected, VenueExpired})
"""Answers that say why. Looked up by class: `isinstance` of a msgspec class asks its metaclass."""


def _reason(event: OrderAnswer) -> str:
    return event.reason if type(event) in REASONED else ""  # type: ignore[union-attr]


SUBMIT: Final = OrderEvent.SUBMIT
REJECT: Final = OrderEvent.REJECT
REQUEST_CANCEL: Final = OrderEvent.REQUEST_CANCEL

COUNTED: Final = frozenset({"unknown_order", "refused_answer", "empty_fill"})
"""Errors that count against `max_errors_per_minute`; a fill sent twice is a venue's habit."""


class BookedFill(NamedTuple):
    """A fill that counts, with the order it belongs to (None for the venue's own liquidations)."""

    fill: Fill
    order: Order | None
    is_overfill: bool


class OrderFlow:
    """Places, amends, cancels; applies answers. Owns the blotter."""

    def __init__(self, blotter: Blotter, out: Outbox) -> None:
        self.blotter = blotter
        self.refusals = 0
        """Answers that made no sense, since the kernel last counted them."""
        self._out = out

    def submit(self, approved: Approved[OrderIntent], order: Order, now_ns: int) -> None:
        """Send a new order built from an approved intent."""
        blotter = self.blotter
        blotter.add(order)
        blotter.apply(order, SUBMIT, now_ns)
        self._out.emit(
            OrderSubmitted(
                now_ns,
                order.order_id,
                order.agent,
                order.symbol,
                order.slot,
                order.side,
                order.type,
                order.qty,
                order.price,
                order.trigger_price,
                order.trail_bps,
                order.tif,
                order.post_only,
                order.reduce_only,
            )
        )
        self._out.send(PlaceOrder(now_ns, order.order_id, approved))

    def amend(self, approved: Approved[OrderIntent], order: Order, now_ns: int) -> None:
        """Ask the venue to give a working order the intent's price and remaining quantity."""
        intent = approved.intent
        assert intent.price is not None
        total = order.filled_qty + intent.qty
        self.blotter.apply(order, OrderEvent.REQUEST_AMEND, now_ns)
        self._changed(order, now_ns, f"to {total} at {intent.price}")
        order.qty_before_amend = order.qty
        if total > order.qty:
            self.blotter.resize(order, total, now_ns)
        self._out.send(AmendOrder(now_ns, order.order_id, intent.price, total, approved))

    def cancel(self, order: Order, now_ns: int, reason: str) -> bool:
        """Ask the venue to take an order out; False where one is in flight or it is gone."""
        if not self.blotter.apply(order, REQUEST_CANCEL, now_ns):
            return False
        self._changed(order, now_ns, reason)
        self._out.send(CancelOrder(now_ns, order.order_id, order.symbol))
        return True

    def answer(self, event: OrderAnswer) -> Order | None:
        """Apply a venue's answer; return the order if the answer ended it.

        An answer to an order we never had, or that the table refuses, is an error record.
        """
        order = self.blotter.find(event.order_id)
        if order is None:
            self._error(event.ts_ns, "unknown_order", event.order_id, type(event).__name__)
            return None
        before, ts_ns = order.state, event.ts_ns
        meant = meaning(event, before)
        is_numbered = meant is REJECT and order.venue_order_id
        if is_numbered or not self.blotter.apply(order, meant, ts_ns):
            detail = f"{type(event).__name__} in {before}"
            self._error(ts_ns, "refused_answer", event.order_id, detail)
            return None
        if type(event) is VenueAccepted:
            order.venue_order_id = event.venue_order_id
        elif type(event) is VenueAmended:
            order.price, order.qty_before_amend = event.price, None
            self.blotter.resize(order, event.qty, ts_ns)
        elif type(event) is VenueAmendRejected and order.qty_before_amend is not None:
            self.blotter.resize(order, order.qty_before_amend, ts_ns)
            order.qty_before_amend = None
        if order.state is before:
            return None
        self._changed(order, ts_ns, _reason(event))
        return None if order.state in LIVE else order

    def book(self, event: VenueFill) -> BookedFill | None:
        """Turn a venue's fill into ours; None when it is empty or was booked before."""
        if event.qty <= ZERO:
            self._error(event.ts_ns, "empty_fill", event.order_id, event.trade_id)
            return None
        if not self.blotter.is_new_fill(event.symbol, event.trade_id):
            self._error(event.ts_ns, "duplicate_fill", event.order_id, event.trade_id)
            return None
        order = self.blotter.find(event.order_id)
        if order is None:
            return BookedFill(self._fill(event, HOUSE, None, is_late=False), None, False)
        before = order.state
        is_late = before in LATE_FILL_STATES
        is_over = event.qty > order.leaves_qty
        if not self.blotter.fill(order, event.qty, event.ts_ns):
            detail = f"fill in {before}"
            self._error(event.ts_ns, "refused_answer", event.order_id, detail)
        if order.state is not before or order.state is OrderState.PARTIALLY_FILLED:
            self._changed(order, event.ts_ns, "")
        return BookedFill(self._fill(event, order.agent, order, is_late=is_late), order, is_over)

    def _fill(self, event: VenueFill, agent: str, order: Order | None, *, is_late: bool) -> Fill:
        return Fill(
            event.ts_ns,
            event.order_id,
            agent,
            event.symbol,
            event.trade_id,
            event.side,
            event.price,
            event.qty,
            event.fee,
            event.liquidity,
            order.arrival_mid if order else None,
            is_late,
            event.other_fee,
        )

    def _changed(self, order: Order, ts_ns: int, reason: str) -> None:
        self._out.emit(
            OrderChanged(
                ts_ns,
                order.order_id,
                order.symbol,
                order.state,
                order.filled_qty,
                order.qty,
                order.price,
                reason,
            )
        )

    def _error(self, ts_ns: int, kind: str, scope: str, detail: str) -> None:
        self.refusals += kind in COUNTED
        self._out.emit(ErrorRecord(ts_ns, kind, scope, detail))
