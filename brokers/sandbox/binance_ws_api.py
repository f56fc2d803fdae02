"""The trading API of a Binance sandbox over a websocket: the same calls, signed another way.

A frame `{"id", "method", "params"}` is answered by `{"id", "status", "result" or "error",
"rateLimits"}`. The signature covers the other parameters, sorted by name and joined `k=v&...`.
Source: the Binance sheet, section 4.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from aiohttp import WSMsgType, web

from brokers.sandbox.binance_codes import BUSY, ApiError
from brokers.sandbox.binance_gate import Sent
from brokers.sandbox.binance_http import BinanceDoor, Endpoint
from brokers.sandbox.binance_params import Params, word
from brokers.sandbox.faults import Faults
from brokers.sandbox.streams import OpenStreams

PATH: Final = "/ws-fapi/v1"
METHODS: Final[Mapping[str, tuple[str, str]]] = {
    "order.place": ("POST", "/fapi/v1/order"),
    "order.modify": ("PUT", "/fapi/v1/order"),
    "order.cancel": ("DELETE", "/fapi/v1/order"),
    "order.status": ("GET", "/fapi/v1/order"),
    "account.balance": ("GET", "/fapi/v2/balance"),
    "v2/account.balance": ("GET", "/fapi/v3/balance"),
    "account.status": ("GET", "/fapi/v2/account"),
    "v2/account.status": ("GET", "/fapi/v3/account"),
    "account.position": ("GET", "/fapi/v2/positionRisk"),
    "v2/account.position": ("GET", "/fapi/v3/positionRisk"),
    "depth": ("GET", "/fapi/v1/depth"),
    "ticker.book": ("GET", "/fapi/v1/ticker/bookTicker"),
    "ticker.price": ("GET", "/fapi/v1/ticker/price"),
}
"""Each is a call that REST has too."""
NO_JSON: Final = (-1135, "Invalid JSON Request")
NO_METHOD: Final = (-1104, "Method is invalid.")


class Frame(msgspec.Struct):
    """A request."""

    method: str
    id: str | int | None = None
    params: dict[str, Any] = {}


class SocketApi:
    """Serves the calls of a table to whoever connects."""

    def __init__(
        self, door: BinanceDoor, calls: Iterable[Endpoint], faults: Faults, streams: OpenStreams
    ) -> None:
        self._door = door
        self._calls = {(call.method, call.path): call for call in calls}
        self._faults = faults
        self._streams = streams

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Answer frames, one after the other, until the client leaves."""
        socket = web.WebSocketResponse(autoping=True, heartbeat=180.0, compress=False)
        await socket.prepare(request)
        with self._streams.opened(request):
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                if self._faults.take(("drop",), PATH) is not None:
                    break
                told = self._answer(message.data, request.remote or "")
                if self._faults.take(("accept_then_timeout",), PATH) is None:
                    await socket.send_str(msgspec.json.encode(told).decode())
        if request.transport is not None:
            request.transport.abort()
        return socket

    def _answer(self, text: str, address: str) -> dict[str, Any]:
        asked: Frame | None = None
        try:
            asked = _frame(text)
            told = {"id": asked.id, "status": 200, "result": self._done(asked, address)}
        except ApiError as error:
            named = None if asked is None else asked.id
            told = {"id": named, "status": error.status, "error": error.told()}
        return {**told, "rateLimits": self._door.rate_limits(address)}

    def _done(self, asked: Frame, address: str) -> object:
        call = self._calls[_call(asked.method)]
        if self._faults.take(("error_5xx",), PATH, call.method) is not None:
            raise ApiError(*BUSY, status=503)
        if self._faults.take(("rate_limit",), PATH, call.method) is not None:
            raise ApiError(-1003, "Too many requests.", 429)
        words = {name: word(value) for name, value in asked.params.items()}
        params, key = Params(words), words.get("apiKey", "")
        sent = Sent(key, f"{covered(words)}&signature={words.get('signature', '')}", "")
        self._door.enter(address, call, sent, params)
        return call.act(params)


def covered(words: Mapping[str, str]) -> str:
    """Return what a signature covers."""
    return "&".join(f"{name}={words[name]}" for name in sorted(words) if name != "signature")


def _frame(text: str) -> Frame:
    try:
        return msgspec.json.decode(text, type=Frame)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ApiError(*NO_JSON) from error


def _call(method: str) -> tuple[str, str]:
    found = METHODS.get(method)
    if found is None:
        raise ApiError(*NO_METHOD)
    return found
