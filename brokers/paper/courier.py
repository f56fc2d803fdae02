"""How long messages travel, and in which order they arrive.

Each direction has a median and a common log-normal jitter. Two promises hold whatever is drawn:
what concerns one order arrives in the order it was sent, both ways, as on one connection; and
nothing is delivered before the time the venue has already reached.
"""

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Protocol

import msgspec

from brokers.paper.config import PaperConfig
from engine.model.commands import (
    AmendOrder,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryAccount,
    QueryOrder,
)
from engine.model.orders import OrderIntent
from engine.model.venue_events import VenueEvent, VenueOrderStatus
from engine.venue import Sink

NS_PER_MS: Final = 1_000_000


class PlaceRequest(msgspec.Struct, tag="place", frozen=True, gc=False):
    """An approved order on its way to the venue."""

    order_id: str
    intent: OrderIntent


class AmendRequest(msgspec.Struct, tag="amend", frozen=True, gc=False):
    """A change of price and total quantity on its way to the venue."""

    order_id: str
    symbol: str
    price: Decimal
    qty: Decimal


class CancelRequest(msgspec.Struct, tag="cancel", frozen=True, gc=False):
    """A cancel on its way to the venue."""

    order_id: str
    symbol: str


class AccountRequest(msgspec.Struct, tag="account", frozen=True, gc=False):
    """A question about the whole account on its way to the venue."""

    asked_ns: int
    since_ns: int


class OrderRequest(msgspec.Struct, tag="order", frozen=True, gc=False):
    """A question about one order on its way to the venue."""

    order_id: str
    symbol: str


Request = PlaceRequest | AmendRequest | CancelRequest | AccountRequest | OrderRequest
Pending = tuple[int, int, Request | VenueEvent]
"""Due time, sequence, and what happens then."""


class Courier(Protocol):
    """Carries answers to the engine; `heap` holds what is under way, soonest first."""

    heap: list[Pending]
    is_instant: bool
    deliver: Callable[[VenueEvent], None]
    """Pass on an answer already stamped with its delivery time."""

    def ack_ns(self, ts_ns: int, order_id: str) -> int:
        """Return when an acceptance, reject or confirmation sent at `ts_ns` reaches us."""
        ...

    def fill_ns(self, ts_ns: int, order_id: str) -> int:
        """Return when a fill, or funding, of `ts_ns` reaches us."""
        ...

    def told_ns(self, ts_ns: int, order_id: str = "") -> int:
        """Return when the answer to a question reaches us, not before what it may speak of."""
        ...

    def send(self, ts_ns: int, request: Request) -> None:
        """Put a request on its way to the venue."""
        ...

    def arrived(self, due_ns: int, message: Request | VenueEvent) -> None:
        """Forget what was only needed while `message` traveled."""
        ...


class InstantCourier:
    """No distance: an answer is in the sink before `submit` returns."""

    __slots__ = ("deliver", "heap", "is_instant")

    def __init__(self, sink: Sink) -> None:
        self.heap: list[Pending] = []
        self.is_instant = True
        self.deliver = sink

    def ack_ns(self, ts_ns: int, order_id: str) -> int:  # noqa: ARG002 - the protocol's
        """Arrive at once."""
        return ts_ns

    def fill_ns(self, ts_ns: int, order_id: str) -> int:  # noqa: ARG002 - the protocol's
        """Arrive at once."""
        return ts_ns

    def told_ns(self, ts_ns: int, order_id: str = "") -> int:  # noqa: ARG002 - the protocol's
        """Arrive at once."""
        return ts_ns

    def send(self, ts_ns: int, request: Request) -> None:
        """Never needed: the venue acts inside `submit`."""
        raise AssertionError((ts_ns, request))

    def arrived(self, due_ns: int, message: Request | VenueEvent) -> None:
        """Nothing travels."""


@dataclass(slots=True)
class Journey:
    """What a snapshot must keep of a courier beside its heap."""

    sequence: int = 0
    inbound_ns: dict[str, int] = field(default_factory=dict)
    """Latest arrival at the venue per order with a request under way."""
    outbound_ns: dict[str, int] = field(default_factory=dict)
    """Latest delivery per order with an answer under way."""


class DelayedCourier:
    """Draws a delay for each message from the venue's seeded generator.

    Questions take the medians and draw nothing: to ask more often changes no order's fate.
    """

    __slots__ = ("_config", "_rng", "_sigma", "deliver", "heap", "is_instant", "journey")

    def __init__(self, config: PaperConfig, rng: random.Random) -> None:
        self.heap: list[Pending] = []
        self.is_instant = False
        self.journey = Journey()
        self.deliver: Callable[[VenueEvent], None] = self._queue_answer
        self._config = config
        self._rng = rng
        self._sigma = config.latency_jitter

    def ack_ns(self, ts_ns: int, order_id: str) -> int:
        """Draw the way back of an acknowledgement."""
        return self._after(self.journey.outbound_ns, order_id, ts_ns, self._config.ack_latency_ms)

    def fill_ns(self, ts_ns: int, order_id: str) -> int:
        """Draw the way back of a fill."""
        return self._after(self.journey.outbound_ns, order_id, ts_ns, self._config.fill_latency_ms)

    def told_ns(self, ts_ns: int, order_id: str = "") -> int:
        """Take the median way back; of an order, behind what was said of it before."""
        due_ns = ts_ns + round(self._config.ack_latency_ms * NS_PER_MS)
        return max(due_ns, self.journey.outbound_ns.get(order_id, 0))

    def send(self, ts_ns: int, request: Request) -> None:
        """Draw the way to the venue."""
        config = self._config
        match request:
            case AccountRequest() | OrderRequest():
                self._push(self._asked_ns(ts_ns, request), request)
                return
            case PlaceRequest():
                median_ms = config.submit_latency_ms
            case AmendRequest():
                median_ms = config.amend_latency_ms
            case CancelRequest():
                median_ms = config.cancel_latency_ms
        due_ns = self._after(self.journey.inbound_ns, request.order_id, ts_ns, median_ms)
        self._push(due_ns, request)

    def _asked_ns(self, ts_ns: int, request: AccountRequest | OrderRequest) -> int:
        """Return when a question arrives: never before the order that it asks after."""
        due_ns = ts_ns + round(self._config.submit_latency_ms * NS_PER_MS)
        return max(due_ns, self.journey.inbound_ns.get(traveler(request), 0))

    def arrived(self, due_ns: int, message: Request | VenueEvent) -> None:
        """Drop the order's entry once its last message under way has arrived."""
        if isinstance(message, AccountRequest | OrderRequest | VenueOrderStatus):
            return
        is_request = isinstance(message, Request)
        lane = self.journey.inbound_ns if is_request else self.journey.outbound_ns
        order_id = traveler(message)
        if lane.get(order_id) == due_ns:
            del lane[order_id]

    def _queue_answer(self, event: VenueEvent) -> None:
        self._push(event.ts_ns, event)

    def _push(self, due_ns: int, message: Request | VenueEvent) -> None:
        self.journey.sequence += 1
        heapq.heappush(self.heap, (due_ns, self.journey.sequence, message))

    def _after(self, lane: dict[str, int], order_id: str, ts_ns: int, median_ms: float) -> int:
        due_ns = max(ts_ns + self._delay_ns(median_ms), lane.get(order_id, 0))
        lane[order_id] = due_ns
        return due_ns

    def _delay_ns(self, median_ms: float) -> int:
        if not median_ms:
            return 0
        factor = math.exp(self._sigma * self._rng.gauss(0.0, 1.0)) if self._sigma else 1.0
        return round(median_ms * factor * NS_PER_MS)


def request_of(command: Command) -> Request:
    """Translate a command into what travels to the venue."""
    match command:
        case PlaceOrder():
            return PlaceRequest(command.order_id, command.approved.intent)
        case CancelOrder():
            return CancelRequest(command.order_id, command.symbol)
        case AmendOrder():
            symbol = command.approved.intent.symbol
            return AmendRequest(command.order_id, symbol, command.price, command.qty)
        case QueryAccount():
            return AccountRequest(command.ts_ns, command.since_ns)
        case QueryOrder():
            return OrderRequest(command.order_id, command.symbol)


def traveler(message: Request | VenueEvent) -> str:
    """Return whose lane a message travels in: an order's, or the funding's of its symbol."""
    order_id = getattr(message, "order_id", None)
    return order_id if isinstance(order_id, str) else funding_lane(message)


def funding_lane(message: object) -> str:
    """Name the lane of what concerns no order; no client id contains a space."""
    return f"funding {getattr(message, 'symbol', '')}"


def courier_of(config: PaperConfig, rng: random.Random, sink: Sink) -> Courier:
    """Choose by the settings: instant only when every median is zero."""
    medians = (
        config.submit_latency_ms,
        config.amend_latency_ms,
        config.cancel_latency_ms,
        config.ack_latency_ms,
        config.fill_latency_ms,
    )
    return DelayedCourier(config, rng) if any(medians) else InstantCourier(sink)
