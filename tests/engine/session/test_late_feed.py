"""A source that comes late: what is told meanwhile, and when it stays away."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from engine.model.errors import DataUnavailable, UnknownInstrument
from engine.model.instrument import Instrument
from engine.model.market import FeedStatus, Quote
from engine.session.late_feed import CHANGED, LateFeed
from engine.venue import LiveFeed
from tests.engine.factories import BTC, instrument

TS = 1_700_000_000_000_000_000
QUOTE = Quote(TS, BTC, 100, 1, 101, 1)
PATIENCE_S = 10.0


class Shy:
    """A live source that fails as often as the test says before it can be discovered."""

    name, is_simulated = "bitunix", False

    def __init__(self, *failures: Exception, lists: Sequence[Instrument] = ()) -> None:
        self.instruments: Sequence[Instrument] = ()
        self._lists = lists or (instrument(),)
        self._failures = list(failures)
        self.did: list[Any] = []

    def batches(self) -> Iterator[Sequence[Quote]]:
        while True:
            yield [QUOTE]

    async def discover(self) -> None:
        if self._failures:
            raise self._failures.pop(0)
        self.instruments = self._lists

    async def arrived(self, within_s: float, take: Any = None) -> None:
        self.did.append("arrived")

    def nudge(self) -> None:
        self.did.append("nudge")

    async def __aenter__(self) -> "Shy":
        self.did.append("open")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.did.append("close")


def late(shy: Shy) -> LateFeed:
    return LateFeed(shy, [instrument()], retry_s=0.001)


async def until(feed: LateFeed, *, count: int) -> list[Any]:
    """What it tells, until so much has come; and once more, to see that no more does."""
    told: list[Any] = []
    batches = feed.batches()
    async with asyncio.timeout(PATIENCE_S):
        while len(told) < count:
            told += next(batches)
            await feed.arrived(0.001)
    return told


async def test_it_says_once_that_it_is_away_and_then_that_it_is_there() -> None:
    """However often it was tried; then what it brings comes through."""
    shy = Shy(DataUnavailable("no route"), UnknownInstrument(BTC, ()), DataUnavailable("no"))
    feed = late(shy)
    assert isinstance(feed, LiveFeed)
    assert ("bitunix", False, (instrument(),)) == (feed.name, feed.is_simulated, feed.instruments)
    await feed.discover()
    async with feed:
        away, there, *brought = await until(feed, count=3)
        feed.nudge()

    assert (False, "no route") == (away.is_connected, away.reason)
    assert (FeedStatus, "bitunix", True) == (type(there), there.source, there.is_connected)
    assert QUOTE == brought[0]
    assert shy.did[0] == "open"
    assert {"arrived", "nudge", "close"} <= {*shy.did}


async def test_what_is_there_at_once_says_nothing_of_it() -> None:
    """Its own lines tell that they are up."""
    shy = Shy()
    async with late(shy) as feed:
        assert [QUOTE] == (await until(feed, count=1))[:1]


async def test_where_its_rules_have_changed_it_stays_away() -> None:
    """Ticks in the journal would mean something else."""
    shy = Shy(lists=[instrument(tick_size=instrument().tick_size * 2)])
    async with late(shy) as feed:
        (away,) = await until(feed, count=1)
        for _ in range(20):
            await feed.arrived(0.001)
            assert [] == next(feed.batches())

    assert (False, CHANGED) == (away.is_connected, away.reason)
    assert [] == shy.did


async def test_it_can_be_left_while_it_is_away() -> None:
    """Nothing goes on trying."""
    shy = Shy(*[DataUnavailable("no")] * 100_000)
    async with late(shy) as feed:
        await until(feed, count=1)

    assert [] == shy.did
    assert not [task for task in asyncio.all_tasks() if "late" in task.get_name()]


async def test_a_bug_is_not_hidden_by_silence() -> None:
    """It ends the session, as one of the source itself would."""
    async with late(Shy(ZeroDivisionError("a bug"))) as feed:
        with pytest.raises(ZeroDivisionError):
            await until(feed, count=1)
