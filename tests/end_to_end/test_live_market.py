"""Paper sessions on a live market: the sandbox of a venue in one process, the session in another."""

import contextlib
import gzip
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from tests.end_to_end.shell import Process, session
from tests.end_to_end.warm import Warm

PATIENCE_S = 20.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextlib.contextmanager
def sandbox(
    port: int = 0, venue: str = "binance", settings: int = 3
) -> Iterator[tuple[Warm, list[str]]]:
    """A running sandbox, and the settings it announces as words of a command line."""
    symbols = "BTC,ETH" if venue == "hyperliquid" else "BTCUSDT,ETHUSDT"
    program = ("sandbox", venue, "--symbols", symbols, "--events-per-s", "100", "--port", str(port))
    process = Warm(program, {"PATH": os.environ["PATH"]}, says=False)
    said = [process.stdout.readline() for _ in range(1 + settings)]
    words = [word for line in said[1:] for word in ("--set", line.strip())]
    try:
        yield process, words
    finally:
        process.send_signal(signal.SIGINT)
        assert 0 == process.wait(PATIENCE_S)
        process.close()


def on_binance(*words: str) -> tuple[str, ...]:
    return ("--source", "binance", "--symbols", "BTCUSDT,ETHUSDT", *words)


def test_a_session_trades_on_a_live_market_and_replays(tmp_path: Path) -> None:
    """Real lines, real prints, books in sync; the journal alone makes the same decisions again."""
    with sandbox() as (_, urls):
        ending = session(tmp_path, "--duration", "0.1", *on_binance(*urls))

    report = ending.run.report()
    assert (0, "duration") == (ending.code, report["stop_reason"])
    assert report["simulated"] is False
    assert "SIMULATED" not in ending.err
    assert 0 == report["malformed_ticks"]
    assert {} == report["positions_at_end"] or [] == report["positions_at_end"]
    assert {"BTCUSDT", "ETHUSDT"} == {line["data"]["symbol"] for line in ending.run.lines("quote")}
    assert any(line["data"].get("is_snapshot") for line in ending.run.lines("depth"))
    assert ending.run.lines("order_submitted")
    stamps = [line["ts"] for line in ending.run.lines()]
    assert stamps == sorted(stamps)
    assert abs(stamps[0] / 1e9 - time.time()) < 120
    again = Process(tmp_path, "replay").end()
    assert 0 == again.code
    assert "identical" in again.out


def test_a_venue_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    """No new risk meanwhile, the gap is in the report, and trading goes on by itself."""
    port = free_port()
    with sandbox(port) as (_, urls):
        process = Process(tmp_path, "--headless", "--duration", "5", *on_binance(*urls))
        process.until_trading()
    process.until(lambda: b'"event":"FEED_DISCONNECTED"' in process.run.raw())
    with sandbox(port):
        process.until(lambda: b'"event":"RECOVERED"' in process.run.raw(), 40.0)
        process.send(signal.SIGTERM)
        ending = process.end()

    assert 4 == ending.code
    states = [line["data"]["to_state"] for line in ending.run.lines("fsm_transition")]
    assert "DEGRADED" in states
    lost, back = (
        next(
            line["seq"]
            for line in ending.run.lines("fsm_transition")
            if line["data"]["event"] == event
        )
        for event in ("FEED_DISCONNECTED", "RECOVERED")
    )
    new = [line for line in ending.run.lines("order_submitted") if lost < line["seq"] < back]
    assert all(line["data"]["reduce_only"] for line in new)
    assert {"binance.public", "binance.market"} == {
        gap["source"] for gap in ending.run.report()["data_gaps"]
    }
    assert 2 <= ending.run.report()["reconnects"]


def test_a_venue_that_is_not_there_is_simulated_loudly(tmp_path: Path) -> None:
    """On standard error, in manifest and report; replay knows what it really was."""
    ending = session(
        tmp_path, "--duration", "0.02", *on_binance("--set", "session.fallback_after_s=0.6"),
        "--set", f"binance.rest_url=http://127.0.0.1:{free_port()}",
    )  # fmt: skip

    assert 0 == ending.code
    assert "binance can't be reached" in ending.err
    assert "mock market, SIMULATED" in ending.err
    assert ending.run.report()["simulated"] is True
    manifest = json.loads((ending.run.path / "manifest.json").read_text())
    assert ("mock", True) == (manifest["source"], manifest["simulated"])
    assert "fallback: binance can't be reached" in str(manifest["settings"]["source"])
    assert 0 == Process(tmp_path, "replay").end().code


def test_a_symbol_the_venue_does_not_list(tmp_path: Path) -> None:
    """Is refused; the mock market is no answer to a typing error."""
    with sandbox() as (_, urls):
        ending = session(tmp_path, "--source", "binance", "--symbols", "BTCUSDX", *urls)

    assert 2 == ending.code
    assert "BTCUSDX" in ending.err
    assert "BTCUSDT" in ending.err
    assert not ending.run.exists


def test_a_kill_file_while_the_venue_is_silent(tmp_path: Path) -> None:
    """Ends a session at once, whatever its lines do."""
    with sandbox() as (venue, urls):
        process = Process(tmp_path, "--headless", "--duration", "5", *on_binance(*urls))
        process.until_trading()
        venue.send_signal(signal.SIGSTOP)
        (tmp_path / "kill.txt").touch()
        began_s = time.monotonic()
        ending = process.end(20)
        assert time.monotonic() - began_s < 8.0
        venue.send_signal(signal.SIGCONT)

    assert 4 == ending.code
    assert "kill" in ending.run.report()["stop_reason"]


def test_a_crash_on_a_live_market_is_resumed(tmp_path: Path) -> None:
    """Twice: what was recorded is made again, the pause counts for nothing, then it goes on."""
    with sandbox() as (_, urls):
        words = on_binance(*urls, "--set", "agents.quoter.half_spread_bps=0.5")
        process = Process(tmp_path, "--headless", "--duration", "0.2", *words)
        for pause_s in (0.0, 2.0):
            process.until_trading()
            seen = len(process.run.raw())
            process.until(lambda seen=seen: len(process.run.raw()) > seen + 100_000)  # noqa: B023
            process.send(signal.SIGKILL)
            process._process.communicate()
            time.sleep(pause_s)
            process = Process(tmp_path, "--headless", "--resume")
        ending = process.end()

    report = ending.run.report()
    assert (0, "duration") == (ending.code, report["stop_reason"]), ending.err
    assert [] == report["positions_at_end"]
    resumed = ending.run.lines("session_resumed")
    assert 2 == len(resumed)
    assert 2 * 10**9 < resumed[1]["data"]["paused_ns"] < 60 * 10**9
    paused_s = sum(line["data"]["paused_ns"] for line in resumed) / 1e9
    assert abs(float(report["duration_s"]) - paused_s - 12.0) < 1.5
    stamps = [line["ts"] for line in ending.run.lines()]
    assert stamps == sorted(stamps)
    again = Process(tmp_path, "replay").end()
    assert (0, True) == (again.code, "identical" in again.out), again.out + again.err


def test_a_resume_waits_for_its_market(tmp_path: Path) -> None:
    """With its venue away it says so and leaves the run to be resumed later."""
    port = free_port()
    with sandbox(port) as (_, urls):
        process = Process(tmp_path, "--headless", "--duration", "0.1", *on_binance(*urls))
        process.until_trading()
        process.send(signal.SIGKILL)
        process._process.communicate()
    refused = Process(tmp_path, "--headless", "--resume").end()
    assert 5 == refused.code
    assert "binance can't be reached" in refused.err
    with sandbox(port):
        ending = Process(tmp_path, "--headless", "--resume").end()

    assert 0 == ending.code, ending.err


def test_sandbox_refusals(tmp_path: Path) -> None:
    """An unknown venue, an unknown symbol, a port that is taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for words, said in (
            (("nasdaq",), "no sandbox of 'nasdaq': there is binance"),
            (("binance", "--symbols", "NOSUCHUSDT"), "NOSUCHUSDT"),
            (("binance", "--port", port), f"port {port} can't be had"),
        ):
            ending = Process(tmp_path, "sandbox", *words).end()
            assert 2 == ending.code
            assert said in ending.err


def test_a_recorded_market_plays_back(tmp_path: Path) -> None:
    """Raw as it came, quotes and trades as tables; the raw files are a source with books in sync."""
    to = tmp_path / "recorded"
    with sandbox() as (_, urls):
        words = on_binance(*urls, "--duration", "0.08", "--rotate-mb", "0.001", "--to", str(to))
        ending = Process(tmp_path, "record", *words).end()
    assert 0 == ending.code
    assert "0 breaks, 0 malformed" in ending.out
    assert f"--source file:{to}/raw" in ending.out
    assert len(list((to / "raw").iterdir())) >= 3

    played = session(tmp_path, "--source", f"file:{to}/raw", "--speed", "max")
    assert (0, "end_of_data") == (played.code, played.run.report()["stop_reason"])
    assert 0 == played.run.report()["malformed_ticks"]
    quotes = played.run.lines("quote")
    assert {"BTCUSDT", "ETHUSDT"} == {line["data"]["symbol"] for line in quotes}
    rows = [
        line.split(b",")
        for path in sorted((to / "csv").glob("BTCUSDT-quotes-*.gz"))
        for line in gzip.decompress(path.read_bytes()).splitlines()[1:]
    ]
    btc = [line["data"] for line in quotes if line["data"]["symbol"] == "BTCUSDT"]
    tick = Decimal("0.1")
    assert [Decimal(row[2].decode()) for row in rows] == [q["bid_ticks"] * tick for q in btc]


def test_two_venues_are_recorded_at_once(tmp_path: Path) -> None:
    """Each in its folder, of the symbols it lists; the tables alone are a source too."""
    to = tmp_path / "recorded"
    with sandbox() as (_, urls), sandbox(0, "hyperliquid", 2) as (_, more):
        words = ("--source", "binance,hyperliquid", "--symbols", "BTCUSDT,ETH", "--format", "jsonl")
        ending = Process(
            tmp_path, "record", *words, *urls, *more, "--duration", "0.06", "--to", str(to)
        ).end()
    assert 0 == ending.code
    assert 2 == ending.out.count("0 breaks, 0 malformed")
    for venue, symbol in (("binance", "BTCUSDT"), ("hyperliquid", "ETH")):
        played = session(tmp_path, "--source", f"file:{to}/{venue}/jsonl", "--speed", "max")
        assert (0, 0) == (played.code, played.run.report()["malformed_ticks"])
        assert {symbol} == {line["data"]["symbol"] for line in played.run.lines("quote")}
        (first,) = played.run.lines("session_started")
        assert [symbol] == [item["symbol"] for item in first["data"]["instruments"]]


def test_record_refusals(tmp_path: Path) -> None:
    """What is no live market, a venue that is not there, a folder that can't be."""
    (tmp_path / "file").touch()
    url = f"binance.rest_url=http://127.0.0.1:{free_port()}"
    for words, code, said in (
        (("--source", "mock"), 2, "record needs a live source: --source bitunix, binance"),
        (("--source", "binance,mock"), 2, "record needs a live source: --source bitunix, binance"),
        (("--source", "binance", "--format", "xls"), 2, "--format is one of csv, jsonl, parquet"),
        (("--source", "binance", "--set", url), 5, "binance can't be reached"),
        (("--source", "binance", "--to", str(tmp_path / "file")), 6, "can't record to"),
    ):
        ending = Process(tmp_path, "record", *words).end()
        assert code == ending.code
        assert said in ending.err
