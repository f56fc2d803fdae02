"""Reads a line of a journal by its place, whichever of the journal's files it is in.

A sealed segment is unpacked once, into a temporary file without a name, when the first line of it
is asked for.
"""

import shutil
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from engine.session.journal_parts import PACKED, BrokenSeal, open_part, segment_path


class AuditPages:
    """The files of one journal, opened as they are needed. Close it."""

    def __init__(self, journal: Path, starts: Sequence[tuple[int, int]]) -> None:
        """Take the files by where each begins: bytes before it, number of its first line."""
        self._journal = journal
        self._starts = [at for at, _ in starts]
        self._first = [seq for _, seq in starts]
        self._open: dict[int, IO[bytes]] = {}
        self._file(len(starts) - 1)  # a session may rotate it away

    def read(self, at: int, size: int) -> bytes:
        """Return bytes by their place; fewer where the file has become shorter.

        Raises:
            OSError: A file can't be read.
        """
        index = self._index(at)
        file = self._file(index)
        file.seek(at - self._starts[index])
        return file.read(size)

    def place(self, at: int, seq: int) -> tuple[str, int]:
        """Return the file of a line, and its number there."""
        index = self._index(at)
        return str(self._path(index)), seq - self._first[index] + 1

    def close(self) -> None:
        """Let go of all files."""
        for file in self._open.values():
            file.close()

    def _index(self, at: int) -> int:
        return bisect_right(self._starts, at) - 1

    def _path(self, index: int) -> Path:
        plain = segment_path(self._journal, index + 1)
        for path in (plain.with_name(plain.name + PACKED), plain):
            if path.exists():
                return path
        return self._journal

    def _file(self, index: int) -> IO[bytes]:
        if index not in self._open:
            path = self._path(index)
            file = open_part(path)
            self._open[index] = file if file.seekable() else _unpacked(file)
        return self._open[index]


def _unpacked(packed: IO[bytes]) -> IO[bytes]:
    """Unpack a segment as far as that goes: what is missing is found when it is asked for."""
    plain: IO[bytes] = TemporaryFile()  # noqa: SIM115 - the caller keeps it
    with packed:
        try:
            shutil.copyfileobj(packed, plain)
        except BrokenSeal:
            plain.flush()
    return plain
