"""The live broker: the engine's commands to a venue's account, and its account of them back.

One for all venues; what differs between them is behind `brokers.link.account.VenueAccount`.

Rule 1: answers enter on the session's clock when the session takes them, in the order they came.
Rule 2: until `go_live` nothing is sent: commands of a rerun were sent, or never will be; whatever
        became of them, the venue is asked (reliability.md A2, A9).
Rule 3: what waited here for its trigger when a process died may have been sent by it: the venue is
        asked before it is.
"""

from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Final, Self

import msgspec

from brokers.link.account import FundingReport, Unanswered, VenueAccount
from brokers.link.dead_man import DeadMan
from brokers.link.errands import Errands
from brokers.link.known import KnownOrders
from brokers.link.mail import Mail
from brokers.link.orders import Orders
from brokers.link.reports import Reports
from brokers.link.terms import Held, Terms
from brokers.link.triggers import is_released
from engine.model.client_ids import ClientIds
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
from engine.model.venue_events import (
    VenueAccepted,
    VenueAmended,
    VenueCanceled,
    VenueEvent,
    VenueExpired,
    VenueFill,
    VenueFunding,
    VenueRejected,
    VenueSnapshot,
    VenueStatus,
    VenueTriggered,
)
from engine.venue import Capabilities, Margin, MarginTerms

LEAVE_S: Final = 3.0
"""How long requests under way may take once the session is over."""
NS_PER_S: Final = 1_000_000_000
FUNDED_MAX: Final = 1_000
"""Payments remembered: of an instrument that is settled every hour, six weeks."""
NOTHING_HELD: Final = Held()


class Saved(msgspec.Struct):
    """What a checkpoint holds."""

    orders: msgspec.Raw
    funded: list[FundingReport]
    terms: list[MarginTerms] = []


_decode: Final = msgspec.json.Decoder(Saved).decode


class LiveBroker:
    """Implements `engine.venue.LiveBroker`."""

    def __init__(
        self,
        account: VenueAccount,
        instruments: Sequence[Instrument],
        sink: Callable[[VenueEvent], None],
        *,
        ids: ClientIds,
        now_ns: Callable[[], int],
        wake: Callable[[], None],
        dead_man_s: float | None = None,
        margin: Held = NOTHING_HELD,
    ) -> None:
        """Take over an account; nothing is opened yet.

        Args:
            account: Where everything goes.
            instruments: Of the session.
            sink: Takes what the venue tells, in event time.
            ids: What the venue is told instead of our order ids.
            now_ns: The session's clock.
            wake: Lets a session that waits take what has come.
            dead_man_s: The venue cancels everything if we are silent for so long; None: never.
            margin: What positions are made with, and how often that is asked again.

        """
        self._account = account
        self._known = KnownOrders(instruments, ids)
        self._sink = sink
        self._mail = Mail(self._hand_over, now_ns, wake)
        self._reports = Reports(account.venue, self._known, self._mail)
        self._errands = Errands()
        self._orders = Orders(account, self._known, self._mail, self._reports, self._errands)
        self._dead_man = dead_man_s and DeadMan(account, dead_man_s, self._errands, self._reports)
        self._terms = Terms(account, margin, self._errands, self._mail)
        self._funded: deque[FundingReport] = deque(maxlen=FUNDED_MAX)
        """What the session was told, by this process and those before it."""
        self._since_ns = 0
        self._is_live = False

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
        await self._errands.leave(LEAVE_S)
        if self._dead_man and not self._known.is_any_working():
            await self._dead_man.take_back()
        await self._account.__aexit__(None, None, None)

    def go_live(self, since_ns: int) -> None:
        """Begin to listen and to send; what the account did before `since_ns` is not ours."""
        self._since_ns = since_ns
        self._is_live = True
        for known in self._known.all_held():
            known.is_in_doubt = True
        self._account.begin(since_ns, tuple(self._funded))
        listen = partial(self._account.listen, self._reports.hear)
        self._errands.run_on(listen, "the account's stream")
        if self._dead_man:
            self._orders.switch = self._errands.run(self._dead_man.renew)

    def beat(self, ts_ns: int) -> None:
        """Renew the venue's dead-man switch, and ask what positions are made with, in their time.

        Raises:
            Exception: A bug of ours in what goes on beside the session; nothing is sent any more.
        """
        self._errands.raise_bug()
        if not self._is_live:
            return
        if self._dead_man:
            self._dead_man.beat(ts_ns)
        self._terms.beat(ts_ns)

    def advance(self, ts_ns: int) -> None:
        """Hand over what has come up to `ts_ns`."""
        self._mail.advance(ts_ns)

    def _hand_over(self, event: VenueEvent) -> None:
        self._note_funding(event)
        self._terms.see(event)
        self._sink(event)

    def _note_funding(self, event: VenueEvent) -> None:
        if isinstance(event, VenueFunding):
            told = FundingReport(event.symbol, event.amount, event.funding_ns)
            if told not in self._funded:
                self._funded.append(told)

    def next_due_ns(self) -> int | None:
        """When the next of it came; None when nothing waits."""
        return self._mail.next_due_ns()

    def observe(self, event: MarketEvent) -> None:
        """Release what waits here for its trigger; in a rerun, only follow the best price."""
        if type(event) is not Quote:
            return
        held = self._known.held(event.symbol)
        for known in held:
            instrument = known.placed.instrument
            bid, ask = instrument.price(event.bid_ticks), instrument.price(event.ask_ticks)
            if is_released(known, bid, ask) and self._is_live:
                self._orders.release(known)
        if held:
            self._orders.leave()

    def queue_ahead(self, order_id: str) -> Decimal | None:  # noqa: ARG002 - of the contract
        """Return nothing: no venue says."""
        return None

    def margin(self, symbol: str) -> Margin | None:  # noqa: ARG002 - of the contract
        """Return nothing: it is in the venue's own pictures only."""
        return None

    def snapshot(self) -> bytes:
        """Encode the orders that may still be spoken of, and what else was told."""
        orders = msgspec.Raw(self._known.snapshot())
        return msgspec.json.encode(Saved(orders, list(self._funded), self._terms.snapshot()))

    def restore(self, snapshot: bytes) -> None:
        """Know them again; how the account's stream stood then, its next word will tell."""
        saved = _decode(snapshot)
        self._known.restore(bytes(saved.orders))
        self._funded.extend(saved.funded)
        self._terms.restore(saved.terms)
        self._reports.forget_parts()

    def recall(self, event: VenueEvent) -> None:
        """Learn from what an interrupted run was told."""
        if isinstance(event, VenueStatus):
            self._reports.recall(event)
        self._note_funding(event)
        self._terms.see(event)
        known = self._known.get(getattr(event, "order_id", ""))
        if known is None:
            return
        match event:
            case VenueAccepted(venue_order_id=venue_order_id):
                known.is_accepted = True
                self._known.number(known, venue_order_id)
            case VenueTriggered():
                known.release()
            case VenueAmended(price=price, qty=qty):
                known.placed = known.placed._replace(price=price, qty=qty)
            case VenueFill(trade_id=trade_id, qty=qty):
                known.note_fill(trade_id, qty)
            case VenueCanceled() | VenueExpired() | VenueRejected():
                known.is_ended = True
            case _:
                pass

    def submit(self, commands: Sequence[Command]) -> None:
        """Send a turn's commands and return at once: requests that need not wait have left."""
        for command in commands:
            self._submit(command)
        self._orders.leave()

    def _submit(self, command: Command) -> None:
        match command:
            case PlaceOrder(order_id=order_id, approved=approved):
                known = self._known.add(order_id, approved.intent)
                if self._is_live:
                    self._orders.place(known)
            case _ if not self._is_live:
                return
            case AmendOrder(order_id=order_id, price=price, qty=qty):
                self._orders.amend(order_id, command.approved.intent.symbol, price, qty)
            case CancelOrder(order_id=order_id, symbol=symbol):
                self._orders.cancel(order_id, symbol)
            case QueryOrder(order_id=order_id, symbol=symbol):
                self._orders.ask(order_id, symbol)
            case QueryAccount():
                self._orders.leave()  # a picture without them would be one of before
                self._errands.run(partial(self._picture, command))

    async def _picture(self, question: QueryAccount) -> None:
        found = await self._account.picture(max(question.since_ns, self._since_ns))
        asked_ns = question.ts_ns
        if isinstance(found, Unanswered):
            denied = found.is_denied
            self._mail.post(VenueSnapshot(0, 0, asked_ns, failure=found.cause, is_denied=denied))
        else:
            self._mail.post(self._reports.picture(found, asked_ns))
