"""A Binance USD-M futures exchange on loopback: market streams, and every part put together.

Rule 1: what a client asks for on the wrong path is silent, as at the venue since April 2026.
Rule 2: a client that does not read is dropped; the market waits for nobody.
"""

import asyncio
import time
from typing import Any, Final

import msgspec
from aiohttp import WSMsgType, web

from brokers.sandbox.binance_account import AccountDesk
from brokers.sandbox.binance_endpoints import (
    account_endpoints,
    countdown_endpoint,
    order_endpoints,
    price_endpoints,
    stream_endpoints,
)
from brokers.sandbox.binance_frames import KINDS, MS_NS, payload
from brokers.sandbox.binance_http import BinanceDoor, BinanceVoice, no_such_call
from brokers.sandbox.binance_limits import Limits
from brokers.sandbox.binance_orders import OrderDesk
from brokers.sandbox.binance_prices import PriceDesk
from brokers.sandbox.binance_user import UserStream
from brokers.sandbox.binance_ws_api import PATH as SOCKET
from brokers.sandbox.binance_ws_api import SocketApi
from brokers.sandbox.dead_man import DeadMan
from brokers.sandbox.exchange import Exchange, ExchangeConfig
from brokers.sandbox.fault_door import add_faults
from brokers.sandbox.faults import MENU, Faults
from brokers.sandbox.market import SandboxMarket
from brokers.sandbox.outbox import Outbox
from brokers.sandbox.streams import OpenStreams
from brokers.sandbox.trading_rules import TradingRules
from engine.model.market import FeedEvent

ROUTES: Final = {
    "public": frozenset({"bookTicker", "depth"}),
    "market": frozenset({"aggTrade", "markPrice"}),
}
"""Which streams a path has."""
STREAMS_MAX: Final = 200
PERMISSIONS: Final = "/sapi/v1/account/apiRestrictions"
RULES: Final = TradingRules(amend_requeues=True, refuses_unfillable_fok=True)
"""The venue's own beside what it lists: an amend re-queues, a fill-or-kill order may be refused."""


class Listener:
    """One websocket: what it subscribed to, and the frames that wait for it."""

    def __init__(self, path: str, outbox: Outbox, *, is_combined: bool) -> None:
        self.path = path
        self.outbox = outbox
        self.is_combined = is_combined
        self.streams: set[str] = set()

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
        """Let a frame wait."""
        frame = {"stream": name, "data": data} if self.is_combined else data
        self.outbox.offer(msgspec.json.encode(frame))


class BinanceSandbox:
    """The exchange; `app` is served by whoever runs it."""

    def __init__(
        self,
        market: SandboxMarket,
        exchange: Exchange | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.exchange = exchange or Exchange(market, ExchangeConfig(rules=RULES))
        self.faults = Faults(frozenset(MENU))
        self.faults.let_transfer(self.exchange.transfer)
        self.faults.let_prices_jump(market.jump)
        self.faults.let_rules_change(self.exchange.listed.change)
        self.app = web.Application()
        self._streams = OpenStreams(self.faults)
        self._listeners: dict[Listener, None] = {}
        market.listen(self._publish)
        self._add_rest(market, limits or Limits())
        self.app.router.add_get("/{path:public|market}/{kind:stream|ws}", self._socket)
        self.app.router.add_get("/{path:public|market}/ws/{name}", self._socket)

    def _add_rest(self, market: SandboxMarket, limits: Limits) -> None:
        exchange, faults, router = self.exchange, self.faults, self.app.router
        user = UserStream(exchange, faults, self._streams, self._now_ms)
        dead_man = DeadMan(exchange.cancel_all)
        account, orders = AccountDesk(exchange), OrderDesk(exchange)
        orders.lets_post_only_expire = self._lets_post_only_expire
        door = BinanceDoor(limits, self._now_ms)
        endpoints = (
            *price_endpoints(PriceDesk(market, exchange, limits, self._now_ms)),
            *order_endpoints(orders),
            *account_endpoints(account),
            *stream_endpoints(user),
            countdown_endpoint(exchange, dead_man),
        )
        for endpoint in endpoints:
            router.add_route(endpoint.method, endpoint.path, door.serving(endpoint))
        router.add_get(PERMISSIONS, door.serving_key(PERMISSIONS, account.permissions))
        router.add_get(SOCKET, SocketApi(door, endpoints, faults, self._streams).socket)
        router.add_get("/private/ws", user.socket)
        router.add_get("/private/ws/{key}", user.socket)
        router.add_route("*", "/{call:(fapi|sapi)/.*}", no_such_call)
        faults.on("dead_man", lambda _: dead_man.fire_all())
        add_faults(self.app, faults, BinanceVoice(self._now_ms))

        async def stop(_: web.Application) -> None:
            user.stop()
            dead_man.stop()

        self.app.on_cleanup.append(stop)

    def _now_ms(self) -> int:
        """Return the venue's time: the wall clock, and what a fault adds to it."""
        return time.time_ns() // MS_NS + self.faults.skew_ms

    def _lets_post_only_expire(self) -> bool:
        return self.faults.take(("post_only_expires",), "/fapi/v1/order", "POST") is not None

    # --- streams -------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        kind = request.match_info.get("kind")
        outbox = Outbox(request.path, self.faults)
        listener = Listener(request.match_info["path"], outbox, is_combined=kind == "stream")
        named = request.match_info.get("name") or request.query.get("streams", "")
        listener.streams.update(filter(None, named.split("/")[:STREAMS_MAX]))
        socket = web.WebSocketResponse(autoping=True, heartbeat=180.0, compress=False)
        await socket.prepare(request)
        self._listeners[listener] = None
        sending = asyncio.create_task(outbox.send(socket))
        try:
            with self._streams.opened(request):
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        await socket.send_bytes(_answer(listener, message.data), compress=None)
        finally:
            self._listeners.pop(listener, None)
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
                data = data or payload(event, self.exchange.instruments[symbol])
                if data is not None:
                    listener.offer(name, data)


def _answer(listener: Listener, text: str) -> bytes:
    """Obey SUBSCRIBE, UNSUBSCRIBE and LIST_SUBSCRIPTIONS."""
    try:
        asked = msgspec.json.decode(text, type=dict[str, Any])
        params = [str(name) for name in asked.get("params", [])]
    except (msgspec.DecodeError, TypeError, RecursionError):
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
