"""The journal of an interrupted run, held against what its rerun writes.

Recovery is replay: the same feed, settings and outside inputs drive kernel and venue again from the
start, and every line they write must be the line on disk. Where the recorded lines end, the run
simply goes on; a crash in the middle of a turn is completed by the lines it had not written yet.
"""

from collections.abc import Collection, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from engine.model.errors import JournalDamaged, NeverBegun, StateDamaged
from engine.model.events import JOURNAL_TYPES, HealthChanged, Input, Operator, OperatorCommand
from engine.model.sightings import AccountSeen, AccountUnseen
from engine.session.journal_line import GENESIS
from engine.session.journal_reader import (
    JournalReading,
    Line,
    input_of,
    proven_line,
    raw_lines,
    read_journal,
)

STARTED: Final = "session_started"
RESUMED: Final = "session_resumed"
ENDED: Final = "session_ended"

REMADE: Final = frozenset({Operator.DURATION_ELAPSED, Operator.END_OF_DATA})
"""Commands the rerun gives itself; all others came from outside and are taken from the journal."""

_TYPE: Final = b',"type":"'
"""Only numbers stand before it."""
_RESUMED: Final = _TYPE + RESUMED.encode() + b'"'
OUTSIDE: Final[tuple[type, ...]] = (OperatorCommand, HealthChanged, AccountSeen, AccountUnseen)
"""What no rerun can make; a real venue's answers are more of it."""


class Recorded:
    """The proven lines, in order, one ahead.

    The rerun makes most lines again and only asks whether they are the same bytes; a line is taken
    apart, and proven once more, where it says something the rerun can't know.
    """

    def __init__(self, path: Path, marks: Collection[int] = ()) -> None:
        """Prove the whole journal once.

        Args:
            path: The journal.
            marks: Numbers of lines whose hashes are kept.

        Raises:
            JournalDamaged: A line other than a torn last one is bad, or one is gone.
            NeverBegun: There is no whole line.

        """
        self.path = path
        self.file_bytes = 0
        """Length of the proven lines in the file that is being written."""
        self.good_bytes = 0
        """Length of all proven lines, sealed segments included."""
        self.torn_bytes = 0
        """What a crash left of an unfinished last line; to be cut."""
        self.count = 0
        self._marks = marks
        self.hashes: dict[int, str] = {}
        """Of the marked lines that exist."""
        self.epoch = 0
        """The highest any writer of it had; 0 where none is named."""
        last = self._prove()
        self.head = last.hash
        """Hash of the last line."""
        self.first = next(read_journal(path))
        self.has_ended = last.type == ENDED
        self._lines = islice(raw_lines(path), self.count)
        self._next: bytes | None = next(self._lines)
        self._outside = _starts(OUTSIDE)
        self._seq, self._prev = 1, GENESIS

    def _prove(self) -> Line:
        last = None
        reading = JournalReading(self.path)
        try:
            for last in reading.lines():
                self.count = last.seq
                if last.seq in self._marks:
                    self.hashes[last.seq] = last.hash
                if last.type in (STARTED, RESUMED):
                    self.epoch = max(self.epoch, _epoch(last))
        except JournalDamaged:
            if reading.path != self.path or not self._is_torn(reading):
                raise
            reading.refuse_cut(self.count)
            self.torn_bytes = self.path.stat().st_size - _in_file(reading)
        if last is None:
            raise NeverBegun(
                f"{self.path} holds no whole line: nothing had happened yet; start a new session"
            )
        self.good_bytes, self.file_bytes = reading.good_bytes, _in_file(reading)
        self.epoch = max(self.epoch, 0 if reading.head is None else reading.head.epoch)
        return last

    def _is_torn(self, reading: JournalReading) -> bool:
        """Whether what follows the proven lines is what a crash leaves, and not damage.

        That is a line without an end; or, where a head tells what counted, a page that never came.
        """
        with self.path.open("rb") as file:
            file.seek(_in_file(reading))
            rest = file.read()
        return b"\n" not in rest or (reading.head is not None and b"\0" in rest)

    def count_outside(self, kinds: Sequence[type]) -> None:
        """Take these kinds of inputs, too, from the journal."""
        self._outside += _starts(kinds)

    @property
    def is_exhausted(self) -> bool:
        """Whether the rerun has written everything that was recorded."""
        return self._next is None

    def hold(self, written: bytes) -> None:
        """Compare the rerun's next line with the recorded one.

        Raises:
            StateDamaged: They differ: this program, or the data, is not what recorded the run.

        """
        if written != self._next:
            line = self._line()
            raise StateDamaged(
                f"{self.path}:{line.seq}: the rerun comes to another {line.type}; data, settings"
                " or program are not those of the run: compare with `laptop-agents replay`"
            )
        self._pass(written[-67:-3].decode())

    def take(self) -> Line:
        """Return the next recorded line.

        Raises:
            JournalDamaged: It was changed since it was proven.
        """
        line = self._line()
        self._pass(line.hash)
        return line

    def _line(self) -> Line:
        assert self._next is not None, "nothing is left"
        line = proven_line(self._next, self._prev, self._seq)
        if isinstance(line, str):
            raise JournalDamaged(str(self.path), self._seq, line)
        return line

    def _pass(self, digest: str) -> None:
        self._seq, self._prev = self._seq + 1, digest
        self._next = next(self._lines, None)

    def is_own(self) -> bool:
        """Whether the next line was written about a resume, which a rerun does not repeat."""
        raw = self._next
        return raw is not None and raw.startswith(_RESUMED, raw.find(_TYPE))

    def outside_input(self) -> Input | None:
        """Return the next line's input if it came from outside; it stays the next line."""
        raw = self._next
        if raw is None or not raw.startswith(self._outside, raw.find(_TYPE)):
            return None
        event = input_of(self._line())
        is_remade = isinstance(event, OperatorCommand) and event.command in REMADE
        return None if is_remade else event


def _starts(kinds: Sequence[type]) -> tuple[bytes, ...]:
    return tuple(_TYPE + JOURNAL_TYPES[kind].encode() + b'"' for kind in kinds)


class _Writer(msgspec.Struct):
    epoch: int = 0


class _Pause(msgspec.Struct):
    paused_ns: int = 0


def paused_ns(line: Line) -> int:
    """Return by how much a session's time stood still before it was resumed."""
    return msgspec.json.decode(line.data, type=_Pause).paused_ns if line.type == RESUMED else 0


def _epoch(line: Line) -> int:
    try:
        return msgspec.json.decode(line.data, type=_Writer).epoch
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0  # whatever it is, it names no writer


def _in_file(reading: JournalReading) -> int:
    """Return how far the file being read is proven, bytes."""
    return reading.good_bytes - reading.starts[-1].at
