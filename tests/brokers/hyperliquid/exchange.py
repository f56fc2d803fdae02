"""A Hyperliquid sandbox on loopback for tests, and a feed on it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.feed import HyperliquidFeed
from brokers.mock.config import MockConfig
from brokers.mock.feed import MockFeed
from brokers.sandbox.coins import CoinFeed
from brokers.sandbox.exchange import Exchange as Core
from brokers.sandbox.exchange import ExchangeConfig
from brokers.sandbox.hyperliquid import HyperliquidSandbox
from brokers.sandbox.hyperliquid_desk import RULES
from brokers.sandbox.market import SandboxMarket
from engine.model.market import FeedEvent

COINS = ("BTC", "ETH")
PATIENCE_S = 20.0
START_NS = 1_700_000_000 * 10**9


class Exchange:
    """A running sandbox."""

    def __init__(self, events_per_s: float) -> None:
        symbols = tuple(f"{coin}USDT" for coin in COINS)
        mock = MockFeed(symbols, MockConfig(events_per_s=events_per_s), 1, START_NS)
        self.market = SandboxMarket(CoinFeed(mock))
        self.core = Core(self.market, ExchangeConfig(rules=RULES))
        self.sandbox = HyperliquidSandbox(self.market, self.core)
        self.port = 0

    @property
    def config(self) -> HyperliquidConfig:
        at = f"127.0.0.1:{self.port}"
        return HyperliquidConfig(rest_url=f"http://{at}", ws_url=f"ws://{at}/ws")


@contextlib.asynccontextmanager
async def exchange(events_per_s: float = 200.0) -> AsyncIterator[Exchange]:
    """Run one until the test is done."""
    running = Exchange(events_per_s)
    runner = web.AppRunner(running.sandbox.app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.port = runner.addresses[0][1]
    playing = asyncio.create_task(running.market.play())
    async with asyncio.timeout(PATIENCE_S):
        while not all(book.quote for book in running.market.books.values()):
            await asyncio.sleep(0.01)
    try:
        yield running
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        await runner.cleanup()


class Heard:
    """Everything a feed has brought."""

    def __init__(self, feed: HyperliquidFeed) -> None:
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
async def heard(config: HyperliquidConfig) -> AsyncIterator[Heard]:
    """Listen to a feed until the test is done."""
    feed = HyperliquidFeed(COINS, config)
    await feed.discover()
    async with feed:
        yield Heard(feed)
