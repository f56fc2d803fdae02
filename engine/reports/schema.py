"""The fields of final_report.json, in the order of interface.md; `final_report.py` fills them.

A figure that can't be known is None; a count that is known to be none is 0.
"""

from decimal import Decimal

import msgspec

from engine.model.account import OtherFee
from engine.model.records import BreakerTripped, FsmTransition
from engine.reports.gaps import DataGap
from engine.reports.latency import Quantiles
from engine.reports.shadow_schema import ShadowReport
from engine.reports.statistics import Drawdown
from engine.reports.view import PositionView


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the session knows about itself and nobody can count."""

    run_id: str
    mode: str
    simulated: bool
    symbols: tuple[str, ...]
    agents: tuple[str, ...]
    started_ns: int
    ended_ns: int
    requested_duration_s: float | None
    stop_reason: str
    exit_code: int
    starting_balance: Decimal


class Pnl(msgspec.Struct, frozen=True, kw_only=True):
    """Quote currency: `gross = realised + unrealised`, `net = gross - fees + funding`."""

    gross: Decimal
    net: Decimal
    realised: Decimal
    unrealised: Decimal
    fees: Decimal
    funding: Decimal
    pct: Decimal | None
    """Net, in percent of the starting balance."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol's or one agent's share.

    Of a symbol, gross is realised and unrealised. Of an agent it is what its closed round trips
    made, because a position belongs to the instrument and not to whoever traded it.
    """

    trades: int
    round_trips: int
    gross: Decimal
    net: Decimal
    fees: Decimal
    funding: Decimal
    volume: Decimal
    """Traded notional."""
    turnover: Decimal | None
    win_rate: float | None
    profit_factor: Decimal | None
    expectancy: Decimal | None
    avg_win: Decimal | None
    avg_loss: Decimal | None


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the orders; `blocked` counts what the gate refused, by rule."""

    submitted: int
    accepted: int
    amended: int
    canceled: int
    rejected: int
    blocked: dict[str, int]


class Fsm(msgspec.Struct, frozen=True, kw_only=True):
    """How the session's state moved; the first `KEPT_MAX` transitions of `engine.reports.tally`."""

    final_state: str
    transitions: tuple[FsmTransition, ...]


class Latencies(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds."""

    tick_to_order: Quantiles


class JournalSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What `audit verify` must find; None where no journal was written."""

    events: int | None = None
    bytes: int | None = None
    head_hash: str | None = None


class FinalReport(msgspec.Struct, frozen=True, kw_only=True):
    """interface.md, "final_report.json", field by field."""

    run_id: str
    mode: str
    simulated: bool
    symbols: tuple[str, ...]
    agents: tuple[str, ...]
    started_at: str
    ended_at: str
    duration_s: float
    requested_duration_s: float | None
    stop_reason: str
    exit_code: int
    starting_balance: Decimal
    ending_balance: Decimal
    equity: Decimal
    pnl: Pnl
    trades: int
    round_trips: int
    win_rate: float | None
    profit_factor: Decimal | None
    expectancy: Decimal | None
    avg_win: Decimal | None
    avg_loss: Decimal | None
    max_drawdown: Drawdown
    sharpe: float | None
    sortino: float | None
    exposure_pct: float | None
    turnover: Decimal | None
    per_symbol: dict[str, Part]
    per_agent: dict[str, Part]
    orders: Orders
    errors: dict[str, int]
    reconnects: int
    malformed_ticks: int
    fsm: Fsm
    breakers: tuple[BreakerTripped, ...]
    latency_us: Latencies
    journal: JournalSummary
    positions_at_end: tuple[PositionView, ...]
    data_gaps: tuple[DataGap, ...]
    shadow: ShadowReport | msgspec.UnsetType = msgspec.UNSET
    """A real account beside the simulated one; not there in other modes."""
    other_fees: tuple[OtherFee, ...] | msgspec.UnsetType = msgspec.UNSET
    """What of `pnl.fees` was paid in other assets; not there where nothing was."""
