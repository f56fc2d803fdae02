"""The sentinel: whatever becomes of the engine, nothing is left working at the venue."""

import json
import os
import signal
import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.end_to_end.shell import Process, Run, break_in_chain, session

QUOTING = (
    "--headless", "--duration", "5", "--agents", "quoter",
    "--set", "agents.quoter.half_spread_bps=0.1",
)  # fmt: skip


def trading(home: Path, *words: str) -> Process:
    """Start a session and wait until an order of its works at the venue."""
    process = Process(home, *QUOTING, *words)
    process.until(lambda: bool(process.run.working()))
    return process


def holding(home: Path, *words: str) -> Process:
    """Start a session and stop it, by SIGSTOP, while it holds a position and has an order out."""
    process = Process(home, *QUOTING, *words)
    while True:
        process.until(lambda: any(process.run.held().values()) and bool(process.run.working()), 60)
        process.send(signal.SIGSTOP)
        if any(process.run.held().values()) and process.run.working():
            return process
        process.send(signal.SIGCONT)


def settles(run: Run, seconds: float) -> float:
    """Wait until nothing works in the ledger; return how long that took."""
    began = time.monotonic()
    while run.working():
        assert time.monotonic() - began < seconds, run.working()
        time.sleep(0.005)
    return time.monotonic() - began


def counts(run: Run) -> list[float]:
    """Return how many sentinels the kernel was told of; a busy machine tells of its lag, too."""
    told = [line["data"] for line in run.lines("health")]
    return [x["reading"] for x in told if x["kind"] == "sentinel_count"]


def sentinel_pid(run: Run) -> int:
    return run.sentinel("sentinel_started")[-1]["data"]["pid"]


def test_a_stopped_engine_and_a_kill_file(tmp_path: Path) -> None:
    """Within a second nothing works and nothing is held; the terminal, file and report say so."""
    process = holding(tmp_path)
    run = Run(process.run.path.resolve())
    (tmp_path / "kill.txt").touch()

    assert settles(run, 1.0) < 1.0
    done = process.end()
    assert -signal.SIGKILL == done.code
    assert "sentinel: the engine did not obey the kill file; killed it after" in done.err
    assert "nothing is left" in done.err
    assert {Decimal(0)} == set(run.held().values())
    assert break_in_chain((run.path / "sentinel.jsonl").read_bytes()) is None
    assert (tmp_path / "kill.txt").exists()

    report = run.report()
    assert ("sentinel_kill", 4, []) == (
        report["stop_reason"], report["exit_code"], report["positions_at_end"],
    )  # fmt: skip
    fills = [line["data"] for line in run.sentinel("venue_fill")]
    assert ["sentinel-1"] == [f["order_id"] for f in fills if f["trade_id"] == f["order_id"]]
    assert report["trades"] == len({f["trade_id"] for f in fills})
    assert report["equity"] == report["starting_balance"] + report["pnl"]["net"]
    assert report["journal"]["head_hash"] == run.lines()[-1]["hash"]


def test_a_killed_run_is_never_resumed(tmp_path: Path) -> None:
    """Also once the kill file is gone: exit 2, and not a byte is added."""
    process = trading(tmp_path)
    run = Run(process.run.path.resolve())
    process.send(signal.SIGSTOP)
    (tmp_path / "kill.txt").touch()
    process.end()
    (tmp_path / "kill.txt").unlink()
    (run.path / "final_report.json").unlink()
    before = run.raw(), (run.path / "sentinel.jsonl").read_bytes()
    again = Process(tmp_path, "--headless", "--resume").end()

    assert 2 == again.code
    assert "over for good" in again.err
    assert before == (run.raw(), (run.path / "sentinel.jsonl").read_bytes())


def test_an_engine_that_somebody_else_killed(tmp_path: Path) -> None:
    """Its orders go, its position stays; the resumed session takes out the same orders."""
    process = trading(tmp_path, "--set", "sentinel.on_crash=cancel")
    run = Run(process.run.path.resolve())
    process.send(signal.SIGKILL)
    settles(run, 1.0)
    done = process.end()
    canceled = {line["data"]["order_id"] for line in run.sentinel("venue_canceled")}

    told = {line["data"]["order_id"] for line in run.lines("order_submitted")}
    assert {line["order_id"] for line in run.ledger() if "state" in line} <= told
    assert "sentinel: the engine died; canceled" in done.err
    assert canceled
    assert not (run.path / "final_report.json").exists()

    again = Process(tmp_path, "--headless", "-q", "--resume")
    again.until(lambda: bool(run.lines_so_far("session_resumed")))
    again.until(
        lambda: canceled <= {x["data"]["order_id"] for x in run.lines_so_far("venue_canceled")}
    )
    again.send(signal.SIGTERM)
    assert 4 == again.end().code
    asked = {x["data"]["argument"] for x in run.lines("operator_command")
             if x["data"]["by"] == "sentinel"}  # fmt: skip
    assert asked <= canceled
    assert break_in_chain(run.raw()) is None


@pytest.mark.parametrize("is_stopped", [True, False])
def test_a_kill_file_that_vanishes_still_counts(tmp_path: Path, is_stopped: bool) -> None:
    """It need not live for a tenth of a millisecond; an engine that can closes by itself."""
    process = trading(tmp_path)
    run = Run(process.run.path.resolve())
    if is_stopped:
        process.send(signal.SIGSTOP)
    (tmp_path / "kill.txt").touch()
    (tmp_path / "kill.txt").unlink()
    settles(run, 1.0)
    done = process.end(10)

    assert (-signal.SIGKILL if is_stopped else 4) == done.code
    assert ("sentinel_kill" if is_stopped else "kill_file") == run.report()["stop_reason"]
    assert 1 == len(run.sentinel("kill_seen"))


def test_a_kill_path_that_cannot_be_read(tmp_path: Path) -> None:
    """What can't be looked at might be there (D3)."""
    place = tmp_path / "place"
    place.mkdir()
    process = trading(tmp_path / "home", "--kill-file", str(place / "stop"))
    run = Run(process.run.path.resolve())
    process.send(signal.SIGSTOP)
    place.rmdir()
    place.touch()
    settles(run, 1.0)

    assert -signal.SIGKILL == process.end().code
    assert str(place / "stop") == run.sentinel("kill_seen")[0]["data"]["path"]


def test_an_engine_that_falls_silent(tmp_path: Path) -> None:
    """Without any kill file: after the limit it is killed, and closed down for good."""
    process = holding(tmp_path, "--set", "sentinel.deaf_after_s=0.5")
    run = Run(process.run.path.resolve())
    done = process.end()

    assert -signal.SIGKILL == done.code
    assert "decision loop was silent" in done.err
    assert ([], {Decimal(0)}) == (run.working(), set(run.held().values()))
    assert "sentinel_kill" == run.report()["stop_reason"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_sentinel_that_is_lost(tmp_path: Path, number: signal.Signals) -> None:
    """Noticed and told within a second or so, replaced once, and the session goes on."""
    process = trading(tmp_path)
    run = Run(process.run.path.resolve())
    first = sentinel_pid(run)
    os.kill(first, number)
    began = time.monotonic()
    process.until(lambda: len(counts(run)) >= 1, 5)
    noticed_s = time.monotonic() - began
    process.until(lambda: len(counts(run)) >= 2, 10)
    second = sentinel_pid(run)
    os.kill(second, signal.SIGKILL)
    process.until(lambda: len(counts(run)) >= 3, 5)
    process.send(signal.SIGTERM)
    done = process.end(10)

    assert noticed_s < 2.0
    assert first != second
    assert [0.0, 1.0, 0.0] == counts(run)
    assert 2 == len(run.sentinel("sentinel_started"))
    assert (4, "signal") == (done.code, run.report()["stop_reason"])
    assert "sentinel_count passed its limit" in done.err


def test_no_sentinel_no_session(tmp_path: Path) -> None:
    """One that does not come up in time: exit 2, and nothing was traded."""
    done = session(tmp_path, "--duration", "1", "--set", "sentinel.ready_s=0.001")

    assert 2 == done.code
    assert "sentinel.enabled=false" in done.err
    assert b"" == done.run.raw()


def test_a_session_in_simulated_time_has_none(tmp_path: Path) -> None:
    """It is over before anybody could act."""
    done = session(tmp_path, "--duration", "1", "--speed", "max")

    assert 0 == done.code
    assert {"sentinel.jsonl", "venue.ledger"}.isdisjoint(os.listdir(done.run.path))


def test_a_session_that_ends_by_itself_hears_nothing_of_it(tmp_path: Path) -> None:
    """The sentinel leaves with it, without a word."""
    done = session(tmp_path, "--duration", "0.03", "-q")

    assert (0, "") == (done.code, done.err)
    assert [] == done.run.working()
    ended = done.run.sentinel("sentinel_acted", "sentinel_ended")
    assert ["goodbye", 0] == [ended[0]["data"]["cause"], ended[1]["data"]["canceled"]]


def test_programs_get_json_of_the_sentinel_too(tmp_path: Path) -> None:
    """--json: its line is an object that says what was done."""
    process = trading(tmp_path, "--json", "--set", "sentinel.on_crash=cancel")
    process.send(signal.SIGKILL)
    told = [json.loads(line) for line in process.end().err.splitlines()]

    assert "sentinel_acted" == told[-1]["type"]
    assert told[-1]["canceled"]
    assert [] == told[-1]["left"]
