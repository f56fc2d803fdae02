"""A journal read turn by turn, from its start or from any place that was proven before.

A turn is one input and what the session wrote because of it: decisions, a heartbeat, its last line.
Kernel and books stand between two turns at every instant that a screen can show.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from engine.model.errors import JournalDamaged
from engine.model.events import INPUT_TYPES
from engine.session.journal_parts import LINE_MAX, BrokenSeal, open_parts
from engine.session.journal_reader import Line, Starts, proven_line

SKIP_BYTES: Final = 1024 * 1024
"""Read and forgotten at once on the way into a packed segment."""


class Place(NamedTuple):
    """Between two lines of a journal."""

    at: int
    """Bytes before it, over all files."""
    seq: int
    """Number of the line before it."""
    hash: str
    """Of that line."""

    def after(self, line: Line) -> "Place":
        """Return the place behind the next line."""
        return Place(self.at + line.size, line.seq, line.hash)


class RecordedTurn(NamedTuple):
    """One input with all that follows it up to the next."""

    lines: tuple[Line, ...]
    """The input first; before the first input of a run there may be lines of the session's own."""
    end: Place

    @property
    def input(self) -> Line:
        """The line that the kernel takes."""
        return next(line for line in self.lines if line.type in INPUT_TYPES)


def turns(lines: Iterator[Line], place: Place) -> Iterator[RecordedTurn]:
    """Put lines together, the first of which stands behind `place`; without an input, none."""
    gathered: list[Line] = []
    has_input = False
    for line in lines:
        is_input = line.type in INPUT_TYPES
        if is_input and has_input:
            yield RecordedTurn(tuple(gathered), place)
            gathered = []
        gathered.append(line)
        has_input = has_input or is_input
        place = place.after(line)
    if has_input:
        yield RecordedTurn(tuple(gathered), place)


def lines_after(journal: Path, place: Place, starts: list[Starts]) -> Iterator[Line]:
    """Yield and prove again the lines behind a place.

    Args:
        journal: Read to its end once before.
        place: Where a line ended then.
        starts: Where each of its files begins, as that reading found it.

    Raises:
        JournalDamaged: The files are not what they were.
        OSError: One can't be read.
    """
    first = max(n for n, start in enumerate(starts) if start.at <= place.at)
    prev, seq = place.hash, place.seq
    for number, (path, file) in enumerate(open_parts(journal)):
        if number < first:
            continue
        start = starts[number] if number < len(starts) else Starts(place.at, seq + 1)
        try:
            _skip(file, place.at - start.at if number == first else 0)
            while raw := file.readline(LINE_MAX):
                seq += 1
                line = proven_line(raw, prev, seq)
                if isinstance(line, str):
                    raise JournalDamaged(str(path), seq - start.seq + 1, line)
                yield line
                prev = line.hash
        except BrokenSeal as broken:
            raise JournalDamaged(str(path), seq - start.seq + 2, str(broken)) from broken


def _skip(file: IO[bytes], size: int) -> None:
    if file.seekable():
        file.seek(size)
        return
    while size and (skipped := file.read(min(size, SKIP_BYTES))):
        size -= len(skipped)
