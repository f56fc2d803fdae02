"""A client of the Binance sandbox over real sockets that shares no line with the adapter."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect
from yarl import URL

from brokers.sandbox.binance import RULES, BinanceSandbox
from brokers.sandbox.binance_limits import Limits
from tests.brokers.sandbox.stage import Stage

PATIENCE_S = 20.0


class Answer:
    """Status, headers, and the body as text and as JSON if it is."""

    def __init__(self, status: int, headers: dict[str, str], text: str) -> None:
        self.status, self.headers, self.text = status, headers, text

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> int:
        return self.body["code"]


class Client:
    """Asks one sandbox with one key."""

    def __init__(self, session: aiohttp.ClientSession, port: int, key: str = "sandbox-key") -> None:
        self.session, self.port = session, port
        self.skew_ms = 0
        self.key, self.secret = key, key.replace("-key", "") + "-secret"
        if key == "sandbox-key":
            self.secret = "sandbox-secret"  # noqa: S105 - a sandbox's, printed

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    async def open(self, path: str, **params: Any) -> Answer:
        return await self.raw("GET", path, urlencode(params))

    async def signed(self, method: str, path: str, **params: Any) -> Answer:
        words = {"recvWindow": 5000, "timestamp": self.now_ms(), **params}
        query = urlencode(words)
        signature = hmac.new(self.secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        return await self.raw(method, path, f"{query}&signature={signature}")

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.skew_ms

    async def keyed(self, method: str, path: str) -> Answer:
        return await self.raw(method, path)

    async def raw(self, method: str, path: str, query: str = "", body: str | None = None) -> Answer:
        headers = {"X-MBX-APIKEY": self.key} if self.key else {}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        url = self.url(path) + (f"?{query}" if query else "")
        async with asyncio.timeout(PATIENCE_S):
            async with self.session.request(
                method, URL(url, encoded=True), headers=headers, data=body
            ) as answer:
                return Answer(answer.status, dict(answer.headers), await answer.text())

    async def place(self, side: str, qty: str, price: str = "", **params: Any) -> Answer:
        words = {"symbol": "BTCUSDT", "side": side, "quantity": qty, **params}
        if price:
            words |= {"type": "LIMIT", "price": price, "timeInForce": "GTC", **params}
        else:
            words |= {"type": "MARKET", **params}
        return await self.signed("POST", "/fapi/v1/order", **words)

    async def fault(self, name: str, **words: Any) -> Answer:
        body = json.dumps({"name": name, **words})
        return await self.raw("POST", "/sandbox/faults", body=body)


class Venue:
    """A running sandbox whose market stands still unless told, and a trading client of it."""

    def __init__(self, stage: Stage, sandbox: BinanceSandbox, client: Client) -> None:
        self.stage, self.sandbox, self.client = stage, sandbox, client

    def with_key(self, key: str) -> Client:
        return Client(self.client.session, self.client.port, key)

    async def turn_the_minute(self) -> None:
        """Let a minute begin at the venue, so that none ends while a test counts."""
        shift = 60_000 - self.client.now_ms() % 60_000
        await self.client.fault("clock_skew", ms=shift)
        self.client.skew_ms = shift

    @contextlib.asynccontextmanager
    async def stream(self, path: str = "") -> AsyncIterator["Stream"]:
        if not path:
            key = (await self.client.keyed("POST", "/fapi/v1/listenKey")).body["listenKey"]
            path = f"/private/ws?listenKey={key}"
        async with connect(self.client.url(path, "ws"), proxy=None) as socket:
            yield Stream(socket)


class Stream:
    """What a stream has told."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []

    async def until(self, holds: Callable[[list[dict[str, Any]]], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds(self.frames):
                self.frames.append(json.loads(await self.socket.recv()))

    def of(self, event: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame.get("e") == event]


@contextlib.asynccontextmanager
async def venue(limits: Limits | None = None, **config: Any) -> AsyncIterator[Venue]:
    """BTCUSDT at 100.0 to 100.1, ETHUSDT too; time is the wall's."""
    stage = Stage(is_live=True, **{"rules": RULES, **config})
    sandbox = BinanceSandbox(stage.market, stage.exchange, limits)
    stage.quote()
    stage.quote(symbol="ETHUSDT")
    runner = web.AppRunner(sandbox.app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession(trust_env=False) as session:
            session._retry_connection = False
            yield Venue(stage, sandbox, Client(session, runner.addresses[0][1]))
    finally:
        await runner.cleanup()
        await asyncio.sleep(0)
