"""The lines of a stretch of event time, taken out of a journal without reading the rest.

Time in a journal never goes back, so the place where a stretch begins is found by bisecting the
file (a packed segment is read from its start); each line read proves its own hash and its bond to
the line before.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from engine.model.errors import JournalDamaged
from engine.session.journal_line import GENESIS, proven
from engine.session.journal_parts import LINE_MAX, open_part, segments, twin
from engine.session.journal_reader import Line, split_line

_TAIL: Final = len(f',"prev":"{GENESIS}","hash":"{GENESIS}"}}\n')
_PREV: Final = slice(-_TAIL + len(',"prev":"'), -_TAIL + len(f',"prev":"{GENESIS}'))
SCAN_BYTES: Final = 64 * 1024
"""Where bisecting stops and reading begins."""
PIECE_BYTES: Final = 64 * 1024


class Raw(NamedTuple):
    """A proven line, and as it stands in the file."""

    line: Line
    raw: bytes


def lines_between(path: Path, since_ns: int, until_ns: int) -> Iterator[Raw]:
    """Yield the lines with `since_ns` <= ts < `until_ns`; a line still being written ends it.

    Raises:
        JournalDamaged: A line of the stretch is not proven, or does not follow the one before.
        OSError: The file can't be read.

    """
    prev = seq = None
    for part in _parts(path, since_ns):
        with open_part(part) as file:
            if file.seekable():
                file.seek(_start(file, since_ns))
            while (raw := file.readline(LINE_MAX)).endswith(b"\n"):
                ts_ns = _ts(raw)
                if ts_ns >= until_ns:
                    return
                if ts_ns < since_ns:
                    continue
                number = _seq(raw) if seq is None else seq + 1
                digest = proven(
                    raw, raw[_PREV].decode("ascii", "replace") if prev is None else prev, number
                )
                if digest is None:
                    raise JournalDamaged(str(part), number, "the line is not proven")
                prev, seq = digest, number
                yield Raw(split_line(raw, number, digest), raw)


def _parts(journal: Path, since_ns: int) -> list[Path]:
    """Return the files of a journal from the one in which the stretch begins, oldest first."""
    older, parts = segments(journal), [journal]
    if older and twin(journal) is not None:
        older.pop()
    while older and _begins_ns(parts[0]) >= since_ns:
        parts.insert(0, older.pop())
    return parts


def _begins_ns(part: Path) -> int:
    with open_part(part) as file:
        return _ts(file.readline(LINE_MAX))


class Stretch:
    """Lines in pieces of `PIECE_BYTES`: as many objects would take four times their memory."""

    def __init__(self) -> None:
        self.pieces: deque[bytearray] = deque()
        self.size = 0
        """Bytes of all lines that are kept."""
        self.lines = 0
        self.dropped = 0
        """Lines that did not fit."""
        self._first = self._last = 0

    @property
    def ends(self) -> tuple[int, int] | None:
        """Numbers of the first and the last line in the journal; None where there is none."""
        return (self._first, self._last) if self.lines else None

    def add(self, one: Raw) -> None:
        """Take a line behind the others."""
        if not self.pieces or len(self.pieces[-1]) >= PIECE_BYTES:
            self.pieces.append(bytearray())
        if not self.lines:
            self._first = one.line.seq
        self.pieces[-1] += one.raw
        self.size += len(one.raw)
        self.lines += 1
        self._last = one.line.seq

    def drop_first(self) -> None:
        """Give up the line that is longest ago; they have to be lines as they were written."""
        piece = self.pieces[0]
        size = piece.index(b"\n") + 1
        del piece[:size]
        if not piece:
            self.pieces.popleft()
        self.size -= size
        self.lines -= 1
        if self.lines:
            self._first = _seq(self.pieces[0])
        self.dropped += 1


def newest(lines: Iterable[Raw], bytes_max: int) -> Stretch:
    """Return the last lines that fit."""
    kept = Stretch()
    for one in lines:
        kept.add(one)
        while kept.size > bytes_max:
            kept.drop_first()
    return kept


def oldest(lines: Iterable[Raw], bytes_max: int) -> Stretch:
    """Return the first lines that fit."""
    kept = Stretch()
    for one in lines:
        if kept.dropped or kept.size + len(one.raw) > bytes_max:
            kept.dropped += 1
        else:
            kept.add(one)
    return kept


def _start(file: IO[bytes], since_ns: int) -> int:
    """Return a place, at the start of a line, with no line of the stretch before it."""
    low, high = 0, file.seek(0, 2)
    while high - low > SCAN_BYTES:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline(LINE_MAX)  # the rest of a line that began before
        at = file.tell()
        raw = file.readline(LINE_MAX)
        if raw.endswith(b"\n") and _ts(raw) < since_ns:
            low = at
        else:
            high = middle
    return low


def _ts(raw: bytes) -> int:
    """Return a line's time; one that has none belongs to no stretch before it."""
    head = raw[:80]
    try:
        at = head.index(b'"ts":') + 5
        return int(head[at : head.index(b",", at)])
    except ValueError:
        return 0


def _seq(raw: bytes | bytearray) -> int:
    head = raw[:80]
    try:
        at = head.index(b'"seq":') + 6
        return int(head[at : head.index(b",", at)])
    except ValueError:
        return 0
