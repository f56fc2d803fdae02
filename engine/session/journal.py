"""The journal on disk: append only, chained, written ahead of every effect.

Lines gather in memory for one turn and reach the kernel's page cache with one `write`; `fdatasync`
runs in a thread on its own beat (paper mode batches it). A write error is final: the file is not
touched again and the session is told (reliability.md C4).
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Final

import msgspec

from engine.session.journal_line import Chain

FLUSH_BYTES: Final = 256 * 1024
"""Buffered bytes that trigger a write within a turn, so a burst can't grow memory."""


class Journal:
    """Writes `events.jsonl`. Not thread-safe: it belongs to the engine's loop."""

    def __init__(self, fd: int) -> None:
        """Take over a new, empty file; see `RunFolder.create_file`."""
        self._fd = fd
        self._flushed_bytes = 0
        self.failure: OSError | None = None
        self._chain = Chain()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._unsynced = False

    @property
    def events(self) -> int:
        """Lines so far."""
        return self._chain.seq

    @property
    def bytes(self) -> int:
        """Length of all lines so far, buffered ones included."""
        return self._flushed_bytes + self._pending_bytes

    @property
    def head(self) -> str:
        """Hash of the last line."""
        return self._chain.head

    def extend(self, events: Sequence[msgspec.Struct]) -> None:
        """Add inputs or records, in order."""
        lines = self._chain.events(events)
        self._pending += lines
        self._pending_bytes += sum(map(len, lines))
        if self._pending_bytes >= FLUSH_BYTES:
            self.flush()

    def note(self, name: str, ts_ns: int, data: object) -> None:
        """Add a line of the session's own; `data` encodes to a JSON object."""
        line = self._chain.data(name, ts_ns, data)
        self._pending.append(line)
        self._pending_bytes += len(line)

    def flush(self) -> None:
        """Hand everything buffered to the operating system; remember a failure, never raise it."""
        if not self._pending or self.failure is not None:
            return
        block = memoryview(b"".join(self._pending))
        self._pending.clear()
        self._flushed_bytes += self._pending_bytes
        self._pending_bytes = 0
        try:
            while block:
                block = block[os.write(self._fd, block) :]
        except OSError as error:
            self.failure = error
        self._unsynced = True

    async def sync(self) -> None:
        """Make what was flushed durable, off the loop."""
        if not self._unsynced or self.failure is not None:
            return
        self._unsynced = False
        try:
            await asyncio.to_thread(os.fdatasync, self._fd)
        except OSError as error:
            self.failure = error

    def close(self) -> None:
        """Flush, sync and close; a failure stays readable in `failure`."""
        self.flush()
        if self.failure is None:
            try:
                os.fdatasync(self._fd)
            except OSError as error:
                self.failure = error
        os.close(self._fd)


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
