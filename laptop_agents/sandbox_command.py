"""`laptop-agents sandbox VENUE`: an exchange on this machine that speaks a venue's protocol."""

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from engine.model.errors import UsageError
from engine.session.stops import GRACEFUL

if TYPE_CHECKING:
    from aiohttp import web

    from brokers.sandbox.market import SandboxMarket
    from engine.venue import Feed

VENUES: Final[Mapping[str, tuple[str, ...]]] = {
    "binance": (
        "rest_url=http://{at}",
        "public_url=ws://{at}/public",
        "market_url=ws://{at}/market",
    ),
    "bitunix": (
        "rest_url=http://{at}",
        "public_url=ws://{at}/public/",
        "private_url=ws://{at}/private/",
    ),
    "hyperliquid": ("rest_url=http://{at}", "ws_url=ws://{at}/ws"),
}
"""By venue the settings that lead to its sandbox."""
QUOTE: Final = "USDT"
HOST: Final = "127.0.0.1"
"""Loopback and nothing else: it has no lock on its door."""
EXTRA: Final = "pip install 'laptop-agents[hyperliquid]'"
LEAVE_S: Final = 0.2
"""For connections to close."""


def run(arguments: argparse.Namespace) -> int:
    """Run an exchange until a signal ends it.

    Raises:
        UsageError: No such venue, an unknown symbol, or a port that can't be had.
    """
    if arguments.venue not in VENUES:
        raise UsageError(f"no sandbox of {arguments.venue!r}: there is {', '.join(VENUES)}")
    from brokers.mock.config import MockConfig  # noqa: PLC0415 - this command only
    from brokers.mock.feed import MockFeed  # noqa: PLC0415 - this command only
    from brokers.sandbox.market import SandboxMarket  # noqa: PLC0415 - this command only

    symbols = tuple(filter(None, arguments.symbols.upper().split(",")))
    config = MockConfig(events_per_s=arguments.events_per_s)
    if arguments.venue == "hyperliquid":
        symbols = tuple(map(_contract, symbols))
    feed: Feed = MockFeed(symbols, config, arguments.seed, time.time_ns())
    if arguments.venue == "hyperliquid":
        feed = _as_coins(feed)
    market = SandboxMarket(feed)
    asyncio.run(_serve(arguments.venue, market, arguments.port))
    return 0


def _contract(name: str) -> str:
    """Return the contract of the mock market behind a name; a coin's is in USDT there."""
    return name if name.endswith(QUOTE) else f"{name}{QUOTE}"


def _exchange(venue: str, market: "SandboxMarket") -> "web.Application":
    """Open a venue's sandbox; only that one is imported."""
    if venue == "bitunix":
        from brokers.sandbox.bitunix import BitunixSandbox  # noqa: PLC0415 - the chosen venue only

        return BitunixSandbox(market).app
    if venue == "hyperliquid":
        return _hyperliquid(market)
    from brokers.sandbox.binance import BinanceSandbox  # noqa: PLC0415 - the chosen venue only

    return BinanceSandbox(market).app


def _as_coins(feed: "Feed") -> "Feed":
    """Return a market on Hyperliquid's grid.

    Raises:
        UsageError: What checks signatures is not installed.
    """
    try:
        from brokers.sandbox.coins import CoinFeed  # noqa: PLC0415 - its venue only
        from brokers.sandbox.hyperliquid import HyperliquidSandbox  # noqa: F401, PLC0415 - early
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: {EXTRA}") from error
    return CoinFeed(feed)


def _hyperliquid(market: "SandboxMarket") -> "web.Application":
    from brokers.sandbox.exchange import Exchange, ExchangeConfig  # noqa: PLC0415 - its venue only
    from brokers.sandbox.hyperliquid import HyperliquidSandbox  # noqa: PLC0415 - its venue only
    from brokers.sandbox.hyperliquid_desk import RULES  # noqa: PLC0415 - its venue only

    return HyperliquidSandbox(market, Exchange(market, ExchangeConfig(rules=RULES))).app


async def _serve(venue: str, market: "SandboxMarket", port: int) -> None:
    from aiohttp import web  # noqa: PLC0415 - this command only

    exchange = _exchange(venue, market)
    runner = web.AppRunner(exchange, access_log=None, shutdown_timeout=LEAVE_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        await runner.cleanup()
        raise UsageError(f"port {port} can't be had: {error.strerror}") from error
    _announce(venue, runner.addresses[0][1])
    playing = asyncio.create_task(market.play())
    loop = asyncio.get_running_loop()
    for number in GRACEFUL:
        loop.add_signal_handler(number, playing.cancel)
    await asyncio.gather(playing, return_exceptions=True)
    await runner.cleanup()
    if not playing.cancelled():
        playing.result()


def _announce(venue: str, port: int) -> None:
    at = f"{HOST}:{port}"
    lines = [f"{venue} sandbox: invented prices, no money, loopback only"]
    lines += [f"{venue}.{line.format(at=at)}" for line in VENUES[venue]]
    if venue == "hyperliquid":
        lines += _wallets()
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _wallets() -> list[str]:
    """Return what a client of the Hyperliquid sandbox signs with, as environment."""
    from brokers.sandbox.hyperliquid_door import AGENT_KEY, Door  # noqa: PLC0415 - its venue only

    door = Door()
    return [
        f"agent wallet {door.agent} of {door.master}, throw-away, known to everybody:",
        f"LAPTOP_AGENTS_HYPERLIQUID_WALLET={AGENT_KEY}",
        f"LAPTOP_AGENTS_HYPERLIQUID_ADDRESS={door.master}",
    ]
