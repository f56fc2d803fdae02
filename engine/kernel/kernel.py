"""The kernel: one step from an input to the decisions it causes.

See → want → allow → do → have, in that order, for every input there is. A step is a pure function
of the state and the input; the state is updated in place and can be taken out and put back, see
`engine.kernel.checkpoint`. Whether inputs come live, from a recording or from a journal is not
known here and must not be.

Longer than 300 lines because it has one handler for each kind of input, and they are read side by
side: what one of them does to market, agents, risk, orders and books is the order of the flow.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from engine.agents.contract import Agent
from engine.agents.roster import Roster
from engine.agents.supervisor import resolve
from engine.execution.blotter import Blotter
from engine.execution.order_flow import ORDER_EVENTS, OrderAnswer, OrderFlow
from engine.kernel.beside import books_beside, lost_sight
from engine.kernel.booking import Booking
from engine.kernel.conduct import Conduct
from engine.kernel.config import KernelConfig, lifecycle_policy
from engine.kernel.dealing import Dealing
from engine.kernel.house import House
from engine.kernel.inquiries import Inquiries
from engine.kernel.manual import Manual
from engine.kernel.operators import Operators
from engine.kernel.reference import Reference
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
    Trade,
)
from engine.model.orders import Intent
from engine.model.records import Alert
from engine.model.sightings import AccountSeen, AccountUnseen
from engine.model.venue_events import (
    VenueFill,
    VenueFunding,
    VenueOrderStatus,
    VenueRejected,
    VenueSnapshot,
    VenueStatus,
)
from engine.portfolio.portfolio import Portfolio
from engine.risk.breakers import Breakers
from engine.risk.gate import Gate
from engine.risk.lifecycle import (
    SESSION,
    CancelAll,
    CancelScope,
    Effect,
    Finish,
    Flatten,
    FsmEvent,
    FsmState,
)
from engine.venue import Capabilities

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
        self.finish: str | None = None
        """`stop_reason` once the lifecycle asked for an end."""
        self.out = Outbox()
        """What `take` decided; empty again before the next input."""
        intervals = sorted({i for a in agents for i in a.needs.bar_intervals_s})
        features = sorted({f for a in agents for f in a.needs.features})
        self.market = Market(instruments, config.market, intervals, features)
        self.portfolio = Portfolio(instruments, config.starting_balance)
        self.roster = Roster(agents, self.market.views)
        self.blotter = Blotter(self.market.views)
        self._flow = OrderFlow(self.blotter, self.out)
        self._wire(instruments, capabilities)
        self.watch = Watch(self.market.views, self.conduct, config.limits.max_feed_lag_s)
        self.reference = Reference(references or {}, self.market, self.conduct, config, self.out)
        self.unpriced = dict.fromkeys(self.market.views)
        self._handlers = self._handler_of_each()

    def _wire(self, instruments: Sequence[Instrument], capabilities: Capabilities) -> None:
        """Connect what acts to the market, the books and each other."""
        config = self.config
        policy = lifecycle_policy(config, self.market.views)
        breakers = Breakers(config.limits, config.starting_balance)
        self.conduct = Conduct(policy, breakers, self.out, self._act)
        self.dealing = Dealing(
            gate=Gate(config.limits),
            router=config.router,
            capabilities=capabilities,
            conduct=self.conduct,
            views=self.market.views,
            portfolio=self.portfolio,
            roster=self.roster,
            flow=self._flow,
            out=self.out,
        )
        self.house = House(self.market.views, self.portfolio, self._flow, self.dealing)
        self.manual = Manual(self.roster, self.blotter, self._decide)
        self._operators = Operators(self.conduct, self.roster, self.house, self.manual, self.out)
        self._booking = Booking(
            views=self.market.views,
            portfolio=self.portfolio,
            flow=self._flow,
            roster=self.roster,
            dealing=self.dealing,
            conduct=self.conduct,
            out=self.out,
        )
        self.truth = Truth(
            config.sync,
            instruments,
            portfolio=self.portfolio,
            blotter=self.blotter,
            conduct=self.conduct,
            out=self.out,
            book=self._on_fill,
            lose=self._on_answer,
            picture_gap_s=capabilities.picture_gap_s,
        )
        self._is_account_ours = not capabilities.account_outlives_engine
        self.truth.state.is_reconciled = self._is_account_ours
        self.inquiries = Inquiries(
            self.blotter,
            self._flow,
            self.out,
            lag_ns=capabilities.query_lag_ms * 1_000_000,
            answer=self._on_answer,
            ask_account=self.truth.ask,
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
        self._handlers[type(event)](event)
        if self._asserts_identity:
            self.portfolio.check()

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
        if self.finish is None or self.blotter.live:
            return False
        return not self.conduct.is_flattening or self.portfolio.is_flat()

    def _handler_of_each(self) -> dict[type, Callable[[Any], object]]:
        """The whole list of what a kernel can be told."""
        return {
            Quote: self._on_quote,
            Trade: self._on_trade,
            Depth: self.market.depth,
            Bar: self._on_bar,
            BarHistory: self._on_history,
            Funding: self.market.funding,
            FeedStatus: self._on_feed_status,
            Malformed: self.market.malformed,
            ReferenceQuote: lambda quote: self.reference.on_quote(quote, self.now_ns),
            ReferenceStatus: lambda status: self.reference.on_status(status, self.now_ns),
            Timer: self._on_timer,
            OperatorCommand: self._on_operator,
            HealthChanged: self._on_health,
            AccountSeen: self._on_account_seen,
            AccountUnseen: self._on_account_unseen,
            VenueFill: self._on_fill,
            VenueFunding: self._on_venue_funding,
            VenueStatus: self._on_venue_status,
            VenueSnapshot: self._on_snapshot,
            VenueOrderStatus: self._on_order_status,
            **dict.fromkeys(ORDER_EVENTS, self._on_answer),
        }

    # --- see -------------------------------------------------------------------------------------

    def _on_quote(self, quote: Quote) -> None:
        market = self.market
        if not market.quote(quote):
            return
        symbol, now_ns = quote.symbol, self.now_ns
        portfolio = self.portfolio
        if portfolio.holdings[symbol].cycles:
            portfolio.mark(symbol, quote.bid_ticks + quote.ask_ticks)
            trips = self.conduct.breakers.on_equity(portfolio.equity, now_ns)
            if trips:
                self.conduct.trip(trips, now_ns)
        if self.unpriced:
            self._priced(symbol)
        if self.watch.stale:
            self.watch.heard(symbol, now_ns)
        if self.conduct.calls_agents:
            wishes = self.roster.on_quote(symbol, now_ns)
            if wishes:
                self._decide(symbol, wishes)
        if market.closed:
            self._close_bars()
        if self.roster.failures:
            self._quarantine()

    def _on_trade(self, trade: Trade) -> None:
        if self.market.trade(trade):
            if self.conduct.calls_agents:
                self._decide(trade.symbol, self.roster.on_trade(trade, self.now_ns))
            self._close_bars()
            self._quarantine()

    def _on_bar(self, bar: Bar) -> None:
        if not self.market.bar(bar):
            return
        view = self.market.views[bar.symbol]
        portfolio, symbol, now_ns = self.portfolio, bar.symbol, self.now_ns
        if portfolio.holdings[symbol].cycles and view.mid2_ticks:
            portfolio.mark(symbol, view.mid2_ticks)
            trips = self.conduct.breakers.on_equity(portfolio.equity, now_ns)
            if trips:
                self.conduct.trip(trips, now_ns)
        if self.unpriced and view.is_priced:
            self._priced(symbol)
        if self.watch.stale:
            self.watch.heard(symbol, now_ns)
        if self.market.closed:
            self._close_bars()
        if self.roster.failures:
            self._quarantine()

    def _on_history(self, history: BarHistory) -> None:
        """Know the bars of before the session; where there are none, say so and start cold."""
        if history.failure:
            message = f"no past bars, features start cold: {history.failure}"
            self.out.emit(Alert(self.now_ns, "history_failed", "warning", message))
        else:
            self.market.history(history)

    def _on_feed_status(self, status: FeedStatus) -> None:
        if status.is_connected:
            self.conduct.clear(FsmEvent.FEED_DISCONNECTED, status.source, self.now_ns)
            for symbol in self.market.views:
                self.market.reconnected(symbol)
        else:
            self.conduct.raise_event(FsmEvent.FEED_DISCONNECTED, status.source, self.now_ns)

    def _priced(self, symbol: str) -> None:
        self.unpriced.pop(symbol, None)
        self._start_when_healthy()

    def _start_when_healthy(self) -> None:
        """Begin to trade once everything has a price and the venue's account is known."""
        is_waiting = self.conduct.lifecycle.state is FsmState.INIT
        if not is_waiting or self.unpriced or not self.truth.state.is_reconciled:
            return
        if self.reference.is_ready(self.now_ns):
            self.conduct.raise_event(FsmEvent.HEALTH_OK, SESSION, self.now_ns)
            self.conduct.raise_event(FsmEvent.START, SESSION, self.now_ns)
            self.reference.on_time(self.now_ns)

    def _close_bars(self) -> None:
        closed = self.market.closed
        while closed:
            bars = closed.copy()
            closed.clear()
            for bar in bars:
                if self.conduct.calls_agents:
                    wishes = self.roster.on_bar(bar, self.now_ns)
                    if wishes:
                        self._decide(bar.symbol, wishes)

    # --- want ------------------------------------------------------------------------------------

    def _decide(self, symbol: str, wishes: Sequence[Intent]) -> None:
        """Settle one round of wishes for one instrument, and act on the outcome.

        While a person has the instrument closed, wishes would only be in the way.
        """
        if not wishes or symbol in self.house.closing:
            return
        config = self.config
        chosen, decision = resolve(wishes, config.policy, config.priorities, self.now_ns, symbol)
        if decision is not None:
            self.out.emit(decision)
        self.dealing.consider(chosen, self.now_ns)

    def _quarantine(self) -> None:
        while self.roster.failures:
            agent, detail = self.roster.failures.pop(0)
            self._booking.error("agent_quarantined", agent, detail, self.now_ns)
            message = f"agent {agent} is quarantined: {detail}"
            self.out.emit(Alert(self.now_ns, "agent_quarantined", "critical", message))
            self.house.cancel_agent(agent, self.now_ns)

    # --- have ------------------------------------------------------------------------------------

    def _on_fill(self, event: VenueFill) -> None:
        fill = self._booking.fill(event, self.now_ns)
        if fill is None:
            return
        if self.conduct.is_flattening or fill.symbol in self.house.closing:
            self._booking.settle(fill.symbol, fill.price, self.now_ns)
        if self.conduct.calls_agents:
            wishes = self.roster.on_fill(fill, self.now_ns)
            if wishes:
                self._decide(fill.symbol, wishes)
            if self.roster.failures:
                self._quarantine()
        if self.conduct.is_flattening:
            self._settle_when_done()

    def _on_venue_funding(self, event: VenueFunding) -> None:
        self._booking.fund(event, self.now_ns)

    def _on_answer(self, event: OrderAnswer) -> None:
        if type(event) is VenueRejected:
            self._booking.trip(self.conduct.breakers.on_reject(self.now_ns), self.now_ns)
        flow = self._flow
        ended = flow.answer(event)
        if flow.refusals:
            self._booking.count_refusals(self.now_ns)
        if ended is not None:
            self.dealing.ended(ended, self.now_ns)
        if self.conduct.is_flattening:
            self._settle_when_done()

    def _on_snapshot(self, theirs: VenueSnapshot) -> None:
        self.truth.on_snapshot(theirs, self.now_ns)
        self._start_when_healthy()

    def _on_order_status(self, status: VenueOrderStatus) -> None:
        self.inquiries.on_status(status, self.now_ns)

    def _on_venue_status(self, status: VenueStatus) -> None:
        if status.is_up:
            self.conduct.clear(FsmEvent.VENUE_DOWN, status.venue, self.now_ns)
            self.truth.ask(self.now_ns)
        else:
            self.conduct.raise_event(FsmEvent.VENUE_DOWN, status.venue, self.now_ns)

    # --- time and people -------------------------------------------------------------------------

    def _on_timer(self, _: Timer) -> None:
        now_ns = self.now_ns
        self.portfolio.check()
        self.market.time(now_ns)
        self.watch.on_time(now_ns)
        if self.reference.state.counterparts:
            self._start_when_healthy()
            self.reference.on_time(now_ns)
        self.conduct.on_time(now_ns)
        self._operators.on_time(now_ns)
        self.dealing.retry(now_ns)
        self.inquiries.on_time(now_ns)
        self.truth.on_time(now_ns)
        if self.conduct.calls_agents:
            for symbol in self.market.views:
                self._decide(symbol, self.roster.on_timer(symbol, now_ns))
            self.roster.end_timers(now_ns)
        self._close_bars()
        self._quarantine()
        self._fit_exits()
        if self.conduct.is_flattening:
            self.house.cancel_all(now_ns)
            self.house.flatten(now_ns)
        elif self.house.closing:
            for symbol in self.house.go_on_closing(now_ns):
                self.out.emit(Alert(now_ns, "symbol_flat", "info", f"{symbol} is flat"))
        self._settle_when_done()

    def _fit_exits(self) -> None:
        """Catch up on exits that could not be changed when their position did."""
        for desk in self.roster.desks():
            if desk.working:
                self.dealing.fit_exits(desk.agent, desk.symbol, self.now_ns)

    def _on_operator(self, event: OperatorCommand) -> None:
        if event.command is Operator.RECONCILE:
            self.truth.reconcile(self.now_ns, is_trusted=self._is_account_ours)
            self.reference.on_time(self.now_ns)  # the session was interrupted
            return
        self._operators.obey(event, self.now_ns)
        if event.command is Operator.RESUME:
            self.reference.accept(self.now_ns)
        self.set_factors()
        self._settle_when_done()

    def _on_health(self, change: HealthChanged) -> None:
        """Tell a person; only a journal without room or pace is the market's business."""
        severity = "warning" if change.is_over else "info"
        state = "passed its limit" if change.is_over else "is within its limit again"
        limit, reading = f"{change.limit:g}", f"{change.reading:g}"
        message = f"{change.kind} {state}: {reading}, limit {limit}"
        self.out.emit(
            Alert(self.now_ns, f"health_{change.kind}", severity, message, limit, reading)
        )
        doubt = DISK_DOUBTS.get(change.kind)
        if doubt is not None:
            move = self.conduct.raise_event if change.is_over else self.conduct.clear
            move(doubt, SESSION, self.now_ns)

    def _on_account_seen(self, _: AccountSeen) -> None:
        """Keep our books beside it; nothing is decided by another account."""
        self.out.emit(books_beside(self.portfolio, self.market.views, self.now_ns))

    def _on_account_unseen(self, lost: AccountUnseen) -> None:
        self.out.emit(lost_sight(lost, self.now_ns))

    # --- what the lifecycle orders ---------------------------------------------------------------

    def _act(self, effect: Effect, at_ns: int) -> None:
        match effect:
            case CancelScope(scope):
                self.house.cancel_scope(scope, at_ns)
            case CancelAll():
                self.house.cancel_all(at_ns)
            case Flatten():
                self.house.flatten(at_ns)
            case Finish(stop_reason):
                self.finish = stop_reason
            case _:
                self.set_factors()

    def set_factors(self) -> None:
        """Tell every desk how small and wide state and operator want its agent to trade."""
        limits = self.config.limits
        is_throttled = self.conduct.lifecycle.state is FsmState.THROTTLED
        size = limits.throttled_size_factor if is_throttled else Decimal(1)
        for desk in self.roster.desks():
            desk.size_factor = size * self.roster.weight(desk.agent)
            desk.spacing_factor = limits.throttled_spacing_factor if is_throttled else 1.0

    def _settle_when_done(self) -> None:
        """Report FLAT when there is nothing left to close."""
        if not self.conduct.is_flattening or self.blotter.live or not self.portfolio.is_flat():
            return
        for symbol, view in self.market.views.items():
            if view.mid is not None:
                self._booking.settle(symbol, view.mid, self.now_ns)
        if self.conduct.lifecycle.state is not FsmState.STOPPED:
            self.conduct.raise_event(FsmEvent.FLAT, SESSION, self.now_ns)
