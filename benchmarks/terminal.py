"""A program on a pseudo-terminal, as cheap as can be: bytes are counted and searched, not drawn."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil

ROOT: Final = Path(__file__).parents[1]
READ_BYTES: Final = 256 * 1024
FRAME: Final = b"Quotes"
"""The first pane's title: the first paint has it."""
KEPT_BYTES: Final = 1024 * 1024
"""Of what was written last; enough to find a frame in."""


class Terminal:
    """One command with a terminal of its own."""

    def __init__(
        self, words: list[str], env: Mapping[str, str], *, columns: int = 120, rows: int = 40
    ) -> None:
        self.began_s = time.monotonic()
        self.bytes = 0
        self.painted_s = 0.0
        """When the first frame came, monotonic seconds."""
        self._kept = b""
        self._master, slave = pty.openpty()
        self.resize(columns, rows)
        surroundings = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", *words],
            cwd=ROOT,
            env={**surroundings, "TERM": "xterm-256color", "LANG": "C.UTF-8", **env},
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - as a shell does
        )  # fmt: skip
        os.close(slave)

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size; the program gets its signal."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def read(self, seconds: float) -> bool:
        """Take what is written next, waiting at most so long; say whether anything was."""
        if not select.select([self._master], [], [], max(0.0, seconds))[0]:
            return False
        with contextlib.suppress(OSError):
            data = os.read(self._master, READ_BYTES)
            self.bytes += len(data)
            self._kept = (self._kept + data)[-KEPT_BYTES:]
            if not self.painted_s and FRAME in self._kept:  # a read may end within it
                self.painted_s = time.monotonic()
        return True

    def read_for(self, seconds: float) -> None:
        """Take everything for so long."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            self.read(left_s)

    def until(self, word: bytes, seconds: float = 30.0) -> float:
        """Read until a word is written that was not before; return when, monotonic seconds."""
        until_s = time.monotonic() + seconds
        while word not in self._kept:
            if time.monotonic() > until_s or self.process.poll() is not None:
                raise TimeoutError(f"{word!r} was never painted: {self._kept[-500:]!r}")
            self.read(0.5)
        return time.monotonic()

    @property
    def last_words(self) -> str:
        """What was written last."""
        return self._kept[-500:].decode(errors="replace")

    def forget(self) -> None:
        """Search only what comes from now on."""
        self._kept = b""

    def cpu_s(self) -> float:
        """Processor time of the program, without its children."""
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)

    def rss_mb(self) -> float:
        """Memory that the program holds."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    def close(self) -> None:
        """Hang up, and see it off."""
        os.close(self._master)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5.0)
        self.process.kill()
        self.process.wait()
