"""A recorded market as a source: what entered a journal from outside, in its order.

Answers of the venue, timers and ends by duration or data are left out: whoever runs the market
again has a venue, a clock and an end of his own. What people and the machine did is kept.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from engine.model.events import HealthChanged, Input, OperatorCommand
from engine.model.instrument import Instrument
from engine.model.market import (
    Bar,
    BarHistory,
    Depth,
    FeedStatus,
    Funding,
    Malformed,
    Quote,
    ReferenceQuote,
    ReferenceStatus,
    RulesChanged,
    Trade,
)
from engine.session.journal_reader import Line, input_of, read_journal
from engine.session.recorded import REMADE
from engine.venue import FeedInput

BATCH_EVENTS: Final = 256
"""Events between two looks at signals: a few milliseconds of work."""


class RecordedFeed:
    """A `Feed` that reads a journal and proves it line by line."""

    def __init__(
        self,
        journal: Path,
        instruments: Sequence[Instrument],
        *,
        source: str,
        is_simulated: bool,
        lines_max: int | None = None,
    ) -> None:
        """Prepare to read.

        Args:
            journal: Recorded with its inputs.
            instruments: Those to bring; events of others stay in the journal.
            source: As the recorded session was told it.
            is_simulated: Whether the recorded prices were invented.
            lines_max: Where to stop; None at the end.

        """
        self.name = source
        self.is_simulated = is_simulated
        self.instruments = tuple(instruments)
        self._journal = journal
        self._lines_max = lines_max
        self._symbols = frozenset(instrument.symbol for instrument in instruments)

    def batches(self) -> Iterator[Sequence[FeedInput]]:
        """Yield the recorded events in short batches.

        Raises:
            JournalDamaged: At the first line that is not proven.

        """
        batch: list[FeedInput] = []
        for line in islice(read_journal(self._journal), self._lines_max):
            event = self._wanted(line)
            if event is not None:
                batch.append(event)
            if len(batch) >= BATCH_EVENTS:
                yield batch
                batch = []
        if batch:
            yield batch

    def _wanted(self, line: Line) -> FeedInput | None:
        event: Input | None = input_of(line)
        match event:
            case (
                Quote() | Trade() | Bar() | Depth() | Funding() | ReferenceQuote() | RulesChanged()
            ):
                return event if event.symbol in self._symbols else None
            case BarHistory():
                return event if event.symbol in self._symbols or event.failure else None
            case OperatorCommand():
                return None if event.command in REMADE else event
            case FeedStatus() | Malformed() | ReferenceStatus() | HealthChanged():
                return event
            case _:
                return None
