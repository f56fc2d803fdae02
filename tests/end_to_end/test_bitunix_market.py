"""Paper sessions on Bitunix's protocol: the sandbox in one process, the session in another."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from tests.end_to_end.shell import ROOT, Process, session
from tests.end_to_end.test_live_market import free_port
from tests.end_to_end.warm import Warm

PATIENCE_S = 20.0
SYMBOLS = ("--symbols", "BTCUSDT,ETHUSDT")
SOURCE = ("--source", "bitunix", *SYMBOLS)


@contextlib.contextmanager
def sandbox(port: int = 0) -> Iterator[list[str]]:
    """A running sandbox; yields the settings it announces as words of a command line."""
    program = ("sandbox", "bitunix", *SYMBOLS, "--events-per-s", "100", "--port", str(port))
    process = Warm(program, {"PATH": os.environ["PATH"]}, says=False)
    said: list[str] = []
    while not said or not said[-1].startswith("faults: "):
        said.append(process.stdout.readline().strip())
        assert said[-1], said
    try:
        yield [w for line in said if line.startswith("bitunix.") for w in ("--set", line)]
    finally:
        process.send_signal(signal.SIGINT)
        assert 0 == process.wait(PATIENCE_S)
        process.close()


def test_a_session_trades_on_it_and_replays(tmp_path: Path) -> None:
    """Quotes, prints, funding and whole books; the journal alone makes the same decisions again."""
    with sandbox() as urls:
        ending = session(tmp_path, "--duration", "0.1", *SOURCE, *urls)

    report = ending.run.report()
    assert (0, "duration") == (ending.code, report["stop_reason"])
    assert report["simulated"] is False
    assert 0 == report["malformed_ticks"]
    for kind in ("quote", "depth", "trade", "funding"):
        assert {"BTCUSDT", "ETHUSDT"} == {
            line["data"]["symbol"] for line in ending.run.lines(kind)
        }, kind
    assert all(line["data"]["is_snapshot"] for line in ending.run.lines("depth"))
    assert ending.run.lines("order_submitted")
    again = Process(tmp_path, "replay").end()
    assert (0, True) == (again.code, "identical" in again.out)


def test_a_venue_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    """The gap is in the report, and trading goes on by itself."""
    port = free_port()
    with sandbox(port) as urls:
        process = Process(tmp_path, "--headless", "--duration", "5", *SOURCE, *urls)
        process.until_trading()
    process.until(lambda: b'"event":"FEED_DISCONNECTED"' in process.run.raw())
    with sandbox(port):
        process.until(lambda: b'"event":"RECOVERED"' in process.run.raw(), 40.0)
        process.send(signal.SIGTERM)
        ending = process.end()

    assert 4 == ending.code
    assert {"bitunix.public"} == {gap["source"] for gap in ending.run.report()["data_gaps"]}


def test_a_recorded_market_plays_back(tmp_path: Path) -> None:
    """With the venue's own steps; every quote of the table is in the raw files."""
    to = tmp_path / "recorded"
    with sandbox() as urls:
        words = ("--duration", "0.08", "--to", str(to))
        ending = Process(tmp_path, "record", *SOURCE, *urls, *words).end()
    assert 0 == ending.code
    assert "0 breaks, 0 malformed" in ending.out

    played = session(tmp_path, "--source", f"file:{to}/raw", "--speed", "max")
    assert (0, "end_of_data") == (played.code, played.run.report()["stop_reason"])
    assert {} == played.run.report()["errors"]
    quotes = played.run.lines("quote")
    assert {"BTCUSDT", "ETHUSDT"} == {line["data"]["symbol"] for line in quotes}
    (first,) = played.run.lines("session_started")
    rules = {item["symbol"]: item for item in first["data"]["instruments"]}
    assert Decimal("0.1") == Decimal(rules["BTCUSDT"]["tick_size"])
    assert 20 == rules["BTCUSDT"]["max_leverage"]


def test_a_venue_that_is_not_there_is_simulated_loudly(tmp_path: Path) -> None:
    """On standard error, in manifest and report."""
    ending = session(
        tmp_path, "--duration", "0.02", *SOURCE, "--set", "session.fallback_after_s=0.6",
        "--set", f"bitunix.rest_url=http://127.0.0.1:{free_port()}",
    )  # fmt: skip

    assert 0 == ending.code
    assert "bitunix can't be reached" in ending.err
    assert "mock market, SIMULATED" in ending.err
    assert ending.run.report()["simulated"] is True
    manifest = json.loads((ending.run.path / "manifest.json").read_text())
    assert ("mock", True) == (manifest["source"], manifest["simulated"])


def test_it_is_the_source_of_a_session_that_names_none(tmp_path: Path) -> None:
    """Where it can't be reached, the invented market takes its place, and says so in time."""
    words = ("--headless", "--duration", "0.02", "--set", "session.fallback_after_s=1")
    nowhere = ("--set", f"bitunix.rest_url=http://127.0.0.1:{free_port()}")
    began_s = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "laptop_agents", *words, *nowhere],
        cwd=ROOT, env={"PATH": os.environ["PATH"], "LAPTOP_AGENTS_HOME": str(tmp_path)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert 0 == ended.returncode, ended.stderr
    assert "bitunix can't be reached" in ended.stderr
    assert "mock market, SIMULATED" in ended.stderr
    assert time.monotonic() - began_s < 20
    (run,) = (path for path in (tmp_path / "runs").iterdir() if not path.is_symlink())
    manifest = json.loads((run / "manifest.json").read_text())
    assert ("mock", True, ["BTCUSDT"]) == (
        manifest["source"], manifest["simulated"], manifest["symbols"],
    )  # fmt: skip
