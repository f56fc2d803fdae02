"""A Bitunix sandbox on loopback for tests, and a feed on it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from brokers.bitunix.config import BitunixConfig
from brokers.bitunix.feed import BitunixFeed
from brokers.mock.config import MockConfig
from brokers.mock.feed import MockFeed
from brokers.sandbox.bitunix import BitunixSandbox
from brokers.sandbox.market import SandboxMarket
from engine.model.market import FeedEvent

SYMBOLS = ("BTCUSDT", "ETHUSDT")
PATIENCE_S = 20.0


class Exchange:
    """A running sandbox."""

    def __init__(self, events_per_s: float) -> None:
        mock = MockFeed(SYMBOLS, MockConfig(events_per_s=events_per_s), 1, 1_700_000_000 * 10**9)
        self.market = SandboxMarket(mock)
        self.sandbox = BitunixSandbox(self.market)
        self.port = 0

    @property
    def config(self) -> BitunixConfig:
        at = f"127.0.0.1:{self.port}"
        return BitunixConfig(
            rest_url=f"http://{at}",
            public_url=f"ws://{at}/public/",
            private_url=f"ws://{at}/private/",
        )


@contextlib.asynccontextmanager
async def exchange(events_per_s: float = 200.0) -> AsyncIterator[Exchange]:
    """Run one until the test is done."""
    running = Exchange(events_per_s)
    runner = web.AppRunner(running.sandbox.app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.port = runner.addresses[0][1]
    playing = asyncio.create_task(running.market.play())
    try:
        yield running
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        await runner.cleanup()


class Heard:
    """Everything a feed has brought."""

    def __init__(self, feed: BitunixFeed) -> None:
        self.feed = feed
        self.events: list[FeedEvent] = []
        self._batches = feed.batches()

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, holds: "object") -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await self.feed.arrived(0.05)
                self.events += next(self._batches)


@contextlib.asynccontextmanager
async def heard(config: BitunixConfig) -> AsyncIterator[Heard]:
    """Listen to a feed until the test is done."""
    feed = BitunixFeed(SYMBOLS, config)
    await feed.discover()
    async with feed:
        yield Heard(feed)
