"""What people, signals and stop conditions may ask, and what it means to the session."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from engine.agents.roster import Roster
from engine.kernel.conduct import Conduct
from engine.kernel.house import House
from engine.kernel.manual import Manual
from engine.model.effects import Outbox
from engine.model.events import Operator, OperatorCommand
from engine.model.operators import AgentWeight, parsed_weight
from engine.model.records import Alert
from engine.risk.lifecycle import SESSION, FsmEvent, FsmState, is_reset_confirmed

OPERATOR_EVENTS: Final[Mapping[Operator, FsmEvent]] = {
    Operator.PAUSE: FsmEvent.OPERATOR_PAUSE,
    Operator.RESUME: FsmEvent.OPERATOR_RESUME,
    Operator.REDUCE_ONLY: FsmEvent.OPERATOR_REDUCE_ONLY,
    Operator.FLATTEN: FsmEvent.OPERATOR_FLATTEN,
    Operator.STOP: FsmEvent.OPERATOR_STOP,
    Operator.DURATION_ELAPSED: FsmEvent.DURATION_ELAPSED,
    Operator.END_OF_DATA: FsmEvent.END_OF_DATA,
    Operator.JOURNAL_FAILURE: FsmEvent.JOURNAL_FAILURE,
    Operator.START: FsmEvent.START,
}
"""Commands that are one lifecycle event each; the rest are in `Operators`."""

REARMING: Final = frozenset({Operator.RESUME, Operator.RESET})
"""Commands by which a person, if the lifecycle agrees, re-arms the breakers."""

NS_PER_S: Final = 1_000_000_000

SIGNALS: Final = {e.value: e for e in (FsmEvent.SIGTERM, FsmEvent.SIGINT, FsmEvent.SIGHUP)}
"""Signals by the names the session passes on."""


class Operators:
    """Turns commands into lifecycle events and orders to the house."""

    def __init__(
        self, conduct: Conduct, roster: Roster, house: House, manual: Manual, out: Outbox
    ) -> None:
        self._conduct = conduct
        self._roster = roster
        self._house = house
        self._manual = manual
        self._emit = out.emit

    def obey(self, event: OperatorCommand, now_ns: int) -> None:
        """Carry out one command; what nobody has a row for changes nothing and is not told."""
        before = self._conduct.lifecycle
        match event.command:
            case Operator.PAUSE_AGENT | Operator.RESUME_AGENT:
                is_paused = event.command is Operator.PAUSE_AGENT
                self._pause(event.argument, is_paused=is_paused, now_ns=now_ns)
            case Operator.WEIGH_AGENT:
                self._weigh(parsed_weight(event.argument), now_ns)
            case Operator.CANCEL_ORDER:
                self._house.cancel_order(event.argument, now_ns)
            case Operator.PLACE_ORDER | Operator.AMEND_ORDER:
                self._manual.obey(event, now_ns)
            case Operator.ARM:
                self._arm(event.argument, event.by, now_ns)
            case Operator.CANCEL_SYMBOL:
                self._cancel_symbol(event.argument, now_ns)
            case Operator.CANCEL_ALL:
                self._cancel_all(now_ns)
            case Operator.FLATTEN_SYMBOL:
                self._flatten_symbol(event.argument, now_ns)
            case Operator.TAKE_CONTROLS:
                self._tell("controls_taken", f"the controls are with {event.by}", now_ns)
            case _:
                meant = self._meaning(event)
                if meant is not None:
                    self._conduct.raise_event(meant, SESSION, now_ns)
        if event.command in REARMING and self._conduct.lifecycle is not before:
            self._conduct.trip(self._conduct.breakers.rearm(now_ns), now_ns)

    def _meaning(self, event: OperatorCommand) -> FsmEvent | None:
        match event.command:
            case Operator.KILL:
                is_file = event.by == "kill_file"
                return FsmEvent.KILL_FILE if is_file else FsmEvent.OPERATOR_KILL
            case Operator.SIGNAL:
                return SIGNALS.get(event.argument, FsmEvent.OPERATOR_STOP)
            case Operator.RESET:
                is_meant = is_reset_confirmed(self._conduct.lifecycle, event.argument)
                return FsmEvent.OPERATOR_RESET if is_meant else None
            case Operator.RESUME if self._is_reset():
                return FsmEvent.START
            case _:
                return OPERATOR_EVENTS[event.command]

    def _is_reset(self) -> bool:
        """Whether a reset left the session READY with nothing but a person to start it."""
        lifecycle = self._conduct.lifecycle
        return lifecycle.state is FsmState.READY and not lifecycle.causes

    def _pause(self, agent: str, *, is_paused: bool, now_ns: int) -> None:
        if not self._roster.pause(agent, is_paused=is_paused):
            return
        if is_paused:
            self._house.cancel_agent(agent, now_ns)
            self._tell("agent_paused", f"agent {agent} is paused", now_ns)
        else:
            self._tell("agent_resumed", f"agent {agent} goes on", now_ns)

    def _weigh(self, asked: AgentWeight | None, now_ns: int) -> None:
        if asked is None or asked.agent not in self._roster.names:
            return
        agent, weight = asked
        before: Decimal = self._roster.weight(agent)
        if weight == before:
            return
        self._roster.weigh(agent, weight)
        self._house.cancel_entries(agent, now_ns)
        self._tell("agent_weight", f"agent {agent} weighs {weight}, before {before}", now_ns)

    def _arm(self, argument: str, by: str, now_ns: int) -> None:
        """Begin, or end, the time in which new risk may be taken at a real venue."""
        venue, _, seconds = argument.partition(" ")
        if not seconds.isdigit():
            return
        state = self._conduct.state
        state.armed_until_ns = now_ns + int(seconds) * NS_PER_S if int(seconds) else 0
        state.is_armed = bool(state.armed_until_ns)
        self._tell("armed", f"armed for {venue}, {seconds} s, by {by}", now_ns)

    def on_time(self, now_ns: int) -> None:
        """Take out what could still add risk once nobody has armed the session any more."""
        state = self._conduct.state
        if state.is_armed and now_ns >= state.armed_until_ns:
            state.is_armed = False
            self._house.cancel_scope(SESSION, now_ns)
            self._tell("disarmed", "no longer armed: positions are only made smaller", now_ns)

    def _cancel_symbol(self, symbol: str, now_ns: int) -> None:
        count = self._house.cancel_symbol(symbol, now_ns)
        if count:
            self._tell("orders_canceled", f"all {count} orders of {symbol} are canceled", now_ns)

    def _cancel_all(self, now_ns: int) -> None:
        """Cancel first, so that what protects goes too; then hold, or agents would put it back."""
        count = self._house.cancel_all(now_ns)
        if count:
            self._tell("orders_canceled", f"all {count} orders are canceled", now_ns)
        self._conduct.raise_event(FsmEvent.OPERATOR_PAUSE, SESSION, now_ns)

    def _flatten_symbol(self, symbol: str, now_ns: int) -> None:
        if symbol in self._roster.seat and self._house.begin_closing(symbol, now_ns):
            self._tell("closing", f"{symbol} is canceled and closed", now_ns)

    def _tell(self, kind: str, message: str, now_ns: int) -> None:
        self._emit(Alert(now_ns, kind, "info", message))
