"""Plays a recorded session: makes it known from its start, and shows any instant of what is known.

Two reruns share the journal. One goes from start to end once, proves every line, holds every
decision against it and leaves marks (`tape`); the other stands at the instant that is shown and
goes by the nearest mark to wherever it is wanted.

Rule 1: the shown instant is never ahead of what is known; a wish that is, waits, the newest wins.
Rule 2: work comes in slices, so that a new wish is heard at once.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from engine.session.journal_reader import JournalReading, Line
from engine.session.playback.rerun import Cast, Rerun
from engine.session.playback.tape import MARKS_MAX, SPACING, Tape
from engine.session.playback.turns import RecordedTurn, lines_after, turns
from engine.session.playback.wishes import Wish, reach
from engine.session.playback.words import NORMAL, SPEEDS, Ask, Play, Scrub, Shown

TURNS: Final = 32
"""Made between two looks at the clock: less than a millisecond."""
LEAP: Final = 512
"""Turns that are made again sooner than a mark further on is unpacked."""


class Player:
    """One journal, one shown instant."""

    def __init__(
        self,
        journal: Path,
        cast_of: Callable[[Line], Cast],
        monotonic_s: Callable[[], float],
        *,
        spacing: int = SPACING,
        marks_max: int = MARKS_MAX,
    ) -> None:
        """Read the first line.

        Args:
            journal: Recorded with its inputs.
            cast_of: Reads that line, or refuses it.
            monotonic_s: The wall clock that playing follows.
            spacing: See `tape`.
            marks_max: See `tape`.

        Raises:
            LaptopAgentsError: The first line is not proven, or refused.
        """
        self._journal = journal
        self._monotonic_s = monotonic_s
        self._reading = JournalReading(journal)
        lines = self._reading.lines()
        self.first = next(lines)
        cast = cast_of(self.first)
        self._ahead = Rerun(cast, self.first)
        self._shown = Rerun(cast, self.first)
        self._unknown = turns(lines, self._ahead.place)
        self._rest: Iterator[RecordedTurn] | None = None
        """The turns behind the shown instant, while it moves forward."""
        self.tape = Tape(self._ahead, spacing, marks_max)
        self._aim = 0
        """Where the shown instant shall be."""
        self._wish: Wish | None = None
        """What can't be aimed at before more is known."""
        self._play = Play(is_on=False, speed=NORMAL)
        self._began = (0.0, 0)
        """Wall and recorded time at which playing began."""
        self._asked = 0
        self._refusal = ""

    # --- wishes ----------------------------------------------------------------------------------

    def ask(self, ask: Ask) -> None:
        """Hear a wish; the shown instant gets there by `work`."""
        self._asked += 1
        self._refusal = ""
        if isinstance(ask, Play):
            self._play = ask
        else:
            self._wish = Wish(ask, self._aim)
            self._try()
        self._restart_clock()

    def _try(self) -> None:
        assert self._wish is not None, "nobody wishes anything"
        found = reach(self._wish, self.tape, self._hash_of)
        if found is None:
            return
        self._wish = None
        if isinstance(found, str):
            self._refusal = found
        else:
            self._aim = found
            self._restart_clock()

    def _hash_of(self, seq: int) -> str:
        """Read one line's whole hash."""
        cursor = self.tape.at_line(seq)
        assert cursor is not None, "only lines that are known are asked for"
        place = self.tape.mark_before(max(0, cursor - 1)).place
        if seq <= place.seq:
            return self.first.hash if seq == self.first.seq else place.hash
        lines = lines_after(self._journal, place, self._reading.starts)
        return next(line.hash for line in lines if line.seq == seq)

    # --- work ------------------------------------------------------------------------------------

    @property
    def is_settled(self) -> bool:
        """Whether what was wished for is shown."""
        return self._wish is None and self._aim == self._shown.cursor

    @property
    def is_busy(self) -> bool:
        """Whether there is work to do now."""
        return not (self.is_settled and self.tape.is_whole) or self._play.is_on

    def work(self, budget_s: float) -> None:
        """Do the most urgent things for so long, at least one.

        Raises:
            JournalDamaged: A line is not proven.
        """
        until_s = self._monotonic_s() + budget_s
        while self._work() and self._monotonic_s() < until_s:
            pass

    def _work(self) -> bool:
        """Do the most urgent thing for a moment; False when nothing is left to do now."""
        if self._aim != self._shown.cursor:
            self._approach()
        elif self._wish is not None:
            self._learn()
            self._try()
        else:
            if self._play.is_on:
                self._play_on()
            self._learn()
        return self._aim != self._shown.cursor or not self.tape.is_whole

    def _learn(self) -> None:
        """Make known a few turns more, where there are any."""
        if self.tape.is_whole:
            return
        for _ in range(TURNS):
            turn = next(self._unknown, None)
            if turn is None:
                self.tape.close(self._ahead)
                return
            self.tape.add(turn, self._ahead.take(turn), self._ahead)

    def _approach(self) -> None:
        """Bring the shown instant a few turns nearer to where it shall be."""
        mark = self.tape.mark_before(self._aim)
        if self._aim < self._shown.cursor or mark.cursor - self._shown.cursor > LEAP:
            self._shown.go_to(mark)
            self._rest = None
        if self._rest is None:
            lines = lines_after(self._journal, self._shown.place, self._reading.starts)
            self._rest = turns(lines, self._shown.place)
        for _ in range(min(TURNS, self._aim - self._shown.cursor)):
            self._shown.take(next(self._rest))

    # --- playing ---------------------------------------------------------------------------------

    def _restart_clock(self) -> None:
        at_ns = self.tape.time_of(self._aim) or self.first.ts_ns
        self._began = self._monotonic_s(), at_ns

    def _play_on(self) -> None:
        """Aim at where playing has come to."""
        if self._shown.cursor == self.tape.length:
            if self.tape.is_whole:
                self._play = Play(is_on=False, speed=self._play.speed)
            return
        speed = SPEEDS[self._play.speed]
        if not speed:
            self._aim = min(self._aim + TURNS, self.tape.length)
            return
        wall_s, at_ns = self._began
        now_ns = at_ns + round((self._monotonic_s() - wall_s) * speed * 1e9)
        self._aim = max(self._aim, self.tape.at_time(now_ns))

    # --- looking ---------------------------------------------------------------------------------

    @property
    def shown_cursor(self) -> int:
        """Where the shown instant is now."""
        return self._shown.cursor

    @property
    def stamp(self) -> tuple[object, ...]:
        """What a frame depends on: as long as it is the same, so is the frame."""
        known = self.tape.is_whole or self.tape.length
        return self._asked, self.shown_cursor, self._wish, self._play, known

    def _known(self) -> float:
        if self.tape.is_whole:
            return 1.0
        reading = self._reading
        if reading.head is not None:
            return min(1.0, self.tape.lines / max(1, reading.head.seq))
        return min(1.0, reading.good_bytes / max(1, self._journal.stat().st_size))

    def frame(self) -> Shown:
        """Return what is shown now."""
        shown, tape = self._shown, self.tape
        return Shown(
            shown.draw(),
            Scrub(
                cursor=shown.cursor,
                cursors=tape.length,
                seq=shown.place.seq,
                lines=tape.lines,
                hash=shown.place.hash,
                ts_ns=shown.now_ns,
                began_ns=self.first.ts_ns,
                ended_ns=tape.time_of(tape.length) or self.first.ts_ns,
                known=self._known(),
                is_whole=tape.is_whole,
                decisions=shown.decisions,
                decisions_known=self._ahead.decisions,
                diverged=max(shown.diverged, self._ahead.diverged),
                is_playing=self._play.is_on,
                speed=self._play.speed,
                is_seeking=not (self.is_settled or self._play.is_on),
                refusal=self._refusal,
                asked=self._asked,
            ),
        )
