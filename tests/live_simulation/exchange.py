"""The sandbox of a world, in the same loop: its market plays, its ledger is kept, faults strike."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from aiohttp import web

from brokers.link.rest import Reply, Request, Rest, RestConfig
from brokers.mock.config import MockConfig
from brokers.mock.feed import MockFeed
from brokers.sandbox.exchange import Exchange
from brokers.sandbox.market import SandboxMarket
from brokers.sandbox.orders import Told
from brokers.sandbox.venue_ledger import line
from laptop_agents.sandbox_command import FAULTS
from laptop_agents.sandbox_market import _as_coins, _contract
from laptop_agents.sandbox_venues import VENUES
from tests.live_simulation.road import HOST
from tests.live_simulation.world import World

BALANCE: Final = Decimal(10_000)


class Ledger:
    """What the venue itself says it did."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def __call__(self, told: Told) -> None:
        if not hasattr(told, "change"):
            self.lines.append(line(told))  # type: ignore[arg-type]

    def fills(self) -> list[dict[str, Any]]:
        return [entry for entry in self.lines if entry["kind"] == "fill"]


class Sandbox(NamedTuple):
    """A venue that is open."""

    exchange: Exchange
    ledger: Ledger
    port: int
    menu: frozenset[str]

    async def strike(self, name: str, **how: object) -> None:
        """Ask for a fault at its own door, as a person does."""
        asked = {"name": name, **how}
        await _at_the_door(self.port, "POST", json.dumps(asked).encode())

    async def mend(self) -> None:
        """Take back what has not struck yet: whoever asks next is served."""
        await _at_the_door(self.port, "DELETE")


@asynccontextmanager
async def opened(world: World, start_ns: int) -> AsyncIterator[Sandbox]:
    """Open the sandbox of a world and let its market play."""
    market = SandboxMarket(_market(world, start_ns))
    app, exchange = VENUES[world.venue].open(market, BALANCE)
    ledger = Ledger()
    exchange.burn.is_on = world.pays_in_bnb
    exchange.listen(ledger)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    port = runner.addresses[0][1]
    playing = asyncio.create_task(market.play())
    try:
        yield Sandbox(exchange, ledger, port, await _menu(port))
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        await runner.cleanup()
    if not playing.cancelled():
        playing.result()


def _market(world: World, start_ns: int) -> Any:
    is_coins = world.venue == "hyperliquid"
    symbols = tuple(_contract(name) if is_coins else name for name in world.symbols)
    config = MockConfig(events_per_s=world.events_per_s)
    feed = MockFeed(symbols, config, world.seed, start_ns)
    return _as_coins(feed) if is_coins else feed


async def _menu(port: int) -> frozenset[str]:
    return frozenset(json.loads(await _at_the_door(port, "GET"))["menu"])


async def _at_the_door(port: int, method: str, body: bytes = b"") -> bytes:
    async with Rest(RestConfig(base_url=f"http://{HOST}:{port}")) as client:
        answer = await client.ask(Request(method, FAULTS, {}, body))
    assert isinstance(answer, Reply), answer
    assert answer.status == HTTPStatus.OK, answer.body
    return answer.body
