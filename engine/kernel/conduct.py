"""Conduct of the session: lifecycle and breakers, and what their verdicts make the kernel do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.model.effects import Outbox
from engine.model.records import Alert, FsmTransition
from engine.risk.breakers import Breakers, Trip
from engine.risk.lifecycle import (
    SESSION,
    Effect,
    FsmEvent,
    FsmState,
    Lifecycle,
    LifecyclePolicy,
    allows,
    clear,
    due,
    transition,
)

CALLED_STATES: Final = frozenset(
    {FsmState.ACTIVE, FsmState.THROTTLED, FsmState.PAUSED, FsmState.DEGRADED}
)
"""States in which agents are asked; what they may do is the gate's business."""

PAUSES: Final = frozenset({FsmEvent.BREAKER_PAUSE, FsmEvent.BREAKER_REARMED})
"""Events whose scope is the breaker, so that each lifts only its own pause."""


@dataclass(slots=True)
class ConductState:
    """What a checkpoint holds of the conduct."""

    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    ignored: int = 0
    """Events that had no row in the state they met."""
    armed_until_ns: int = 0
    """Until when a person has armed the session; 0 where nobody has."""
    is_armed: bool = False
    """Whether that time was still running when last looked at."""


class Conduct:
    """Feeds events to the lifecycle, writes its records, passes its orders on."""

    def __init__(
        self,
        policy: LifecyclePolicy,
        breakers: Breakers,
        out: Outbox,
        act: Callable[[Effect, int], None],
    ) -> None:
        self.state = ConductState()
        self.breakers = breakers
        self._policy = policy
        self._out = out
        self._act = act
        self.calls_agents = False
        """Whether agents are asked in the current state."""
        self.is_flattening = False
        """Whether every position is being closed."""

    @property
    def lifecycle(self) -> Lifecycle:
        """The machine's whole value."""
        return self.state.lifecycle

    def permits(self, symbol: str, *, adds_risk: bool) -> bool:
        """Whether the lifecycle lets an order out."""
        return allows(self.state.lifecycle, symbol, is_reducing=not adds_risk)

    def raise_event(self, event: FsmEvent, scope: str, at_ns: int) -> None:
        """Move the machine by one event and do what it says, in order."""
        after, effects = transition(self.state.lifecycle, event, scope, at_ns, self._policy)
        if after is self.state.lifecycle:
            self.state.ignored += 1
        self._enter(after, effects, at_ns)

    def clear(self, event: FsmEvent, scope: str, at_ns: int) -> None:
        """Take back a doubt."""
        after, effects = clear(self.state.lifecycle, event, scope, at_ns)
        self._enter(after, effects, at_ns)

    def _enter(self, after: Lifecycle, effects: Sequence[Effect], at_ns: int) -> None:
        self.state.lifecycle = after
        self._read_state()
        for effect in effects:
            if isinstance(effect, (FsmTransition, Alert)):
                self._out.emit(effect)
            self._act(effect, at_ns)

    def trip(self, trips: Sequence[Trip], at_ns: int) -> None:
        """Write down what the breakers found, and raise what it means."""
        for trip in trips:
            self._out.emit(trip.record)
            if trip.event is not None:
                scope = trip.record.breaker if trip.event in PAUSES else SESSION
                self.raise_event(trip.event, scope, at_ns)

    def on_time(self, at_ns: int) -> None:
        """Let breakers re-arm and degraded sessions recover."""
        self.trip(self.breakers.on_time(at_ns), at_ns)
        event = due(self.state.lifecycle, at_ns, self._policy)
        if event is not None:
            self.raise_event(event, SESSION, at_ns)

    def _read_state(self) -> None:
        lifecycle = self.state.lifecycle
        self.is_flattening = lifecycle.is_flattening
        # What agents wish while everything is being closed would only be in the way.
        self.calls_agents = lifecycle.state in CALLED_STATES and not lifecycle.is_flattening

    def restore(self, state: ConductState) -> None:
        """Continue from a snapshot."""
        self.state = state
        self._read_state()
