"""A live source that may come late: what it lists is known from before, when it comes is not.

A resumed session has positions to look after, and must not wait for a market it only looks at.

Rule 1: until it is there it brings nothing but one word that it is not, and why.
Rule 2: where it lists something else than before, it stays away: ticks would mean something else.
"""

import asyncio
from collections.abc import Iterator, Sequence
from time import time_ns
from typing import Final, Self

from engine.model.errors import DataUnavailable, UnknownInstrument
from engine.model.instrument import Instrument
from engine.model.market import FeedStatus
from engine.venue import FeedInput, LiveFeed, Take

RETRY_S: Final = 2.0
CHANGED: Final = "it has changed the rules of what it lists: start a new session"


class LateFeed:
    """A `LiveFeed` that is discovered while it is listened to."""

    def __init__(
        self, feed: LiveFeed, instruments: Sequence[Instrument], retry_s: float = RETRY_S
    ) -> None:
        """Wait for a source.

        Args:
            feed: Not discovered.
            instruments: What it listed when it was.
            retry_s: Between two tries.

        """
        self._feed, self._retry_s = feed, retry_s
        self.instruments = tuple(instruments)
        self.name, self.is_simulated = feed.name, feed.is_simulated
        self._told: list[FeedInput] = []
        self._has_missed = False
        self._is_open = False
        self._opening: asyncio.Task[None] | None = None

    def batches(self) -> Iterator[Sequence[FeedInput]]:
        """Yield what has come, for ever; empty where nothing has.

        Raises:
            Exception: A bug of ours kept it from opening.

        """
        coming = self._feed.batches()
        while True:
            told, self._told = self._told, []
            if self._is_open:
                yield [*told, *next(coming)]
                continue
            if self._opening is not None and self._opening.done():
                self._opening.result()
            yield told

    async def discover(self) -> None:
        """Leave that for later."""

    async def arrived(self, within_s: float, take: Take | None = None) -> None:
        """Wait until something has come, at most so long."""
        if self._is_open:
            await self._feed.arrived(within_s, take)
        else:
            await asyncio.sleep(within_s)

    def nudge(self) -> None:
        """End a wait."""
        self._feed.nudge()

    async def __aenter__(self) -> Self:
        """Begin to try."""
        self._opening = asyncio.create_task(self._open(), name=f"{self.name}-late")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave, or stop trying."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._is_open:
            await self._feed.__aexit__(None, None, None)

    async def _open(self) -> None:
        while True:
            try:
                await self._feed.discover()
                break
            except (DataUnavailable, UnknownInstrument) as error:
                self._miss(str(error))
            await asyncio.sleep(self._retry_s)
        if tuple(self._feed.instruments) != self.instruments:
            self._miss(CHANGED)
            return
        await self._feed.__aenter__()
        self._is_open = True
        if self._has_missed:
            self._told.append(FeedStatus(time_ns(), self.name, is_connected=True))

    def _miss(self, why: str) -> None:
        if not self._has_missed:
            self._told.append(FeedStatus(time_ns(), self.name, False, why))
        self._has_missed = True
