"""Programs that start at once: forks of a process that has the whole program loaded.

Each is a process of its own, with its own surroundings, streams and end, from
`laptop_agents.__main__.main` on. What it spares is Python's start and the imports, which are most
of what a short session costs. Tests of exactly these take `fresh_interpreters`, and whatever
the program starts itself (sentinels, engines, players) always is a new interpreter.

`python -m tests.end_to_end.warm` is the process that is forked; it goes with who started it.
"""

import atexit
import contextlib
import fcntl
import importlib
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import IO, Final, NamedTuple, NoReturn

from laptop_agents.__main__ import main
from laptop_agents.cli import COMMANDS

ROOT: Final = Path(__file__).parents[2]
REQUEST_BYTES: Final = 65_536
STREAMS: Final = 3
"""Descriptors of a program: 0, 1, 2."""
LOADED: Final = (
    "laptop_agents.running", "laptop_agents.settings", "brokers.binance.feed", "brokers.bitunix.feed",
    "brokers.hyperliquid.feed", "brokers.file.feed", "brokers.mock.feed", "uvloop", "structlog",
    "psutil",
)  # fmt: skip
"""What sessions load on their way, beside the commands themselves."""
NOT_LOADED: Final = ("textual",)
"""It looks at its surroundings while it is imported: a fork would have those of another."""
READ_BY_PYTHON: Final = ("PYTHON", "LC_", "LANG")
"""Variables the interpreter looks at once, before anything of ours runs."""
ITS_OWN: Final = ("LANG", "C.UTF-8")
"""The one of these that changes nothing: what Python takes the absence of any for."""

TURNS: Final = cycle((1, 2))
"""Of the processes that are forked: programs in a row differ in what Python draws when it starts,
the order of sets, as new interpreters do. Sessions that must be the same have to be in spite of it."""

is_fresh = False
"""Set by `fresh_interpreters`."""


def may_be_warm(env: Mapping[str, str]) -> bool:
    """Whether a fork is as good: not where the interpreter itself is told something."""
    told = (each for each in env.items() if each != ITS_OWN)
    return not is_fresh and not any(name.startswith(READ_BY_PYTHON) for name, _ in told)


class Asked(NamedTuple):
    """One program to start."""

    words: Sequence[str]
    env: Mapping[str, str]
    folder: str
    has_terminal: bool = False
    """Its streams are a terminal, which becomes its controlling one."""


class Fork:
    """A program that was forked; answers as `subprocess.Popen` does, and its streams are given."""

    def __init__(self, asked: Asked, streams: Sequence[int]) -> None:
        """Start it; the streams, standard input first, stay open here too."""
        self.returncode: int | None = None
        self._told, its_line = socket.socketpair()
        with its_line:
            fds = (*streams, its_line.fileno())
            socket.send_fds(template(next(TURNS)), [json.dumps(asked).encode()], fds)
        self._lines = self._told.makefile("r")
        self.pid = int(self._lines.readline())

    def poll(self) -> int | None:
        """Return how it ended, None while it runs."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self.returncode = int(self._lines.readline())
            self._told.close()
            self._lines.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: It goes on.
        """
        if self.returncode is None and not select.select([self._told], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("warm", timeout or 0.0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still is there."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it from outside."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class Warm(Fork):
    """One whose streams are pipes."""

    def __init__(
        self,
        words: Sequence[str],
        env: Mapping[str, str],
        *,
        folder: Path = ROOT,
        piped: str = "",
        says: bool = True,
    ) -> None:
        """Start it.

        Args:
            words: What follows the program's name.
            env: All of its surroundings.
            folder: Where it works.
            piped: What it finds on its standard input, less than a pipe holds.
            says: Whether its standard error is a pipe; else it is the one of who starts it.
        """
        (asks, its_in), (out, its_out), (err, its_err) = os.pipe(), os.pipe(), os.pipe()
        os.write(its_in, piped.encode())
        self.stdout, self.stderr = os.fdopen(out), os.fdopen(err)
        super().__init__(Asked(words, env, str(folder)), (asks, its_out, its_err if says else 2))
        for fd in (asks, its_in, its_out, its_err):
            os.close(fd)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Read its streams to their ends, and wait for its own.

        Raises:
            subprocess.TimeoutExpired: It goes on.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        read: dict[object, bytes] = {self.stdout: b"", self.stderr: b""}
        with selectors.DefaultSelector() as there:
            for stream in (self.stdout, self.stderr):
                if not stream.closed:
                    there.register(stream, selectors.EVENT_READ)
            while there.get_map():
                for key, _ in self._ready(there, deadline):
                    data = os.read(key.fd, REQUEST_BYTES)
                    read[key.fileobj] += data
                    if not data:
                        there.unregister(key.fileobj)
                        key.fileobj.close()  # type: ignore[union-attr]
        self.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return read[self.stdout].decode(), read[self.stderr].decode()

    def _ready(
        self, there: selectors.BaseSelector, deadline: float | None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        left = None if deadline is None else deadline - time.monotonic()
        found = there.select(left) if left is None or left > 0 else []
        if not found:
            raise subprocess.TimeoutExpired("warm", left or 0.0)
        return found

    def close(self) -> None:
        """Let go of its streams."""
        self.stdout.close()
        self.stderr.close()


def ran(
    words: Sequence[str], env: Mapping[str, str], piped: str = "", folder: Path = ROOT
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end, by a new interpreter where a fork would not be as good."""
    if not may_be_warm(env):
        return subprocess.run(
            [sys.executable, "-m", "laptop_agents", *words],
            cwd=folder, env=env, input=piped, capture_output=True, text=True, timeout=60.0, check=False,
        )  # fmt: skip
    program = Warm(words, env, piped=piped, folder=folder)
    out, err = program.communicate(60.0)
    return subprocess.CompletedProcess(list(words), program.wait(), out, err)


@cache
def template(number: int) -> socket.socket:
    """Return the line to a process that is forked; it starts with the first that asks."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.end_to_end.warm"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        stdin=its,
    )
    its.close()

    def leave() -> None:
        ours.close()
        process.wait(20.0)

    atexit.register(leave)
    return ours


# --- the process that is forked -------------------------------------------------------------------


def serve(requests: socket.socket) -> Asked | None:
    """Fork for each request, and tell how each fork ended.

    Returns:
        In a fork, what it shall be; None in the process that is forked, once nobody asks any more.
    """
    lines: dict[int, socket.socket] = {}
    woken, wakes = socket.socketpair()
    for end in (woken, wakes):
        end.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready = select.select([requests, woken], [], [])[0]
        if woken in ready:
            woken.recv(REQUEST_BYTES)
            tell_ends(lines)
        if requests in ready:
            request, fds, _, _ = socket.recv_fds(requests, REQUEST_BYTES, STREAMS + 1)
            if not request:
                return None
            pid = os.fork()
            if not pid:
                asked = Asked(*json.loads(request))
                undo(asked, fds[:STREAMS])
                for line in (requests, woken, wakes, *lines.values()):
                    line.close()
                for fd in fds:
                    os.close(fd)
                return asked
            lines[pid] = socket.socket(fileno=fds[STREAMS])
            lines[pid].sendall(b"%d\n" % pid)
            for fd in fds[:STREAMS]:
                os.close(fd)


def tell_ends(lines: dict[int, socket.socket]) -> None:
    """Tell who waits for what has ended."""
    for pid in list(lines):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with lines.pop(pid) as line, contextlib.suppress(BrokenPipeError):
                line.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def undo(asked: Asked, streams: Sequence[int]) -> None:
    """Make a fork what a new process is: nothing of the one it came from is left but its modules."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for place, fd in enumerate(streams):
        os.dup2(fd, place)
    if asked.has_terminal:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(asked.folder)
    os.environ.clear()
    os.environ.update(asked.env)
    sys.argv = ["laptop-agents", *asked.words]
    sys.stdin = sys.__stdin__ = os.fdopen(0, closefd=False)
    sys.stdout = sys.__stdout__ = written(1, "strict")
    sys.stderr = sys.__stderr__ = written(2, "backslashreplace")


def written(fd: int, errors: str) -> IO[str]:
    """Open a stream as the interpreter does."""
    by_line = 1 if fd == 2 or os.isatty(fd) else -1
    return os.fdopen(fd, "w", by_line, errors=errors, closefd=False)


def load() -> None:
    """Import all a program may need."""
    for name in (*LOADED, *COMMANDS.values()):
        importlib.import_module(name)
    assert not set(NOT_LOADED) & set(sys.modules)


def run() -> NoReturn:
    """Serve; in a fork, be the program."""
    load()
    asked = serve(socket.socket(fileno=os.dup(0)))
    if asked is None:
        sys.exit(0)
    sys.exit(main())


if __name__ == "__main__":
    run()
