"""The lifecycle's states, events and table (domain.md section 1), as data.

Rule 1: `TABLE` decides every pair of state and event; IGNORE is a decision too.
Rule 2: a pause asked for before START or while DEGRADED is held, so that it is not lost; a doubt
    raised in EMERGENCY is held too, and bars the reset.
What each `Move` does is in `engine.risk.lifecycle`.
"""

from collections.abc import Mapping
from enum import Enum
from itertools import product
from typing import Final

from engine.model.words import Word


class FsmState(Word):
    """Where the session stands; what may be sent in each is `allows`."""

    INIT = "INIT"
    READY = "READY"
    ACTIVE = "ACTIVE"
    THROTTLED = "THROTTLED"
    PAUSED = "PAUSED"
    DEGRADED = "DEGRADED"
    EMERGENCY = "EMERGENCY"
    STOPPED = "STOPPED"


class FsmEvent(Word):
    """Whatever may move the session; in the journal by this name."""

    HEALTH_OK = "HEALTH_OK"
    START = "START"
    TOXICITY_MID = "TOXICITY_MID"
    TOXICITY_HIGH = "TOXICITY_HIGH"
    TOXICITY_LOW = "TOXICITY_LOW"
    """Low for the cooldown, not merely at one reading."""
    OPERATOR_PAUSE = "OPERATOR_PAUSE"
    OPERATOR_RESUME = "OPERATOR_RESUME"
    OPERATOR_REDUCE_ONLY = "OPERATOR_REDUCE_ONLY"
    OPERATOR_FLATTEN = "OPERATOR_FLATTEN"
    BREAKER_PAUSE = "BREAKER_PAUSE"
    """A pausing circuit breaker; its scope is the breaker's name."""
    BREAKER_REARMED = "BREAKER_REARMED"
    FEED_STALE = "FEED_STALE"
    FEED_DISCONNECTED = "FEED_DISCONNECTED"
    RULES_CHANGED = "RULES_CHANGED"
    """The venue lists an instrument on other terms than the session works with, or not at all."""
    BASIS_DEPEG = "BASIS_DEPEG"
    """Our market and the reference market disagree."""
    REFERENCE_LOST = "REFERENCE_LOST"
    """A reference market was asked for and can't be seen, so nothing can be held against it."""
    VOLATILITY_HALT = "VOLATILITY_HALT"
    VENUE_DOWN = "VENUE_DOWN"
    POSITION_MISMATCH = "POSITION_MISMATCH"
    CLOCK_SKEW = "CLOCK_SKEW"
    DISK_LOW = "DISK_LOW"
    """Less than `journal.reserve_mb` is free."""
    DISK_SLOW = "DISK_SLOW"
    """An order waited longer than `journal.commit_wait_ms` for its line."""
    MARGIN_SHORT = "MARGIN_SHORT"
    """The venue refused an order because the account has not enough behind it."""
    MARKET_CLOSED = "MARKET_CLOSED"
    """The venue takes no orders of the instrument."""
    ORDERS_REFUSED = "ORDERS_REFUSED"
    """Several orders in a row were malformed to the venue: its rules are not those we know."""
    KEY_DOUBTED = "KEY_DOUBTED"
    """The venue refused the key; whether that lasts is not known yet."""
    RECOVERED = "RECOVERED"
    MAX_LOSS = "MAX_LOSS"
    MAX_DRAWDOWN = "MAX_DRAWDOWN"
    MAX_CONSECUTIVE_LOSSES = "MAX_CONSECUTIVE_LOSSES"
    KILL_FILE = "KILL_FILE"
    OPERATOR_KILL = "OPERATOR_KILL"
    JOURNAL_FAILURE = "JOURNAL_FAILURE"
    RECONCILE_FAILED = "RECONCILE_FAILED"
    KEY_REFUSED = "KEY_REFUSED"
    """The venue goes on refusing the key: nothing can be opened, canceled or closed."""
    FLAT = "FLAT"
    """No position is left and no order works."""
    OPERATOR_RESET = "OPERATOR_RESET"
    """A person's reset whose typed confirmation the caller has checked (`is_reset_confirmed`)."""
    DURATION_ELAPSED = "DURATION_ELAPSED"
    END_OF_DATA = "END_OF_DATA"
    MAX_TRADES = "MAX_TRADES"
    OPERATOR_STOP = "OPERATOR_STOP"
    SIGTERM = "SIGTERM"
    SIGINT = "SIGINT"
    SIGHUP = "SIGHUP"


class Move(Enum):
    """What a row of `TABLE` does; one leaf below for each."""

    IGNORE = "nothing changes; counted"
    READY = "to READY"
    START = "to ACTIVE, or to what the held causes ask for"
    CAUSE = "hold one more reason to pause or throttle; to PAUSED or THROTTLED"
    REDUCE = "CAUSE, and cancel whatever could add risk, whatever a pause cancels"
    FLATTEN = "CAUSE, cancel everything and close every position"
    LIFT = "drop the causes this event answers; to ACTIVE when none is left"
    BENEATH = "move the state held beneath DEGRADED by that state's own row"
    DOUBT = "hold one more doubt; to DEGRADED, or suspend one instrument"
    RECOVER = "to the state held beneath, if no doubt is open and the backoff has passed"
    HALT = "to EMERGENCY"
    SETTLE = "flat in EMERGENCY: to STOPPED, or wait for a person"
    FLATTENED = "a flatten that a person asked for is done"
    RESET = "to READY, if flat and no doubt is open"
    STOP = "to STOPPED through a graceful close"


_S, _E = FsmState, FsmEvent
_RUNNING: Final = (_S.READY, _S.ACTIVE, _S.THROTTLED, _S.PAUSED)
_CAUSES: Final = (_E.TOXICITY_MID, _E.TOXICITY_HIGH, _E.OPERATOR_PAUSE, _E.BREAKER_PAUSE)
_WINDS_DOWN: Final = (_E.OPERATOR_REDUCE_ONLY, _E.OPERATOR_FLATTEN)
_LIFTS: Final = (_E.TOXICITY_LOW, _E.OPERATOR_RESUME, _E.BREAKER_REARMED)
DOUBTS: Final = (
    _E.FEED_STALE,
    _E.FEED_DISCONNECTED,
    _E.RULES_CHANGED,
    _E.BASIS_DEPEG,
    _E.REFERENCE_LOST,
    _E.VOLATILITY_HALT,
    _E.VENUE_DOWN,
    _E.POSITION_MISMATCH,
    _E.CLOCK_SKEW,
    _E.DISK_LOW,
    _E.DISK_SLOW,
    _E.MARGIN_SHORT,
    _E.MARKET_CLOSED,
    _E.ORDERS_REFUSED,
    _E.KEY_DOUBTED,
)
"""Events that `clear` can take back."""
_NOT_STOPPED: Final = tuple(state for state in FsmState if state is not FsmState.STOPPED)

_HALTS: Final[Mapping[FsmEvent, str]] = {
    _E.MAX_LOSS: "max_loss",
    _E.MAX_DRAWDOWN: "max_drawdown",
    _E.MAX_CONSECUTIVE_LOSSES: "max_consecutive_losses",
    _E.KILL_FILE: "kill_file",
    _E.OPERATOR_KILL: "operator_kill",
    _E.JOURNAL_FAILURE: "journal_failure",
    _E.RECONCILE_FAILED: "reconcile_failed",
    _E.KEY_REFUSED: "key_refused",
}
_STOPS: Final[Mapping[FsmEvent, str]] = {
    _E.DURATION_ELAPSED: "duration",
    _E.END_OF_DATA: "end_of_data",
    _E.MAX_TRADES: "max_trades",
    _E.OPERATOR_STOP: "operator_stop",
    _E.SIGTERM: "signal",
    _E.SIGINT: "signal",
    _E.SIGHUP: "signal",
}
STOP_REASONS: Final[Mapping[FsmEvent, str]] = {**_HALTS, **_STOPS}
"""`stop_reason` of the final report: what halts, and what closes gracefully."""

SHUTDOWN_DEADLINE: Final = "shutdown_deadline"
"""`stop_reason` of a close that ran out of time, whatever asked for it: something stays open."""

EXIT_CODES: Final[Mapping[str, int]] = {
    "duration": 0,
    "end_of_data": 0,
    "max_trades": 3,
    "max_loss": 3,
    "max_drawdown": 3,
    "max_consecutive_losses": 3,
    "kill_file": 4,
    "operator_kill": 4,
    "operator_stop": 4,
    "signal": 4,
    "journal_failure": 6,
    "reconcile_failed": 6,
    "key_refused": 7,
    SHUTDOWN_DEADLINE: 1,
}
"""`stop_reason` to process exit code, by the table of interface.md."""

_ROWS: Final[tuple[tuple[tuple[FsmState, ...], tuple[FsmEvent, ...], Move], ...]] = (
    ((_S.INIT,), (_E.HEALTH_OK,), Move.READY),
    ((_S.READY,), (_E.START,), Move.START),
    ((_S.INIT, *_RUNNING), _CAUSES, Move.CAUSE),
    ((_S.INIT, *_RUNNING), (_E.OPERATOR_REDUCE_ONLY,), Move.REDUCE),
    ((_S.INIT, *_RUNNING, _S.EMERGENCY), (_E.OPERATOR_FLATTEN,), Move.FLATTEN),
    ((_S.INIT, *_RUNNING, _S.DEGRADED), (_E.FLAT,), Move.FLATTENED),
    ((_S.INIT, _S.READY, _S.PAUSED), _LIFTS, Move.LIFT),
    ((_S.THROTTLED,), (_E.TOXICITY_LOW,), Move.LIFT),
    ((_S.DEGRADED,), (_E.START, *_CAUSES, *_WINDS_DOWN, *_LIFTS), Move.BENEATH),
    ((*_RUNNING, _S.DEGRADED, _S.EMERGENCY), DOUBTS, Move.DOUBT),
    ((*_RUNNING, _S.DEGRADED, _S.EMERGENCY), (_E.RECOVERED,), Move.RECOVER),
    (_NOT_STOPPED, tuple(_HALTS), Move.HALT),
    ((_S.EMERGENCY,), (_E.FLAT,), Move.SETTLE),
    ((_S.EMERGENCY,), (_E.OPERATOR_RESET,), Move.RESET),
    (_NOT_STOPPED, tuple(_STOPS), Move.STOP),
)

TABLE: Final[Mapping[tuple[FsmState, FsmEvent], Move]] = {
    **dict.fromkeys(product(FsmState, FsmEvent), Move.IGNORE),
    **{pair: move for states, events, move in _ROWS for pair in product(states, events)},
}
"""Every pair, decided."""

ANSWERS: Final[Mapping[FsmEvent, tuple[FsmEvent, ...]]] = {
    _E.TOXICITY_LOW: (_E.TOXICITY_MID, _E.TOXICITY_HIGH),
    _E.BREAKER_REARMED: (_E.BREAKER_PAUSE,),
}
"""Causes of the same scope that an event lifts; OPERATOR_RESUME lifts all of every scope."""
