"""Every limit the gate, the breakers and the lifecycle judge by, as settings `risk.*`.

None switches a limit off. Money is quote currency, percentages are of the starting balance unless
the name says otherwise. The defaults are conservative on purpose: a first session should be dull.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

Positive = Annotated[Decimal, Gt(0)]
Percent = Annotated[Decimal, Gt(0), Le(100)]
Action = Literal["pause", "reduce_only", "halt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """Limits of the pre-trade gate (domain.md 2), the breakers (3) and the lifecycle (1)."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    needs_arming: bool | None = None
    """Whether new risk needs a session that a person has armed; live mode always does."""
    max_order_notional: Positive | None = Decimal(2_500)
    """Largest single order."""
    max_position_size: Positive | None = None
    """Largest absolute position in base units, open orders on that side included."""
    max_position_notional: Positive | None = Decimal(5_000)
    """Largest absolute position, open orders on that side included."""
    max_gross_notional: Positive | None = Decimal(10_000)
    """Sum over instruments of absolute worst-case position notional."""
    max_net_notional: Positive | None = Decimal(10_000)
    """Absolute signed sum over instruments after the order."""
    max_leverage: Positive | None = Decimal(2)
    """Gross notional over equity."""
    max_concentration: Annotated[Decimal, Gt(0), Le(1)] | None = None
    """Largest share of gross notional in one instrument, judged once two or more are held."""
    max_open_orders: Annotated[int, Gt(0)] | None = 20
    """Working orders over all instruments."""
    max_open_orders_per_symbol: Annotated[int, Gt(0)] | None = 10
    """Working orders of one instrument."""
    max_price_deviation_bps: Positive | None = Decimal(100)
    """Furthest a limit or trigger price may stand from mid."""
    max_slippage_bps: Positive | None = Decimal(20)
    """Largest expected slippage of a market order against mid, by walking the known book."""
    max_quote_age_ms: Annotated[int, Gt(0)] = 2_000
    """Oldest quote an order that adds risk may be judged by."""
    max_spread_bps: Positive | None = Decimal(20)
    """Widest spread in which an intent may add risk."""
    max_orders_per_minute: Annotated[int, Gt(0)] | None = 120
    """Placements and replacements a minute."""
    max_amends_per_minute: Annotated[int, Gt(0)] | None = 240
    """Amends a minute."""
    max_cancels_per_minute: Annotated[int, Gt(0)] | None = 600
    """Cancels by agents a minute; the session's own cancels are never throttled."""
    throttle_wait_ms: Annotated[int, Ge(0)] = 250
    """How long an intent waits for a token before it is refused; 0 refuses at once."""

    max_loss_pct: Percent | None = Decimal(2)
    """Session loss, realised and unrealised, that halts."""
    max_daily_loss: Positive | None = None
    """Loss since UTC midnight, quote currency, that halts."""
    max_session_drawdown_pct: Percent | None = Decimal(3)
    """Fall from the session's equity peak, percent of the peak, that halts."""
    max_daily_drawdown_pct: Percent | None = None
    """Fall from the UTC day's equity peak, percent of the peak, that halts."""
    max_consecutive_losses: Annotated[int, Gt(0)] | None = 8
    """Losing round trips in a row."""
    consecutive_losses_action: Action = "pause"
    """What `max_consecutive_losses` does."""
    cooldown_s: Annotated[float, Ge(0)] = 60.0
    """How long a pausing breaker holds before it re-arms."""
    max_loss_per_round_trip: Positive | None = None
    """Net loss of one round trip that pauses."""
    max_trades: Annotated[int, Gt(0)] | None = None
    """Fills after which the session stops."""
    max_errors_per_minute: Annotated[int, Gt(0)] | None = 10
    """Errors (quarantines, refused venue answers, ...) in 60 s that pause."""
    max_rejects_per_minute: Annotated[int, Gt(0)] | None = 20
    """Venue rejects in 60 s that pause."""

    refusal_hold_s: Annotated[float, Ge(0)] = 60.0
    """How long an instrument takes no new risk once the venue lacked margin for it, had it closed,
    or refused three of its orders in a row as malformed."""

    max_feed_lag_s: Annotated[float, Gt(0)] = 5.0
    """Silence of an instrument's feed that degrades it."""
    max_basis_deviation_bps: Positive | None = Decimal(75)
    """Furthest the basis to the reference market may be from its own average; further, and the
    instrument takes no new risk. Read only with `reference.source`."""
    basis_alpha: Annotated[float, Gt(0), Le(1)] = 0.08
    """Weight of the newest basis in that average, taken twice a second."""
    max_reference_lag_s: Annotated[float, Gt(0)] = 2.0
    """Silence of the reference market after which nothing can be held against it."""
    max_reference_down_s: Annotated[float, Gt(0)] = 10.0
    """How long a line to it may be down, whatever the others say."""
    resume_backoff_s: Annotated[float, Ge(0)] = 5.0
    """How long every reason must stay clear before a degraded session resumes."""
    fan_out: Literal["instrument", "session"] = "instrument"
    """Whether a doubt about one of several instruments suspends that one or the whole session."""
    throttled_size_factor: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.6")
    """What agents multiply sizes by while THROTTLED."""
    throttled_spacing_factor: Annotated[float, Ge(1)] = 1.5
    """What agents multiply distances by while THROTTLED."""
    flatten_on_journal_failure: bool = False
    """Whether a failing journal also closes positions; orders are always canceled."""
