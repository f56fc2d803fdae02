"""From wish to order: every intent's way through consensus, gate and router, and back.

There is one way in (`consider`) for agents, people and the house. An intent that must wait (for a
token of the throttle, for a cancel to be confirmed) is kept per slot, newest wins, and is judged
again when its turn comes.

Longer than 300 lines because the way in, the way back and the look ahead share one judgement: a
preview that judged by other code could promise what the gate refuses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from engine.agents.roster import Roster
from engine.execution.blotter import SlotKey
from engine.execution.fitting import Steps, fitted
from engine.execution.order_flow import OrderFlow
from engine.execution.router import Decision, Route, RouterConfig, blocked, route
from engine.kernel.conduct import Conduct
from engine.kernel.exits import Exits
from engine.market.view import MarketView
from engine.model.effects import Outbox
from engine.model.operators import OPERATOR
from engine.model.orders import (
    BUY,
    Approved,
    CancelIntent,
    Intent,
    Order,
    OrderIntent,
    OrderState,
)
from engine.model.records import GateVerdict, OrderChanged, RouterDecision
from engine.portfolio.portfolio import HOUSE, Portfolio
from engine.risk.context import GateContext
from engine.risk.explain import RuleReading, explain
from engine.risk.gate import Gate, Refused
from engine.risk.lifecycle import SESSION
from engine.risk.rules import ill_formed, in_the_way
from engine.venue import Capabilities

WAY_PATIENCE_NS: Final = 5_000_000_000
"""How long an exit waits for orders in its way to be canceled; far above any cancel's latency."""

WAITING_MAX: Final = 256
"""Intents that may wait at once; a further one is refused."""

PLACE: Final = Decision.PLACE
CANCEL: Final = Decision.CANCEL

BY_HAND: Final = frozenset({HOUSE, OPERATOR})
"""Whose orders leave though nobody expects them to be taken: a person's, and the closing at an end.
Agents would ask again and again."""

NOT_TRADED: Final = Refused("venue_rules", "", "traded at the venue", "not now")
NO_OWN_POSITION: Final = Refused("venue_rules", "", "reduce_only", "nothing of its own to close")


@dataclass(slots=True)
class Waiting:
    """An intent the throttle holds back."""

    intent: OrderIntent
    retry_ns: int


class Foreseen(NamedTuple):
    """What would become of an intent."""

    wire: OrderIntent
    """As it would be judged."""
    refused: Refused | None
    route: Route
    readings: Sequence[RuleReading] = ()
    """Every rule of the gate, in its order."""
    crosses: tuple[str, ...] = ()
    """Own resting orders it would trade with."""


@dataclass(slots=True)
class DealingState:
    """What a checkpoint holds of the dealing."""

    waiting: list[Waiting] = field(default_factory=list)
    replacing: list[OrderIntent] = field(default_factory=list)
    """Intents whose slot still holds an order that is being canceled."""
    steps: dict[str, Steps | None] = field(default_factory=dict)
    """As in `Dealing.steps`."""


class Dealing:
    """Judges, routes and carries out intents."""

    def __init__(
        self,
        *,
        gate: Gate,
        router: RouterConfig,
        capabilities: Capabilities,
        conduct: Conduct,
        views: Mapping[str, MarketView],
        portfolio: Portfolio,
        roster: Roster,
        flow: OrderFlow,
        out: Outbox,
    ) -> None:
        self.gate = gate
        self._router = router
        self._capabilities = capabilities
        self._conduct = conduct
        self._views = views
        self._portfolio = portfolio
        self._roster = roster
        self._flow = flow
        self._out = out
        self._context = GateContext()
        self._context.portfolio = portfolio
        self._context.views = views
        self._context.working = flow.blotter.open
        self._context.permits = conduct.permits
        self._blotter = flow.blotter
        self._exits = Exits(portfolio, roster, flow.blotter)
        self.waiting: dict[SlotKey, Waiting] = {}
        self.replacing: dict[SlotKey, OrderIntent] = {}
        self.steps: dict[str, Steps | None] = {}
        """The venue's, by symbol, where they have become coarser; None where it trades no more."""

    # --- wishes ----------------------------------------------------------------------------------

    def consider(self, intents: Sequence[Intent], now_ns: int) -> None:
        """Take intents that passed consensus, in order."""
        emit = self._out.emit
        for intent in intents:
            emit(intent)
            if type(intent) is CancelIntent:
                self._consider_cancel(intent, now_ns)
            else:
                self._judge(intent, now_ns)

    def _consider_cancel(self, intent: CancelIntent, now_ns: int) -> None:
        key = (intent.agent, intent.symbol, intent.slot)
        self.waiting.pop(key, None)
        self.replacing.pop(key, None)
        working = self._blotter.slots.get(key)
        decided = self._route(None, working, intent.symbol, now_ns)
        is_sent = decided.decision is CANCEL
        if is_sent and not self.gate.may_cancel(now_ns):
            refused = self.gate.refuse_cancel(now_ns)
            self._refuse(intent, refused, now_ns)
            return
        self._decided(intent, decided, working, now_ns)
        if is_sent and working is not None:
            self._flow.cancel(working, now_ns, intent.reason)

    def _judge(self, intent: OrderIntent, now_ns: int) -> None:
        key = (intent.agent, intent.symbol, intent.slot)
        self.waiting.pop(key, None)
        wire = self._on_wire(intent)
        if type(wire) is Refused:
            self._refuse(intent, wire, now_ns)
            return
        working = self._blotter.slots.get(key)
        verdict = self._verdict(wire, working, now_ns)
        if type(verdict) is Refused:
            is_kept = self._wait(intent, verdict, key, now_ns) or (
                intent.reduce_only and self._clear_the_way(intent, verdict, key, now_ns)
            )
            if not is_kept:
                self._refuse(intent, verdict, now_ns)
            return
        self._out.emit(GateVerdict(now_ns, intent.intent_id, intent.symbol, True))
        self._carry_out(verdict, intent, working, now_ns)

    def _on_wire(self, intent: OrderIntent) -> OrderIntent | Refused:
        """Return an intent as the venue may see it, or why it can't see any."""
        wire = self._exits.on_wire(intent) if intent.reduce_only else intent
        if wire is None:
            return NO_OWN_POSITION
        if intent.symbol not in self.steps:
            return wire
        steps = self.steps[intent.symbol]
        if steps is None:
            return wire if intent.agent in BY_HAND else NOT_TRADED
        if ill_formed(wire, self._views[wire.symbol].instrument):
            return wire  # the gate says what is wrong with it
        if wire.qty < steps.lot_size:
            return Refused("venue_rules", "", f"lot {steps.lot_size}", str(wire.qty))
        return fitted(wire, steps)

    def _verdict(
        self, intent: OrderIntent, working: Order | None, now_ns: int
    ) -> Approved[OrderIntent] | Refused:
        view = self._views.get(intent.symbol)
        if view is None:
            return self.gate.refuse_unknown(intent.symbol)
        blotter, context = self._blotter, self._context
        book = blotter.open[intent.symbol]
        context.intent = intent
        context.view = view
        context.now_ns = now_ns
        context.armed_until_ns = self._conduct.state.armed_until_ns
        context.position = self._portfolio.holdings[intent.symbol].qty
        context.open_buy, context.open_sell = book.buy_qty, book.sell_qty
        if working is not None and not working.reduce_only:
            if working.side is BUY:
                context.open_buy -= working.leaves_qty
            else:
                context.open_sell -= working.leaves_qty
        context.open_count = len(blotter.live)
        context.open_count_symbol = len(book.orders)
        context.own_orders = book.orders.values()
        context.is_amend = working is not None
        context.is_house = intent.agent == HOUSE
        context.state = self._conduct.state.lifecycle.state
        return self.gate.check(context)

    def foresee(self, intent: OrderIntent, now_ns: int) -> Foreseen:
        """Judge and route an intent as `consider` would; nothing is written, counted or sent."""
        working = self._blotter.slots.get(_key(intent))
        wire = self._on_wire(intent)
        if isinstance(wire, Refused):
            return Foreseen(intent, wire, blocked(wire.rule))
        verdict = self._verdict(wire, working, now_ns)
        readings = explain(self._context, self.gate.limits)
        is_read = ill_formed(wire, self._views[wire.symbol].instrument) is None
        crosses = tuple(o.order_id for o in in_the_way(self._context)) if is_read else ()
        if isinstance(verdict, Refused):
            return Foreseen(wire, verdict, blocked(verdict.rule), readings, crosses)
        chosen = self._route(wire, working, wire.symbol, now_ns)
        return Foreseen(wire, None, chosen, readings, crosses)

    def _wait(self, intent: OrderIntent, verdict: Refused, key: SlotKey, now_ns: int) -> bool:
        """Keep a throttled intent that can leave in time."""
        patience_ns = intent.ts_ns + self.gate.limits.throttle_wait_ms * 1_000_000
        if not now_ns < verdict.retry_ns <= patience_ns or len(self.waiting) >= WAITING_MAX:
            return False
        self.waiting[key] = Waiting(intent, verdict.retry_ns)
        self._emit_refusal(intent, verdict, now_ns, is_waiting=True)
        return True

    def _clear_the_way(
        self, intent: OrderIntent, verdict: Refused, key: SlotKey, now_ns: int
    ) -> bool:
        """Cancel what an exit would trade with, and keep the exit until that is gone.

        Leaving a position must not depend on another agent's quote standing at the touch.
        """
        is_patient = now_ns <= intent.ts_ns + WAY_PATIENCE_NS
        if verdict.rule != "self_trade" or not is_patient or len(self.waiting) >= WAITING_MAX:
            return False
        for order in in_the_way(self._context):
            self._flow.cancel(order, now_ns, f"in the way of {intent.intent_id}")
        self.waiting[key] = Waiting(intent, now_ns)
        self._emit_refusal(intent, verdict, now_ns, is_waiting=True)
        return True

    def retry(self, now_ns: int) -> None:
        """Judge again what the throttle held back and may leave now."""
        for key in [k for k, w in self.waiting.items() if w.retry_ns <= now_ns]:
            self._judge(self.waiting.pop(key).intent, now_ns)

    # --- decisions -------------------------------------------------------------------------------

    def _route(
        self, desired: OrderIntent | None, working: Order | None, symbol: str, now_ns: int
    ) -> Route:
        view = self._views[symbol]
        return route(
            desired,
            working,
            instrument=view.instrument,
            capabilities=self._capabilities,
            config=self._router,
            now_ns=now_ns,
            touch=(view.bid_ticks, view.ask_ticks),
        )

    def _carry_out(
        self,
        approved: Approved[OrderIntent],
        intent: OrderIntent,
        working: Order | None,
        now_ns: int,
    ) -> None:
        decided = self._route(approved.intent, working, intent.symbol, now_ns)
        self._decided(intent, decided, working, now_ns)
        if decided.decision is PLACE:
            self._commit(intent, now_ns, is_amend=False)
            self._flow.submit(approved, self._order(approved.intent, intent, now_ns), now_ns)
        elif working is None:
            return
        elif decided.decision is Decision.AMEND:
            self._commit(intent, now_ns, is_amend=True)
            self._flow.amend(approved, working, now_ns)
        elif decided.decision is Decision.CANCEL_REPLACE:
            self.replacing[intent.agent, intent.symbol, intent.slot] = intent
            self._flow.cancel(working, now_ns, f"replaced by {intent.intent_id}")
        elif working.state is OrderState.PENDING_CANCEL:
            self.replacing[intent.agent, intent.symbol, intent.slot] = intent

    def _commit(self, intent: OrderIntent, now_ns: int, *, is_amend: bool) -> None:
        self.gate.commit(
            intent.intent_id, now_ns, is_amend=is_amend, is_house=intent.agent == HOUSE
        )

    def _order(self, wire: OrderIntent, intent: OrderIntent, now_ns: int) -> Order:
        # Positional, in the order of the fields: half the cost of naming them.
        order = Order(
            wire.intent_id,
            wire.agent,
            wire.symbol,
            wire.slot,
            wire.side,
            wire.qty,
            wire.type,
            wire.price,
            wire.trigger_price,
            wire.trail_bps,
            wire.tif,
            wire.post_only,
            wire.reduce_only,
            intent.reduce_only,
            now_ns,
            self._views[wire.symbol].mid,
        )
        desk = self._roster.desk(order.agent, order.symbol)
        if desk is not None:
            desk.working[order.slot] = order
        return order

    def _decided(self, intent: Intent, decided: Route, working: Order | None, now_ns: int) -> None:
        self._out.emit(
            RouterDecision(
                now_ns,
                intent.intent_id,
                intent.symbol,
                decided.decision,
                decided.reason,
                working.order_id if working else "",
            )
        )

    def _refuse(self, intent: Intent, verdict: Refused, now_ns: int) -> None:
        self._emit_refusal(intent, verdict, now_ns, is_waiting=False)
        self._decided(intent, blocked(verdict.rule), None, now_ns)
        if isinstance(intent, OrderIntent):
            self._out.emit(
                OrderChanged(
                    now_ns,
                    intent.intent_id,
                    intent.symbol,
                    OrderState.DENIED,
                    Decimal(0),
                    intent.qty,
                    intent.price,
                    verdict.rule,
                )
            )

    def _emit_refusal(
        self, intent: Intent, verdict: Refused, now_ns: int, *, is_waiting: bool
    ) -> None:
        self._out.emit(
            GateVerdict(
                now_ns,
                intent.intent_id,
                intent.symbol,
                False,
                verdict.rule,
                verdict.setting,
                verdict.limit,
                verdict.reading,
                is_waiting,
            )
        )

    # --- what became of it -----------------------------------------------------------------------

    def ended(self, order: Order, now_ns: int) -> None:
        """An order is over: free its slot, and place what waited for that."""
        desk = self._roster.desk(order.agent, order.symbol)
        if desk is not None and desk.working.get(order.slot) is order:
            del desk.working[order.slot]
        successor = self.replacing.pop((order.agent, order.symbol, order.slot), None)
        if successor is not None and self._conduct.calls_agents:
            self._judge(successor, now_ns)
        if self.waiting:
            self.retry(now_ns)

    def fit_exits(self, agent: str, symbol: str, now_ns: int) -> None:
        """Hold an agent's resting exits to the position it has now."""
        for order in self._exits.obsolete(agent, symbol):
            self._flow.cancel(order, now_ns, "position closed")
        self.consider(self._exits.too_large(agent, symbol, now_ns), now_ns)

    def forget_agent(self, agent: str) -> None:
        """Drop the wishes of one agent that wait."""
        for wishes in (self.waiting, self.replacing):
            for key in [k for k in wishes if k[0] == agent]:
                del wishes[key]

    def forget(self, scope: str) -> None:
        """Drop the wishes that wait, of one symbol or of the session."""
        for wishes in (self.waiting, self.replacing):
            for key in [k for k in wishes if scope in (SESSION, k[1])]:
                del wishes[key]

    # --- checkpoint ------------------------------------------------------------------------------

    def snapshot(self) -> DealingState:
        """Collect what a restart must not forget."""
        waiting, replacing = list(self.waiting.values()), list(self.replacing.values())
        return DealingState(waiting, replacing, self.steps)

    def restore(self, state: DealingState) -> None:
        """Continue from a snapshot."""
        self.waiting = {_key(w.intent): w for w in state.waiting}
        self.replacing = {_key(intent): intent for intent in state.replacing}
        self.steps = state.steps


def _key(intent: OrderIntent) -> SlotKey:
    return intent.agent, intent.symbol, intent.slot
