"""A Binance USD-M futures exchange on loopback: its public REST and streams.

Rule 1: what a client asks for on the wrong path is silent, as at the venue since April 2026.
Rule 2: a client that does not read is dropped; the market waits for nobody.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
from aiohttp import WSMsgType, web

from brokers.sandbox.binance_frames import KINDS, MS_NS, listing, payload, snapshot
from brokers.sandbox.market import SandboxMarket
from engine.model.market import FeedEvent

ROUTES: Final = {
    "public": frozenset({"bookTicker", "depth"}),
    "market": frozenset({"aggTrade", "markPrice"}),
}
"""Which streams a path has."""
STREAMS_MAX: Final = 200
BEHIND_MAX: Final = 4_096
"""Frames a client may be behind."""
LIMITS: Final = (5, 10, 20, 50, 100, 500, 1000)
NO_SYMBOL: Final = {"code": -1121, "msg": "Invalid symbol."}


class Listener:
    """One websocket: what it subscribed to, and what waits for it."""

    def __init__(self, path: str, *, is_combined: bool) -> None:
        self.path = path
        self.is_combined = is_combined
        self.streams: set[str] = set()
        self.waiting: asyncio.Queue[bytes] = asyncio.Queue(BEHIND_MAX)
        self.is_behind = False

    def names(self, symbol: str, kinds: tuple[str, ...]) -> list[str]:
        """Return its streams that carry a kind of event of a symbol."""
        allowed = ROUTES[self.path].intersection(kinds)
        start = f"{symbol.lower()}@"
        return [
            name
            for name in self.streams
            if name.startswith(start) and name[len(start) :].partition("@")[0] in allowed
        ]

    def offer(self, name: str, data: dict[str, Any]) -> None:
        """Let a frame wait; who is too far behind is dropped."""
        frame = {"stream": name, "data": data} if self.is_combined else data
        try:
            self.waiting.put_nowait(msgspec.json.encode(frame))
        except asyncio.QueueFull:
            self.is_behind = True


class BinanceSandbox:
    """The exchange; `app` is served by whoever runs it."""

    def __init__(self, market: SandboxMarket) -> None:
        self._market = market
        self._listeners: set[Listener] = set()
        self._instruments = {item.symbol: item for item in market.instruments}
        market.listen(self._publish)
        self.app = web.Application()
        gets: dict[str, Callable[[web.Request], Any]] = {
            "/fapi/v1/ping": self._ping,
            "/fapi/v1/time": self._time,
            "/fapi/v1/exchangeInfo": self._listing,
            "/fapi/v1/depth": self._depth,
        }
        for path, handler in gets.items():
            self.app.router.add_get(path, handler)
        self.app.router.add_get("/{path:public|market}/{kind:stream|ws}", self._socket)
        self.app.router.add_get("/{path:public|market}/ws/{name}", self._socket)

    # --- REST ----------------------------------------------------------------------------------

    async def _ping(self, _: web.Request) -> web.Response:
        return _json({})

    async def _time(self, _: web.Request) -> web.Response:
        return _json({"serverTime": _now_ms()})

    async def _listing(self, _: web.Request) -> web.Response:
        return _json(listing(self._instruments, _now_ms()))

    async def _depth(self, request: web.Request) -> web.Response:
        book = self._market.books.get(request.query.get("symbol", ""))
        if book is None:
            return _json(NO_SYMBOL, 400)
        limit = request.query.get("limit", "500")
        if not limit.isdigit() or int(limit) not in LIMITS:
            return _json({"code": -4021, "msg": f"{limit[:10]} is not valid depth limit."}, 400)
        return _json(snapshot(book, int(limit), _now_ms()))

    # --- streams -------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        kind = request.match_info.get("kind")
        listener = Listener(request.match_info["path"], is_combined=kind == "stream")
        named = request.match_info.get("name") or request.query.get("streams", "")
        listener.streams.update(filter(None, named.split("/")[:STREAMS_MAX]))
        socket = web.WebSocketResponse(autoping=True, heartbeat=180.0, compress=False)
        await socket.prepare(request)
        self._listeners.add(listener)
        sending = asyncio.create_task(_send(socket, listener))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await socket.send_bytes(_answer(listener, message.data), compress=None)
        finally:
            self._listeners.discard(listener)
            sending.cancel()
        return socket

    def _publish(self, event: FeedEvent) -> None:
        kinds = KINDS.get(type(event))
        if kinds is None or not self._listeners:
            return
        data: dict[str, Any] | None = None
        symbol: str = getattr(event, "symbol", "")
        for listener in self._listeners:
            for name in listener.names(symbol, kinds):
                data = data or payload(event, self._instruments[symbol])
                if data is not None:
                    listener.offer(name, data)


async def _send(socket: web.WebSocketResponse, listener: Listener) -> None:
    while not listener.is_behind:
        await socket.send_str((await listener.waiting.get()).decode())
    await socket.close(code=1008, message=b"Too slow")


def _answer(listener: Listener, text: str) -> bytes:
    """Obey SUBSCRIBE, UNSUBSCRIBE and LIST_SUBSCRIPTIONS."""
    try:
        asked = msgspec.json.decode(text, type=dict[str, Any])
        params = [str(name) for name in asked.get("params", [])]
    except (msgspec.DecodeError, TypeError):
        return msgspec.json.encode({"error": {"code": 3, "msg": "Invalid JSON"}, "id": None})
    result: list[str] | None = None
    match asked.get("method"):
        case "SUBSCRIBE":
            listener.streams.update(params[: STREAMS_MAX - len(listener.streams)])
        case "UNSUBSCRIBE":
            listener.streams.difference_update(params)
        case "LIST_SUBSCRIPTIONS":
            result = sorted(listener.streams)
        case _:
            error = {"code": 2, "msg": "Invalid request: unknown method"}
            return msgspec.json.encode({"error": error, "id": asked.get("id")})
    return msgspec.json.encode({"result": result, "id": asked.get("id")})


def _json(told: object, status: int = 200) -> web.Response:
    body = msgspec.json.encode(told)
    return web.Response(body=body, status=status, content_type="application/json")


def _now_ms() -> int:
    return time.time_ns() // MS_NS
