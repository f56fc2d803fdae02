"""Sandboxes of the three venues whose market has a past, and feeds on them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from aiohttp import web

from brokers.binance.config import BinanceConfig
from brokers.binance.feed import BinanceFeed
from brokers.bitunix.config import BitunixConfig
from brokers.bitunix.feed import BitunixFeed
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.feed import HyperliquidFeed
from brokers.link.feed import MarketFeed
from brokers.sandbox.binance import BinanceSandbox
from brokers.sandbox.bitunix import BitunixSandbox
from brokers.sandbox.faults import Faults
from brokers.sandbox.hyperliquid import HyperliquidSandbox
from engine.model.market import Trade
from engine.model.orders import Side
from tests.brokers.sandbox.stage import Stage

MINUTE_NS = 60 * 10**9
SYMBOL = "BTCUSDT"
SANDBOXES: dict[str, Callable[..., Any]] = {
    "binance": BinanceSandbox, "bitunix": BitunixSandbox, "hyperliquid": HyperliquidSandbox,
}  # fmt: skip


class Past(NamedTuple):
    """A venue whose market traded for some minutes before now."""

    venue: str
    at: str
    stage: Stage
    faults: Faults

    def feed(self) -> MarketFeed:
        match self.venue:
            case "binance":
                config = BinanceConfig(
                    rest_url=f"http://{self.at}", public_url=f"ws://{self.at}/public",
                    market_url=f"ws://{self.at}/market",
                )  # fmt: skip
                return BinanceFeed((SYMBOL,), config)
            case "bitunix":
                there = BitunixConfig(
                    rest_url=f"http://{self.at}", public_url=f"ws://{self.at}/public/"
                )
                return BitunixFeed((SYMBOL,), there)
            case _:
                urls = HyperliquidConfig(rest_url=f"http://{self.at}", ws_url=f"ws://{self.at}/ws")
                return HyperliquidFeed((SYMBOL,), urls)

    async def quote_on(self) -> None:
        """Show a market that lives."""
        ticks = 1_000
        while True:
            ticks += 1 if ticks < 1_010 else -10
            self.stage.quote(ticks, ticks + 1)
            self.stage.trade(Side.BUY, ticks + 1, 2)
            await asyncio.sleep(0.05)


def ticks_at(minute: int) -> int:
    """Price of the one print in a minute, counted from 1970."""
    return 1_000 + minute % 7


@contextlib.asynccontextmanager
async def past(venue: str, minutes: int = 40) -> AsyncIterator[Past]:
    """Run one with a print in each of so many minutes, the present one among them."""
    stage = Stage(is_live=True)
    sandbox = SANDBOXES[venue](stage.market, stage.exchange)
    now = time.time_ns() // MINUTE_NS
    for minute in range(now - minutes + 1, now + 1):
        at_ns = minute * MINUTE_NS
        stage.market.show(Trade(at_ns, SYMBOL, ticks_at(minute), 5, Side.BUY, minute, at_ns))
    stage.quote()
    stage.quote(symbol="ETHUSDT")
    runner = web.AppRunner(sandbox.app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Past(venue, f"127.0.0.1:{runner.addresses[0][1]}", stage, sandbox.faults)
    finally:
        await runner.cleanup()
