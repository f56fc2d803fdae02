"""`laptop-agents sandbox VENUE`: an exchange on this machine that speaks a venue's protocol."""

import argparse
import asyncio
import sys
import time
from typing import TYPE_CHECKING, Final

from engine.model.errors import UsageError
from engine.session.stops import GRACEFUL

if TYPE_CHECKING:
    from brokers.sandbox.market import SandboxMarket

VENUES: Final = ("binance",)
HOST: Final = "127.0.0.1"
"""Loopback and nothing else: it has no lock on its door."""
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
    market = SandboxMarket(MockFeed(symbols, config, arguments.seed, time.time_ns()))
    asyncio.run(_serve(market, arguments.port))
    return 0


async def _serve(market: "SandboxMarket", port: int) -> None:
    from aiohttp import web  # noqa: PLC0415 - this command only

    from brokers.sandbox.binance import BinanceSandbox  # noqa: PLC0415 - this command only

    runner = web.AppRunner(BinanceSandbox(market).app, access_log=None, shutdown_timeout=LEAVE_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        await runner.cleanup()
        raise UsageError(f"port {port} can't be had: {error.strerror}") from error
    _announce(runner.addresses[0][1])
    playing = asyncio.create_task(market.play())
    loop = asyncio.get_running_loop()
    for number in GRACEFUL:
        loop.add_signal_handler(number, playing.cancel)
    await asyncio.gather(playing, return_exceptions=True)
    await runner.cleanup()
    if not playing.cancelled():
        playing.result()


def _announce(port: int) -> None:
    at = f"{HOST}:{port}"
    sys.stdout.write(
        f"binance sandbox: invented prices, no money, loopback only\n"
        f"binance.rest_url=http://{at}\n"
        f"binance.public_url=ws://{at}/public\n"
        f"binance.market_url=ws://{at}/market\n"
    )
    sys.stdout.flush()
