"""A program on a pseudo-terminal, and what a person would see on it."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyte

from tests.end_to_end.shell import ROOT, Run
from tests.end_to_end.warm import Asked, Fork, may_be_warm

READ_BYTES = 65_536
POLL_S = 0.05
DRAWN_MAX = 50_000
"""Cells."""


class Terminal:
    """One command with a terminal of its own as its controlling one."""

    def __init__(
        self, home: Path, *words: str, size: tuple[int, int] = (80, 24), **env: str
    ) -> None:
        self.home = home
        columns, rows = size
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        self._master, slave = pty.openpty()
        self.resize(columns, rows)
        surroundings = {
            "PATH": os.environ["PATH"], "LAPTOP_AGENTS_HOME": str(home), "LAPTOP_AGENTS_SOURCE": "mock", "TERM": "xterm-256color",
            "LANG": "C.UTF-8", **env,
        }  # fmt: skip
        self.process = started(words, surroundings, slave)
        os.close(slave)

    @property
    def run(self) -> Run:
        return Run(self.home / "runs" / "latest")

    def text(self) -> str:
        """What stands on the terminal now."""
        self._read()
        return "\n".join(self._screen.display)

    def until(self, holds: Callable[[str], bool], seconds: float = 30.0) -> str:
        """Wait for something to stand there, at most so long; return all that stands."""
        deadline = time.monotonic() + seconds
        while not holds(text := self.text()):
            assert time.monotonic() < deadline, f"waited in vain:\n{text}"
            select.select([self._master], [], [], POLL_S)
        return text

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size; one beyond any wall of screens is read and not drawn."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._is_drawn = columns * rows <= DRAWN_MAX
        if self._is_drawn:
            self._screen.resize(rows, columns)

    def end(self, seconds: float = 30.0) -> int:
        """Wait for the end of the program, reading what it writes, and return its exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"still there:\n{self.text()}"
            self._read()
            select.select([self._master], [], [], POLL_S)
        self._read()
        return self.process.returncode

    def hang_up(self) -> None:
        """Close the terminal under the program."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        """Leave nothing of it behind, nor of the engine it started."""
        for run in (self.home / "runs").glob("2*"):
            (run / "kill.txt").touch()
        if self._master >= 0:
            with contextlib.suppress(AssertionError):
                self.end(5.0)
            os.close(self._master)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(5.0)

    def _read(self) -> None:
        while select.select([self._master], [], [], 0)[0]:
            try:
                data = os.read(self._master, READ_BYTES)
            except OSError:  # the other side is closed
                return
            if not data:
                return
            self.raw += data
            if self._is_drawn:
                self._stream.feed(data)


def started(
    words: Sequence[str], env: Mapping[str, str], slave: int
) -> "Fork | subprocess.Popen[bytes]":
    """Start the program on a terminal."""
    if may_be_warm(env):
        return Fork(Asked(words, env, str(ROOT), has_terminal=True), (slave, slave, slave))
    return subprocess.Popen(
        [sys.executable, "-m", "laptop_agents", *words],
        cwd=ROOT, env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one thread
    )  # fmt: skip
