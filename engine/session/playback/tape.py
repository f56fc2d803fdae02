"""What is known of a recorded session so far: where everything is, and instants to go on from.

A cursor counts turns: at 0 nothing was taken, at `length` all that is known.

Rule 1: the tape grows at its end only, turn by turn, as the session is made again from its start.
Rule 2: marks are bounded. Where there would be too many, every second one goes and those to come
        lie twice as far apart: a seek into a longer session takes longer, the memory stays.
"""

from array import array
from bisect import bisect_left, bisect_right
from typing import Final

from engine.session.playback.landmarks import Landmark, landmarks
from engine.session.playback.rerun import Mark, Rerun, Taken
from engine.session.playback.turns import RecordedTurn
from engine.session.replay import Mismatch

SPACING: Final = 1_024
"""Turns between two marks at first: making so many again takes some 25 ms."""
MARKS_MAX: Final = 512
"""Of 0.4 MB each with five instruments, 0.2 GB in all: eight hours get one in 8,192 turns."""
HASH_BYTES: Final = 8
"""Of each line's hash that are kept to be searched."""
HASH_DIGITS: Final = 2 * HASH_BYTES


class Tape:
    """The known part of a session, from its start."""

    def __init__(self, start: Rerun, spacing: int = SPACING, marks_max: int = MARKS_MAX) -> None:
        """Begin with what stands before the first turn."""
        self._spacing = spacing
        self._marks_max = marks_max
        self._marks = [start.mark()]
        self._times = array("q")
        """Recorded time of each turn; it may stand still and never falls."""
        self._seqs = array("Q")
        """Number of the last line of each turn."""
        self._hashes = bytearray(HASH_BYTES)  # nothing finds line 0
        self._found: dict[Landmark, array[int]] = {kind: array("Q") for kind in Landmark}
        self._keep_hash(start.place.hash)
        self.mismatch: Mismatch | None = None
        """The first decision that came out differently."""
        self.end = start.mark()
        """The newest mark, or an exact one of the end once that is known."""
        self.is_whole = False
        """Whether the session's last turn is known."""

    @property
    def length(self) -> int:
        """Turns known."""
        return len(self._times)

    @property
    def lines(self) -> int:
        """Lines known."""
        return self._seqs[-1] if self._seqs else self._marks[0].place.seq

    def add(self, turn: RecordedTurn, taken: Taken, rerun: Rerun) -> None:
        """Take in the turn behind the known end, which `rerun` has just made."""
        assert rerun.cursor == self.length + 1, "a tape grows at its end"
        self._times.append(max(turn.input.ts_ns, self._times[-1] if self._times else 0))
        self._seqs.append(turn.end.seq)
        for line in turn.lines:
            self._keep_hash(line.hash)
        for landmark in landmarks(taken.records):
            self._found[landmark].append(rerun.cursor)
        self.mismatch = self.mismatch or taken.mismatch
        if rerun.cursor - self._marks[-1].cursor >= self._spacing:
            self._marks.append(rerun.mark())
            self.end = self._marks[-1]
            if len(self._marks) > self._marks_max:
                self._thin_out()

    def close(self, rerun: Rerun) -> None:
        """Know that nothing comes after the turn that `rerun` made last."""
        self.end = rerun.mark()
        self.is_whole = True

    def _thin_out(self) -> None:
        del self._marks[1::2]
        self._spacing *= 2

    def _keep_hash(self, digits: str) -> None:
        self._hashes += bytes.fromhex(digits[:HASH_DIGITS])

    # --- where things are ------------------------------------------------------------------------

    def mark_before(self, cursor: int) -> Mark:
        """Return the nearest kept instant from which to reach a cursor."""
        if self.end.cursor <= cursor:
            return self.end
        place = bisect_right(self._marks, cursor, key=lambda mark: mark.cursor)
        return self._marks[place - 1]

    def at_time(self, ts_ns: int) -> int:
        """Return the cursor of the last turn at or before a recorded time."""
        return bisect_right(self._times, ts_ns)

    def at_line(self, seq: int) -> int | None:
        """Return the cursor of the turn that has a line; None where it is not known."""
        if seq > self.lines:
            return None
        return 0 if seq <= self._marks[0].place.seq else bisect_left(self._seqs, seq) + 1

    def with_hash(self, digits: str) -> int | None:
        """Return the number of the first line whose hash begins so, by at most 16 digits."""
        digits = digits[:HASH_DIGITS].lower()
        whole = bytes.fromhex(digits[: len(digits) // 2 * 2])
        at = self._hashes.find(whole, HASH_BYTES)
        while at >= 0:
            seq, offset = divmod(at, HASH_BYTES)
            found = self._hashes[at : at + HASH_BYTES].hex()
            if not offset and found.startswith(digits):
                return seq
            at = self._hashes.find(whole, at + 1)
        return None

    def following(self, landmark: Landmark, cursor: int) -> int | None:
        """Return the next instant of a kind after a cursor; None where none is known."""
        found = self._found[landmark]
        place = bisect_right(found, cursor)
        return found[place] if place < len(found) else None

    def preceding(self, landmark: Landmark, cursor: int) -> int | None:
        """Return the last instant of a kind before a cursor; None where there is none."""
        found = self._found[landmark]
        place = bisect_left(found, cursor)
        return found[place - 1] if place else None

    def time_of(self, cursor: int) -> int | None:
        """Return the recorded time of a turn; None before the first and past the known end."""
        return self._times[cursor - 1] if 0 < cursor <= self.length else None
