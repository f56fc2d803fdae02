"""Over TLS: everything as in the open, a greeting that breaks is no order, and nobody else is told.

Source: reliability.md F7, row 116.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
from aiohttp import web

from brokers.binance.config import BinanceConfig
from brokers.bitunix.config import BitunixConfig
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.link.emergency_line import EmergencyLine
from brokers.link.secret import Credentials, Secret
from brokers.link.trust import trusted
from brokers.sandbox.certificate import Identity, self_signed
from brokers.sandbox.hyperliquid_door import AGENT_KEY, Door
from engine.model.errors import UsageError
from engine.model.venue_events import (
    RejectReason,
    Standing,
    VenueAccepted,
    VenueCanceled,
    VenueRejected,
)
from engine.venue import EmergencyDesk
from laptop_agents.venues import emergency_desk
from tests.brokers.proxy import BOTH, DOWN, UP, LimitData, ResetPeer, Slicer, Toxic
from tests.brokers.toxic.desk import QTY, RUN, SIGNED, VENUES, Desk, desk, served

CONFIGS = {
    "binance": BinanceConfig,
    "bitunix": BitunixConfig,
    "hyperliquid": HyperliquidConfig,
}
KEYS = {
    "binance": SIGNED,
    "bitunix": SIGNED,
    "hyperliquid": Credentials(Door().master, Secret(AGENT_KEY)),
}


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return self_signed(tmp_path)


@pytest.mark.parametrize("venue", VENUES)
async def test_an_account_trades(venue: str, identity: Identity) -> None:
    """Requests and the line, in small pieces too; nothing readable is on the wire."""
    async with desk(venue, identity=identity) as there:
        for proxy in there.legs.proxies():
            proxy.strike(Slicer(20), *BOTH)
        order = there.place(1)
        await there.until(lambda: there.about(order, VenueAccepted))
        there.meet(990, QTY / 2)
        await there.until(lambda: there.filled() == QTY / 2)
        there.cancel(order)
        await there.until(lambda: there.about(order, VenueCanceled))
        assert Standing.CANCELED is (await there.asked(order)).standing
        assert QTY / 2 == there.filled() == there.position()
        said = b"".join(map(bytes, there.legs.rest.said))
        assert len(said) > 1_000
        assert b"HTTP" not in said


class Greeting(NamedTuple):
    name: str
    toxic: Toxic
    way: str


GREETINGS = [
    Greeting("cut short", LimitData(100), DOWN),
    Greeting("reset", ResetPeer(), DOWN),
    Greeting("reset before it arrives", ResetPeer(), UP),
]


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("row", GREETINGS, ids=lambda row: row.name)
async def test_a_greeting_that_breaks_is_no_order(
    venue: str, row: Greeting, identity: Identity
) -> None:
    """Nothing was sent, and that is known: refused at once, and nothing to ask about."""
    async with desk(venue, identity=identity) as there:
        there.legs.rest.cut()
        await there.until(lambda: not there.legs.rest.links)
        there.legs.rest.strike(row.toxic, row.way)
        await refused(there, 1)
        await there.legs.rest.heal()
        order = there.place(2)
        await there.until(lambda: there.about(order, VenueAccepted))
        assert 1 == len(there.entered())


async def refused(there: Desk, number: int) -> None:
    order = there.place(number)
    await there.until(lambda: there.about(order, VenueRejected))
    (told,) = there.about(order, VenueRejected)
    assert RejectReason.VENUE_UNAVAILABLE is told.reason
    assert 0 == there.working()


@dataclass
class Impostor:
    """Somebody who has taken the venue's address, and what he could read."""

    read: list[str] = field(default_factory=list)

    def app(self) -> web.Application:
        async def anything(request: web.Request) -> web.Response:
            self.read.append(f"{request.method} {request.path} {await request.text()}")
            return web.json_response({})

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", anything)
        return app


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("is_encrypted", [True, False], ids=["another certificate", "none"])
async def test_who_takes_the_address_of_a_venue_is_told_nothing(
    venue: str, is_encrypted: bool, identity: Identity, tmp_path: Path
) -> None:
    """In the middle of a session: no request, no login, no word to the sentinel's desk."""
    impostor = Impostor()
    (tmp_path / "other").mkdir()
    other = self_signed(tmp_path / "other") if is_encrypted else None
    async with desk(venue, identity=identity) as there, served(impostor.app(), other) as port:
        true = there.legs.rest.target
        for proxy in there.legs.proxies():
            proxy.target = port
            proxy.cut()
        await there.until(there.breaks)
        await refused(there, 1)
        sentinel = desk_of(venue, there)
        hang_up = line_of(sentinel).close
        with pytest.raises(OSError, match="can't be asked"):
            await asyncio.to_thread(sentinel.holdings)
        assert [] == impostor.read

        for proxy in there.legs.proxies():
            proxy.target = true
            proxy.cut()
        await there.until(there.is_up)
        order = there.place(2)
        await there.until(lambda: there.about(order, VenueAccepted))
        assert [] == await asyncio.to_thread(sentinel.holdings)
        (working,) = await asyncio.to_thread(sentinel.working)
        assert order == working.order_id
        hang_up()


def desk_of(venue: str, there: Desk):
    """The same account in the sentinel's hands, by the settings it is handed."""
    legs = there.legs
    settings = {
        one: (legs.http() if url.startswith("https") else legs.ws("/"))
        for one, url in vars_of(CONFIGS[venue]()).items()
        if one.endswith("_url")
    }
    instruments = tuple(there.sandbox.stage.exchange.instruments.values())[:1]
    return emergency_desk(
        venue, KEYS[venue], {**settings, "ca_file": legs.ca_file}, instruments, RUN
    )


def line_of(sentinel: EmergencyDesk) -> EmergencyLine:
    """The one connection a desk holds, however deep."""
    waiting: list[object] = [sentinel]
    while not isinstance(one := waiting.pop(0), EmergencyLine):
        held = getattr(one, "_asdict", lambda one=one: getattr(one, "__dict__", {}))()
        waiting += held.values()
    return one


def vars_of(config: object) -> dict[str, object]:
    return {name: getattr(config, name) for name in config.__dataclass_fields__}


@pytest.mark.parametrize("venue", VENUES)
def test_an_authority_of_ones_own_is_for_this_machine_alone(
    venue: str, identity: Identity, tmp_path: Path
) -> None:
    """The default addresses are the venue's: there the machine's authorities count, no other."""
    assert trusted(venue, CONFIGS[venue]()) is None
    with pytest.raises(UsageError, match=rf"{venue}.ca_file is for a sandbox on this machine"):
        trusted(venue, CONFIGS[venue](ca_file=str(identity.certificate)))
    here = {
        name: "https://127.0.0.1" for name in vars_of(CONFIGS[venue]()) if name.endswith("_url")
    }
    assert trusted(venue, CONFIGS[venue](**here, ca_file=str(identity.certificate))) is not None
    for wrong in (tmp_path / "none.pem", tmp_path, identity.key):
        with pytest.raises(UsageError, match=rf"{venue}.ca_file can't be read"):
            trusted(venue, CONFIGS[venue](**here, ca_file=str(wrong)))
