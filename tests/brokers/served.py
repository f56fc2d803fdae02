"""A sandbox served on loopback for the tests of one venue, and everything a feed on it brings."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol, TypeVar

from aiohttp import web

from brokers.link.feed import MarketFeed
from brokers.sandbox.market import SandboxMarket
from engine.model.market import FeedEvent

PATIENCE_S = 20.0
SYMBOLS = ("BTCUSDT", "ETHUSDT")
START_NS = 1_700_000_000 * 10**9


class Served(Protocol):
    """A venue's sandbox, its market, and where it is once it runs."""

    market: SandboxMarket
    sandbox: Any
    port: int


ServedT = TypeVar("ServedT", bound=Served)


@contextlib.asynccontextmanager
async def serving(exchange: ServedT) -> AsyncIterator[ServedT]:
    """Run it, with a quote in every book, until the test is done."""
    runner = web.AppRunner(exchange.sandbox.app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    exchange.port = runner.addresses[0][1]
    playing = asyncio.create_task(exchange.market.play())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not all(book.quote for book in exchange.market.books.values()):
                await asyncio.sleep(0.01)
        yield exchange
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        await runner.cleanup()


class Heard:
    """Everything a feed has brought."""

    def __init__(self, feed: MarketFeed) -> None:
        self.feed = feed
        self.events: list[FeedEvent] = []
        self._batches = feed.batches()

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await self.feed.arrived(0.05)
                self.events += next(self._batches)


@contextlib.asynccontextmanager
async def listening(feed: MarketFeed) -> AsyncIterator[Heard]:
    """Listen until the test is done."""
    await feed.discover()
    async with feed:
        yield Heard(feed)
