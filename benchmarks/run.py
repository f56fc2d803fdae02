"""Runs the common workloads through the whole engine; one JSON line each on stdout.

    python -m benchmarks [W0 W1 W2 W3 W5-W1 W5-W3]

Every event passes quality filter, market view, agent, supervisor, gate, router, order states, paper
venue, portfolio, breakers and lifecycle; orders and fills are journalled, chained and flushed to a
file (journal detail `orders`). Nothing is switched off: limits are generous, not absent. Each
workload has a process of its own, so that memory is its own too. The workload files come from the
generator that stands beside the recorded data; without it the run says so and ends.
"""

import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count, pairwise, repeat
from pathlib import Path
from time import process_time
from typing import Any, Final

from benchmarks.columns import chunks
from benchmarks.strategies import (
    BarCross,
    QuoteCross,
    Requote,
    Silent,
    Timed,
    TimedRequote,
)
from brokers.paper.config import PaperConfig
from brokers.paper.venue import CAPABILITIES, PaperVenue
from engine.agents.contract import BaseAgent
from engine.kernel import Kernel, KernelConfig
from engine.market.config import MarketConfig
from engine.model.instrument import Instrument
from engine.model.market import Bar, MarketEvent, Quote
from engine.model.money import use_exact_arithmetic
from engine.model.venue_events import VenueEvent
from engine.reports.tally import Tally
from engine.risk.limits import RiskLimits
from engine.session.journal import Journal
from engine.session.turn import Turn

SYMBOL: Final = "BTCUSDT"
BTC: Final = Instrument(
    symbol=SYMBOL,
    base="BTC",
    quote="USDT",
    settlement="USDT",
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.001"),
    min_qty=Decimal("0.001"),
    min_notional=Decimal(100),
)
PLENTY: Final = Decimal(1_000_000_000)
BALANCE: Final = Decimal(1_000_000)

GENEROUS: Final = RiskLimits(
    max_order_notional=PLENTY,
    max_position_size=PLENTY,
    max_position_notional=PLENTY,
    max_gross_notional=PLENTY,
    max_net_notional=PLENTY,
    max_leverage=PLENTY,
    max_open_orders=1_000,
    max_open_orders_per_symbol=1_000,
    max_price_deviation_bps=PLENTY,
    max_slippage_bps=PLENTY,
    max_spread_bps=PLENTY,
    max_orders_per_minute=10_000_000,
    max_amends_per_minute=10_000_000,
    max_cancels_per_minute=10_000_000,
    max_loss_pct=Decimal(90),
    max_session_drawdown_pct=Decimal(90),
    max_consecutive_losses=1_000_000,
    max_errors_per_minute=10_000,
    max_rejects_per_minute=10_000,
)
"""Every rule is evaluated, none refuses."""


@dataclass(frozen=True)
class Workload:
    """One row of performance.md section 1."""

    agent: type[BaseAgent]
    file: str
    limit: int | None = None
    fees_bps: Decimal = Decimal(5)


WORKLOADS: Final = {
    "W0": Workload(Silent, "ticks"),
    "W1": Workload(QuoteCross, "ticks"),
    "W2": Workload(BarCross, "bars"),
    "W3": Workload(Requote, "ticks", 200_000, Decimal(2)),
    "W5-W1": Workload(Timed, "ticks", 200_000),
    "W5-W3": Workload(TimedRequote, "ticks", 50_000, Decimal(2)),
}


def quotes(path: Path, limit: int | None) -> Iterator[MarketEvent]:
    """Stream the quotes of `ticks.npz`."""
    seq = count(1)
    for ts, bid, ask, bq, aq in chunks(path, ("ts", "bid", "ask", "bq", "aq"), limit):
        yield from map(Quote, ts, repeat(SYMBOL), bid, bq, ask, aq, ts, seq)


def bars(path: Path, limit: int | None) -> Iterator[MarketEvent]:
    """Stream the bars of `bars.npz`."""
    for ts, o, h, low, c, v in chunks(path, ("ts", "o", "h", "l", "c", "v"), limit):
        closed = [opened + 60_000_000_000 for opened in ts]
        yield from map(Bar, closed, repeat(SYMBOL), repeat(60), ts, o, h, low, c, v)


def engine(workload: Workload, folder: Path) -> tuple[Turn, Journal, Kernel, Tally]:
    """Wire the whole engine as a session does, with the simple fill model of the workloads."""
    paper = PaperConfig(
        taker_model="touch",
        maker_model="touch",
        maker_fee_bps=workload.fees_bps,
        taker_fee_bps=workload.fees_bps,
        submit_latency_ms=0,
        amend_latency_ms=0,
        cancel_latency_ms=0,
        ack_latency_ms=0,
        fill_latency_ms=0,
        max_price_band_bps=Decimal(10_000),
    )
    inbox: deque[VenueEvent] = deque()
    venue = PaperVenue([BTC], paper, 1, BALANCE, inbox.append)
    config = KernelConfig(
        limits=GENEROUS, starting_balance=BALANCE, market=MarketConfig(max_jump_bps=1_000.0)
    )
    agent: Any = workload.agent(workload.agent.Params())
    kernel = Kernel(config, [BTC], [agent], CAPABILITIES)
    fd = os.open(folder / "events.jsonl", os.O_WRONLY | os.O_CREAT, 0o600)
    journal = Journal(fd)
    tally = Tally([SYMBOL], [agent.name], [BTC])
    turn = Turn(kernel, venue, inbox, journal, detail="orders", observe=tally.follow)
    return turn, journal, kernel, tally


def measure(name: str, data: Path) -> dict[str, object]:
    """Run one workload in this process."""
    use_exact_arithmetic()
    workload = WORKLOADS[name]
    source = quotes if workload.file == "ticks" else bars
    with tempfile.TemporaryDirectory() as folder:
        turn, journal, kernel, tally = engine(workload, Path(folder))
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 20, 20)
        began, events, take = process_time(), 0, turn.market
        for event in source(data / f"{workload.file}.npz", workload.limit):
            take(event)
            events += 1
        journal.flush()
        cpu_s = process_time() - began
        journal.close()
    portfolio = kernel.portfolio
    portfolio.check()
    result: dict[str, object] = {
        "workload": name,
        "events": events,
        "orders": tally.orders["submitted"],
        "fills": tally.trades,
        "net_pnl": f"{portfolio.equity - BALANCE:.4f}",
        "cpu_s": round(cpu_s, 3),
        "ns_per_event": round(cpu_s / events * 1e9),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "journal_lines": journal.events,
    }
    if tally.orders["submitted"]:
        result["orders_per_s"] = round(tally.orders["submitted"] / cpu_s)
    stamps = getattr(workload.agent, "stamps", None)
    if stamps is not None:
        result["gap_us"] = _gaps(stamps)
    return result


def _gaps(stamps: "array[int]") -> dict[str, float]:
    gaps = sorted(later - sooner for sooner, later in pairwise(stamps))
    share = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {
        k: round(gaps[min(len(gaps) - 1, int(len(gaps) * s))] / 1_000, 2) for k, s in share.items()
    }


def workload_files() -> Path | None:
    """Return the folder of the workload files, made on first use; None without the generator."""
    shared = Path(os.environ.get("LAPTOP_AGENTS_DATA", "../shared/data")).resolve().parent
    generator = shared / "bench" / "workloads.py"
    target = Path(tempfile.gettempdir()) / f"laptop-agents-workloads-{os.getuid()}"
    if not (target / "bars.npz").exists():
        if not generator.exists():
            return None
        subprocess.run([sys.executable, str(generator), str(target)], check=True)
    return target


def main(arguments: list[str]) -> int:
    """Run each named workload (all by default) in a process of its own."""
    if arguments[:1] == ["--one"]:
        sys.stdout.write(json.dumps(measure(arguments[1], Path(arguments[2]))) + "\n")
        return 0
    data = workload_files()
    if data is None:
        sys.stderr.write("no workload generator beside LAPTOP_AGENTS_DATA: nothing measured\n")
        return 0
    for name in arguments or WORKLOADS:
        command = [sys.executable, "-m", "benchmarks", "--one", name, str(data)]
        subprocess.run(command, check=True)
    return 0
