"""The Bitunix sandbox as a client meets it that shares no line with the adapter."""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from brokers.sandbox import bitunix_lines as lines_module
from brokers.sandbox.bitunix import RULES, BitunixSandbox
from engine.model.orders import Side
from tests.brokers.sandbox.stage import Stage

PATIENCE_S = 20.0
PREFIX = "/api/v1/futures"


class Client:
    """Asks one sandbox with one key; signs as the sheet says, written once more."""

    def __init__(self, stage: Stage, session: aiohttp.ClientSession, port: int) -> None:
        self.stage, self.session, self.port = stage, session, port
        self.key, self.secret = "sandbox-key", "sandbox-secret"

    async def open(self, path: str) -> dict[str, Any]:
        async with self.session.get(f"http://127.0.0.1:{self.port}{PREFIX}{path}") as answer:
            assert 200 == answer.status
            return await answer.json()

    def headers(self, query: str, body: str, **changes: str) -> dict[str, str]:
        nonce, now = "n" * 32, str(time.time_ns() // 1_000_000)
        now = changes.pop("at", now)
        inner = hashlib.sha256(f"{nonce}{now}{self.key}{query}{body}".encode()).hexdigest()
        sign = hashlib.sha256(f"{inner}{self.secret}".encode()).hexdigest()
        told = {"api-key": self.key, "nonce": nonce, "timestamp": now, "sign": sign}
        return {**told, **changes}

    async def get(self, path: str, **params: str) -> dict[str, Any]:
        query = "".join(f"{name}{params[name]}" for name in sorted(params))
        url = f"http://127.0.0.1:{self.port}{PREFIX}{path}"
        headers = self.headers(query, "")
        async with self.session.get(url, params=params, headers=headers) as answer:
            assert 200 == answer.status
            return await answer.json()

    async def post(self, path: str, body: object, **changes: str) -> dict[str, Any]:
        text = json.dumps(body)
        url = f"http://127.0.0.1:{self.port}{PREFIX}{path}"
        headers = self.headers("", text, **changes)
        async with self.session.post(url, data=text, headers=headers) as answer:
            assert 200 == answer.status
            return await answer.json()

    async def place(self, **fields: object) -> dict[str, Any]:
        order = {
            "symbol": "BTCUSDT", "side": "BUY", "orderType": "LIMIT", "qty": "0.01",
            "price": "99", "effect": "GTC", "clientId": "c1",
        }  # fmt: skip
        told = {name: value for name, value in (order | fields).items() if value is not None}
        return await self.post("/trade/place_order", told)

    @contextlib.asynccontextmanager
    async def line(self, path: str) -> AsyncIterator[ClientConnection]:
        url = f"ws://127.0.0.1:{self.port}{path}"
        async with connect(url, proxy=None, ping_interval=None) as socket:
            assert {"op": "connect", "data": {"result": True}} == await heard(socket)
            yield socket

    async def logged_in(self, socket: ClientConnection, at: int | None = None) -> dict[str, Any]:
        at = int(time.time()) if at is None else at
        inner = hashlib.sha256(f"nonce{at}{self.key}".encode()).hexdigest()
        sign = hashlib.sha256(f"{inner}{self.secret}".encode()).hexdigest()
        args = {"apiKey": self.key, "timestamp": at, "nonce": "nonce", "sign": sign}
        await socket.send(json.dumps({"op": "login", "args": [args]}))
        return (await heard(socket))["data"]


async def heard(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        return json.loads(await socket.recv())


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    stage = Stage(is_live=True, rules=RULES)
    sandbox = BitunixSandbox(stage.market, stage.exchange)
    runner = web.AppRunner(sandbox.app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stage.quote()
    stage.depth(((1000, 10), (999, 20)), ((1001, 10), (1002, 20)))
    async with aiohttp.ClientSession(trust_env=False) as session:
        yield Client(stage, session, runner.addresses[0][1])
    await runner.cleanup()


async def test_public_questions(client: Client) -> None:
    """Pairs, book, rates, tickers, bars; every error is a 200 with a code."""
    told = await client.open("/market/trading_pairs?symbols=BTCUSDT")
    (pair,) = told["data"]
    assert (0, "Success") == (told["code"], told["msg"])
    assert ("BTCUSDT", 1, 3, "OPEN", True) == (
        pair["symbol"], pair["quotePrecision"], pair["basePrecision"], pair["symbolStatus"],
        pair["isApiSupported"],
    )  # fmt: skip
    book = (await client.open("/market/depth?symbol=BTCUSDT&limit=1"))["data"]
    assert {"bids": [["100.0", "0.010"]], "asks": [["100.1", "0.010"]]} == book
    client.stage.funding("100", "0.0001", client.stage.now_ns + 10**12)
    rate = (await client.open("/market/funding_rate?symbol=BTCUSDT"))["data"]
    assert ("0.0100", None, 8) == (
        rate["fundingRate"], rate["indexPrice"], rate["fundingInterval"],
    )  # fmt: skip
    assert 2 == len((await client.open("/market/funding_rate/batch"))["data"])
    client.stage.trade(Side.BUY, 1001, 5)
    assert "100.1" == (await client.open("/market/tickers?symbols=BTCUSDT"))["data"][0]["lastPrice"]
    bars = (await client.open("/market/kline?symbol=BTCUSDT&interval=1m"))["data"]
    assert ("100.1", "0.005") == (bars[0]["close"], bars[0]["baseVol"])
    for path, code in (
        ("/market/depth?symbol=NOPE", 20001),
        ("/market/depth?symbol=BTCUSDT&limit=7", 10002),
        ("/market/kline?symbol=BTCUSDT&interval=7m", 10002),
        ("/market/funding_rate", 20001),
    ):
        assert code == (await client.open(path))["code"]


async def test_public_questions_have_a_limit(client: Client) -> None:
    """Ten a second on each path, then 10006 in a 200."""
    codes = [(await client.open("/market/tickers"))["code"] for _ in range(12)]
    assert ([0] * 10, {10006}) == (codes[:10], set(codes[10:]))
    assert 0 == (await client.open("/market/trading_pairs"))["code"]


async def test_a_public_line(client: Client) -> None:
    """Greeting, no answer to a subscription, the book at once, pongs that are called ping."""
    async with client.line("/public/") as socket:
        await socket.send('{"op":"ping","ping":7}')
        pong = await heard(socket)
        assert ("ping", 7) == (pong["op"], pong["pong"])
        assert abs(pong["ping"] - time.time()) < 5
        args = [{"symbol": "BTCUSDT", "ch": ch} for ch in ("depth_book15", "nonsense", "trade")]
        await socket.send(json.dumps({"op": "subscribe", "args": args}))
        push = await heard(socket)
        assert ("depth_book15", "BTCUSDT") == (push["ch"], push["symbol"])
        assert [["100.0", "0.010"], ["99.9", "0.020"]] == push["data"]["b"]
        client.stage.trade(Side.SELL, 1000, 5)
        push = await heard(socket)
        (item,) = push["data"]
        assert ("trade", "100.0", "0.005", "sell") == (push["ch"], item["p"], item["v"], item["s"])
        assert 30 == len(item["t"]), "to the nanosecond"
        args = [{"symbol": "BTCUSDT", "ch": "trade", "channel": "trade"}]
        await socket.send(json.dumps({"op": "unsubscribe", "args": args}))
        assert {"op": "unsubscribe"} == await heard(socket)
        client.stage.trade(Side.SELL, 1000, 5)
        client.stage.depth(((1000, 11),), ((1001, 10),))
        assert "depth_book15" == (await heard(socket))["ch"]


async def chatted(socket: ClientConnection) -> None:
    for _ in range(20):
        await socket.send('{"op":"ping","ping":7}')
        await heard(socket)


async def test_who_talks_too_much_or_not_at_all_is_dropped(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five messages a second; silence has its time."""
    async with client.line("/public/") as socket:
        with pytest.raises(ConnectionClosed):
            await chatted(socket)
    monkeypatch.setattr(lines_module, "IDLE_S", 0.1)
    async with client.line("/public/") as socket:
        with pytest.raises(ConnectionClosed):
            await heard(socket)


async def test_signatures_cover_what_was_sent(client: Client) -> None:
    """Spaces in a body included; a wrong one, an old one, none, a key nobody has."""
    assert 0 == (await client.place())["code"]
    for changes, code in (
        ({"sign": "0" * 64}, 10007),
        ({"at": "1700000000000"}, 10007),
        ({"nonce": ""}, 10007),
        ({"api-key": "nobody"}, 10007),
        ({"api-key": ""}, 10003),
    ):
        assert code == (await client.post("/trade/place_order", {}, **changes))["code"], changes
    client.key, client.secret = "sandbox-readonly", "sandbox-readonly-secret"
    assert 0 == (await client.get("/account", marginCoin="USDT"))["code"]
    assert 20011 == (await client.place(clientId="c2"))["code"]


REFUSED = [
    ({"symbol": "NOPE"}, 20001),
    ({"effect": "GTX"}, 10002),
    ({"effect": None}, 10002),
    ({"side": "LONG"}, 10002),
    ({"tradeSide": "OPEN"}, 10002),
    ({"qty": None}, 10002),
    ({"qty": "much"}, 10002),
    ({"qty": "0.0105"}, 10008),
    ({"price": "99.05"}, 10008),
    ({"price": "103"}, 30014),
    ({"qty": "0"}, 10008),
    ({"qty": "9000"}, 20003),
    ({"reduceOnly": True, "side": "SELL", "price": "101"}, 30018),
]


@pytest.mark.parametrize(("fields", "code"), REFUSED)
async def test_refusals(client: Client, fields: dict[str, object], code: int) -> None:
    """With the venue's codes; nothing is in the book after them."""
    assert code == (await client.place(**fields))["code"]
    assert [] == (await client.get("/trade/get_pending_orders"))["data"]["orderList"]


async def test_an_order_lives(client: Client) -> None:
    """Pending, dealt, in the histories; canceled ones only where asked for."""
    placed = (await client.place())["data"]
    assert 30042 == (await client.place())["code"]
    (row,) = (await client.get("/trade/get_pending_orders", symbol="BTCUSDT"))["data"]["orderList"]
    assert (placed["orderId"], "NEW", "0", None) == (
        row["orderId"], row["status"], row["tradeQty"], row["avgPrice"],
    )  # fmt: skip
    await client.place(clientId="c2", orderType="MARKET", price=None, effect=None)
    trades = (await client.get("/trade/get_history_trades"))["data"]
    assert ("1", "TAKER", "100.1") == (
        trades["total"], trades["tradeList"][0]["roleType"], trades["tradeList"][0]["price"],
    )  # fmt: skip
    told = (await client.post("/trade/cancel_orders", {
        "symbol": "BTCUSDT", "orderList": [{"orderId": placed["orderId"]}, {"clientId": "none"}],
    }))["data"]  # fmt: skip
    assert [placed] == told["successList"]
    assert [("none", "20007", "Order not found")] == [
        (one["clientId"], one["errorCode"], one["errorMsg"]) for one in told["failureList"]
    ]
    for flag, ids in (({}, ["c2"]), ({"queryCanceled": "true"}, ["c1", "c2"])):
        rows = (await client.get("/trade/get_history_orders", **flag))["data"]["orderList"]
        assert ids == sorted(row["clientId"] for row in rows)
    (held,) = (await client.get("/position/get_pending_positions"))["data"]
    assert ("BUY", "0.01") == (held["side"], held["qty"])
    assert 0 == (await client.post("/trade/close_all_position", {"symbol": "BTCUSDT"}))["code"]
    assert [] == (await client.get("/position/get_pending_positions"))["data"]


async def test_a_batch_and_a_leverage(client: Client) -> None:
    """What succeeded beside what did not; no leverage beside open orders."""
    order = {"side": "BUY", "orderType": "LIMIT", "qty": "0.01", "price": "99", "effect": "GTC"}
    body = {"symbol": "BTCUSDT", "orderList": [
        order | {"clientId": "a"}, order | {"clientId": "b", "qty": "0"},
    ]}  # fmt: skip
    told = (await client.post("/trade/batch_order", body))["data"]
    assert (["a"], [("b", "10008")]) == (
        [one["clientId"] for one in told["successList"]],
        [(one["clientId"], one["errorCode"]) for one in told["failureList"]],
    )
    lever = {"symbol": "BTCUSDT", "leverage": 7, "marginCoin": "USDT"}
    assert 20006 == (await client.post("/account/change_leverage", lever))["code"]
    assert 1 == len((await client.post("/trade/cancel_all_orders", {}))["data"]["successList"])
    assert 0 == (await client.post("/account/change_leverage", lever))["code"]
    asked = await client.get(
        "/account/get_leverage_margin_mode", symbol="BTCUSDT", marginCoin="USDT"
    )
    assert 7 == asked["data"]["leverage"]


async def test_a_private_line(client: Client) -> None:
    """Nothing without a login; then everything, whether subscribed to or not."""
    async with client.line("/private/") as deaf, client.line("/private/") as socket:
        assert {"result": False, "msg": "sign error"} == await client.logged_in(deaf, 1_700_000_000)
        assert {"result": True} == await client.logged_in(socket)
        await client.place(clientId="c1", price="100.1", effect="POST_ONLY")
        pushes = [await heard(socket) for _ in range(2)]
        assert [("order", "INIT"), ("order", "CANCELED")] == [
            (push["ch"], push["data"]["orderStatus"]) for push in pushes
        ]
        await client.place(clientId="c2")
        push = (await heard(socket))["data"]
        assert ("CREATE", "NEW_", "Buy", "LONG", "0") == (
            push["event"], push["orderStatus"], push["side"], push["effect"], push["dealAmount"],
        )  # fmt: skip
        await client.place(clientId="c3", orderType="MARKET", price=None, effect=None)
        channels = [(await heard(socket))["ch"] for _ in range(4)]
        assert ["order", "order", "position", "balance"] == channels
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await deaf.recv()
