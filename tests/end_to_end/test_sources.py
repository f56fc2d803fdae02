"""Every kind of source in a whole session."""

import csv
import itertools
import math
from pathlib import Path

import pytest

from tests.end_to_end.shell import (
    DATA,
    OTHER_CAPTURE,
    SMALL_CAPTURE,
    START,
    break_in_chain,
    needs,
    session,
)

KLINES = DATA / "klines" / "binance_usdm_btcusdt_1m_2025-05-04_2025-06-24.parquet"


@needs(SMALL_CAPTURE, OTHER_CAPTURE)
def test_two_files_two_symbols(tmp_path: Path) -> None:
    """Merged by receive time; both trade; time never goes back."""
    done = session(
        tmp_path, "--source", f"file:{SMALL_CAPTURE},{OTHER_CAPTURE}", "--speed", "max",
        "--duration", "1.5", "--set", "agents.quoter.half_spread_bps=0.5",
    )  # fmt: skip

    report, lines = done.run.report(), done.run.lines()
    stamps = [line["ts"] for line in lines]
    assert 0 == done.code
    assert sorted(stamps) == stamps
    assert {"BTCUSDT", "ETHUSDT"} == set(report["symbols"]) == set(report["per_symbol"])
    seen = {line["data"]["symbol"] for line in lines if line["type"] == "quote"}
    assert {"BTCUSDT", "ETHUSDT"} == seen
    assert report["simulated"] is False
    assert [] == report["positions_at_end"]


@needs(SMALL_CAPTURE)
def test_a_whole_file_ends_with_its_data(tmp_path: Path) -> None:
    """The default ten minutes are more than it holds: end_of_data, exit 0."""
    done = session(tmp_path, "--source", f"file:{SMALL_CAPTURE}", "--speed", "max")

    report = done.run.report()
    assert (0, "end_of_data", 600) == (
        done.code, report["stop_reason"], report["requested_duration_s"],
    )  # fmt: skip
    assert 170 < report["duration_s"] < 190


@needs(SMALL_CAPTURE)
def test_duration_counts_event_time(tmp_path: Path) -> None:
    """One minute of the recording, however fast it is played."""
    done = session(
        tmp_path, "--source", f"file:{SMALL_CAPTURE}", "--speed", "max", "--duration", "1"
    )

    report = done.run.report()
    assert (0, "duration") == (done.code, report["stop_reason"])
    assert 60 <= report["duration_s"] < 62


TREND = (
    "--agents", "trend", "--speed", "max", "--set", "agents.trend.bar_interval_s=60",
    "--set", "agents.trend.fast=3", "--set", "agents.trend.slow=8",
)  # fmt: skip


@needs(KLINES)
def test_parquet_klines(tmp_path: Path) -> None:
    """Three hours of minutes; the trend agent trades on their closes and ends flat."""
    done = session(tmp_path, "--source", f"file:{KLINES}", "--duration", "180", *TREND)

    report = done.run.report()
    assert (0, "duration", ["BTCUSDT"]) == (done.code, report["stop_reason"], report["symbols"])
    assert 179 <= len(done.run.lines("bar")) <= 181
    assert report["trades"] > 0
    assert [] == report["positions_at_end"]
    assert "DEGRADED" not in {t["to_state"] for t in report["fsm"]["transitions"]}
    assert break_in_chain(done.run.raw()) is None


def test_csv_klines(tmp_path: Path) -> None:
    """The same from a hand-made CSV that says its symbol on the command line."""
    path = tmp_path / "minutes.csv"
    begin = int(START) // 60_000_000_000 * 60_000
    closes = [round(1_000 * (1 + 0.004 * math.sin(n / 7)), 1) for n in range(121)]
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["open_time", "open", "high", "low", "close", "volume"])
        for n, (before, now) in enumerate(itertools.pairwise(closes)):
            low, high = min(before, now) - 0.5, max(before, now) + 0.5
            table.writerow([begin + n * 60_000, before, f"{high:.1f}", f"{low:.1f}", now, "12.345"])
    done = session(tmp_path / "home", "--source", f"file:XYZUSDT={path}", *TREND,
                   "--duration", "600")  # fmt: skip

    report = done.run.report()
    assert (0, "end_of_data", ["XYZUSDT"]) == (done.code, report["stop_reason"], report["symbols"])
    assert 120 == len(done.run.lines("bar"))
    assert report["trades"] > 0
    assert [] == report["positions_at_end"]


@pytest.mark.parametrize(
    "fault",
    ["malformed", "nan", "crossed", "spike", "stale", "duplicate", "out_of_order",
     "unknown_symbol", "gap", "disconnect"],
)  # fmt: skip
def test_every_fault_is_survived(tmp_path: Path, fault: str) -> None:
    """Two minutes of a broken market: as planned, flat, told, exit 0."""
    done = session(
        tmp_path, "--duration", "2", "--speed", "max", "--set", f"mock.faults={fault}",
        "--set", "agents.quoter.half_spread_bps=0.5",
    )  # fmt: skip

    report = done.run.report()
    assert (0, "duration", []) == (done.code, report["stop_reason"], report["positions_at_end"])
    assert break_in_chain(done.run.raw()) is None


@pytest.mark.parametrize("detail", ["decisions", "orders"])
def test_a_thinner_journal_is_still_a_chain(tmp_path: Path, detail: str) -> None:
    """Left out, not broken: fewer lines, the same fills."""
    words = ("--duration", "1", "--speed", "max", "--set", f"session.start_ns={START}",
             "--set", "agents.quoter.half_spread_bps=0.5")  # fmt: skip
    whole = session(tmp_path / "a", *words)
    thin = session(tmp_path / "b", *words, "--set", f"journal.detail={detail}")

    assert break_in_chain(thin.run.raw()) is None
    assert len(thin.run.lines()) < len(whole.run.lines()) / 2
    assert [x["data"] for x in whole.run.lines("fill")] == [
        x["data"] for x in thin.run.lines("fill")
    ]
    assert whole.run.report()["equity"] == thin.run.report()["equity"]
