"""run_autonomous.sh: what it starts, what it starts again, and what it leaves alone."""

import json
import os
import signal
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.scripts.shell import BUSY, Script, script

NAME = "run_autonomous.sh"
BUG = """
from engine.session.record import SessionRecord

def beat(*_):
    raise ZeroDivisionError

SessionRecord.beat = beat
"""
"""A defect of ours, in the running session."""


def resumed(started: Script) -> int:
    return len(started.run.lines("session_resumed"))


def test_the_environment_becomes_options(tmp_path: Path) -> None:
    """DURATION and the rest, with further words behind them; the run that is named is the run."""
    started = Script(
        tmp_path, NAME, "--seed", "7", "-q",
        DURATION="0.02", PROFILE="scalp", SYMBOLS="ETHUSDT", SOURCE="mock", AGENTS="quoter",
    )  # fmt: skip
    done = started.end()
    manifest = json.loads((started.run.path / "manifest.json").read_text())

    assert (0, f"run {started.run.path.name}\n") == (done.code, done.err)
    assert (["ETHUSDT"], ["quoter"], 7) == (
        manifest["symbols"], manifest["agents"], manifest["seed"],
    )  # fmt: skip
    assert "scalp" == manifest["settings"]["profile"]["value"]
    assert Decimal("1.2") == started.run.report()["requested_duration_s"]


def test_a_crash_is_taken_up(tmp_path: Path) -> None:
    """By SIGKILL: the same run goes on and ends as planned, exit 0."""
    started = Script(tmp_path, NAME, *BUSY, DURATION="0.3")
    started.until_trading()
    started.session().kill()
    done = started.end()

    assert 0 == done.code
    assert 1 == resumed(started)
    assert f"crashed (exit 137), resuming {started.run.path.name}: 1 of 3" in done.err
    assert 0 == script(tmp_path, "validate_session.sh").code


def test_a_folder_of_its_own_is_resumed_too(tmp_path: Path) -> None:
    """RUN_DIR, and only so many times."""
    started = Script(
        tmp_path, NAME, "-q", *BUSY, DURATION="5", RUN_DIR=str(tmp_path / "here"), RESTARTS="1"
    )
    started.until_trading()
    started.session().kill()
    started.until(lambda: 1 == resumed(started))
    started.session().kill()
    done = started.end()

    assert 137 == done.code
    assert "1 of 1" in done.err
    assert 1 == resumed(started)
    assert started.run.path == tmp_path / "here"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_a_stop_is_passed_on_once(
    tmp_path: Path, number: signal.Signals, send: Callable[[int, int], None]
) -> None:
    """To the script alone, or to its group as a terminal does: a graceful close and no crash."""
    started = Script(tmp_path, NAME, *BUSY, DURATION="5")
    started.until_trading()
    send(started.process.pid, number)
    done = started.end()
    report = started.run.report()

    assert 4 == done.code
    assert ("signal", []) == (report["stop_reason"], report["positions_at_end"])
    told = [line["data"]["argument"] for line in started.run.lines("operator_command")]
    assert [number.name] == told
    assert "resuming" not in done.err


def test_a_kill_file_bars_the_restart(tmp_path: Path) -> None:
    """Also one that only the first start was told of."""
    stop = tmp_path / "stop"
    started = Script(tmp_path, NAME, *BUSY, "--kill-file", str(stop), DURATION="5")
    started.until_trading()
    session = started.session()
    session.suspend()  # so that it can't obey: it is the restart that has to
    stop.touch()
    session.kill()
    done = started.end()

    assert 4 == done.code
    assert f"the kill file {stop} exists" in done.err
    assert 0 == resumed(started)
    assert stop.exists()


def test_a_bug_that_ended_the_run_keeps_its_code(tmp_path: Path) -> None:
    """Exit 1: a resume is tried; where the run has ended for good, the bug is what is told."""
    (tmp_path / "sitecustomize.py").write_text(BUG)
    done = script(tmp_path / "home", NAME, "-q", DURATION="1", PYTHONPATH=str(tmp_path))

    assert 1 == done.code
    assert "crashed (exit 1), resuming" in done.err
    assert "nothing to resume" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "risk.max_los_pct=1"), "did you mean"),
        (("--duration", "1"), "--duration"),
        (("--resume",), "set RUN_DIR instead"),
        (("--run-dir=x",), "set RUN_DIR instead"),
    ],
)
def test_refusals_pass_through(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Exit 2 is no crash: nothing starts, and nothing starts again."""
    done = script(tmp_path, NAME, *words, DURATION="2")

    assert 2 == done.code
    assert said in done.err
    assert "resuming" not in done.err
    assert not (tmp_path / "runs").exists()
