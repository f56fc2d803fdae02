"""Session lifecycle: the value, and the one function that moves it by `engine.risk.states`.

Rule 1: a change of state leaves as exactly one `FsmTransition`; a change beneath a state (one more
    reason, one less) leaves as an `Alert`. No effects means no change: the pair was ignored, and
    the kernel counts it.
Rule 2: what pauses or throttles is held as `causes`, what puts data or venue in doubt as `reasons`,
    both by (event, scope). Trading resumes when the last of them is gone, never with the first.
Rule 3: nothing here reads a clock; `at_ns` is the time of the input behind the event.

Longer than 300 lines because there is one leaf for each move, and they are read side by side.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from engine.model.records import Alert, FsmTransition
from engine.risk.evidence_mark import EvidenceMark, marked
from engine.risk.states import (
    ANSWERS,
    DOUBTS,
    EXIT_CODES,
    STOP_REASONS,
    TABLE,
    FsmEvent,
    FsmState,
    Move,
)

__all__ = [
    "DOUBTS",
    "EXIT_CODES",
    "SESSION",
    "STOP_REASONS",
    "CancelAll",
    "CancelScope",
    "Effect",
    "Finish",
    "Flatten",
    "FsmEvent",
    "FsmState",
    "Lifecycle",
    "LifecyclePolicy",
    "allows",
    "clear",
    "due",
    "is_reset_confirmed",
    "is_suspended",
    "open_reasons",
    "stop_reason",
    "transition",
]

SESSION: Final = "session"
"""The scope of whatever concerns no single symbol or venue."""

# Bound here because looking a member up in its enum costs as much as the rest of `allows`.
_INIT, _ACTIVE, _THROTTLED = FsmState.INIT, FsmState.ACTIVE, FsmState.THROTTLED

RESET_PHRASE: Final = "RESET"
"""What a person must type to leave EMERGENCY."""

Reason = tuple[FsmEvent, str]
"""An event and its scope: a symbol, a venue, a breaker or `SESSION`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecyclePolicy:
    """What the operator decided beforehand."""

    symbols: tuple[str, ...]
    fan_out: Literal["instrument", "session"] = "instrument"
    """Whether a doubt about one of several symbols suspends that one, or degrades the session."""
    resume_backoff_ns: int = 5_000_000_000
    """How long every doubt must stay cleared before trading resumes."""
    flatten_on_journal_failure: bool = False
    flatten_on_stop: bool = True
    on_emergency: Literal["stop", "hold"] = "stop"
    cancel_on_pause: bool = True
    """Whether PAUSED cancels resting orders; kept, they could still add risk by filling."""

    def suspends(self, scope: str) -> bool:
        """Whether a doubt of this scope stops one instrument instead of the session."""
        return self.fan_out == "instrument" and len(self.symbols) > 1 and scope in self.symbols

    def cancel(self, scope: str) -> "CancelScope":
        """Cancel one symbol's orders, or the session's when the scope is no symbol."""
        return CancelScope(scope if scope in self.symbols else SESSION)


class Lifecycle(msgspec.Struct, frozen=True, gc=False):
    """The whole state of the machine, as a checkpoint holds it."""

    state: FsmState = FsmState.INIT
    since_ns: int = 0
    """When `state` was entered."""
    beneath: FsmState | None = None
    """The state to return to, while DEGRADED."""
    causes: tuple[Reason, ...] = ()
    """Why PAUSED or THROTTLED, sorted."""
    reasons: tuple[Reason, ...] = ()
    """Why DEGRADED or EMERGENCY, sorted."""
    suspended: tuple[Reason, ...] = ()
    """Doubts that suspend one symbol each, sorted."""
    cooling: tuple[tuple[str, int], ...] = ()
    """Symbols without open doubt that wait for the backoff, and since when."""
    blocked: tuple[str, ...] = ()
    """Symbols of `suspended` and `cooling`, for `allows`."""
    cleared_ns: int = 0
    """When the last doubt about the session was cleared."""
    stop_cause: FsmEvent | None = None
    """The first event that halts or stops; later ones don't rewrite the report."""
    is_flattening: bool = False
    """Every position is being closed: in an emergency, at the end, or because a person said so."""
    is_flat: bool = False
    """FLAT was seen since EMERGENCY began."""
    evidence: EvidenceMark = EvidenceMark()


class CancelScope(msgspec.Struct, frozen=True, gc=False):
    """Cancel the orders of one symbol, or all when `SESSION`, but protective reduce-only ones.

    Source: reliability.md B4, canceling protection would add risk.
    """

    scope: str


class CancelAll(msgspec.Struct, frozen=True, gc=False):
    """Cancel every order; never throttled, never waiting for a disk."""


class Flatten(msgspec.Struct, frozen=True, gc=False):
    """Close every position with reduce-only orders."""


class Finish(msgspec.Struct, frozen=True, gc=False):
    """End the session with a report, once the effects before it are done or out of time."""

    stop_reason: str


Effect = FsmTransition | Alert | CancelScope | CancelAll | Flatten | Finish
Step = tuple[Lifecycle, tuple[Effect, ...]]


class _Occurrence(NamedTuple):
    event: FsmEvent
    scope: str
    at_ns: int


def transition(
    lifecycle: Lifecycle, event: FsmEvent, scope: str, at_ns: int, policy: LifecyclePolicy
) -> Step:
    """Decide the next state, and what the kernel must do about it, in order.

    `scope` is the symbol, venue or breaker the event concerns, else `SESSION`. A pair that is
    ignored returns the very same value and no effects.
    """
    leaf = _LEAVES[TABLE[lifecycle.state, event]]
    return leaf(lifecycle, _Occurrence(event, scope, at_ns), policy)


def clear(lifecycle: Lifecycle, event: FsmEvent, scope: str, at_ns: int) -> Step:
    """Take back one doubt; trading resumes later, by `due`. An unknown doubt is ignored."""
    reason = (event, scope)
    if event not in DOUBTS or lifecycle.state is FsmState.STOPPED:
        return lifecycle, ()
    if reason in lifecycle.reasons:
        reasons = tuple(held for held in lifecycle.reasons if held != reason)
        changed = replace(lifecycle, reasons=reasons, cleared_ns=at_ns)
    elif reason in lifecycle.suspended:
        suspended = tuple(held for held in lifecycle.suspended if held != reason)
        is_clear = all(symbol != scope for _, symbol in suspended)
        cooling = (*lifecycle.cooling, (scope, at_ns)) if is_clear else lifecycle.cooling
        changed = _suspending(lifecycle, suspended, cooling)
    else:
        return lifecycle, ()
    return _noted(changed, _Occurrence(event, scope, at_ns), suffix="_cleared")


def due(lifecycle: Lifecycle, at_ns: int, policy: LifecyclePolicy) -> FsmEvent | None:
    """Return RECOVERED once the session or a suspended symbol may resume; ask on every timer."""
    if lifecycle.state is FsmState.STOPPED:
        return None
    since = at_ns - policy.resume_backoff_ns
    if _is_recovered(lifecycle, since) or any(cleared <= since for _, cleared in lifecycle.cooling):
        return FsmEvent.RECOVERED
    return None


def allows(lifecycle: Lifecycle, symbol: str, *, is_reducing: bool) -> bool:
    """Say whether an order may go out. Hot: the gate asks for every intent."""
    state = lifecycle.state
    if is_reducing:
        return state is not _INIT
    return (state is _ACTIVE or state is _THROTTLED) and symbol not in lifecycle.blocked


def is_suspended(lifecycle: Lifecycle, symbol: str) -> bool:
    """Say whether this symbol alone is barred from new risk."""
    return symbol in lifecycle.blocked


def is_reset_confirmed(lifecycle: Lifecycle, typed: str) -> bool:
    """Say whether a person may leave EMERGENCY now; only then is OPERATOR_RESET raised."""
    is_flat = lifecycle.state is FsmState.EMERGENCY and lifecycle.is_flat
    return is_flat and typed == RESET_PHRASE


def stop_reason(lifecycle: Lifecycle) -> str | None:
    """Return the report's `stop_reason`, None while nothing asked for an end."""
    return None if lifecycle.stop_cause is None else STOP_REASONS[lifecycle.stop_cause]


def open_reasons(lifecycle: Lifecycle) -> tuple[str, ...]:
    """Name everything that keeps the session or a symbol from trading, sorted."""
    held = sorted((*lifecycle.causes, *lifecycle.reasons, *lifecycle.suspended))
    return tuple(event if scope == SESSION else f"{event}:{scope}" for event, scope in held)


def _ignore(lifecycle: Lifecycle, _what: _Occurrence, _policy: LifecyclePolicy) -> Step:
    return lifecycle, ()


def _ready(lifecycle: Lifecycle, what: _Occurrence, _policy: LifecyclePolicy) -> Step:
    return _entered(lifecycle, FsmState.READY, what)


def _start(lifecycle: Lifecycle, what: _Occurrence, _policy: LifecyclePolicy) -> Step:
    return _entered(lifecycle, _trading_state(lifecycle.causes), what)


def _cause(lifecycle: Lifecycle, what: _Occurrence, policy: LifecyclePolicy) -> Step:
    return _caused(lifecycle, _with(lifecycle.causes, what), what, policy)


def _reduce(lifecycle: Lifecycle, what: _Occurrence, policy: LifecyclePolicy) -> Step:
    changed, effects = _cause(lifecycle, what, policy)
    return changed, (*_told(effects), CancelScope(SESSION)) if effects else ()


def _flatten(lifecycle: Lifecycle, what: _Occurrence, policy: LifecyclePolicy) -> Step:
    if lifecycle.is_flattening:
        return lifecycle, ()
    closing = replace(lifecycle, is_flattening=True)
    if lifecycle.state is FsmState.EMERGENCY:
        return _noted(closing, what, (CancelAll(), Flatten()), severity="warning")
    changed, effects = _cause(closing, what, policy)
    if changed is closing:  # the cause is still held from the last time
        changed, effects = _noted(closing, what)
    return changed, (*_told(effects), CancelAll(), Flatten())


def _flattened(lifecycle: Lifecycle, what: _Occurrence, _policy: LifecyclePolicy) -> Step:
    if not lifecycle.is_flattening:
        return lifecycle, ()
    return _noted(replace(lifecycle, is_flattening=False), what)


def _lift(lifecycle: Lifecycle, what: _Occurrence, policy: LifecyclePolicy) -> Step:
    answered = ANSWERS.get(what.event)
    kept = tuple(
        (event, scope)
        for event, scope in lifecycle.causes
        if answered is not None and not (event in answered and scope == what.scope)
    )
    return _caused(lifecycle, kept, what, policy)


def _caused(
    lifecycle: Lifecycle, causes: tuple[Reason, ...], what: _Occurrence, policy: LifecyclePolicy
) -> Step:
    if causes == lifecycle.causes:
        return lifecycle, ()
    changed = replace(lifecycle, causes=causes)
    is_trading = lifecycle.state not in (FsmState.INIT, FsmState.READY)
    target = _trading_state(causes) if is_trading else lifecycle.state
    if target is lifecycle.state:
        return _noted(changed, what)
    cancels = target is FsmState.PAUSED and policy.cancel_on_pause
    return _entered(changed, target, what, (CancelScope(SESSION),) if cancels else ())


def _beneath(lifecycle: Lifecycle, what: _Occurrence, policy: LifecyclePolicy) -> Step:
    assert lifecycle.beneath is not None, "DEGRADED always holds a state beneath"
    held = replace(lifecycle, state=lifecycle.beneath)
    moved, effects = _LEAVES[TABLE[held.state, what.event]](held, what, policy)
    if moved is held:
        return lifecycle, ()
    changed = replace(
        moved, state=FsmState.DEGRADED, since_ns=lifecycle.since_ns, beneath=moved.state
    )
    acts = tuple(act for act in effects if isinstance(act, CancelScope | CancelAll | Flatten))
    return _noted(changed, what, acts)


def _doubt(lifecycle: Lifecycle, what: _Occurrence, policy: LifecyclePolicy) -> Step:
    held = lifecycle.suspended if policy.suspends(what.scope) else lifecycle.reasons
    reasons = _with(held, what)
    if reasons == held:
        return lifecycle, ()
    # In EMERGENCY everything is canceled already, and what works there flattens.
    is_emergency = lifecycle.state is FsmState.EMERGENCY
    cancel: tuple[Effect, ...] = () if is_emergency else (policy.cancel(what.scope),)
    if policy.suspends(what.scope):
        cooling = tuple(pair for pair in lifecycle.cooling if pair[0] != what.scope)
        return _noted(_suspending(lifecycle, reasons, cooling), what, cancel, severity="warning")
    changed = replace(lifecycle, reasons=reasons)
    if is_emergency or lifecycle.state is FsmState.DEGRADED:
        return _noted(changed, what, cancel, severity="warning")
    changed = replace(changed, beneath=lifecycle.state)
    alert = _alert(what, "warning")
    return _entered(changed, FsmState.DEGRADED, what, (*cancel, alert))


def _recover(lifecycle: Lifecycle, what: _Occurrence, policy: LifecyclePolicy) -> Step:
    since = what.at_ns - policy.resume_backoff_ns
    cooling = tuple(pair for pair in lifecycle.cooling if pair[1] > since)
    changed = _suspending(lifecycle, lifecycle.suspended, cooling)
    if _is_recovered(lifecycle, since):
        assert lifecycle.beneath is not None, "DEGRADED always holds a state beneath"
        return _entered(replace(changed, beneath=None), lifecycle.beneath, what)
    if cooling == lifecycle.cooling:
        return lifecycle, ()
    return _noted(changed, what)


def _halt(lifecycle: Lifecycle, what: _Occurrence, policy: LifecyclePolicy) -> Step:
    reasons = _with(lifecycle.reasons, what)
    if reasons == lifecycle.reasons:
        return lifecycle, ()
    is_journal = what.event is FsmEvent.JOURNAL_FAILURE
    flattens = not is_journal or policy.flatten_on_journal_failure
    changed = replace(
        lifecycle,
        reasons=reasons,
        causes=(),
        beneath=None,
        stop_cause=lifecycle.stop_cause or what.event,
        is_flattening=lifecycle.is_flattening or flattens,
    )
    flatten = (Flatten(),) if flattens and not lifecycle.is_flattening else ()
    if lifecycle.state is FsmState.EMERGENCY:
        return _noted(changed, what, flatten, severity="critical")
    # Without a flatten there may never be a FLAT to wait for.
    ends = not flattens and policy.on_emergency == "stop"
    finish = (Finish(STOP_REASONS[what.event]),) if ends else ()
    effects = (CancelAll(), *flatten, _alert(what, "critical"), *finish)
    return _entered(changed, FsmState.EMERGENCY, what, effects)


def _settle(lifecycle: Lifecycle, what: _Occurrence, policy: LifecyclePolicy) -> Step:
    assert lifecycle.stop_cause is not None, "EMERGENCY always has a cause"
    if policy.on_emergency == "stop":
        finish = Finish(STOP_REASONS[lifecycle.stop_cause])
        return _entered(replace(lifecycle, is_flat=True), FsmState.STOPPED, what, (finish,))
    if lifecycle.is_flat:
        return lifecycle, ()
    return _noted(replace(lifecycle, is_flat=True), what)


def _reset(lifecycle: Lifecycle, what: _Occurrence, _policy: LifecyclePolicy) -> Step:
    is_doubtful = any(event in DOUBTS for event, _ in lifecycle.reasons)
    if is_doubtful or not lifecycle.is_flat:
        return lifecycle, ()
    changed = replace(lifecycle, reasons=(), stop_cause=None, is_flattening=False, is_flat=False)
    return _entered(changed, FsmState.READY, what)


def _stop(lifecycle: Lifecycle, what: _Occurrence, policy: LifecyclePolicy) -> Step:
    is_emergency = lifecycle.state is FsmState.EMERGENCY
    flattens = lifecycle.is_flattening if is_emergency else policy.flatten_on_stop
    cause = lifecycle.stop_cause or what.event
    flatten = (Flatten(),) if flattens else ()
    effects = (CancelAll(), *flatten, Finish(STOP_REASONS[cause]))
    changed = replace(lifecycle, stop_cause=cause, is_flattening=flattens)
    return _entered(changed, FsmState.STOPPED, what, effects)


_Leaf = Callable[[Lifecycle, _Occurrence, LifecyclePolicy], Step]
_LEAVES: Final[Mapping[Move, _Leaf]] = {
    Move.IGNORE: _ignore,
    Move.READY: _ready,
    Move.START: _start,
    Move.CAUSE: _cause,
    Move.REDUCE: _reduce,
    Move.FLATTEN: _flatten,
    Move.FLATTENED: _flattened,
    Move.LIFT: _lift,
    Move.BENEATH: _beneath,
    Move.DOUBT: _doubt,
    Move.RECOVER: _recover,
    Move.HALT: _halt,
    Move.SETTLE: _settle,
    Move.RESET: _reset,
    Move.STOP: _stop,
}


def _entered(
    changed: Lifecycle, target: FsmState, what: _Occurrence, effects: tuple[Effect, ...] = ()
) -> Step:
    after = replace(changed, state=target, since_ns=what.at_ns)
    ref = ""
    if target in (FsmState.DEGRADED, FsmState.EMERGENCY):
        mark = marked(changed.evidence, target, what.event, what.at_ns)
        after, ref = replace(after, evidence=mark), mark.ref
    record = FsmTransition(
        what.at_ns, changed.state, target, what.event, what.scope, open_reasons(after), ref
    )
    return after, (record, *effects)


def _noted(
    changed: Lifecycle,
    what: _Occurrence,
    effects: tuple[Effect, ...] = (),
    *,
    severity: str = "info",
    suffix: str = "",
) -> Step:
    return changed, (*effects, _alert(what, severity, suffix))


def _told(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """Return the effects without the cancels, which the caller orders itself."""
    return tuple(effect for effect in effects if not isinstance(effect, CancelScope))


def _alert(what: _Occurrence, severity: str, suffix: str = "") -> Alert:
    kind = f"{what.event.lower()}{suffix}"
    return Alert(what.at_ns, kind, severity, f"{kind.replace('_', ' ')} ({what.scope})")


def _with(reasons: tuple[Reason, ...], what: _Occurrence) -> tuple[Reason, ...]:
    reason = (what.event, what.scope)
    return reasons if reason in reasons else tuple(sorted((*reasons, reason)))


def _trading_state(causes: tuple[Reason, ...]) -> FsmState:
    if any(event is not FsmEvent.TOXICITY_MID for event, _ in causes):
        return FsmState.PAUSED
    return FsmState.THROTTLED if causes else FsmState.ACTIVE


def _suspending(
    lifecycle: Lifecycle, suspended: tuple[Reason, ...], cooling: tuple[tuple[str, int], ...]
) -> Lifecycle:
    symbols = sorted((*(symbol for _, symbol in suspended), *(symbol for symbol, _ in cooling)))
    blocked = tuple(dict.fromkeys(symbols))
    return replace(lifecycle, suspended=suspended, cooling=cooling, blocked=blocked)


def _is_recovered(lifecycle: Lifecycle, since_ns: int) -> bool:
    is_degraded = lifecycle.state is FsmState.DEGRADED
    return is_degraded and not lifecycle.reasons and lifecycle.cleared_ns <= since_ns
