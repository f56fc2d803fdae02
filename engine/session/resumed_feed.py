"""A live source that an interrupted session had: first what it brought then, now what it brings.

Rule 1: an empty batch stands between the two, so that whoever resumes comes to the end of the
        recorded lines before anything new.
Rule 2: what people and the machine did is not market: a resume takes it from the journal itself.
"""

from collections.abc import Iterator, Sequence
from typing import Self

from engine.model.errors import StateDamaged
from engine.model.events import HealthChanged, OperatorCommand
from engine.model.instrument import Instrument
from engine.session.recorded_feed import RecordedFeed
from engine.venue import FeedInput, LiveFeed, Take

NO_MARKET = (OperatorCommand, HealthChanged)


class ResumedFeed:
    """A `LiveFeed` with a past."""

    def __init__(self, past: RecordedFeed, live: LiveFeed) -> None:
        """Join the two.

        Args:
            past: What the session took, up to its last line.
            live: The same source, discovered.

        Raises:
            StateDamaged: The venue has changed an instrument meanwhile: ticks and lots in the
                journal would mean something else.

        """
        self._past = past
        self._live = live
        self.name = live.name
        self.is_simulated = live.is_simulated
        if tuple(live.instruments) != tuple(past.instruments):
            raise StateDamaged(
                f"{live.name} has changed the rules of what this run trades: it can't go on;"
                " start a new session"
            )

    @property
    def instruments(self) -> Sequence[Instrument]:
        """As they always were."""
        return self._past.instruments

    def batches(self) -> Iterator[Sequence[FeedInput]]:
        """Yield the recorded market, nothing once, and then the live one for ever."""
        for batch in self._past.batches():
            market = [event for event in batch if not isinstance(event, NO_MARKET)]
            if market:
                yield market
        yield ()
        yield from self._live.batches()

    async def discover(self) -> None:
        """Know it already."""

    async def arrived(self, within_s: float, take: Take | None = None) -> None:
        """Wait until something new has come, at most so long."""
        await self._live.arrived(within_s, take)

    def nudge(self) -> None:
        """End a wait."""
        self._live.nudge()

    async def __aenter__(self) -> Self:
        """Begin to listen, while the past is made again."""
        await self._live.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave."""
        await self._live.__aexit__(None, None, None)
