"""What every live market feed does when a line of its own breaks down."""

import asyncio

import pytest

from brokers.link.feed import MarketFeed
from brokers.link.rest import Rest, RestConfig


class Broken(MarketFeed):
    """One whose only line ends as it is told."""

    name = "broken"

    def _begin(self) -> None:
        self.ends = asyncio.get_running_loop().create_future()
        self._spawn(self._line())

    async def _line(self) -> None:
        await self.ends


def feed() -> Broken:
    return Broken(("BTCUSDT",), Rest(RestConfig(base_url="http://127.0.0.1:1")), None)


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
