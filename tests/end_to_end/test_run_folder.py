"""What is on disk after a session, by the letter of interface.md."""

import json
import re
import stat
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.shell import Ending, break_in_chain, session

FILES = {
    "manifest.json", "events.jsonl", "final_report.json", "metrics.json", "metrics.csv",
    "session.log", "journal.head",
}  # fmt: skip
"""The files of interface.md that exist in this release; evidence comes with an incident."""

REPORT = [
    "run_id",
    "mode",
    "simulated",
    "symbols",
    "agents",
    "started_at",
    "ended_at",
    "duration_s",
    "requested_duration_s",
    "stop_reason",
    "exit_code",
    "starting_balance",
    "ending_balance",
    "equity",
    "pnl",
    "trades",
    "round_trips",
    "win_rate",
    "profit_factor",
    "expectancy",
    "avg_win",
    "avg_loss",
    "max_drawdown",
    "sharpe",
    "sortino",
    "exposure_pct",
    "turnover",
    "per_symbol",
    "per_agent",
    "orders",
    "errors",
    "reconnects",
    "malformed_ticks",
    "fsm",
    "breakers",
    "latency_us",
    "journal",
    "positions_at_end",
    "data_gaps",
]

METRICS = [
    "ts",
    "equity",
    "balance",
    "realised",
    "unrealised",
    "fees",
    "drawdown_pct",
    "position_BTCUSDT",
    "position_ETHUSDT",
    "mark_BTCUSDT",
    "mark_ETHUSDT",
    "open_orders",
    "events_per_s",
    "tick_to_order_us_p50",
    "tick_to_order_us_p99",
    "rss_mb",
    "cpu_pct",
]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ending:
    return session(
        tmp_path_factory.mktemp("base") / "home", "--duration", "3", "--speed", "max",
        "--symbols", "BTCUSDT,ETHUSDT", "--set", "agents.quoter.half_spread_bps=0.5",
    )  # fmt: skip


def test_it_is_complete(ended: Ending) -> None:
    """Nothing is missing, nothing is left over, and `latest` leads there; its breaker trips."""
    latest = ended.run.path

    assert FILES | {"evidence"} == {path.name for path in latest.iterdir()}
    assert latest.is_symlink()
    assert re.fullmatch(r"\d{8}T\d{6}Z-[a-z]{4}", latest.resolve().name)


def test_it_is_private(ended: Ending) -> None:
    """Files 0600, folders 0700, from the home down."""
    home = ended.run.path.parent.parent
    modes: dict[bool, set[int]] = {True: set(), False: set()}
    for path in (home, *home.rglob("*")):
        if not path.is_symlink():
            modes[path.is_dir()].add(stat.S_IMODE(path.stat().st_mode))

    assert {True: {0o700}, False: {0o600}} == modes


def test_the_report_has_exactly_these_fields(ended: Ending) -> None:
    """In this order, and so inside."""
    report = ended.run.report()

    assert REPORT == list(report)
    assert ["gross", "net", "realised", "unrealised", "fees", "funding", "pct"] == list(
        report["pnl"]
    )
    assert {"abs", "pct", "duration_s"} == set(report["max_drawdown"])
    assert ["submitted", "accepted", "amended", "canceled", "rejected", "blocked"] == list(
        report["orders"]
    )
    assert {"final_state", "transitions"} == set(report["fsm"])
    assert {"p50", "p95", "p99", "max"} == set(report["latency_us"]["tick_to_order"])
    assert ["events", "bytes", "head_hash"] == list(report["journal"])


def test_equity_is_exact(ended: Ending) -> None:
    """Equity = starting_balance + realised - fees + funding + unrealised, to the last digit."""
    report = ended.run.report()
    pnl = report["pnl"]

    assert isinstance(report["equity"], Decimal)
    parts = pnl["realised"] - pnl["fees"] + pnl["funding"] + pnl["unrealised"]
    assert report["starting_balance"] + parts == report["equity"]
    assert pnl["net"] == parts
    assert pnl["fees"] > 0


def test_the_report_counts_what_the_journal_holds(ended: Ending) -> None:
    """Fills, orders, round trips, per symbol and in all."""
    report, run = ended.run.report(), ended.run
    fills = run.lines("fill")
    trips = run.lines("round_trip")

    assert 0 < len(fills) == report["trades"]
    assert len(trips) == report["round_trips"]
    assert len(run.lines("order_submitted")) == report["orders"]["submitted"]
    assert report["trades"] == sum(part["trades"] for part in report["per_symbol"].values())
    fees = sum(Decimal(line["data"]["fee"]) for line in fills)
    assert fees == report["pnl"]["fees"]
    assert {"BTCUSDT", "ETHUSDT"} == set(report["per_symbol"])
    assert [] == report["positions_at_end"]
    wins = sum(Decimal(t["data"]["net_pnl"]) > 0 for t in trips)
    assert pytest.approx(wins / len(trips)) == float(report["win_rate"])


def test_equity_follows_from_the_fills_alone(ended: Ending) -> None:
    """Cash paid and received, less fees, plus funding: nothing else moved the money."""
    run = ended.run
    cash = Decimal(0)
    for line in run.lines("fill"):
        data = line["data"]
        sign = -1 if data["side"] == "BUY" else 1
        cash += sign * Decimal(data["price"]) * Decimal(data["qty"]) - Decimal(data["fee"])
    cash += sum(Decimal(line["data"]["amount"]) for line in run.lines("venue_funding"))

    assert Decimal(10_000) + cash == run.report()["equity"]


def test_the_journal_is_proven(ended: Ending) -> None:
    """By a verifier written from the page, and by the head the report names."""
    content, report = ended.run.raw(), ended.run.report()

    assert break_in_chain(content) is None
    assert report["journal"] == {
        "events": content.count(b"\n"),
        "bytes": len(content),
        "head_hash": json.loads(content.splitlines()[-1])["hash"],
    }


def test_the_first_line_and_the_manifest_agree(ended: Ending) -> None:
    """One session, told twice."""
    first = ended.run.lines("session_started")[0]["data"]
    manifest = json.loads((ended.run.path / "manifest.json").read_text())
    shared: dict[str, Any] = {
        key: first[key] for key in ("run_id", "mode", "simulated", "symbols", "seed")
    }

    assert shared == {key: manifest[key] for key in shared}
    assert manifest["run_id"] == ended.run.path.resolve().name
    assert {item["symbol"]: (item["tick_size"], item["lot_size"]) for item in first["instruments"]}


def test_a_row_a_second(ended: Ending) -> None:
    """metrics.csv and metrics.json have the columns of the page and the same rows."""
    rows = ended.run.metrics()
    document = json.loads((ended.run.path / "metrics.json").read_text())

    assert METRICS == list(rows[0]) == list(document[0])
    assert 179 <= len(rows) == len(document) <= 187
    assert {"0.000"} != {row["position_BTCUSDT"] for row in rows}


def test_every_line_of_the_log_is_an_object(ended: Ending) -> None:
    """For programs."""
    for line in (ended.run.path / "session.log").read_text().splitlines():
        assert isinstance(json.loads(line), dict)


def test_the_clock_stands_in_the_metrics_and_the_journal(ended: Ending) -> None:
    """Nothing is stamped later than the end or earlier than the start."""
    lines = ended.run.lines()
    stamps = [line["ts"] for line in lines]

    assert sorted(stamps) == stamps
    assert ("session_started", "session_ended") == (lines[0]["type"], lines[-1]["type"])


@pytest.mark.parametrize("where", ["absent", "empty"])
def test_it_writes_where_it_is_told(tmp_path: Path, where: str) -> None:
    """--run-dir instead of the home; `latest` leads there, too."""
    target = tmp_path / "elsewhere"
    if where == "empty":
        target.mkdir(0o700)
    done = session(
        tmp_path / "home", "--duration", "0.05", "--speed", "max", "--run-dir", str(target)
    )

    assert 0 == done.code
    assert FILES == {path.name for path in target.iterdir()}
    assert done.run.path.resolve() == target.resolve()


def test_two_sessions_of_one_second_do_not_meet(tmp_path: Path) -> None:
    """Each has a folder of its own."""
    words = ("--duration", "0.02", "--speed", "max")
    first, second = session(tmp_path, *words), session(tmp_path, *words)

    assert (0, 0) == (first.code, second.code)
    assert 3 == len(list((tmp_path / "runs").iterdir()))
