"""A dry run: the very bytes live sends, written down once without their secrets, and no way out."""

import gc
import secrets
import socket
import time
import types
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import pytest
from aiohttp import web

from brokers.binance.config import BinanceConfig
from brokers.binance.feed import BinanceFeed
from brokers.bitunix.config import BitunixConfig
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.listing import Place
from brokers.link.account import NewOrder, OrderRef, Refused
from brokers.link.exchanged import Request
from brokers.link.rehearsal import Rehearsed, Touch
from brokers.link.rehearsed import RehearsedBroker
from brokers.link.rehearser import Rehearser
from brokers.link.requests_file import NAME, Asked, RequestsFile
from brokers.link.rest import Exchange
from brokers.link.secret import Credentials, Secret
from brokers.link.stream import Stream
from brokers.paper.config import PaperConfig
from brokers.paper.venue import CAPABILITIES, PaperVenue
from engine.model.account import MarginMode
from engine.model.commands import CancelOrder, PlaceOrder, QueryAccount, QueryOrder
from engine.model.errors import StateDamaged
from engine.model.instrument import Instrument
from engine.model.market import Quote
from engine.model.orders import Approved, OrderIntent, OrderType, Side, TimeInForce
from engine.model.venue_events import VenueEvent, VenueFill, VenueTriggered
from engine.venue import MarginTerms
from laptop_agents.venues import TRADED, _part

D = Decimal
KEY, SECRET, WALLET = "key-of-the-account", "the-secret", "0x" + "11" * 32
MASTER = "0x" + "ab" * 20
NOW_NS = 1_795_256_049_918_000_000
BTC = Instrument(
    symbol="BTC", base="BTC", quote="USDT", settlement="USDT", tick_size=D(1), lot_size=D("0.001"),
    min_qty=D("0.001"), min_notional=D(5), max_leverage=50, maintenance_margin=D("0.005"),
)  # fmt: skip
CONFIGS: dict[str, Any] = {
    "binance": BinanceConfig(), "bitunix": BitunixConfig(), "hyperliquid": HyperliquidConfig(),
}  # fmt: skip
PLACES = {"BTC": Place(1, 5)}
TOUCH = Touch(D(100_000), D(100_010))


def key_of(venue: str) -> Credentials:
    if venue == "hyperliquid":
        return Credentials(MASTER, Secret(WALLET))
    return Credentials(KEY, Secret(SECRET))


def rehearsal_of(venue: str, config: Any = None) -> Any:
    return _part(venue, "rehearsal").open_rehearsal(
        key_of(venue), config or CONFIGS[venue], [BTC], places=PLACES
    )


def an_order(client_id: str = "run-quoter-1", **changes: Any) -> NewOrder:
    plain = NewOrder(
        client_id, BTC, Side.BUY, OrderType.LIMIT, D("0.002"), D(99_000), None, TimeInForce.GTC,
        True, False,
    )  # fmt: skip
    return plain._replace(**changes)


ORDERS = [
    an_order(),
    an_order(side=Side.SELL, is_post_only=False, tif=TimeInForce.IOC, is_reduce_only=True),
    an_order(type=OrderType.MARKET, price=None, tif=TimeInForce.IOC, is_post_only=False),
]
REF = OrderRef("run-quoter-1", "", an_order(), "BTC")


class Arrived(NamedTuple):
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@asynccontextmanager
async def ear() -> AsyncIterator[tuple[str, list[Arrived]]]:
    """A server that keeps what arrives; it knows the coins, and nothing else."""
    heard: list[Arrived] = []

    async def hear(request: web.Request) -> web.Response:
        body = await request.read()
        if body == b'{"type":"meta"}':
            coins = [{"name": name, "szDecimals": 5} for name in ("OLD", "BTC")]
            return web.json_response({"universe": coins})
        if b'"l2Book"' in body:
            sides = [[{"px": f"{price}", "sz": "1"}] for price in TOUCH]
            return web.json_response({"coin": "BTC", "time": 1, "levels": sides})
        heard.append(Arrived(request.method, request.raw_path, dict(request.headers), body))
        return web.json_response({}, headers={"Date": ""})  # no clock but ours

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", heard
    finally:
        await runner.cleanup()


def is_same(rehearsed: Rehearsed, arrived: Arrived) -> bool:
    request = rehearsed.request
    told = {name.lower(): value for name, value in arrived.headers.items()}
    assert (request.method, request.path_and_query, request.body) == (
        arrived.method, arrived.target, arrived.body,
    )  # fmt: skip
    return all(told[name.lower()] == value for name, value in request.headers.items())


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("venue", TRADED)
async def test_what_is_rehearsed_is_what_live_sends(
    venue: str, order: NewOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account itself, on a real socket at the same instant, byte for byte."""
    monkeypatch.setattr(time, "time_ns", lambda: NOW_NS)
    monkeypatch.setattr(secrets, "token_hex", lambda n: "5a" * n)
    async with ear() as (url, heard):
        config = replace(CONFIGS[venue], rest_url=url)
        account = _part(venue, "account").open_account(key_of(venue), config, [BTC])
        async with account:
            await account.place(order)
            sent = heard[0]
            heard.clear()
            await account.cancel(REF)
            took_out = heard[0]

    assert is_same(rehearsal_of(venue, config).place(order, TOUCH), sent)
    again = rehearsal_of(venue, config)
    if venue == "hyperliquid":
        again.place(order, TOUCH)  # a number is used once
    assert is_same(again.cancel(REF), took_out)


@pytest.mark.parametrize("mode", [None, MarginMode.ISOLATED])
@pytest.mark.parametrize("venue", TRADED)
async def test_leverage_is_rehearsed_as_live_sets_it(
    venue: str, mode: MarginMode | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of what live sends to change what differs; what is not wished is not written."""
    monkeypatch.setattr(time, "time_ns", lambda: NOW_NS)
    monkeypatch.setattr(secrets, "token_hex", lambda n: "5a" * n)
    wanted = MarginTerms("BTC", 3, mode)
    async with ear() as (url, heard):
        config = replace(CONFIGS[venue], rest_url=url)
        account = _part(venue, "account").open_account(key_of(venue), config, [BTC])
        async with account:
            await account.set_margin(MarginTerms("BTC", 9, MarginMode.CROSS), wanted)

    first, *rest = rehearsal_of(venue, config).margin(wanted)
    assert is_same(first, heard[0])
    assert len(rest) == (mode is not None and venue != "hyperliquid")


def test_a_dry_run_begins_with_what_live_would_set(tmp_path: Path) -> None:
    """Once for each instrument; a rerun writes nothing again, and nothing wished is nothing."""
    for _ in range(2):
        sheet = RequestsFile(tmp_path / NAME)
        rehearser = Rehearser(rehearsal_of("binance"), [BTC], CAPABILITIES.ids_of("run"), sheet)
        rehearser.begin(7, None, None)
        rehearser.begin(7, 3, MarginMode.CROSS)
        sheet.close()
    lines = [msgspec.json.decode(line) for line in (tmp_path / NAME).read_bytes().splitlines()]
    assert [("margin BTC", "/fapi/v1/marginType"), ("margin BTC", "/fapi/v1/leverage")] == [
        (line["command"], line["path"]) for line in lines
    ]
    assert "symbol=BTC&leverage=3" in lines[1]["body"]


@pytest.mark.parametrize("venue", TRADED)
def test_nothing_secret_is_written(venue: str, tmp_path: Path) -> None:
    rehearsal = rehearsal_of(venue)
    sheet = RequestsFile(tmp_path / NAME)
    outcomes = [
        *(rehearsal.place(order, TOUCH) for order in ORDERS),
        rehearsal.cancel(REF), rehearsal.amend(REF, D(98_000), D("0.003")), rehearsal.order(REF),
        *rehearsal.account(),
    ]  # fmt: skip
    sheet.take(Asked(1, "place", "quoter-1"), outcomes)
    sheet.close()
    text = (tmp_path / NAME).read_text()

    hidden = {secret for one in outcomes if isinstance(one, Rehearsed) for secret in one.hidden}
    assert len(hidden) >= len(ORDERS)
    for one in outcomes:
        if isinstance(one, Rehearsed):
            whole = (
                one.request.path_and_query + one.request.body.decode() + f"{one.request.headers}"
            )
            assert one.hidden
            assert all(secret and secret in whole for secret in one.hidden)
    assert not [secret for secret in (*hidden, KEY, SECRET, WALLET, MASTER) if secret in text]
    assert 0o600 == (tmp_path / NAME).stat().st_mode & 0o777
    assert len(outcomes) == len(text.splitlines())


# --- nothing to send with -------------------------------------------------------------------------

WAYS_OUT = (Exchange, Stream, socket.socket, aiohttp.ClientSession, aiohttp.BaseConnector)
NO_PARTS = (type, types.ModuleType, types.FrameType, types.CodeType)


def reachable(root: object) -> Iterator[object]:
    """Everything an object holds; of a function what it closes over, not the module around it."""
    seen, waiting = {id(root)}, [root]
    while waiting:
        here = waiting.pop()
        yield here
        if isinstance(here, types.FunctionType):
            held: list[Any] = [here.__closure__, here.__defaults__, here.__kwdefaults__]
        else:
            held = gc.get_referents(here)
        for other in held:
            if not isinstance(other, NO_PARTS) and id(other) not in seen:
                seen.add(id(other))
                waiting.append(other)


def ways_out(root: object) -> list[object]:
    return [one for one in reachable(root) if isinstance(one, WAYS_OUT)]


class Rig:
    """A dry run's account."""

    def __init__(self, venue: str, path: Path) -> None:
        self.inbox: deque[VenueEvent] = deque()
        self.sheet = RequestsFile(path / NAME)
        self.path = path / NAME
        rehearsal = rehearsal_of(venue)
        ids = rehearsal.capabilities.ids_of("run")
        self.rehearser = Rehearser(rehearsal, [BTC], ids, self.sheet)
        paper = PaperVenue([BTC], PaperConfig(submit_latency_ms=0), 1, D(10_000), self._take)
        self.broker = RehearsedBroker(paper, self.rehearser, CAPABILITIES)
        self.ts_ns = 0

    def _take(self, event: VenueEvent) -> None:
        self.rehearser.hear(event)
        self.inbox.append(event)

    def quote(self, bid: int, ask: int) -> None:
        self.ts_ns += 1_000_000_000
        self.broker.advance(self.ts_ns)
        self.broker.observe(Quote(self.ts_ns, "BTC", bid, 1_000, ask, 1_000, self.ts_ns))
        self.broker.advance(self.ts_ns)

    def place(self, order_id: str, **changes: Any) -> None:
        intent = OrderIntent(self.ts_ns, order_id, "quoter", "BTC", "s", Side.BUY, D("0.002"))
        intent = msgspec.structs.replace(intent, **changes)
        self.broker.submit([PlaceOrder(self.ts_ns, order_id, Approved(intent))])

    def of(self, kind: type) -> list[VenueEvent]:
        return [event for event in self.inbox if isinstance(event, kind)]

    def written(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in self.path.read_bytes().splitlines()]


@pytest.fixture(params=TRADED)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(request.param, tmp_path)
    yield made
    made.sheet.close()


def test_no_object_of_a_dry_run_leads_out(rig: Rig) -> None:
    """And the walk does find a way where there is one."""
    found = list(reachable(rig.broker))
    assert [] == ways_out(rig.broker)
    assert any(isinstance(one, Secret) for one in found) or "Signer" in f"{found}"
    feed = BinanceFeed(["BTC"], BinanceConfig())
    assert ways_out([rig.broker, feed.discover])


def test_a_dry_run_works_without_sockets(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a dry run opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    rig.quote(100_000, 100_010)
    rig.place("quoter-1")
    rig.quote(100_000, 100_010)
    rig.broker.submit([CancelOrder(rig.ts_ns, "quoter-1", "BTC")])
    rig.broker.submit([QueryOrder(rig.ts_ns, "quoter-1", "BTC")])
    rig.broker.submit([QueryAccount(rig.ts_ns, 0)])

    assert 1 == len(rig.of(VenueFill))
    commands = [line["command"] for line in rig.written()]
    assert ["place", "cancel", "order", "account"] == list(dict.fromkeys(commands))
    assert not [line for line in rig.written() if "refused" in line]


# --- what waits, what was written -----------------------------------------------------------------


def test_a_stop_is_no_request_until_it_is_released(rig: Rig) -> None:
    rig.quote(100_000, 100_010)
    rig.place("stop-1", type=OrderType.STOP, trigger_price=D(101_000))
    rig.place("stop-2", type=OrderType.STOP, trigger_price=D(109_000))
    rig.quote(100_000, 100_010)
    rig.broker.submit([CancelOrder(rig.ts_ns, "stop-2", "BTC")])
    assert [] == rig.written()
    saved = rig.broker.snapshot()
    rig.broker.restore(saved)
    rig.quote(101_500, 101_510)
    rig.quote(101_500, 101_510)

    (triggered,) = rig.of(VenueTriggered)
    (line,) = rig.written()
    assert ("release", "stop-1", triggered.ts_ns) == (
        line["command"], line["order_id"], line["ts_ns"],
    )  # fmt: skip
    assert "stop-2" not in f"{line}"


def test_a_rerun_writes_what_is_missing_and_nothing_twice(tmp_path: Path) -> None:
    def outcome(number: int) -> list[Rehearsed]:
        return [Rehearsed(Request("GET", f"/{number}?a=1", {}), ())]

    path = tmp_path / NAME
    sheet = RequestsFile(path)
    for number in range(3):
        sheet.take(Asked(number, "place", f"q-{number}"), outcome(number))
    sheet.close()
    path.write_bytes(path.read_bytes()[:-7])
    again = RequestsFile(path)
    for number in range(4):
        again.take(Asked(number, "place", f"q-{number}"), outcome(number))
    again.close()

    found = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    assert [("/0", "a=1"), ("/1", "a=1"), ("/2", "a=1"), ("/3", "a=1")] == [
        (line["path"], line["query"]) for line in found
    ]


def test_what_live_would_refuse_is_told(tmp_path: Path) -> None:
    rehearsal = rehearsal_of("hyperliquid")
    assert isinstance(rehearsal.place(ORDERS[2], None), Refused)
    sheet = RequestsFile(tmp_path / NAME)
    sheet.take(Asked(1, "place", "q-1"), [rehearsal.place(ORDERS[2], None)])
    sheet.close()
    (line,) = map(msgspec.json.decode, (tmp_path / NAME).read_bytes().splitlines())
    assert ("no_liquidity", "no price is known to take") == (line["refused"], line["detail"])


def test_a_file_that_is_no_such_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b'{"ts_ns":1}\n')
    with pytest.raises(StateDamaged):
        RequestsFile(tmp_path / NAME)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateDamaged):
        RequestsFile(tmp_path / "link")
