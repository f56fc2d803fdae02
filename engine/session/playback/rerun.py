"""A recorded session made again: kernel, books and tails at one instant, and what differs so far.

Rule 1: nothing is read from the recorded decisions but to hold the new ones against them.
Rule 2: what no input tells (readings of the process, latencies) is not known here, hence None.
Rule 3: every instant looks as the session's own screens saw it, for it is drawn by the same hand.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Final, NamedTuple

import msgspec
import zstandard

from engine.kernel import Kernel
from engine.kernel.checkpoint import restore, snapshot
from engine.market.market import Passed
from engine.model.events import Input, Timer
from engine.model.instrument import Instrument
from engine.model.market import MarketEvent
from engine.model.records import Record
from engine.reports.latency import LatencyMeter
from engine.reports.statistics import Curve
from engine.reports.tally import Tally
from engine.reports.view import SessionView
from engine.session.control.chronicle import SECOND_NS, Chronicle
from engine.session.control.portrait import Portrait
from engine.session.control.views import View
from engine.session.fold import HEARTBEAT
from engine.session.health import HealthReading
from engine.session.journal_reader import Line, input_of, is_decision
from engine.session.playback.turns import Place, RecordedTurn
from engine.session.playback.twin import Twins
from engine.session.replay import Mismatch, Span, heartbeat, shown, span_of, written
from engine.session.view import session_view

PACK_LEVEL: Final = 1
"""Of zstd: a snapshot shrinks to a tenth in 2 ms; more takes longer than it saves."""
MARKET: Final[tuple[type, ...]] = MarketEvent.__args__
"""Inputs of which the session's books hear only what they led to."""

Said = tuple[str, bytes]
"""Type and data of a decision, as the journal has it."""


class Beside(NamedTuple):
    """What follows a kernel, and the kernel it holds on to."""

    kernel: Kernel
    tally: Tally
    curve: Curve
    chronicle: Chronicle

    def twin(self, kernel: Kernel) -> "Beside":
        """Return one of the same content beside another kernel."""
        twins = Twins(self.kernel, kernel)
        return Beside(kernel, *map(twins.of, self[1:]))


class Mark(NamedTuple):
    """Everything needed to go on from one instant; shared parts of it never change."""

    cursor: int
    """Turns taken."""
    place: Place
    kernel: bytes
    """Packed."""
    passed: Passed
    """What a kernel's snapshot leaves out: it is for people."""
    beside: Beside
    decisions: int
    diverged: int


class Taken(NamedTuple):
    """What came of one turn."""

    records: Sequence[Record]
    mismatch: Mismatch | None
    """The first of it."""


class Cast(NamedTuple):
    """What a rerun begins with."""

    make_kernel: Callable[[], Kernel]
    symbols: tuple[str, ...]
    agents: tuple[str, ...]
    instruments: tuple[Instrument, ...]


class Rerun:
    """One session at one instant; `take` makes the next."""

    def __init__(self, cast: Cast, first: Line) -> None:
        self._make_kernel = cast.make_kernel
        self._kernel = cast.make_kernel()
        self._span: Span = span_of(first)
        self.tally = Tally(cast.symbols, cast.agents, cast.instruments)
        self.latency = LatencyMeter()
        self.reading = HealthReading()
        self.failure: OSError | None = None
        self._curve = Curve()
        self._curve.add(first.ts_ns, self._kernel.portfolio.equity, False)
        self._chronicle = Chronicle(self._kernel)
        self.cursor = 0
        self.place = Place(0, 0, "").after(first)
        self.decisions = 0
        """Decision lines so far, heartbeats included."""
        self.diverged = 0
        """Of these, how many this program makes differently."""

    # --- going on --------------------------------------------------------------------------------

    def take(self, turn: RecordedTurn) -> Taken:
        """Make the next turn again and hold it against what was recorded."""
        event = input_of(turn.input)
        assert event is not None, "a turn begins with an input"
        records = self._kernel.step(event).records
        mismatch = self._hold(turn, records)
        self._count(event, records)
        self.cursor += 1
        self.place = turn.end
        return Taken(records, mismatch)

    def _hold(self, turn: RecordedTurn, records: Sequence[Record]) -> Mismatch | None:
        if not records and len(turn.lines) == 1:
            return None
        remade: list[Said] = list(map(written, records))
        first = None
        decided = [line for line in turn.lines if is_decision(line)]
        for line, said in zip_longest(decided, remade):
            first = first or self._compare(line, said, turn.end.seq)
        for line in turn.lines:
            self._span = self._span.past(line)
            if line.type == HEARTBEAT:
                said = (HEARTBEAT, heartbeat(self._kernel, self._span, line.ts_ns))
                first = first or self._compare(line, said, line.seq)
                self._chronicle.follow((Timer(line.ts_ns),))
                books = self._kernel.portfolio
                is_exposed = any(holding.qty for holding in books.holdings.values())
                self._curve.add(line.ts_ns, books.equity, is_exposed)
        return first

    def _compare(self, line: Line | None, said: Said | None, seq: int) -> Mismatch | None:
        self.decisions += 1
        recorded = None if line is None else (line.type, line.data)
        if recorded == said:
            return None
        self.diverged += 1
        told = ["" if words is None else shown(*words) for words in (recorded, said)]
        return Mismatch(seq if line is None else line.seq, *told)

    def _count(self, event: Input, records: Sequence[Record]) -> None:
        """Tell the books; equity of a second is what its heartbeat saw, after the whole turn."""
        is_heard = not isinstance(event, (*MARKET, Timer)) or (
            isinstance(event, Timer) and bool(event.ts_ns % SECOND_NS)
        )
        if is_heard or records:
            heard = [event, *records] if is_heard else records
            self.tally.follow(heard)
            self._chronicle.follow(heard)

    # --- looking ---------------------------------------------------------------------------------

    @property
    def events(self) -> int:
        """Lines of the journal up to here."""
        return self.place.seq

    @property
    def bytes(self) -> int:
        """Length of these lines."""
        return self.place.at

    @property
    def head(self) -> str:
        """Hash of the last of them."""
        return self.place.hash

    @property
    def durable(self) -> int:
        """All of them are on the disk."""
        return self.place.seq

    @property
    def span(self) -> tuple[int, int | None]:
        """When it began; a recorded session plans no more."""
        return self._span.began_ns, None

    @property
    def drawdown_worst_pct(self) -> Decimal | None:
        """The deepest fall up to here, percent."""
        return self._curve.max_drawdown.pct

    @property
    def now_ns(self) -> int:
        """Recorded time of this instant."""
        return max(self._kernel.now_ns, self._span.began_ns)

    def view(self) -> SessionView:
        """Take a picture of the session as it was."""
        remaining, progress = self._span.left(self.now_ns)
        view = session_view(
            self._kernel,
            events=self.place.seq,
            remaining_s=remaining,
            progress=progress,
            is_simulated=self._span.is_simulated,
        )
        return msgspec.structs.replace(view, ts_ns=self.now_ns)

    def draw(self) -> View:
        """Return what a screen shows of this instant; the same instant always looks the same."""
        portrait = Portrait(self._kernel, self, self, self._chronicle)
        return msgspec.structs.replace(portrait.draw(viewers=0), number=self.cursor + 1)

    # --- keeping ---------------------------------------------------------------------------------

    def mark(self) -> Mark:
        """Keep this instant."""
        kernel = self._kernel
        return Mark(
            self.cursor,
            self.place,
            zstandard.ZstdCompressor(PACK_LEVEL).compress(snapshot(kernel)),
            kernel.market.passed(self._chronicle.prints.unread),
            Beside(kernel, self.tally, self._curve, self._chronicle).twin(kernel),
            self.decisions,
            self.diverged,
        )

    def go_to(self, mark: Mark) -> None:
        """Be at an instant that was kept; in a fresh kernel, for a used one may remember more."""
        kernel = self._kernel = self._make_kernel()
        restore(kernel, zstandard.ZstdDecompressor().decompress(mark.kernel))
        kernel.market.recall(mark.passed)
        _, self.tally, self._curve, self._chronicle = mark.beside.twin(kernel)
        self.cursor, self.place = mark.cursor, mark.place
        self.decisions, self.diverged = mark.decisions, mark.diverged
