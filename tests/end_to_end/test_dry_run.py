"""Dry runs in real processes beside each sandbox: live prices, signed requests, none of them sent."""

import json
import signal
import stat
from pathlib import Path

import pytest

from tests.end_to_end.shell import Process
from tests.end_to_end.test_live_trading import VENUES, Exchange, exchange


def dry_run(there: Exchange, home: Path, *words: str, has_key: bool = True) -> Process:
    return Process(
        home, "--headless", "--mode", "dry-run", "--source", there.venue,
        "--symbols", VENUES[there.venue], "--set", "agents.quoter.half_spread_bps=0.5",
        "--set", "risk.max_consecutive_losses=1000", *there.words, *words,
        **(there.surroundings if has_key else {}),
    )  # fmt: skip


@pytest.mark.timeout(180)
@pytest.mark.parametrize("venue", VENUES)
def test_a_dry_run_survives_a_crash_and_sends_nothing(venue: str, tmp_path: Path) -> None:
    """Killed, resumed, replayed; each placement of the journal is one signed request of the file."""
    with exchange(venue, tmp_path) as there:
        process = dry_run(there, tmp_path, "--duration", "0.2")
        process.until(lambda: len(process.run.lines_so_far("fill")) > 2)
        process.send(signal.SIGKILL)
        process._process.communicate()
        ending = Process(tmp_path, "--headless", "--resume", **there.surroundings).end()
        assert "" == there.ledger.read_text(), "the venue was told something"
    report = ending.run.report()
    assert (0, "dry-run", False) == (ending.code, report["mode"], report["simulated"]), ending.err
    path = ending.run.path / "requests.jsonl"
    text = path.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    placed = [line["order_id"] for line in lines if line["command"] == "place"]
    submitted = [line["data"]["order_id"] for line in ending.run.lines("order_submitted")]
    assert placed == submitted
    assert len(ending.run.lines("fill")) > 3
    assert not [line for line in lines if "refused" in line]
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert "<" in text
    assert not [value for value in there.surroundings.values() if value in text]
    again = Process(tmp_path, "replay").end()
    assert (0, True) == (again.code, "identical" in again.out), again.out + again.err


def test_a_dry_run_needs_a_key(tmp_path: Path) -> None:
    with exchange("binance", tmp_path) as there:
        ending = dry_run(there, tmp_path, has_key=False).end()
    assert (7, "no key for binance" in ending.err) == (ending.code, True), ending.err
    assert not ending.run.exists
