"""The live broker: the engine's commands to a venue's account, and its account of them back.

One for all venues; what differs between them is behind `brokers.link.account.VenueAccount`.

Rule 1: a placement is sent at most once. What is not known to have failed is `VenueUnknown`, and
        the engine asks; nothing is tried again here.
Rule 2: requests about one order leave one after the other, those about different ones at once.
Rule 3: what an answer and the account's stream both tell is told once.
Rule 4: answers enter on the session's clock when the session takes them, in the order they came.
Rule 5: until `go_live` nothing is sent: commands of a rerun were sent, or never will be; whatever
        became of them, the venue is asked (reliability.md A2, A9).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from decimal import Decimal
from typing import Final, Self

from msgspec.structs import replace

from brokers.link.account import (
    Accepted,
    FillReport,
    FundingReport,
    LineDown,
    LineUp,
    OrderReport,
    Picture,
    Refused,
    Report,
    Unanswered,
    Unclear,
    VenueAccount,
)
from brokers.link.known import KnownOrder, KnownOrders
from brokers.link.telling import ended, held, held_status, status_of, working
from brokers.link.triggers import is_released
from engine.model.commands import (
    AmendOrder,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryAccount,
    QueryOrder,
)
from engine.model.instrument import Instrument
from engine.model.market import MarketEvent, Quote
from engine.model.money import ZERO
from engine.model.orders import OrderType, TimeInForce
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
    VenueOrderStatus,
    VenueRejected,
    VenueSnapshot,
    VenueStatus,
    VenueTriggered,
    VenueUnknown,
)
from engine.venue import Capabilities, Margin

LEAVE_S: Final = 3.0
"""How long requests under way may take once the session is over."""
NS_PER_S: Final = 1_000_000_000
FORCED: Final = "liquidation-"


class LiveBroker:
    """Implements `engine.venue.LiveBroker`."""

    def __init__(
        self,
        account: VenueAccount,
        instruments: Sequence[Instrument],
        sink: Callable[[VenueEvent], None],
        *,
        client_id: Callable[[str], str],
        prefix: str,
        now_ns: Callable[[], int],
        wake: Callable[[], None],
        dead_man_s: float | None = None,
    ) -> None:
        """Take over an account; nothing is opened yet.

        Args:
            account: Where everything goes.
            instruments: Of the session.
            sink: Takes what the venue tells, in event time.
            client_id: Derives the venue's id of an order from ours.
            prefix: What each such id begins with where ours follows in plain.
            now_ns: The session's clock.
            wake: Lets a session that waits take what has come.
            dead_man_s: The venue cancels everything if we are silent for so long; None: never.

        """
        self._account = account
        self._sink = sink
        self._now_ns = now_ns
        self._wake = wake
        self._dead_man_s = dead_man_s
        self._known = KnownOrders(instruments, client_id, prefix)
        self._mail: deque[tuple[int, VenueEvent]] = deque()
        self._last_ns = 0
        self._since_ns = 0
        self._is_live = False
        self._is_cut = False
        self._renewed_ns = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._bug: BaseException | None = None
        self._listening: asyncio.Task[None] | None = None

    # --- the session's side ----------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        """Of the venue; constant. Triggers wait here where the venue has none."""
        return self._account.capabilities

    async def __aenter__(self) -> Self:
        """Open the account's connections."""
        await self._account.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let requests under way end, then leave."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LEAVE_S)
        for task in (*self._tasks, *filter(None, [self._listening])):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._account.__aexit__(None, None, None)

    def go_live(self, since_ns: int) -> None:
        """Begin to listen and to send; what the account did before `since_ns` is not ours."""
        self._since_ns = since_ns
        self._is_live = True
        self._listening = asyncio.create_task(self._account.listen(self._hear), name="account")
        self._listening.add_done_callback(self._ended)

    def beat(self, ts_ns: int) -> None:
        """Renew the venue's dead-man switch, a third of its time after the last.

        Raises:
            Exception: A bug of ours in what goes on beside the session; nothing is sent any more.
        """
        if self._bug is not None:
            raise self._bug
        ttl_s = self._dead_man_s
        if ttl_s and self._is_live and ts_ns - self._renewed_ns >= ttl_s * NS_PER_S / 3:
            self._renewed_ns = ts_ns
            self._spawn(self._renew(ttl_s))

    async def _renew(self, ttl_s: float) -> None:
        await self._account.renew(ttl_s)

    def advance(self, ts_ns: int) -> None:
        """Hand over what has come up to `ts_ns`."""
        while self._mail and self._mail[0][0] <= ts_ns:
            self._sink(self._mail.popleft()[1])

    def next_due_ns(self) -> int | None:
        """When the next of it came; None when nothing waits."""
        return self._mail[0][0] if self._mail else None

    def observe(self, event: MarketEvent) -> None:
        """Release what waits here for its trigger."""
        if type(event) is Quote and self._is_live:
            for known in self._known.held(event.symbol):
                instrument = known.placed.instrument
                bid, ask = instrument.price(event.bid_ticks), instrument.price(event.ask_ticks)
                if is_released(known, bid, ask):
                    self._release(known)

    def queue_ahead(self, order_id: str) -> Decimal | None:  # noqa: ARG002 - of the contract
        """Return nothing: no venue says."""
        return None

    def margin(self, symbol: str) -> Margin | None:  # noqa: ARG002 - of the contract
        """Return nothing: it is in the venue's own pictures only."""
        return None

    def snapshot(self) -> bytes:
        """Encode the orders that may still be spoken of."""
        return self._known.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Know them again."""
        self._known.restore(snapshot)

    def recall(self, event: VenueEvent) -> None:
        """Learn from what an interrupted run was told."""
        known = self._known.get(getattr(event, "order_id", ""))
        if known is None:
            return
        match event:
            case VenueAccepted(venue_order_id=venue_order_id):
                known.is_accepted, known.venue_order_id = True, venue_order_id
            case VenueTriggered():
                known.is_held = False
            case VenueAmended(price=price, qty=qty):
                known.placed = known.placed._replace(price=price, qty=qty)
            case VenueCanceled() | VenueExpired() | VenueRejected():
                known.is_ended = True
            case _:
                pass

    # --- commands --------------------------------------------------------------------------------

    def submit(self, command: Command) -> None:
        """Send one command and return at once."""
        match command:
            case PlaceOrder(order_id=order_id, approved=approved):
                known = self._known.add(order_id, approved.intent)
                if self._is_live:
                    self._place(known)
            case _ if not self._is_live:
                return
            case AmendOrder(order_id=order_id, price=price, qty=qty):
                self._amend(order_id, command.approved.intent.symbol, price, qty)
            case CancelOrder(order_id=order_id, symbol=symbol):
                self._cancel(order_id, symbol)
            case QueryOrder(order_id=order_id, symbol=symbol):
                self._ask(order_id, symbol)
            case QueryAccount():
                self._spawn(self._picture(command))

    def _place(self, known: KnownOrder) -> None:
        if known.is_held:
            self._accept(known, "")
        else:
            self._next(known, self._placed(known))

    def _release(self, known: KnownOrder) -> None:
        """Send what waited, as a market order under its own name."""
        known.is_held = False
        symbol = known.placed.instrument.symbol
        known.placed = known.placed._replace(
            type=OrderType.MARKET, price=None, trigger_price=None, tif=TimeInForce.IOC
        )
        self._post(VenueTriggered(0, symbol, known.order_id))
        self._next(known, self._placed(known))

    async def _placed(self, known: KnownOrder) -> None:
        symbol, order_id = known.placed.instrument.symbol, known.order_id
        outcome = await self._account.place(known.placed)
        match outcome:
            case Accepted(venue_order_id, report):
                self._accept(known, venue_order_id)
                if report is not None:
                    self._on_order(report)
            case Refused(reason, detail):
                self._end(known, VenueRejected(0, symbol, order_id, reason, detail))
            case Unclear(cause):
                self._post(VenueUnknown(0, symbol, order_id, cause))

    def _amend(self, order_id: str, symbol: str, price: Decimal, qty: Decimal) -> None:
        known = self._known.get(order_id)
        if known is None:
            gone = RejectReason.ORDER_NOT_FOUND
            self._post(VenueAmendRejected(0, symbol, order_id, gone, "not of this session"))
        elif known.is_held:
            known.placed = known.placed._replace(qty=qty)
            self._post(VenueAmended(0, symbol, order_id, price, qty))
        else:
            self._next(known, self._amended(known, price, qty))

    async def _amended(self, known: KnownOrder, price: Decimal, qty: Decimal) -> None:
        symbol, order_id = known.placed.instrument.symbol, known.order_id
        known.amended = None
        match await self._account.amend(known.ref, price, qty):
            case Accepted(_, report):
                if report is not None:
                    self._on_order(report)
                if not known.is_ended and (report is None or report.is_amendment):
                    self._tell_amended(known, price, qty)
            case Refused(reason, detail):
                self._post(VenueAmendRejected(0, symbol, order_id, reason, detail))
            case Unclear(cause):
                self._post(VenueUnknown(0, symbol, order_id, cause))

    def _tell_amended(self, known: KnownOrder, price: Decimal | None, qty: Decimal) -> None:
        if known.amended == (price, qty) or price is None:
            return
        known.amended = (price, qty)
        known.placed = known.placed._replace(price=price, qty=qty)
        symbol = known.placed.instrument.symbol
        self._post(VenueAmended(0, symbol, known.order_id, price, qty))

    def _cancel(self, order_id: str, symbol: str) -> None:
        known = self._known.get(order_id)
        if known is not None and known.is_held:
            self._end(known, VenueCanceled(0, symbol, order_id))
        else:
            self._next(known, self._canceled(order_id, symbol))

    async def _canceled(self, order_id: str, symbol: str) -> None:
        match await self._account.cancel(self._known.ref(order_id, symbol)):
            case Accepted(_, report):
                if report is not None:
                    self._on_order(report)
            case Refused(reason, _):
                self._post(VenueCancelRejected(0, symbol, order_id, reason))
            case Unclear(cause):
                self._post(VenueUnknown(0, symbol, order_id, cause))

    # --- questions -------------------------------------------------------------------------------

    def _ask(self, order_id: str, symbol: str) -> None:
        known = self._known.get(order_id)
        if known is not None and known.is_held:
            self._post(held_status(known))
        else:
            self._next(known, self._asked(order_id, symbol))

    async def _asked(self, order_id: str, symbol: str) -> None:
        match await self._account.order(self._known.ref(order_id, symbol)):
            case Unanswered(cause):
                standing = Standing.UNANSWERED
                self._post(VenueOrderStatus(0, symbol, order_id, standing, detail=cause))
            case OrderReport() as report:
                self._post(status_of(report, symbol, order_id))

    async def _picture(self, question: QueryAccount) -> None:
        found = await self._account.picture(max(question.since_ns, self._since_ns))
        asked_ns = question.ts_ns
        if isinstance(found, Unanswered):
            self._post(VenueSnapshot(0, 0, asked_ns, failure=found.cause))
        else:
            self._post(self._shown(found, asked_ns))

    def _shown(self, found: Picture, asked_ns: int) -> VenueSnapshot:
        orders = [
            working(report, self._known.order_id(report.client_id)) for report in found.orders
        ]
        orders += map(held, self._known.all_held())
        fills = [self._fill(report) for report in found.fills]
        return VenueSnapshot(
            0, found.taken_ns, asked_ns, found.positions, tuple(orders), tuple(fills), found.balance
        )  # fmt: skip

    # --- what the account tells ------------------------------------------------------------------

    def _hear(self, report: Report) -> None:
        match report:
            case OrderReport():
                self._on_order(report)
            case FillReport():
                self._on_fill(report)
            case FundingReport(symbol, amount, at_ns):
                self._post(VenueFunding(0, symbol, ZERO, ZERO, ZERO, amount, at_ns))
            case LineUp():
                if self._is_cut:
                    self._is_cut = False
                    self._post(VenueStatus(0, self._account.venue, is_up=True))
            case LineDown(cause):
                if not self._is_cut:
                    self._is_cut = True
                    self._post(VenueStatus(0, self._account.venue, is_up=False, reason=cause))

    def _on_order(self, report: OrderReport) -> None:
        known = self._known.by_client(report.client_id)
        if known is None or known.is_ended:
            return
        if report.standing is Standing.REJECTED or known.is_held:
            self._end(known, ended(report, known, is_accepted=known.is_accepted))
            return
        self._accept(known, report.venue_order_id)
        if report.standing is Standing.WORKING and report.is_amendment:
            self._tell_amended(known, report.price, report.qty)
        elif report.standing in (Standing.CANCELED, Standing.EXPIRED):
            self._end(known, ended(report, known, is_accepted=True))

    def _on_fill(self, report: FillReport) -> None:
        known = self._known.by_client(report.client_id)
        if known is not None:
            self._accept(known, report.venue_order_id)
        elif not self._is_ours(report.client_id):
            return  # somebody else's: the next picture shows it
        self._post(self._fill(report))

    def _is_ours(self, client_id: str) -> bool:
        return client_id.startswith(FORCED) or self._known.order_id(client_id) is not None

    def _fill(self, report: FillReport) -> VenueFill:
        order_id = self._known.order_id(report.client_id) or report.client_id
        return VenueFill(
            0, report.symbol, order_id or report.venue_order_id, report.trade_id, report.side,
            report.price, report.qty, report.fee, report.liquidity,
        )  # fmt: skip

    def _accept(self, known: KnownOrder, venue_order_id: str) -> None:
        known.venue_order_id = venue_order_id or known.venue_order_id
        if not known.is_accepted:
            known.is_accepted = True
            symbol = known.placed.instrument.symbol
            self._post(VenueAccepted(0, symbol, known.order_id, known.venue_order_id))

    def _end(self, known: KnownOrder, event: VenueEvent) -> None:
        if not known.is_ended:
            known.is_ended = True
            self._post(event)

    # --- the way back ----------------------------------------------------------------------------

    def _post(self, event: VenueEvent) -> None:
        self._last_ns = max(self._last_ns, self._now_ns())
        self._mail.append((self._last_ns, replace(event, ts_ns=self._last_ns)))
        self._wake()

    def _next(self, known: KnownOrder | None, work: Coroutine[None, None, None]) -> None:
        """Do it after whatever is under way about the same order."""
        before = None if known is None else known.request
        task = self._spawn(_after(before, work))
        if known is not None:
            known.request = task

    def _spawn(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._bug = self._bug or bug


async def _after(before: "asyncio.Task[None] | None", work: Coroutine[None, None, None]) -> None:
    if before is not None and not before.done():
        await asyncio.wait({before})
    await work
