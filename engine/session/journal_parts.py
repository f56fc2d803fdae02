"""The files one journal is spread over: sealed segments, then the one that is being written.

    events-000001.jsonl.zst ... events-NNNNNN.jsonl     closed; the newest may not be packed yet
    events.jsonl                                        goes on where the newest segment ends

Rule 1: a segment's number never changes, so line and place of what was read stay what they were
        while the session goes on writing.
Rule 2: a reader beside a running session sees each line once. `events.jsonl` is opened before the
        segments are listed; where it has become one of them meanwhile, that one is left out.
"""

import io
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import zstandard

from engine.model.errors import JournalDamaged

JOURNAL_NAME: Final = "events.jsonl"
PACKED: Final = ".zst"
SEGMENT: Final = re.compile(r"events-([0-9]{6})\.jsonl(\.zst)?")
SEGMENTS_MAX: Final = 999_999

LINE_MAX: Final = 4 * 1024 * 1024
"""Longest line read: a depth snapshot of 1,000 levels a side takes 60 kB."""
FEED_BYTES: Final = 1024
"""Packed bytes unpacked at once: zstd makes at most some 12 MB of them, whoever packed them."""
BUFFER_BYTES: Final = 64 * 1024
"""Read ahead of the line that is asked for."""
WINDOW_MAX: Final = 8 * 1024 * 1024
"""Memory a segment may ask for to be unpacked; ours ask for 2 MiB."""


class BrokenSeal(ValueError):
    """A packed segment can't be unpacked to its end."""


def segment_path(journal: Path, number: int) -> Path:
    """Return the name of a closed segment before it is packed; the first is 1."""
    return journal.with_name(f"events-{number:06}.jsonl")


def segments(journal: Path) -> list[Path]:
    """Return the closed segments of a journal by number, each packed where it is.

    Raises:
        JournalDamaged: One is missing.
        OSError: The folder can't be read.
    """
    if journal.name != JOURNAL_NAME:
        return []
    found: dict[int, Path] = {}
    for name in sorted(os.listdir(journal.parent)):
        match = SEGMENT.fullmatch(name)
        if match is not None:
            found[int(match[1])] = journal.with_name(name)  # .zst sorts behind, and wins
    for number in range(1, len(found) + 1):
        if number not in found:
            raise JournalDamaged(str(segment_path(journal, number)), 1, "the segment is missing")
    return [found[number] for number in range(1, len(found) + 1)]


def open_parts(journal: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Yield every file of a journal, oldest lines first, each open until the next is asked for.

    Raises:
        JournalDamaged: A segment is missing.
        OSError: One can't be read.
    """
    with journal.open("rb") as newest:
        older = segments(journal)
        if older and _is_same(older[-1], newest):
            older.pop()
        for path in older:
            with open_part(path) as file:
                yield path, file
        yield journal, newest


def twin(journal: Path) -> Path | None:
    """Return the segment that has the open file's lines: a rotation was prepared and never done.

    Raises:
        JournalDamaged: A segment is missing.
        OSError: A file can't be read.
    """
    with journal.open("rb") as newest:
        older = segments(journal)
        return older[-1] if older and _is_same(older[-1], newest) else None


def open_part(path: Path) -> IO[bytes]:
    """Open one file of a journal; what is packed is unpacked as it is read.

    Raises:
        OSError: It can't be opened. Reading may raise `BrokenSeal`.
    """
    if path.suffix != PACKED:
        with suppress(FileNotFoundError):
            return path.open("rb")
        path = path.with_name(path.name + PACKED)  # packed since it was listed
    return open_packed(path)


def open_packed(path: Path) -> IO[bytes]:
    """Open a packed file, whatever its name, as what was packed; see `open_part`."""
    return io.BufferedReader(_Unpacked(path.open("rb")), BUFFER_BYTES)


def _is_same(segment: Path, newest: IO[bytes]) -> bool:
    """Whether a segment is what `newest` was when it was opened; no two files begin alike."""
    begins = newest.readline(LINE_MAX)
    newest.seek(0)
    if not begins:
        return False
    try:
        with open_part(segment) as file:
            return file.readline(LINE_MAX) == begins
    except BrokenSeal:
        return False


class _Unpacked(io.RawIOBase):
    """A packed file as the bytes that were packed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._unpack = zstandard.ZstdDecompressor(max_window_size=WINDOW_MAX).decompressobj()
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        while not self._left:
            packed = self._file.read(FEED_BYTES)
            if not packed:
                if self._unpack.eof:
                    return 0
                raise BrokenSeal("the sealed segment is cut off")
            self._left = memoryview(self._more(packed))
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def _more(self, packed: bytes) -> bytes:
        if self._unpack.eof:
            raise BrokenSeal("the sealed segment goes on behind its end")
        try:
            unpacked = self._unpack.decompress(packed)
        except zstandard.ZstdError as error:
            raise BrokenSeal(f"the sealed segment can't be unpacked: {error}") from error
        if self._unpack.unused_data:
            raise BrokenSeal("the sealed segment goes on behind its end")
        return unpacked

    def close(self) -> None:
        self._file.close()
        super().close()
