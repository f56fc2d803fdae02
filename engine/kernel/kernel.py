"""The kernel: one step from an input to the decisions it causes.

See → want → allow → do → have, in that order, for every input there is. A step is a pure function
of the state and the input; the state is updated in place and can be taken out and put back, see
`engine.kernel.checkpoint`. Whether inputs come live, from a recording or from a journal is not
known here and must not be.

Here the parts are connected and each input finds its handler. What the market says goes on in
`seeing`, what agents wish in `asking` and `dealing`, what the venue did in `booking`, `truth`,
`inquiries` and `denials`, what people ask in `operators`, what the lifecycle orders in `ending`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from engine.agents.contract import Agent
from engine.agents.roster import Roster
from engine.execution.blotter import Blotter
from engine.execution.order_flow import ORDER_EVENTS, OrderAnswer, OrderFlow
from engine.kernel.asking import Asking
from engine.kernel.beside import books_beside, lost_sight
from engine.kernel.booking import Booking
from engine.kernel.conduct import Conduct
from engine.kernel.config import KernelConfig, lifecycle_policy
from engine.kernel.dealing import Dealing
from engine.kernel.denials import DONE, REFUSALS, Denials
from engine.kernel.ending import Ending
from engine.kernel.house import House
from engine.kernel.inquiries import Inquiries
from engine.kernel.manual import Manual
from engine.kernel.operators import Operators
from engine.kernel.reference import Reference
from engine.kernel.seeing import Seeing
from engine.kernel.terms import margin_changed
from engine.kernel.truth import Truth
from engine.kernel.watch import Watch
from engine.market.market import Market
from engine.model.effects import NO_EFFECTS, Effects, Outbox
from engine.model.events import (
    JOURNAL_RESERVE,
    JOURNAL_SYNC,
    HealthChanged,
    Input,
    Operator,
    OperatorCommand,
    Timer,
)
from engine.model.instrument import Instrument
from engine.model.market import (
    Bar,
    BarHistory,
    Depth,
    FeedStatus,
    Funding,
    Malformed,
    Quote,
    ReferenceQuote,
    ReferenceStatus,
    RulesChanged,
    Trade,
)
from engine.model.records import Alert
from engine.model.sightings import AccountSeen, AccountUnseen
from engine.model.venue_events import (
    VenueFill,
    VenueFunding,
    VenueMargin,
    VenueOrderStatus,
    VenueRejected,
    VenueSnapshot,
    VenueStatus,
)
from engine.portfolio.portfolio import Portfolio
from engine.risk.breakers import Breakers
from engine.risk.gate import Gate
from engine.risk.lifecycle import SESSION, Effect, FsmEvent, FsmState
from engine.venue import Capabilities

Handler = Callable[[Any, int], object]
"""Takes one kind of input, and what time it is."""

DISK_DOUBTS: Final = {
    JOURNAL_RESERVE: FsmEvent.DISK_LOW,
    JOURNAL_SYNC: FsmEvent.DISK_SLOW,
}
"""Limits of the machine that decide whether new risk is taken."""


class Kernel:
    """The decision core of one session."""

    def __init__(
        self,
        config: KernelConfig,
        instruments: Sequence[Instrument],
        agents: Sequence[Agent],
        capabilities: Capabilities,
        references: Mapping[str, Instrument] | None = None,
    ) -> None:
        self.config = config
        self._asserts_identity = config.asserts_identity
        self.now_ns = 0
        """Event time of the last step."""
        self.out = Outbox()
        """What `take` decided; empty again before the next input."""
        intervals = sorted({i for a in agents for i in a.needs.bar_intervals_s})
        features = sorted({f for a in agents for f in a.needs.features})
        self.market = Market(instruments, config.market, intervals, features)
        self.portfolio = Portfolio(instruments, config.starting_balance)
        self.roster = Roster(agents, self.market.views)
        self.blotter = Blotter(self.market.views)
        self._flow = OrderFlow(self.blotter, self.out)
        self._wire_what_acts(capabilities)
        self._wire_what_asks_the_venue(instruments, capabilities)
        self._wire_what_sees(references or {})
        self._handlers = self._handler_of_each()

    def _wire_what_acts(self, capabilities: Capabilities) -> None:
        """From the lifecycle to orders, from orders to the books, and back."""
        config, views = self.config, self.market.views
        policy = lifecycle_policy(config, views)
        breakers = Breakers(config.limits, config.starting_balance)
        self.conduct = Conduct(policy, breakers, self.out, self._act)
        self.dealing = Dealing(
            gate=Gate(config.limits),
            router=config.router,
            capabilities=capabilities,
            conduct=self.conduct,
            views=views,
            portfolio=self.portfolio,
            roster=self.roster,
            flow=self._flow,
            out=self.out,
        )
        self.house = House(views, self.portfolio, self._flow, self.dealing)
        self._booking = Booking(
            views=views,
            portfolio=self.portfolio,
            flow=self._flow,
            roster=self.roster,
            dealing=self.dealing,
            conduct=self.conduct,
            out=self.out,
        )
        self.ending = Ending(
            config.limits,
            market=self.market,
            portfolio=self.portfolio,
            roster=self.roster,
            blotter=self.blotter,
            conduct=self.conduct,
            house=self.house,
            booking=self._booking,
            out=self.out,
        )
        self._asking = Asking(
            config,
            market=self.market,
            roster=self.roster,
            conduct=self.conduct,
            dealing=self.dealing,
            house=self.house,
            booking=self._booking,
            out=self.out,
        )
        self.manual = Manual(self.roster, self.blotter, self._asking.decide)
        self._operators = Operators(self.conduct, self.roster, self.house, self.manual, self.out)

    def _wire_what_asks_the_venue(
        self, instruments: Sequence[Instrument], capabilities: Capabilities
    ) -> None:
        self.truth = Truth(
            self.config.sync,
            instruments,
            portfolio=self.portfolio,
            blotter=self.blotter,
            conduct=self.conduct,
            out=self.out,
            book=self._on_fill,
            lose=self._on_answer,
            picture_gap_s=capabilities.picture_gap_s,
        )
        self.denials = Denials(
            self.conduct,
            self.blotter,
            self.out,
            hold_s=self.config.limits.refusal_hold_s,
            escalate_s=self.config.sync.escalate_s,
            cancel=self.house.cancel_scope,
        )
        self._is_account_ours = not capabilities.account_outlives_engine
        self.truth.state.is_reconciled = self._is_account_ours
        self.inquiries = Inquiries(
            self.blotter,
            self._flow,
            self.out,
            lag_ns=capabilities.query_lag_ms * 1_000_000,
            answer=self._on_answer,
            ask_account=self.truth.ask_unless_asked,
        )

    def _wire_what_sees(self, references: Mapping[str, Instrument]) -> None:
        self.reference = Reference(references, self.market, self.conduct, self.config, self.out)
        lag_s = self.config.limits.max_feed_lag_s
        self.watch = Watch(self.market.views, self.conduct, lag_s)
        self.seeing = Seeing(
            market=self.market,
            portfolio=self.portfolio,
            roster=self.roster,
            conduct=self.conduct,
            watch=self.watch,
            asking=self._asking,
            dealing=self.dealing,
            out=self.out,
            start=self._start_when_healthy,
        )

    def step(self, event: Input) -> Effects:
        """Take one input; return the decisions it caused and the commands to send."""
        self.take(event)
        out = self.out
        return out.drain() if out.records or out.commands else NO_EFFECTS

    def take(self, event: Input) -> None:
        """Take one input; leave decisions and commands in `out`, for the caller to take out.

        Time is `event.ts_ns` and never runs backwards: an earlier stamp counts as now.
        """
        ts_ns = event.ts_ns
        if ts_ns > self.now_ns:
            self.now_ns = ts_ns
        self._handlers[type(event)](event, self.now_ns)
        if self._asserts_identity:
            self.portfolio.check()

    @property
    def finish(self) -> str | None:
        """`stop_reason` once the lifecycle asked for an end."""
        return self.ending.finish

    @property
    def is_flattening(self) -> bool:
        """Whether every position is being closed."""
        return self.conduct.is_flattening

    @property
    def is_ending(self) -> bool:
        """Whether something asked for an end, and no person is waited for."""
        is_asked = self.conduct.lifecycle.stop_cause is not None
        return is_asked and (self.finish is not None or not self.config.holds_emergency)

    @property
    def is_settled(self) -> bool:
        """Whether a requested end has nothing left to wait for."""
        return self.ending.is_settled

    def _handler_of_each(self) -> dict[type, Handler]:
        """The whole list of what a kernel can be told."""
        return {
            Quote: self.seeing.on_quote,
            Trade: self.seeing.on_trade,
            Depth: _kept(self.market.depth),
            Bar: self.seeing.on_bar,
            BarHistory: self.seeing.on_history,
            Funding: _kept(self.market.funding),
            FeedStatus: self.seeing.on_feed_status,
            RulesChanged: self.seeing.on_rules,
            Malformed: _kept(self.market.malformed),
            ReferenceQuote: self.reference.on_quote,
            ReferenceStatus: self.reference.on_status,
            Timer: self._on_timer,
            OperatorCommand: self._on_operator,
            HealthChanged: self._on_health,
            AccountSeen: self._on_account_seen,
            AccountUnseen: self._on_account_unseen,
            VenueFill: self._on_fill,
            VenueFunding: self._booking.fund,
            VenueMargin: self._on_margin,
            VenueStatus: self._on_venue_status,
            VenueSnapshot: self._on_snapshot,
            VenueOrderStatus: self.inquiries.on_status,
            **dict.fromkeys(ORDER_EVENTS, self._on_answer),
        }

    def _act(self, effect: Effect, at_ns: int) -> None:
        self.ending.act(effect, at_ns)

    def _start_when_healthy(self, now_ns: int) -> None:
        """Begin to trade once everything has a price and the venue's account is known."""
        is_waiting = self.conduct.lifecycle.state is FsmState.INIT
        if not is_waiting or self.seeing.unpriced or not self.truth.state.is_reconciled:
            return
        if self.reference.is_ready(now_ns):
            self.conduct.raise_event(FsmEvent.HEALTH_OK, SESSION, now_ns)
            self.conduct.raise_event(FsmEvent.START, SESSION, now_ns)
            self.reference.on_time(now_ns)

    # --- the venue -------------------------------------------------------------------------------

    def _on_fill(self, event: VenueFill, now_ns: int) -> None:
        fill = self._booking.fill(event, now_ns)
        if fill is None:
            return
        if self.conduct.is_flattening or fill.symbol in self.house.closing:
            self._booking.settle(fill.symbol, fill.price, now_ns)
        self._asking.on_fill(fill, now_ns)
        if self.conduct.is_flattening:
            self.ending.settle_when_done(now_ns)

    def _on_answer(self, event: OrderAnswer, now_ns: int) -> None:
        if type(event) is VenueRejected:
            self._booking.trip(self.conduct.breakers.on_reject(now_ns), now_ns)
        if self.denials.is_open and type(event) in DONE:
            self.denials.before_done(event, now_ns)  # type: ignore[arg-type]  # looked up by class
        flow = self._flow
        ended = flow.answer(event)
        if flow.refusals:
            self._booking.count_refusals(now_ns)
        if type(event) in REFUSALS:
            self.denials.on_refusal(event, now_ns)  # type: ignore[arg-type]  # looked up by class
        if ended is not None:
            self.dealing.ended(ended, now_ns)
        if self.conduct.is_flattening:
            self.ending.settle_when_done(now_ns)

    def _on_snapshot(self, theirs: VenueSnapshot, now_ns: int) -> None:
        self.denials.on_picture(theirs, now_ns)
        self.truth.on_snapshot(theirs, now_ns)
        self._start_when_healthy(now_ns)

    def _on_venue_status(self, status: VenueStatus, now_ns: int) -> None:
        if status.is_up:
            self.conduct.clear(FsmEvent.VENUE_DOWN, status.venue, now_ns)
            self.truth.ask(now_ns)
        else:
            self.conduct.raise_event(FsmEvent.VENUE_DOWN, status.venue, now_ns)

    def _on_margin(self, told: VenueMargin, now_ns: int) -> None:
        self.out.emit(margin_changed(told, now_ns))

    # --- time and people -------------------------------------------------------------------------

    def _on_timer(self, _: Timer, now_ns: int) -> None:
        self.portfolio.check()
        self.market.time(now_ns)
        self.watch.on_time(now_ns)
        if self.reference.state.counterparts:
            self._start_when_healthy(now_ns)
            self.reference.on_time(now_ns)
        self.denials.on_time(now_ns)
        self.conduct.on_time(now_ns)
        self._operators.on_time(now_ns)
        self.dealing.retry(now_ns)
        self.inquiries.on_time(now_ns)
        self.truth.on_time(now_ns)
        self._asking.on_time(now_ns)
        self._asking.on_bars(now_ns)
        self._asking.quarantine(now_ns)
        self._fit_exits(now_ns)
        self.ending.press_on(now_ns)
        self.ending.settle_when_done(now_ns)

    def _fit_exits(self, now_ns: int) -> None:
        """Catch up on exits that could not be changed when their position did."""
        for desk in self.roster.desks():
            if desk.working:
                self.dealing.fit_exits(desk.agent, desk.symbol, now_ns)

    def _on_operator(self, event: OperatorCommand, now_ns: int) -> None:
        if event.command is Operator.RECONCILE:
            self.truth.reconcile(now_ns, is_trusted=self._is_account_ours)
            self.reference.on_time(now_ns)  # the session was interrupted
            return
        self._operators.obey(event, now_ns)
        if event.command is Operator.RESUME:
            self.reference.accept(now_ns)
        self.ending.set_factors()
        self.ending.settle_when_done(now_ns)

    def _on_health(self, change: HealthChanged, now_ns: int) -> None:
        """Tell a person; only a journal without room or pace is the market's business."""
        severity = "warning" if change.is_over else "info"
        state = "passed its limit" if change.is_over else "is within its limit again"
        limit, reading = f"{change.limit:g}", f"{change.reading:g}"
        message = f"{change.kind} {state}: {reading}, limit {limit}"
        self.out.emit(Alert(now_ns, f"health_{change.kind}", severity, message, limit, reading))
        doubt = DISK_DOUBTS.get(change.kind)
        if doubt is not None:
            move = self.conduct.raise_event if change.is_over else self.conduct.clear
            move(doubt, SESSION, now_ns)

    def _on_account_seen(self, _: AccountSeen, now_ns: int) -> None:
        """Keep our books beside it; nothing is decided by another account."""
        self.out.emit(books_beside(self.portfolio, self.market.views, now_ns))

    def _on_account_unseen(self, lost: AccountUnseen, now_ns: int) -> None:
        self.out.emit(lost_sight(lost, now_ns))


def _kept(take: Callable[[Any], object]) -> Handler:
    """Of what is only looked at later, at whatever time it came."""
    return lambda event, _: take(event)
