"""final_report.json: what a session was told, what it did, what came of it.

Rule 1: the fields and their order are interface.md's, held by the structs of `schema.py`.
Rule 2: a figure that can't be known is null, never 0; a count that is known to be none is 0.
Rule 3: money is written as a JSON number with every digit it has, never through a float, so that
        `json.load(parse_float=Decimal)` checks the identity exactly.

`build_report` is longer than a function should be: it names each field of the contract once, in the
contract's order, and does nothing else.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from engine.model.errors import IdentityBroken
from engine.model.market import Flaw
from engine.model.money import HUNDRED, ROUNDED, ZERO
from engine.reports.latency import Quantiles
from engine.reports.schema import (
    FinalReport,
    Fsm,
    JournalSummary,
    Latencies,
    Orders,
    Part,
    Pnl,
    RunFacts,
)
from engine.reports.statistics import Curve, turnover
from engine.reports.tally import Share, Tally
from engine.reports.times import iso
from engine.reports.view import SessionView

NAME: Final = "final_report.json"
NS: Final = 1_000_000_000
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def build_report(
    facts: RunFacts,
    view: SessionView,
    *,
    tally: Tally,
    curve: Curve,
    latency: Quantiles,
    journal: JournalSummary,
    refused: Mapping[Flaw, int],
) -> FinalReport:
    """Put the report together; `refused` counts the market messages no agent saw, by flaw.

    Raises:
        IdentityBroken: The books of `view` do not add up to its equity, to the last digit.

    """
    _check(facts, view)
    start, trips = facts.starting_balance, tally.round_trips
    return FinalReport(
        run_id=facts.run_id,
        mode=facts.mode,
        simulated=facts.simulated,
        symbols=facts.symbols,
        agents=facts.agents,
        started_at=iso(facts.started_ns),
        ended_at=iso(facts.ended_ns),
        duration_s=(facts.ended_ns - facts.started_ns) / NS,
        requested_duration_s=facts.requested_duration_s,
        stop_reason=facts.stop_reason,
        exit_code=facts.exit_code,
        starting_balance=start,
        ending_balance=view.balance,
        equity=view.equity,
        pnl=_pnl(view, start),
        trades=tally.trades,
        round_trips=trips.count,
        win_rate=trips.win_rate,
        profit_factor=trips.profit_factor,
        expectancy=trips.expectancy,
        avg_win=trips.avg_win,
        avg_loss=trips.avg_loss,
        max_drawdown=curve.max_drawdown,
        sharpe=curve.sharpe,
        sortino=curve.sortino,
        exposure_pct=curve.exposure_pct,
        turnover=turnover(tally.volume, start),
        per_symbol=_per_symbol(tally, view, start),
        per_agent={name: _part(share, ZERO, start) for name, share in tally.by_agent.items()},
        orders=_orders(tally),
        errors=_errors(tally, refused),
        reconnects=tally.gaps.reconnects,
        malformed_ticks=sum(refused.values()),
        fsm=Fsm(final_state=tally.state or view.state, transitions=tuple(tally.transitions)),
        breakers=tuple(tally.breakers),
        latency_us=Latencies(tick_to_order=latency),
        journal=journal,
        positions_at_end=tuple(position for position in view.positions if position.qty),
        data_gaps=tally.gaps.all(),
        **_beside(tally, facts),
    )


def encode_report(report: FinalReport) -> bytes:
    """Return the file's content: indented, in field order, ended by a newline."""
    return msgspec.json.format(_ENCODER.encode(report), indent=2) + b"\n"


def decode_report(content: bytes) -> FinalReport:
    """Read a report back, every field of it.

    Raises:
        msgspec.DecodeError: A field is missing or of another type, or this is no JSON.

    """
    return msgspec.json.decode(content, type=FinalReport)


def _check(facts: RunFacts, view: SessionView) -> None:
    balance = facts.starting_balance + view.realised - view.fees + view.funding
    if balance != view.balance or balance + view.unrealised != view.equity:
        raise IdentityBroken(
            f"equity {view.equity} and balance {view.balance} are not start"
            f" {facts.starting_balance} + realised {view.realised} - fees {view.fees}"
            f" + funding {view.funding}, + unrealised {view.unrealised}"
        )


def _beside(tally: Tally, facts: RunFacts) -> dict[str, Any]:
    """Return what only some sessions have."""
    return {
        "shadow": tally.beside(facts.mode, facts.ended_ns),
        "other_fees": tuple(tally.other_fees.values()) or msgspec.UNSET,
    }


def _pnl(view: SessionView, start: Decimal) -> Pnl:
    gross = view.realised + view.unrealised
    net = gross - view.fees + view.funding
    return Pnl(
        gross=gross,
        net=net,
        realised=view.realised,
        unrealised=view.unrealised,
        fees=view.fees,
        funding=view.funding,
        pct=ROUNDED.divide(net * HUNDRED, start) if start > ZERO else None,
    )


def _per_symbol(tally: Tally, view: SessionView, start: Decimal) -> dict[str, Part]:
    unrealised = {position.symbol: position.unrealised for position in view.positions}
    return {
        symbol: _part(share, unrealised.get(symbol, ZERO), start)
        for symbol, share in tally.by_symbol.items()
    }


def _part(share: Share, unrealised: Decimal, start: Decimal) -> Part:
    gross, trips = share.gross + unrealised, share.round_trips
    return Part(
        trades=share.trades,
        round_trips=trips.count,
        gross=gross,
        net=gross - share.fees + share.funding,
        fees=share.fees,
        funding=share.funding,
        volume=share.volume,
        turnover=turnover(share.volume, start),
        win_rate=trips.win_rate,
        profit_factor=trips.profit_factor,
        expectancy=trips.expectancy,
        avg_win=trips.avg_win,
        avg_loss=trips.avg_loss,
    )


def _orders(tally: Tally) -> Orders:
    count = tally.orders
    return Orders(
        submitted=count["submitted"],
        accepted=count["accepted"],
        amended=count["amended"],
        canceled=count["canceled"],
        rejected=count["rejected"],
        blocked=dict(sorted(tally.blocked.items())),
    )


def _errors(tally: Tally, refused: Mapping[Flaw, int]) -> dict[str, int]:
    errors = dict(sorted(tally.errors.items()))
    errors |= {f"tick_{flaw}": count for flaw, count in sorted(refused.items())}
    if tally.gaps.dropped:
        errors["report_gaps_dropped"] = tally.gaps.dropped
    return errors
