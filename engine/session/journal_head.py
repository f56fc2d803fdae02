"""The last acknowledged line, kept outside the journal: a cut at a line's end shows nowhere else.

    <seq, 20 digits> <epoch, 8 digits> <hash of the line> <first half of the SHA-256 of all before>

`journal.head` holds two such records, each in a disk sector of its own. A record is overwritten
only once the other one is durable, so that a crash can spoil one and never both. The journal is
made durable before its head says so: it may be ahead of its head, and never behind.

Source: reliability.md section 0.3, C6, C10.
"""

import errno
import os
import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from engine.model.errors import FencedByEpoch
from engine.session.file_system import FileSystem

HEAD_NAME: Final = "journal.head"
SLOT: Final = 512
"""Bytes of a sector, which disks write whole or not at all."""
_WHOLE: Final = re.compile(rb"([0-9]{20}) ([0-9]{8}) ([0-9a-f]{64}) ([0-9a-f]{32}) *\n")
_CHECKED: Final = 20 + 1 + 8 + 1 + 64


class Head(NamedTuple):
    """What a writer has acknowledged."""

    epoch: int
    """Number of the writer: 1 for the first, one more for each resume."""
    seq: int
    """Number of the line; 0 before the first."""
    hash: str


def encode(head: Head) -> bytes:
    """Return a head as one sector."""
    record = b"%020d %08d %b" % (head.seq, head.epoch, head.hash.encode())
    return (record + b" " + _check(record)).ljust(SLOT - 1) + b"\n"


def decode(slot: bytes) -> Head | None:
    """Return the head in a sector; None where none is whole."""
    match = _WHOLE.fullmatch(slot)
    if match is None or match[4] != _check(slot[:_CHECKED]):
        return None
    return Head(int(match[2]), int(match[1]), match[3].decode())


def _check(record: bytes) -> bytes:
    return sha256(record).hexdigest()[:32].encode()


def read_head(path: Path) -> Head | None:
    """Return the newest head of a run; None where none was kept.

    Raises:
        OSError: It exists and can't be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(2 * SLOT)
    except FileNotFoundError:
        return None
    return max(filter(None, (decode(content[:SLOT]), decode(content[SLOT:]))), default=None)


def identity(file: os.stat_result) -> tuple[int, int]:
    """Return what tells a file from every other, whatever its name; an open file keeps it."""
    return file.st_dev, file.st_ino


class HeadFile:
    """Writes `journal.head`. One writer at a time, in whatever thread."""

    def __init__(self, files: FileSystem, path: Path, epoch: int) -> None:
        """Make the file, or take over the one there is, for the writer of an epoch."""
        self.epoch = epoch
        self._files, self._path = files, path
        known = read_head(path)
        self._fd = files.open(path) if path.exists() else files.create(path)
        self._identity = identity(os.fstat(self._fd))
        self._slot = 0
        self._seq = -1
        self._content = bytearray(2 * SLOT)
        """Of the file, as far as it is ours."""
        self.is_pending = False
        """Whether a record was written that a power cut may still lose."""
        if known is not None:
            with path.open("rb") as file:
                self._slot = int(decode(file.read(SLOT)) == known)  # the other one is overwritten

    def write(self, seq: int, digest: str) -> None:
        """Acknowledge a line that is durable.

        Raises:
            FencedByEpoch: Another writer has taken over; nothing was written.
            OSError: The disk refused.
        """
        self.refuse_fenced()
        if seq > self._seq:
            record, at = encode(Head(self.epoch, seq, digest)), self._slot * SLOT
            self._files.write_at(self._fd, record, at)
            self._content[at : at + SLOT] = record
            self._seq = seq
            self.is_pending = True

    def refuse_fenced(self) -> None:
        """Look whether another writer has taken over.

        Raises:
            FencedByEpoch: It has.
            OSError: The head can't be read, or is no longer the file we write.
        """
        is_there = self._is_there()
        if is_there and os.pread(self._fd, 2 * SLOT, 0) == self._content:
            return  # looked at before every order
        known = read_head(self._path)
        if known is not None and known.epoch > self.epoch:
            raise FencedByEpoch(str(self._path.parent), self.epoch, known.epoch)
        is_ours = is_there and known is not None and known >= (self.epoch, self._seq)
        if self._seq >= 0 and not is_ours:
            raise OSError(errno.ESTALE, f"{self._path} was removed, replaced or overwritten")

    def _is_there(self) -> bool:
        """Whether the file of that name is still the one we write."""
        try:
            return identity(os.stat(self._path)) == self._identity
        except OSError:
            return False

    def sync(self) -> None:
        """Make what was written durable; from then on the other record is overwritten."""
        if self.is_pending:
            self._files.sync(self._fd)
            self._slot ^= 1
            self.is_pending = False

    def close(self) -> None:
        """Let go of the file; what the disk says no longer matters."""
        with suppress(OSError):
            self._files.close(self._fd)
