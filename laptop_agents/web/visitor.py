"""One visitor: an `attach` process on a terminal of its own, and what goes to and fro.

It is the very program that a terminal shows, on a pseudo-terminal, so whatever holds there holds
here: it paints no more while nobody reads, keys act all the same, and closing hangs up on it.

Rule 1: nothing is queued. While the browser does not take what was sent nothing is read, and then
        the screen drops frames by itself.
Rule 2: no process outlives its visitor: hung up on, then asked to end, then killed.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import sys
import termios
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple

from laptop_agents.keys_shape import keyless

READ_BYTES: Final = 64 * 1024
COLUMNS_MAX, ROWS_MAX = 500, 300
"""Cells a browser may ask for: a wall of screens, and no more memory than that."""
KEYS_MAX: Final = 4_000
"""Bytes of one message of keys: the terminal's own buffer holds 4,095."""
LEAVING_S: Final = (3.0, 2.0)
"""How long a process may take to leave after the hang-up, and after being asked again."""
NOT_OURS: Final = ("COLUMNS", "LINES", "TEXTUAL_DRIVER", "LC_CTYPE", "LANG")
"""Words about the owner's terminal: the visitor's is another."""


class Size(NamedTuple):
    """Of a screen, in cells."""

    columns: int
    rows: int


def size_of(columns: object, rows: object) -> Size:
    """Return what a browser asked for, within limits; 80x24 for what is no number."""
    return Size(_cells(columns, 80, COLUMNS_MAX), _cells(rows, 24, ROWS_MAX))


def _cells(asked: object, usual: int, most: int) -> int:
    try:
        return min(max(1, int(str(asked))), most)
    except ValueError:
        return usual


def surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a screen in a browser: true color, UTF-8, settings, no keys."""
    kept = {name: value for name, value in keyless(environ).items() if name not in NOT_OURS}
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}


class Visitor:
    """One screen in one browser."""

    def __init__(self, process: Process, master: int, stream: asyncio.StreamReader) -> None:
        self._process = process
        self._master = master
        self._stream = stream
        self._transport: asyncio.ReadTransport

    @classmethod
    async def enter(cls, words: Sequence[str], size: Size) -> "Visitor":
        """Start `laptop-agents` with these words on a new terminal.

        Raises:
            OSError: The machine has no terminal or no process left.
        """
        master, slave = os.openpty()
        try:
            _resize(master, size)
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "laptop_agents", *words,
                stdin=slave, stdout=slave, stderr=slave,
                env=surroundings(os.environ), start_new_session=True,
                preexec_fn=_take_terminal,
            )  # fmt: skip
        except BaseException:
            os.close(master)
            raise
        finally:
            os.close(slave)
        loop = asyncio.get_running_loop()
        stream = asyncio.StreamReader(limit=READ_BYTES)
        visitor = cls(process, master, stream)
        visitor._transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(master, "rb", buffering=0)
        )
        return visitor

    async def show(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        """Send what the screen paints, as fast as it is taken, until the screen closes."""
        with contextlib.suppress(OSError):  # a terminal whose last program has left reads as EIO
            while data := await self._stream.read(READ_BYTES):
                await send(data)

    def press(self, keys: str) -> None:
        """Type; a screen that takes no keys loses them, as on any terminal."""
        with contextlib.suppress(BlockingIOError, OSError):
            os.write(self._master, keys.encode(errors="replace")[:KEYS_MAX])

    def resize(self, size: Size) -> None:
        """Let the screen know that its window has changed."""
        with contextlib.suppress(OSError):
            _resize(self._master, size)

    async def leave(self) -> None:
        """Hang up and see the process off."""
        self._transport.close()
        for patience_s, number in zip(LEAVING_S, (signal.SIGTERM, signal.SIGKILL), strict=True):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), patience_s)
                return
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
        await self._process.wait()


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _resize(terminal: int, size: Size) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.columns, 0, 0))
