"""Writes what arrives to disk: one compressed file a stream, rotated, the oldest deleted in time.

Rule 1: what was written survives a crash: each write is a whole gzip member,
        and a reader of gzip reads members as one file.
Rule 2: memory is bounded: a disk that can't keep up ends the recording, not the program's memory.
Rule 3: a file is made once, 0600, and never opened again: a recording has no gaps inside a file.

Source: RFC 1952 section 2.2 (members); issue 5 item 8.
"""

import gzip
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.model.errors import StateDamaged

PENDING_MAX: Final = 64 * 1024 * 1024
"""Bytes that wait for the disk, all streams together."""
LEVEL: Final = 6
MB: Final = 1024 * 1024
FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeConfig:
    """How much is kept."""

    rotate_mb: float = 64.0
    """Packed size after which a stream goes on in a new file."""
    keep_mb: float | None = None
    """Packed size of all files, beyond which the oldest go; None keeps all."""


@dataclass(slots=True)
class _Reel:
    """One stream."""

    header: bytes
    suffix: str
    waiting: list[bytes] = field(default_factory=list)
    path: Path | None = None
    size: int = 0
    number: int = 0


class Written(NamedTuple):
    """What one stream has for the disk."""

    name: str
    content: Any


class Tape:
    """A folder of streams."""

    def __init__(self, folder: Path, config: TapeConfig) -> None:
        """Record into a folder, which is made.

        Raises:
            StateDamaged: It can't be made.

        """
        self.folder = made(folder)
        self._config = config
        self._reels: dict[str, _Reel] = {}
        self._pending = 0
        self.lines = 0
        """Taken so far."""
        self.bytes = 0
        """Written so far, packed."""

    def open(self, name: str, suffix: str, header: bytes = b"") -> None:
        """Begin a stream; each of its files starts with `header`."""
        self._reels[name] = _Reel(header, suffix)

    def take(self, name: str, line: bytes) -> None:
        """Let a line wait for the next cut.

        Args:
            name: Of a stream that was opened.
            line: Without its newline; one inside it would be two lines.

        Raises:
            StateDamaged: The disk is too slow.

        """
        self._reels[name].waiting.append(line.replace(b"\n", b" "))
        self.lines += 1
        self._pending += len(line) + 1
        if self._pending > PENDING_MAX:
            raise StateDamaged(f"{self.folder} takes less than what arrives: recording has ended")

    def cut(self) -> list[Written]:
        """Hand over what waits; where lines are taken, so that none is torn in two."""
        cuts = []
        for name, reel in self._reels.items():
            if reel.waiting:
                cuts.append(Written(name, b"\n".join(reel.waiting) + b"\n"))
                reel.waiting = []
        self._pending = 0
        return cuts

    def write(self, cuts: Sequence[Written]) -> None:
        """Write what was cut; on any thread, one at a time.

        Raises:
            StateDamaged: The disk refuses.

        """
        try:
            for name, content in cuts:
                self._write(name, self._reels[name], content)
            open_now = [reel.path for reel in self._reels.values() if reel.path]
            forget_oldest(self.folder, "*.gz", self._config.keep_mb, kept=open_now)
        except OSError as error:
            raise _no_room(self.folder, error) from error

    def _write(self, name: str, reel: _Reel, content: bytes) -> None:
        if reel.path is None or reel.size >= self._config.rotate_mb * MB:
            reel.number += 1
            reel.path = self.folder / f"{name}-{reel.number:05}.{reel.suffix}.gz"
            reel.size = 0
            content = reel.header + content
            os.close(os.open(reel.path, FLAGS, 0o600))
        member = gzip.compress(content, LEVEL, mtime=0)
        with reel.path.open("ab") as file:
            file.write(member)
        reel.size += len(member)
        self.bytes += len(member)


def made(folder: Path) -> Path:
    """Return a folder that is there.

    Raises:
        StateDamaged: It can't be made.

    """
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    except OSError as error:
        raise _no_room(folder, error) from error
    return folder


def forget_oldest(
    folder: Path, pattern: str, keep_mb: float | None, *, kept: Collection[Path]
) -> None:
    """Delete whole files of the past, oldest first, until the rest is small enough.

    Args:
        pattern: Of the files that count.
        keep_mb: Packed size of all; None keeps all.
        kept: Files being written: they stay.

    Raises:
        OSError: The disk refuses.

    """
    if keep_mb is None:
        return
    files = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime_ns)
    total = sum(path.stat().st_size for path in files)
    for path in files:
        if total <= keep_mb * MB:
            return
        if path not in kept:
            total -= path.stat().st_size
            path.unlink()


def _no_room(folder: Path, error: OSError) -> StateDamaged:
    return StateDamaged(f"can't record to {folder}: {error.strerror or error}")
