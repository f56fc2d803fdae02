"""A whole session at a venue that loses fills: found, booked, told, resumed and replayed."""

import signal
from decimal import Decimal
from pathlib import Path

from tests.end_to_end.shell import START, Process, Run, with_faults

WORDS = (
    "--headless", "-q", "--duration", "4", "--seed", "7", "--set", f"session.start_ns={START}",
    "--set", "agents.quoter.half_spread_bps=0.5", "--set", "risk.max_errors_per_minute=none",
)  # fmt: skip
FAULTY = with_faults("lose-fills")


def told(run: Run, name: str) -> set[str]:
    return {line["data"]["trade_id"] for line in run.lines(name)}


def repaired(run: Run) -> set[str]:
    reports = [line["data"]["repaired"] for line in run.lines("sync_report")]
    return {word.removeprefix("booked ") for words in reports for word in words}


def test_lost_fills_are_found_and_booked(tmp_path: Path) -> None:
    """Each is told by a report with evidence; in the end both accounts are the same."""
    done = Process(tmp_path, *WORDS, "--speed", "max", program=FAULTY).end()
    run = done.run
    last = run.lines("venue_snapshot")[-1]["data"]
    lost = repaired(run)

    assert 0 == done.code
    assert lost
    assert lost <= told(run, "fill") - told(run, "venue_fill")
    assert any(line["data"]["evidence_ref"] for line in run.lines("fsm_transition"))
    assert run.report()["errors"]["missing_fill"] == len(lost)
    assert [] == last["positions"]
    assert Decimal(last["balance"]) == Decimal(str(run.lines("heartbeat")[-1]["data"]["balance"]))
    assert "identical" in Process(tmp_path, "replay", "latest").end().out


def test_such_a_session_is_resumed_as_if_nothing_had_happened(tmp_path: Path) -> None:
    """Pictures, doubts and repairs are made again line by line."""
    whole = Process(tmp_path / "a", *WORDS, "--speed", "max", program=FAULTY).end()
    process = Process(tmp_path / "b", *WORDS, "--speed", "60", program=FAULTY)
    process.until(lambda: b'"type":"sync_report"' in process.run.raw())
    process.send(signal.SIGKILL)
    process.end()
    torn = Process(tmp_path / "b", "--headless", "-q", "--resume", program=FAULTY).end()

    assert 0 == torn.code
    for figure in ("equity", "pnl", "trades", "orders"):
        assert whole.run.report()[figure] == torn.run.report()[figure]
