"""A venue one cannot rely on, wrapped round the paper venue.

What the paper venue does is the truth and is logged as plain data when it happens, so is each
request when it arrives. Between that truth and the engine answers are lost, delayed, reordered and
repeated. Foreign fills and overfills are real: another hand trades on the same account.
"""

import heapq
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, Protocol

from msgspec.structs import replace

from brokers.paper.venue import CAPABILITIES
from engine.model.commands import (
    AmendOrder,
    CancelOrder,
    Command,
    PlaceOrder,
    Query,
    QueryAccount,
)
from engine.model.instrument import Instrument
from engine.model.market import MarketEvent, Quote
from engine.model.orders import Approved, OrderIntent, OrderType, Side, TimeInForce
from engine.model.venue_events import (
    RejectReason,
    Standing,
    VenueAccepted,
    VenueAmendRejected,
    VenueCancelRejected,
    VenueEvent,
    VenueExpired,
    VenueFill,
    VenueOrderStatus,
    VenueRejected,
    VenueSnapshot,
    VenueStatus,
    VenueUnknown,
)
from engine.venue import Capabilities, Margin, SessionBroker, Sink
from tests.simulation.swarm import Swarm

MS: Final = 1_000_000
SECOND_NS: Final = 1_000 * MS
SILENCE_NS: Final = SECOND_NS
"""How long an adapter waits for an answer before it calls the outcome unknown."""
RESOLVED_S: Final = (3.0, 10.0)
"""When an adapter has asked often enough to know what became of a lost request."""
SLOW_S: Final = (0.02, 3.0)
LATE_S: Final = (0.5, 5.0)
AGAIN_S: Final = (0.001, 2.0)
OUTAGE_S: Final = (1.0, 20.0)
OVER, FOREIGN = "over-", "foreign-"
"""Heads of the order ids of the other hand."""
UNREPEATED: Final = (VenueFill, VenueStatus)
"""Fills are repeated by a kind of their own."""

Crash = Callable[[], None]
Entry = dict[str, Any]


class Log(Protocol):
    """Where requests and facts are written down as plain data."""

    def request(self, command: Command) -> None: ...

    def fact(self, event: VenueEvent) -> None: ...


class FaultyVenue:
    """A `SessionBroker` whose answers pass through a swarm of faults."""

    capabilities: Capabilities = CAPABILITIES

    def __init__(
        self,
        make_venue: Callable[[Sink], SessionBroker],
        instruments: tuple[Instrument, ...],
        sink: Sink,
        *,
        swarm: Swarm,
        start_ns: int,
        log: Log,
        before_submit: Crash,
        on_time: Callable[[int], None],
    ) -> None:
        self._venue = make_venue(self._happened)
        self._sink = sink
        self._swarm = swarm
        self._log = log
        self._before_submit = before_submit
        self._on_time = on_time
        self._lots = {i.symbol: (i.min_qty, i.lot_size) for i in instruments}
        self._held: list[tuple[int, int, VenueEvent]] = []
        self._count = 0
        self._now_ns = start_ns
        self._muted: dict[str, int] = {}
        """Orders whose answers are lost, and until when."""
        self._left: dict[str, Decimal] = {}
        """Quantity of each order placed that has not filled, by the requests that passed here."""
        self._owner: dict[str, str] = {}
        """Whose order an overfill is told to belong to."""
        self._outages = swarm.moments("venue.outage", start_ns)
        self._foreign = swarm.moments("venue.foreign_fill", start_ns)
        self._up_ns = 0
        """When the running outage ends; 0 while there is none."""

    # --- what the session asks --------------------------------------------------------------------

    def submit(self, commands: Sequence[Command]) -> None:
        for command in commands:
            self._submit(command)

    def _submit(self, command: Command) -> None:
        self._before_submit()
        now_ns = max(command.ts_ns, self._now_ns)
        if isinstance(command, Query):
            self._asked(command, now_ns)
            return
        self._log.request(command)
        if type(command) is PlaceOrder:
            self._left[command.order_id] = command.approved.intent.qty
        if self._up_ns:
            self._refuse(command, now_ns + 5 * MS, RejectReason.VENUE_UNAVAILABLE)
        elif type(command) is PlaceOrder and self._swarm.strikes("venue.reject", now_ns):
            reason = self._swarm.dice("venue.reject").choice(list(RejectReason))
            self._refuse(command, now_ns + 20 * MS, reason)
        elif self._swarm.strikes("venue.lose", now_ns):
            self._lose(command, now_ns)
        else:
            self._venue.submit([command])

    def advance(self, ts_ns: int) -> None:
        self._now_ns = max(self._now_ns, ts_ns)
        self._venue.advance(ts_ns)
        while self._held and self._held[0][0] <= ts_ns:
            self._sink(heapq.heappop(self._held)[2])

    def next_due_ns(self) -> int | None:
        due_ns = self._venue.next_due_ns()
        if not self._held:
            return due_ns
        return self._held[0][0] if due_ns is None else min(due_ns, self._held[0][0])

    def queue_ahead(self, order_id: str) -> Decimal | None:
        return self._venue.queue_ahead(order_id)

    def margin(self, symbol: str) -> Margin | None:
        return self._venue.margin(symbol)

    def observe(self, event: MarketEvent) -> None:
        self._now_ns = max(self._now_ns, event.ts_ns)
        self._on_time(self._now_ns)
        self._pass_outages(self._now_ns)
        is_due = bool(self._foreign) and self._foreign[0] <= self._now_ns
        if is_due and type(event) is Quote and event.symbol in self._lots:
            self._foreign.pop(0)
            self._trade_foreign(event.symbol)
        self._venue.observe(event)

    def _asked(self, query: Query, now_ns: int) -> None:
        """Answer from the truth, or not at all while the venue is out; that is told too."""
        if not self._up_ns:
            self._venue.submit([query])
        elif isinstance(query, QueryAccount):
            due_ns = now_ns + SILENCE_NS
            self._hold(due_ns, VenueSnapshot(due_ns, now_ns, query.ts_ns, failure="no answer"))
        else:
            due_ns, order_id = now_ns + SILENCE_NS, query.order_id
            unanswered = Standing.UNANSWERED
            self._hold(due_ns, VenueOrderStatus(due_ns, query.symbol, order_id, unanswered))

    # --- faults of requests -----------------------------------------------------------------------

    def _refuse(self, command: Command, due_ns: int, reason: RejectReason) -> None:
        order_id, symbol = command.order_id, _symbol(command)
        match command:
            case PlaceOrder():
                self._fact_and_hold(due_ns, VenueRejected(due_ns, symbol, order_id, reason))
            case AmendOrder():
                self._hold(due_ns, VenueAmendRejected(due_ns, symbol, order_id, reason))
            case CancelOrder():
                self._hold(due_ns, VenueCancelRejected(due_ns, symbol, order_id, reason))

    def _lose(self, command: Command, now_ns: int) -> None:
        """Say nothing, then that nothing is known, and much later what became of it."""
        dice, order_id = self._swarm.dice("venue.lose"), command.order_id
        unknown_ns = now_ns + SILENCE_NS
        known_ns = now_ns + int(dice.uniform(*RESOLVED_S) * SECOND_NS)
        self._hold(unknown_ns, VenueUnknown(unknown_ns, _symbol(command), order_id, "no answer"))
        if dice.random() < 0.5:
            self._muted[order_id] = known_ns
            self._venue.submit([command])
        else:
            self._refuse(command, known_ns, RejectReason.ORDER_NOT_FOUND)

    def _pass_outages(self, now_ns: int) -> None:
        if self._up_ns and now_ns >= self._up_ns:
            self._up_ns = 0
            self._sink(VenueStatus(now_ns, "paper", is_up=True))
        if self._outages and now_ns >= self._outages[0] and not self._up_ns:
            self._outages.pop(0)
            self._swarm.injected["venue.outage"] += 1
            length_ns = int(self._swarm.dice("venue.outage").uniform(*OUTAGE_S) * SECOND_NS)
            self._up_ns = min(now_ns + length_ns, max(self._swarm.calm_ns, now_ns + SECOND_NS))
            self._sink(VenueStatus(now_ns, "paper", is_up=False, reason="maintenance"))

    # --- the other hand ---------------------------------------------------------------------------

    def _trade_foreign(self, symbol: str) -> None:
        dice = self._swarm.dice("venue.foreign_fill")
        self._swarm.injected["venue.foreign_fill"] += 1
        self._trade(FOREIGN, symbol, dice.choice((Side.BUY, Side.SELL)), self._lots[symbol][0] * 3)

    def _overfill(self, fill: VenueFill, order_id: str) -> None:
        """Once an order is done, let more of it trade now and then."""
        self._left[order_id] -= fill.qty
        if self._left[order_id] <= 0 and self._swarm.strikes("venue.overfill", fill.ts_ns):
            extra = self._lots[fill.symbol][0]
            self._owner[self._trade(OVER, fill.symbol, fill.side, extra)] = order_id

    def _trade(self, head: str, symbol: str, side: Side, qty: Decimal) -> str:
        self._count += 1
        order_id = f"{head}{self._count}"
        intent = OrderIntent(
            self._now_ns, order_id, head, symbol, "hand", side, qty, OrderType.MARKET,
            tif=TimeInForce.IOC,
        )  # fmt: skip
        self._venue.submit([PlaceOrder(self._now_ns, order_id, Approved(intent))])
        return order_id

    # --- from what happened to what is told -------------------------------------------------------

    def _happened(self, event: VenueEvent) -> None:
        """Log the truth, then tell it more or less."""
        if isinstance(event, VenueSnapshot | VenueOrderStatus):
            self._hold(max(event.ts_ns, self._now_ns), self._as_told(event))
            return
        order_id = getattr(event, "order_id", "")
        if order_id.startswith((OVER, FOREIGN)):
            if type(event) is not VenueFill:
                return
            if order_id in self._owner:
                event = replace(event, order_id=self._owner[order_id])
        self._log.fact(event)
        self._tell(event, max(event.ts_ns, self._now_ns))
        if type(event) is VenueFill and order_id in self._left:
            self._overfill(event, order_id)

    def _as_told(self, answer: VenueSnapshot | VenueOrderStatus) -> VenueEvent:
        """Tell an overfill as what the stream tells it as: more of the same order."""
        if isinstance(answer, VenueOrderStatus):
            return answer
        fills = (replace(f, order_id=self._owner.get(f.order_id, f.order_id)) for f in answer.fills)
        return replace(answer, fills=tuple(fills))

    def _tell(self, event: VenueEvent, now_ns: int) -> None:
        is_fill = type(event) is VenueFill
        due_ns = max(now_ns, self._muted.get(getattr(event, "order_id", ""), 0), self._up_ns)
        kinds = ("venue.slow", SLOW_S), *((("venue.late_fill", LATE_S),) if is_fill else ())
        for kind, spread in kinds:
            if self._swarm.strikes(kind, now_ns):
                due_ns += int(self._swarm.dice(kind).uniform(*spread) * SECOND_NS)
        if due_ns > now_ns:
            self._hold(due_ns, event)
        else:
            self._sink(event)
        self._repeat(event, now_ns, due_ns, "venue.duplicate_fill" if is_fill else "")

    def _repeat(self, event: VenueEvent, now_ns: int, due_ns: int, kind: str) -> None:
        kind = kind or ("" if isinstance(event, UNREPEATED) else "venue.duplicate_answer")
        if kind and self._swarm.strikes(kind, now_ns):
            again_ns = due_ns + int(self._swarm.dice(kind).uniform(*AGAIN_S) * SECOND_NS)
            self._hold(again_ns, event)
        if isinstance(event, VenueAccepted) and self._swarm.strikes("venue.unknown_order", now_ns):
            self._hold(due_ns + MS, VenueExpired(due_ns, event.symbol, "never-sent-1", "whose?"))

    def _fact_and_hold(self, due_ns: int, event: VenueEvent) -> None:
        self._log.fact(event)
        self._hold(due_ns, event)

    def _hold(self, due_ns: int, event: VenueEvent) -> None:
        self._count += 1
        heapq.heappush(self._held, (due_ns, self._count, replace(event, ts_ns=due_ns)))


def _symbol(command: Command) -> str:
    return command.symbol if isinstance(command, CancelOrder) else command.approved.intent.symbol
