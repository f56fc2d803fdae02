"""The circuit breakers as rows (domain.md section 3), and the state their readings come from.

A breaker trips when its reading reaches its limit, and is then tripped until it re-arms:

- `cooldown`: after `cooldown_s`, or by a person's resume;
- `day`: at UTC midnight, or by a person's reset;
- `operator`: only by a person's resume or reset;
- `never`: it ends the session.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from engine.model.money import HUNDRED, ZERO, ratio
from engine.risk.limits import RiskLimits
from engine.risk.states import FsmEvent
from engine.risk.windows import count_in_window


@dataclass(slots=True)
class BreakerState:
    """All that a checkpoint must hold."""

    start: Decimal
    """Starting balance."""
    equity: Decimal
    session_peak: Decimal
    day_baseline: Decimal
    """First equity known in the UTC day; the starting balance on the first day."""
    day_peak: Decimal
    now_ns: int = 0
    day: int = -1
    """Days since the epoch; -1 before the first event."""
    losses: int = 0
    """Losing round trips in a row, since the last one that did not lose, or the last re-arm."""
    last_loss: Decimal = ZERO
    """Net loss of the last round trip, zero for a gain."""
    trades: int = 0
    errors: list[int] = field(default_factory=list)
    rejects: list[int] = field(default_factory=list)
    tripped: dict[str, int] = field(default_factory=dict)
    """Breaker to the time it tripped, in that order."""

    @classmethod
    def fresh(cls, balance: Decimal) -> "BreakerState":
        """Begin with `balance` and nothing tripped."""
        return cls(balance, balance, balance, balance, balance)


class Rule(NamedTuple):
    """One breaker; `name` is also the field of its limit in `RiskLimits`."""

    name: str
    action: Literal["pause", "reduce_only", "halt", "stop"]
    """`pause` until it cools down, `reduce_only` until a person resumes, `halt`, or `stop`."""
    rearm: Literal["cooldown", "day", "operator", "never"]
    event: FsmEvent
    """What the lifecycle is told when it trips."""
    reading: Callable[[BreakerState], Decimal]
    """In the unit of the limit, rounded to 28 digits where it is a quotient."""


def _fall_pct(equity: Decimal, peak: Decimal) -> Decimal:
    return ratio((peak - equity) * HUNDRED, peak) if peak > 0 else ZERO


def _consecutive(state: BreakerState) -> Decimal:
    return Decimal(state.losses)


_LOSSES: Final = "max_consecutive_losses"
_PAUSE, _MAX_LOSS, _MAX_DRAWDOWN = (
    FsmEvent.BREAKER_PAUSE,
    FsmEvent.MAX_LOSS,
    FsmEvent.MAX_DRAWDOWN,
)

RULES: Final = (
    Rule("max_loss_pct", "halt", "operator", _MAX_LOSS, lambda s: _fall_pct(s.equity, s.start)),
    Rule("max_daily_loss", "halt", "day", _MAX_LOSS, lambda s: s.day_baseline - s.equity),
    Rule(
        "max_session_drawdown_pct",
        "halt",
        "operator",
        _MAX_DRAWDOWN,
        lambda s: _fall_pct(s.equity, s.session_peak),
    ),
    Rule(
        "max_daily_drawdown_pct",
        "halt",
        "day",
        _MAX_DRAWDOWN,
        lambda s: _fall_pct(s.equity, s.day_peak),
    ),
    Rule("max_loss_per_round_trip", "pause", "cooldown", _PAUSE, lambda s: s.last_loss),
    Rule("max_trades", "stop", "never", FsmEvent.MAX_TRADES, lambda s: Decimal(s.trades)),
    Rule(
        "max_errors_per_minute",
        "pause",
        "cooldown",
        _PAUSE,
        lambda s: Decimal(count_in_window(s.errors, s.now_ns)),
    ),
    Rule(
        "max_rejects_per_minute",
        "pause",
        "cooldown",
        _PAUSE,
        lambda s: Decimal(count_in_window(s.rejects, s.now_ns)),
    ),
)
"""Every breaker whose action is fixed."""

BY_ACTION: Final = {
    "pause": Rule(_LOSSES, "pause", "cooldown", _PAUSE, _consecutive),
    "reduce_only": Rule(_LOSSES, "reduce_only", "operator", _PAUSE, _consecutive),
    "halt": Rule(_LOSSES, "halt", "operator", FsmEvent.MAX_CONSECUTIVE_LOSSES, _consecutive),
}
"""`max_consecutive_losses`, by `consecutive_losses_action`."""


def rules_of(limits: RiskLimits) -> dict[str, Rule]:
    """Return the breakers whose limits are set, by name."""
    rows = (*RULES, BY_ACTION[limits.consecutive_losses_action])
    return {row.name: row for row in rows if getattr(limits, row.name) is not None}
