"""An order flow with its outbox, and every answer a venue has."""

from collections.abc import Callable

from engine.execution.blotter import Blotter
from engine.execution.order_flow import OrderAnswer, OrderFlow
from engine.execution.orders import OrderEvent
from engine.model.effects import Effects, Outbox
from engine.model.orders import Approved, Order
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
from tests.engine.factories import BTC, ETH, D, intent, order

E = OrderEvent
NO_REASON = RejectReason.INVALID_ORDER
ANSWERS: dict[OrderEvent, Callable[[str], OrderAnswer]] = {
    E.ACCEPT: lambda i: VenueAccepted(0, BTC, i, f"v-{i}"),
    E.REJECT: lambda i: VenueRejected(0, BTC, i, NO_REASON),
    E.AMENDED: lambda i: VenueAmended(0, BTC, i, D("1000.1"), D(5)),
    E.AMEND_REJECTED: lambda i: VenueAmendRejected(0, BTC, i, NO_REASON),
    E.CANCELED: lambda i: VenueCanceled(0, BTC, i),
    E.CANCEL_REJECTED: lambda i: VenueCancelRejected(0, BTC, i, NO_REASON),
    E.EXPIRE: lambda i: VenueExpired(0, BTC, i, "ioc"),
    E.TRIGGER: lambda i: VenueTriggered(0, BTC, i),
    E.LOSE: lambda i: VenueUnknown(0, BTC, i),
}


def leaving(qty: str) -> Approved:
    """The wish that `qty` is left working."""
    return Approved(intent(99, qty=D(qty)))


class Desk:
    """An order flow with its outbox, spoken to by order id."""

    def __init__(self) -> None:
        self.out = Outbox()
        self.flow = OrderFlow(Blotter([BTC, ETH]), self.out)

    @property
    def blotter(self) -> Blotter:
        return self.flow.blotter

    def submit(self, number: int = 1, **changes: object) -> Effects:
        wish = intent(number, **changes)
        self.flow.submit(Approved(wish), order(wish), 0)
        return self.out.drain()

    def amend(self, order_id: str, approved: Approved) -> Effects:
        self.flow.amend(approved, self.order(order_id), 0)
        return self.out.drain()

    def cancel(self, order_id: str) -> tuple[bool, Effects]:
        return self.flow.cancel(self.order(order_id), 0, "test"), self.out.drain()

    def answer(self, event: OrderAnswer) -> tuple[Order | None, Effects]:
        return self.flow.answer(event), self.out.drain()

    def fill(self, event: VenueFill) -> tuple[object, Effects]:
        return self.flow.book(event), self.out.drain()

    def order(self, order_id: str = "a-1") -> Order:
        found = self.blotter.find(order_id)
        assert found is not None
        return found

    def twin(self) -> "Desk":
        """What a restart would make of a checkpoint taken now."""
        other = Desk()
        other.blotter.restore(self.blotter.snapshot())
        return other


def working(qty: str = "10", **changes: object) -> Desk:
    """A desk with one accepted order for `qty`."""
    desk = Desk()
    desk.submit(qty=D(qty), **changes)
    desk.answer(ANSWERS[E.ACCEPT]("a-1"))
    return desk
