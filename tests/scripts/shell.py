"""The operator's scripts as a person runs them: real bash, real sessions, a home of their own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.end_to_end.shell import ROOT, Run

SCRIPTS = ROOT / "scripts"
BUSY = ("--set", "agents.quoter.half_spread_bps=0.5", "--speed", "20")
"""Trades within a second of wall time."""


class Done(NamedTuple):
    """How a script ended."""

    code: int
    out: str
    err: str


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return what a script sees: this program in PATH, a home of its own, no pause to restart."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {
        "PATH": path,
        "LAPTOP_AGENTS_HOME": str(home),
        "LAPTOP_AGENTS_SOURCE": "mock",
        "RESTART_WAIT_S": "0",
        **more,
    }


def script(home: Path, name: str, *words: str, **env: str) -> Done:
    """Run a script to its end."""
    return Script(home, name, *words, **env).end()


class Script:
    """A script that is running."""

    def __init__(self, home: Path, name: str, *words: str, **env: str) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [SCRIPTS / name, *words],
            env=environment(home, **env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @property
    def run(self) -> Run:
        """Return the run it writes."""
        return Run((self.home / "runs" / "latest").resolve())

    def session(self) -> psutil.Process:
        """Return the session it runs."""
        return next(
            child
            for child in psutil.Process(self.process.pid).children()
            if any("laptop-agents" in word for word in child.cmdline())
        )

    def until_trading(self) -> None:
        """Wait until its session has a fill."""
        self.until(lambda: b'"type":"fill"' in (self.run.path / "events.jsonl").read_bytes())

    def until(self, holds: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait for something, at most so long, and not past the script's own end."""
        deadline = time.monotonic() + seconds
        while not _is_true(holds):
            assert time.monotonic() < deadline, "waited in vain"
            assert self.process.poll() is None, f"it ended: {self.process.communicate()}"
            time.sleep(0.01)

    def end(self, seconds: float = 60.0) -> Done:
        """Wait for the end; no trace ever reaches a person."""
        try:
            out, err = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        assert "Traceback" not in out + err
        return Done(self.process.returncode, out, err)


def _is_true(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    except FileNotFoundError:
        return False
