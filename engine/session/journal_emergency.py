"""The last lines of a session whose journal failed, in room that was reserved while there was some.

The lines go on where the journal's last whole one ends, in the same chain. Nobody waits for the
disk: cancels leave first (reliability.md A1, C7). An unused segment is unlinked at the end.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from engine.model.errors import JournalDamaged
from engine.model.events import OUTCOMES, OperatorCommand
from engine.session.file_system import FileSystem
from engine.session.journal_line import Chain, proven

EMERGENCY_NAME: Final = "emergency.jsonl"
EMERGENCY_BYTES: Final = 1024 * 1024
"""What waits in memory when the journal fails, 256 kB, and the end of 2,000 orders."""


class EmergencySegment:
    """Takes what must be told after the journal has failed."""

    def __init__(self, files: FileSystem, path: Path) -> None:
        """Reserve the room.

        Raises:
            OSError: There is none.
        """
        self._files, self._path = files, path
        files.unlink(path)  # of the writer before, unused
        self._fd = files.create(path)
        files.allocate(self._fd, EMERGENCY_BYTES)
        files.sync(self._fd)
        self._chain = Chain()
        self._at = 0
        self.lines = 0
        self.lost = 0
        """Lines the room or the disk did not take."""

    def begin(self, head: str, seq: int, unwritten: Sequence[bytes]) -> None:
        """Go on behind the journal's last whole line, with those that did not reach it."""
        self._chain = Chain(head, seq)
        for line in unwritten:
            self._chain.adopt(line[-67:-3].decode())
        self._write(unwritten)

    def take(self, events: Sequence[msgspec.Struct]) -> None:
        """Add what happened and what was ordered; the market is left out."""
        told = [e for e in events if type(e) in OUTCOMES or isinstance(e, OperatorCommand)]
        self._write(self._chain.events(told))

    def note(self, name: str, ts_ns: int, data: object) -> None:
        """Add a line of the session's own."""
        self._write([self._chain.data(name, ts_ns, data)])

    def _write(self, lines: Sequence[bytes]) -> None:
        block = b"".join(lines)
        if self.lost or self._at + len(block) > EMERGENCY_BYTES:
            self.lost += len(lines)
            return
        try:
            self._files.write_at(self._fd, block, self._at)
        except OSError:
            self.lost += len(lines)
            return
        self._at += len(block)
        self.lines += len(lines)

    def close(self) -> None:
        """Unlink an unused segment, cut a used one to its lines.

        Raises:
            OSError: The disk refused; the lines are where they are.
        """
        if self.lines:
            self._files.truncate(self._fd, self._at)
            self._files.sync(self._fd)
        else:
            self._files.unlink(self._path)
        self._files.close(self._fd)


def is_used(path: Path) -> bool:
    """Whether a session told its end there."""
    try:
        with path.open("rb") as file:
            return file.read(1) not in (b"", b"\0")
    except FileNotFoundError:
        return False


def read_emergency(path: Path, head: str, seq: int) -> Iterator[bytes]:
    """Yield the lines that follow a journal's last one; none where there is no segment.

    Raises:
        JournalDamaged: A line is not the next in the chain.
        OSError: The segment can't be read.
    """
    if not is_used(path):
        return
    content = path.read_bytes().rstrip(b"\0")
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        digest = proven(line, head, seq + number)
        if digest is None:
            raise JournalDamaged(str(path), number, "the line is not the next in the chain")
        yield line
        head = digest
