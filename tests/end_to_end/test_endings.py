"""Every way a session can end, with the exit code of interface.md."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.end_to_end.shell import ROOT, Process, Run, break_in_chain, session

FRESH = pytest.mark.usefixtures("fresh_interpreters")
"""What happens while a program starts is a matter of its own imports too."""

BUSY = (
    "--headless", "--duration", "5", "--symbols", "BTCUSDT",
    "--set", "agents.quoter.half_spread_bps=0.5",
)  # fmt: skip


def assert_closed(run: Run, reason: str, code: int) -> None:
    """Flat, no order left, and told so everywhere."""
    report = run.report()
    assert (reason, code, []) == (
        report["stop_reason"], report["exit_code"], report["positions_at_end"],
    )  # fmt: skip
    assert break_in_chain(run.raw()) is None
    last = run.lines("session_ended")[0]["data"]
    assert (reason, code, 0) == (last["stop_reason"], last["exit_code"], last["open_orders"])
    assert {} == last["positions"]


@FRESH
def test_as_planned(tmp_path: Path) -> None:
    """In real time: 3 seconds are 3 seconds; exit 0."""
    began = time.monotonic()
    done = session(tmp_path, "--duration", "0.05")
    took = time.monotonic() - began

    assert 0 == done.code
    assert 3.0 <= took < 7.0
    assert_closed(done.run, "duration", 0)
    assert 2 <= len(done.run.lines("heartbeat")) <= 4


@pytest.mark.parametrize("where", ["home", "run", "option"])
def test_a_kill_file(tmp_path: Path, where: str) -> None:
    """Within a second: exit 4, flat; the file is never deleted."""
    home = tmp_path / "home"
    extra = tmp_path / "stop-it"
    process = Process(home, *BUSY, "--kill-file", str(extra))
    process.until_trading()
    kill = {"home": home / "kill.txt", "run": process.run.path / "kill.txt", "option": extra}[where]
    kill.touch()
    began = time.monotonic()
    done = process.end(10)
    took = time.monotonic() - began

    assert 4 == done.code
    assert took < 1.5
    assert kill.exists()
    assert_closed(done.run, "kill_file", 4)
    told = done.run.lines("operator_command")[0]["data"]
    assert ("kill", "kill_file", str(kill.resolve())) == (
        told["command"], told["by"], str(Path(told["argument"]).resolve()),
    )  # fmt: skip


@FRESH
def test_a_kill_is_answered_within_a_second(tmp_path: Path) -> None:
    """From the command to the last cancel and the flat book, in event time at real speed."""
    process = Process(tmp_path, *BUSY)
    process.until(lambda: b'"type":"fill"' in process.run.raw(), 40)
    (tmp_path / "kill.txt").touch()
    run = process.end(10).run

    asked = run.lines("operator_command")[0]["ts"]
    gone = [line["ts"] for line in run.lines("order_pending_cancel") if line["ts"] >= asked]
    assert all(ts - asked < 1_000_000_000 for ts in gone)
    assert run.lines("session_ended")[0]["ts"] - asked < 1_000_000_000


@FRESH
@pytest.mark.parametrize("kind", ["home", "option", "link"])
def test_a_kill_file_that_is_there_before(tmp_path: Path, kind: str) -> None:
    """Refused, nothing written."""
    home, extra = tmp_path / "home", tmp_path / "stop-it"
    home.mkdir(0o700)
    match kind:
        case "home":
            (home / "kill.txt").write_text("stop")
        case "link":
            (home / "kill.txt").symlink_to(tmp_path / "nowhere")
        case _:
            extra.touch()
    done = session(home, "--duration", "0.05", "--kill-file", str(extra))

    assert 4 == done.code
    assert "kill file" in done.err
    assert not (home / "runs").exists()


def test_a_kill_file_in_the_run_folder_that_is_there_before(tmp_path: Path) -> None:
    """interface.md: created at any time, even before start; refused, and said so."""
    target = tmp_path / "run"
    target.mkdir(0o700)
    (target / "kill.txt").touch()
    done = session(tmp_path / "home", "--duration", "0.05", "--run-dir", str(target))

    assert 4 == done.code
    assert "kill" in done.err
    assert ["kill.txt"] == [path.name for path in target.iterdir()]


@FRESH
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """Graceful, flat, exit 4."""
    process = Process(tmp_path, *BUSY)
    process.until_trading()
    process.send(number)
    done = process.end(10)

    assert 4 == done.code
    assert_closed(done.run, "signal", 4)
    assert number.name == done.run.lines("operator_command")[0]["data"]["argument"]


def test_the_second_signal_is_immediate(tmp_path: Path) -> None:
    """A venue that takes seconds to answer does not hold up who insists."""
    slow = [
        word for leg in ("cancel", "submit") for word in ("--set", f"paper.{leg}_latency_ms=4000")
    ]
    process = Process(tmp_path, *BUSY, *slow)
    process.until(lambda: b'"type":"order_submitted"' in process.run.raw())
    process.send(signal.SIGTERM)
    process.until(lambda: b'"type":"operator_command"' in process.run.raw())
    began = time.monotonic()
    process.send(signal.SIGTERM)
    done = process.end(10)

    assert time.monotonic() - began < 1.0
    assert 4 == done.code
    assert "signal" == done.run.report()["stop_reason"]
    assert break_in_chain(done.run.raw()) is None


def test_a_graceful_close_takes_at_most_its_deadline(tmp_path: Path) -> None:
    """Five seconds and no more, told as it is when the venue stays silent."""
    slow = ("--set", "paper.submit_latency_ms=60000", "--set", "session.close_deadline_s=1")
    process = Process(tmp_path, *BUSY, *slow)
    process.until(lambda: b'"type":"order_submitted"' in process.run.raw())
    process.send(signal.SIGTERM)
    began = time.monotonic()
    done = process.end(10)

    assert time.monotonic() - began < 2.5
    assert 1 == done.code


def test_a_loss_limit(tmp_path: Path) -> None:
    """Exit 3, flat."""
    done = session(
        tmp_path, "--duration", "10", "--speed", "max", "--set", "risk.max_loss_pct=0.01",
        "--set", "agents.quoter.half_spread_bps=0.1",
    )  # fmt: skip

    assert 3 == done.code
    assert_closed(done.run, "max_loss", 3)
    breakers = done.run.report()["breakers"]
    assert "max_loss_pct" in {b["breaker"] for b in breakers}


def test_a_number_of_trades(tmp_path: Path) -> None:
    """Exit 3 after the third; closing may add some."""
    done = session(
        tmp_path, "--duration", "10", "--speed", "max", "--set", "risk.max_trades=3",
        "--set", "agents.quoter.half_spread_bps=0.1",
    )  # fmt: skip

    assert 3 == done.code
    assert_closed(done.run, "max_trades", 3)
    asked = next(
        t["ts"] for t in done.run.lines("fsm_transition") if t["data"]["event"] == "MAX_TRADES"
    )
    assert 3 == sum(line["ts"] <= asked for line in done.run.lines("fill"))


def test_a_throttle(tmp_path: Path) -> None:
    """One order a minute: the rest is blocked, by name, and never leaves."""
    done = session(
        tmp_path, "--duration", "2", "--speed", "max", "--max-orders-per-minute", "1",
        "--set", "agents.quoter.half_spread_bps=0.5",
    )  # fmt: skip

    report = done.run.report()
    sent = [
        line["ts"] for line in done.run.lines("order_submitted") if line["data"]["agent"] != "house"
    ]
    assert 0 == done.code
    assert report["orders"]["blocked"]["throttle"] > 0
    assert all(b - a >= 60_000_000_000 for a, b in itertools.pairwise(sent))


def test_a_simulated_session_says_so(tmp_path: Path) -> None:
    """Invented prices are marked on every line a person reads."""
    done = session(tmp_path, "--duration", "0.05")

    beats = [line for line in done.err.splitlines() if "equity" in line and "orders" in line]
    assert beats
    assert all("SIMULATED" in line for line in beats)
    assert done.run.report()["simulated"] is True


def test_programs_get_json_alone(tmp_path: Path) -> None:
    """--json: every line of both streams is an object."""
    done = session(tmp_path, "--duration", "0.1", "--speed", "max", "--json")

    lines = [*done.err.splitlines(), *done.out.splitlines()]
    assert lines
    for line in lines:
        assert isinstance(json.loads(line), dict)


def test_quiet_says_nothing(tmp_path: Path) -> None:
    """-q: only what is wrong, and nothing was."""
    done = session(tmp_path, "--duration", "0.1", "--speed", "max", "-q")

    assert (0, "", "") == (done.code, done.out, done.err)


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--set", "risk.max_trades=1"), 3)])
def test_a_reader_that_left_does_not_matter(
    tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    """A closed stderr changes nothing but what is seen, the exit code least of all (F8)."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "laptop_agents", "--headless", "--duration", "2", "--speed", "max",
         "--set", "agents.quoter.half_spread_bps=0.1", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "LAPTOP_AGENTS_HOME": str(tmp_path), "LAPTOP_AGENTS_SOURCE": "mock"},
        stdout=subprocess.DEVNULL,
        stderr=writing,
        timeout=30,
        check=False,
    )  # fmt: skip
    os.close(writing)

    assert code == Run(tmp_path / "runs" / "latest").report()["exit_code"]
    assert code == done.returncode


def test_the_money_may_stay_where_it_is(tmp_path: Path) -> None:
    """flatten_on_stop=false: positions stay, and the report and the equity say so."""
    done = session(
        tmp_path, "--duration", "1", "--speed", "max", "--set", "session.flatten_on_stop=false",
        "--set", "agents.quoter.half_spread_bps=0.1",
    )  # fmt: skip

    report = done.run.report()
    assert 0 == done.code
    held = {p["symbol"]: Decimal(p["qty"]) for p in report["positions_at_end"]}
    fills = done.run.lines("fill")
    net = sum(Decimal(f["data"]["qty"]) * (1 if f["data"]["side"] == "BUY" else -1) for f in fills)
    assert held.get("BTCUSDT", Decimal(0)) == net


@FRESH
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_before_the_session_stands(tmp_path: Path, number: signal.Signals) -> None:
    """While it still imports, too, a signal is an operator's stop and not a crash."""
    process = Process(tmp_path, "--headless", "-q", "--duration", "1")
    process.until(lambda: b"laptop_agents" in process.mapped())
    process.send(number)

    assert process.end().code == 4


def test_a_close_that_runs_out_of_time_says_what_stays_open(tmp_path: Path) -> None:
    """Cancels take 20 s and the close has 5: neither "duration" nor exit 0 would be true."""
    done = session(
        tmp_path, "--duration", "1", "--speed", "max", "--seed", "3",
        "--set", "paper.cancel_latency_ms=20000", "--set", "agents.quoter.half_spread_bps=5",
    )  # fmt: skip
    last = done.run.lines("session_ended")[0]["data"]
    working = ", ".join(last["left_working"])

    report = done.run.report()
    assert ("shutdown_deadline", 1, 1) == (report["stop_reason"], report["exit_code"], done.code)
    assert ("duration", last["open_orders"]) == (last["asked"], report["errors"]["left_working"])
    assert last["left_working"]
    assert "shutdown_deadline (asked for by duration): equity" in done.err
    assert f"stays open: {last['open_orders']} orders ({working})" in done.err


def test_a_position_that_could_not_be_closed_is_told(tmp_path: Path) -> None:
    """Orders take longer to arrive than the close may last: the position is named."""
    done = session(
        tmp_path, "--duration", "1", "--speed", "max", "--set", "paper.submit_latency_ms=5500",
        "--set", "agents.quoter.half_spread_bps=0.1",
    )  # fmt: skip
    held = done.run.report()["positions_at_end"]

    assert "shutdown_deadline" == done.run.report()["stop_reason"]
    assert held
    assert f"{held[0]['qty']} BTCUSDT" in done.err
