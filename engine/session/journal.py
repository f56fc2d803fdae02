"""The journal on disk: append only, chained, written ahead of every effect.

Lines gather in memory for one turn and reach the kernel's page cache with one `write`; `fdatasync`
runs in a thread on its own beat (paper mode batches it). A write error is final: the file is not
touched again and the session is told (reliability.md C4).
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from engine.model.events import Input
from engine.session.file_system import OS, FileSystem
from engine.session.journal_line import Chain
from engine.session.recorded import STARTED, Recorded

FLUSH_BYTES: Final = 256 * 1024
"""Buffered bytes that trigger a write within a turn, so a burst can't grow memory."""


class Journal:
    """Writes `events.jsonl`. Not thread-safe: it belongs to the engine's loop.

    `events`, `bytes` and `head` speak of all lines taken; after a failure, of those in the file.
    """

    def __init__(
        self, fd: int, recorded: Recorded | None = None, *, files: FileSystem = OS
    ) -> None:
        """Take over a file: a new one, or one that ends where `recorded` does."""
        self._fd = fd
        self._files = files
        self._recorded = recorded
        self.failure: OSError | None = None
        self.bytes = recorded.good_bytes if recorded else 0
        """Length of the lines."""
        self._chain = Chain()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._unsynced = False

    @property
    def events(self) -> int:
        """Lines so far."""
        return self._chain.seq

    @property
    def head(self) -> str:
        """Hash of the last line."""
        return self._chain.head

    def extend(self, events: Sequence[msgspec.Struct]) -> None:
        """Add inputs or records, in order; after a failure nothing is added any more."""
        if self.failure is None:
            self._take(self._chain.events(events))

    @property
    def is_catching_up(self) -> bool:
        """Whether lines are still held against those of an interrupted run, not written."""
        return self._recorded is not None

    def outside_input(self) -> Input | None:
        """Return the input from outside that the interrupted run took next, if it did."""
        recorded = self._recorded
        while recorded is not None and recorded.is_own():
            self._chain.adopt(recorded.take().hash)
            self._recorded = recorded = None if recorded.is_exhausted else recorded
        return recorded.outside_input() if recorded else None

    def note(self, name: str, ts_ns: int, data: object) -> None:
        """Add a line of the session's own; `data` encodes to a JSON object."""
        if self._recorded is not None and name == STARTED:
            self._chain.adopt(self._recorded.take().hash)
            self._end_catching_up()
        elif self.failure is None:
            self._take([self._chain.data(name, ts_ns, data)])

    def _hold(self, lines: list[bytes]) -> list[bytes]:
        """Hold lines against the recorded ones; return those that are new."""
        for held, line in enumerate(lines):
            if self._recorded is None:
                return lines[held:]
            self._recorded.hold(line)
            self._end_catching_up()
        return []

    def _end_catching_up(self) -> None:
        if self._recorded is not None and self._recorded.is_exhausted:
            self._recorded = None

    def _take(self, lines: list[bytes]) -> None:
        if self._recorded is not None:
            lines = self._hold(lines)
        size = sum(map(len, lines))
        self._pending += lines
        self._pending_bytes += size
        self.bytes += size
        if self._pending_bytes >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand everything buffered to the operating system; remember a failure, never raise it."""
        if not self._pending or self.failure is not None:
            return
        block = memoryview(b"".join(self._pending))
        try:
            while block:
                block = block[self._files.write(self._fd, block) :]
        except OSError as error:
            self._fail(error, unwritten=len(block))
        self._pending.clear()
        self._pending_bytes = 0
        self._unsynced = True

    def _fail(self, error: OSError, *, unwritten: int) -> None:
        """Take back the lines that did not reach the file whole."""
        self.failure = error
        self.bytes -= unwritten
        while self._pending and unwritten > 0:
            line = self._pending.pop()
            unwritten -= len(line)
            self._chain.take_back(line)

    async def sync(self) -> None:
        """Make what was flushed durable, off the loop."""
        if not self._unsynced or self.failure is not None:
            return
        self._unsynced = False
        try:
            await asyncio.to_thread(self._files.sync, self._fd)
        except OSError as error:
            self.failure = error

    def commit(self) -> bool:
        """Make everything taken so far durable, now; return whether it is.

        One sync covers every line since the last one: the group commit of a burst.
        """
        self.flush()
        if self._unsynced and self.failure is None:
            try:
                self._files.sync(self._fd)
                self._unsynced = False
            except OSError as error:
                self.failure = error
        return self.failure is None

    def close(self) -> None:
        """Flush, sync and close; a failure stays readable in `failure`."""
        self.flush()
        try:
            if self.failure is None:
                self._files.sync(self._fd)
            self._files.close(self._fd)
        except OSError as error:
            self.failure = self.failure or error


class MemoryJournal:
    """The same lines kept in memory: for tests and for measuring without a disk."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.failure: OSError | None = None
        self._chain = Chain()

    def extend(self, events: Sequence[msgspec.Struct]) -> None:
        """Add inputs or records, in order."""
        self.lines += self._chain.events(events)

    def note(self, name: str, ts_ns: int, data: object) -> None:
        """Add a line of the session's own."""
        self.lines.append(self._chain.data(name, ts_ns, data))

    def flush(self) -> None:
        """Do nothing: memory is always written."""
