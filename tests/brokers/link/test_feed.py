"""What every live market feed does: who is woken by what, and by a line that breaks down."""

import asyncio

import pytest

from brokers.link.feed import MarketFeed
from brokers.link.questions import Questions
from brokers.link.rest import RestConfig
from engine.model.market import FeedEvent, Quote
from engine.venue import Take


class Broken(MarketFeed):
    """One whose only line ends as it is told."""

    name = "broken"

    def _begin(self) -> None:
        self.ends = asyncio.get_running_loop().create_future()
        self._spawn(self._line())

    async def _line(self) -> None:
        await self.ends


def feed() -> Broken:
    return Broken(("BTCUSDT",), Questions(RestConfig(base_url="http://127.0.0.1:1")), None)


async def test_a_bug_in_a_line_wakes_the_session_and_ends_it() -> None:
    """A feed that went silent instead would look like a quiet market."""
    async with feed() as one:
        batches = one.batches()
        assert [] == list(next(batches))
        one.ends.set_exception(ZeroDivisionError("a bug"))
        async with asyncio.timeout(10):
            await one.arrived(60)
        with pytest.raises(ZeroDivisionError, match="a bug"):
            next(batches)


async def test_leaving_is_no_bug() -> None:
    """A line that is stopped says nothing."""
    async with feed() as one:
        batches = one.batches()
    assert [] == list(next(batches))
    assert set() == one._tasks


FIRST, NEXT = Quote(1, "BTCUSDT", 1, 1, 2, 1), Quote(2, "BTCUSDT", 1, 1, 3, 1)


async def waiting(one: Broken, take: Take) -> "asyncio.Task[None]":
    """A session that waits."""
    waits = asyncio.create_task(one.arrived(60, take))
    await asyncio.sleep(0)
    return waits


async def test_a_session_that_waits_is_offered_what_comes_first_as_it_comes() -> None:
    """What it takes is in no batch; what comes next is."""
    taken: list[FeedEvent] = []
    async with feed() as one:
        batches = one.batches()
        waits = await waiting(one, lambda event: taken.append(event) or True)
        one._put(FIRST)
        assert [FIRST] == taken
        one._put(NEXT)
        await waits
        assert ([FIRST], [NEXT]) == (taken, list(next(batches)))
        one._put(FIRST)
        assert [FIRST] == taken, "it waits no more"


async def test_what_a_session_can_not_take_yet_waits_for_it() -> None:
    async with feed() as one:
        waits = await waiting(one, lambda _: False)
        one._put(FIRST)
        await waits
        assert [FIRST] == list(next(one.batches()))


async def test_nothing_is_offered_before_what_woke_the_session() -> None:
    """An answer of the venue came first, perhaps."""
    taken: list[FeedEvent] = []
    async with feed() as one:
        waits = await waiting(one, lambda event: taken.append(event) or True)
        one.nudge()
        one._put(FIRST)
        await waits
        assert ([], [FIRST]) == (taken, list(next(one.batches())))


async def test_what_a_session_raises_is_its_own() -> None:
    """It is no bug of the line that brought the event."""

    def take(event: FeedEvent) -> bool:
        raise ZeroDivisionError(event.symbol)

    async with feed() as one:
        waits = await waiting(one, take)
        one._put(FIRST)
        with pytest.raises(ZeroDivisionError, match="BTCUSDT"):
            await waits
        assert [] == list(next(one.batches()))


async def test_a_bug_behind_an_answer_that_woke_the_session_ends_it_all_the_same() -> None:
    """An order that is refused at once wakes it in the middle of what it takes."""
    async with feed() as one:

        def take(event: FeedEvent) -> bool:
            one.nudge()
            raise ZeroDivisionError(event.symbol)

        waits = await waiting(one, take)
        one._put(FIRST)
        with pytest.raises(ZeroDivisionError, match="BTCUSDT"):
            await waits
        assert [] == list(next(one.batches()))
