"""The last line of defense: each way to end, and the exit code it must give."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from engine.model.errors import (
    CredentialsRefused,
    DataUnavailable,
    IdentityBroken,
    StateDamaged,
    StateHeld,
    UsageError,
)
from laptop_agents import __main__ as program
from laptop_agents import cli

ENDINGS = [
    # what the command raises, exit code, is it a bug of ours?
    (UsageError("no"), 2, False),
    (DataUnavailable("no"), 5, False),
    (StateDamaged("no"), 6, False),
    (CredentialsRefused("no"), 7, False),
    (StateHeld("no"), 8, False),
    (KeyboardInterrupt(), 4, False),
    (IdentityBroken("books"), 1, True),
    (ZeroDivisionError("inside"), 1, True),
    (RecursionError("deep"), 1, True),
    (SystemExit(3), 3, False),
]


@pytest.mark.parametrize(("ending", "code", "is_bug"), ENDINGS)
def test_ending(
    ending: BaseException,
    code: int,
    is_bug: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No traceback reaches the user; a bug leaves its trace in a private file."""

    def command(_: object) -> int:
        raise ending

    monkeypatch.setattr(cli, "run", command)
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(tmp_path / "home"))

    assert code == program.main([])

    said = capsys.readouterr().err
    log = tmp_path / "home" / "crash.log"
    assert "Traceback" not in said
    assert is_bug is log.exists()
    if is_bug:
        assert str(log) in said
        assert "Traceback" in log.read_text()
        assert 0o600 == stat.S_IMODE(log.stat().st_mode)


def test_a_bug_without_a_home_still_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """When even the trace can't be kept, the user is told so."""

    def command(_: object) -> int:
        raise ZeroDivisionError

    (tmp_path / "home").touch()
    monkeypatch.setattr(cli, "run", command)
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(tmp_path / "home"))

    assert 1 == program.main([])
    assert "its trace could not be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"), [("--headless --duration 0.02 --speed max", 0), ("--set x=1", 2)]
)
def test_streams_the_caller_closed(words: str, code: int, tmp_path: Path) -> None:
    """Nobody listens: the ending is the same, and no file of ours becomes stderr."""
    command = f"exec {sys.executable} -m laptop_agents {words} <&- >&- 2>&-"
    environment = os.environ | {"LAPTOP_AGENTS_HOME": str(tmp_path)}

    assert code == subprocess.run(["sh", "-c", command], env=environment, check=False).returncode
    for journal in tmp_path.glob("runs/*/events.jsonl"):
        assert all(line.startswith('{"v":1,') for line in journal.read_text().splitlines())


def test_a_signal_that_python_swallows_comes_again() -> None:
    """As one that meets a callback of a weak reference, of which every import has some."""
    code = """
import os, signal, sys, time, weakref
from laptop_agents import __main__ as program, cli
class Thing: pass
def run(_):
    thing = Thing()
    kept = weakref.ref(thing, lambda _: (os.kill(os.getpid(), signal.SIGHUP), time.sleep(0.05)))
    del thing
    print("still here", flush=True)
    time.sleep(30)
    return 0
cli.run = run
sys.exit(program.main([]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )

    assert "still here" in done.stdout
    assert program.STOPPED_BY_OPERATOR == done.returncode, done.stderr
