"""What people, signals and stop conditions may ask, and what it means to the session."""

from collections.abc import Mapping
from typing import Final

from engine.agents.roster import Roster
from engine.kernel.conduct import Conduct
from engine.kernel.house import House
from engine.model.events import Operator, OperatorCommand
from engine.risk.lifecycle import SESSION, FsmEvent, is_reset_confirmed

OPERATOR_EVENTS: Final[Mapping[Operator, FsmEvent]] = {
    Operator.PAUSE: FsmEvent.OPERATOR_PAUSE,
    Operator.RESUME: FsmEvent.OPERATOR_RESUME,
    Operator.STOP: FsmEvent.OPERATOR_STOP,
    Operator.DURATION_ELAPSED: FsmEvent.DURATION_ELAPSED,
    Operator.END_OF_DATA: FsmEvent.END_OF_DATA,
    Operator.JOURNAL_FAILURE: FsmEvent.JOURNAL_FAILURE,
    Operator.START: FsmEvent.START,
}
"""Commands that are one lifecycle event each; the rest are in `Operators.obey`."""

REARMING: Final = frozenset({Operator.RESUME, Operator.RESET})
"""Commands by which a person, if the lifecycle agrees, re-arms the breakers."""

SIGNALS: Final = {e.value: e for e in (FsmEvent.SIGTERM, FsmEvent.SIGINT, FsmEvent.SIGHUP)}
"""Signals by the names the session passes on."""


class Operators:
    """Turns commands into lifecycle events and orders to the house."""

    def __init__(self, conduct: Conduct, roster: Roster, house: House) -> None:
        self._conduct = conduct
        self._roster = roster
        self._house = house

    def obey(self, event: OperatorCommand, now_ns: int) -> None:
        """Carry out one command; what the lifecycle has no row for changes nothing."""
        before = self._conduct.lifecycle
        if event.command in (Operator.PAUSE_AGENT, Operator.RESUME_AGENT):
            self._pause(event.argument, is_paused=event.command is Operator.PAUSE_AGENT, at=now_ns)
        elif event.command is Operator.CANCEL_ORDER:
            self._house.cancel_order(event.argument, now_ns)
        else:
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
            case _:
                return OPERATOR_EVENTS[event.command]

    def _pause(self, agent: str, *, is_paused: bool, at: int) -> None:
        self._roster.pause(agent, is_paused=is_paused)
        if is_paused:
            self._house.cancel_agent(agent, at)
