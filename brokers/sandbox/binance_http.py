"""How a Binance sandbox is asked over HTTP: one way for every endpoint, and the venue's own voice.

Weight, key, time, signature, then the desk's rules. What a desk does is done when its answer is
made; faults stand outside of all of it. Source: the Binance sheet, sections 3, 4, 5 and 8.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from brokers.sandbox.binance_codes import BUSY, WORDS, ApiError
from brokers.sandbox.binance_gate import Access, Sent, TestKey, admit, not_allowed
from brokers.sandbox.binance_limits import Limits, Meter
from brokers.sandbox.binance_params import Params
from brokers.sandbox.orders import Why

ORDER_QUERIES: Final = frozenset({"/fapi/v1/order", "/fapi/v1/openOrder"})
OF_EVERY_SYMBOL: Final[Mapping[str, int]] = {
    "/fapi/v1/openOrders": 40,
    "/fapi/v1/premiumIndex": 10,
    "/fapi/v1/ticker/bookTicker": 5,
    "/fapi/v1/ticker/price": 2,
    "/fapi/v1/ticker/24hr": 40,
}
"""Weight of a call that names no symbol."""
KEY_HEADER: Final = "X-MBX-APIKEY"
OF_LEVELS: Final[Mapping[str, int]] = {"5": 2, "10": 2, "20": 2, "50": 2, "100": 5, "500": 10}
"""Weight of a depth snapshot; of more levels 20."""


class Endpoint(NamedTuple):
    """One call: what it costs, what it needs, what it does."""

    method: str
    path: str
    weight: int
    access: Access
    act: Callable[[Params], Any]
    orders: int = 0
    """How much it counts on the order limits."""


class BinanceDoor:
    """Lets requests in, and answers."""

    def __init__(self, limits: Limits, now_ms: Callable[[], int]) -> None:
        self._limits = limits
        self._now_ms = now_ms
        self._meters: dict[str, Meter] = {}

    def serving(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Return what serves an endpoint."""

        async def serve(request: web.Request) -> web.Response:
            return await self._answer(request, endpoint, lambda params, _: endpoint.act(params))

        return serve

    def serving_key(
        self, path: str, act: Callable[[TestKey], Any]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Return what serves a signed question about the key itself."""
        endpoint = Endpoint("GET", path, 1, Access.READ, lambda _: None)

        def told(_: Params, key: TestKey | None) -> object:
            assert key is not None, "it is signed"
            return act(key)

        async def serve(request: web.Request) -> web.Response:
            return await self._answer(request, endpoint, told)

        return serve

    async def _answer(
        self,
        request: web.Request,
        endpoint: Endpoint,
        act: Callable[[Params, TestKey | None], Any],
    ) -> web.Response:
        address = request.remote or ""
        try:
            sent, params = await _read(request)
            told = act(params, self.enter(address, endpoint, sent, params))
        except ApiError as error:
            return _said(error, self._meter(address).headers())
        return _json(told, 200, self._meter(address).headers())

    def enter(self, address: str, endpoint: Endpoint, sent: Sent, params: Params) -> TestKey | None:
        """Count a request and let it in; None where no key is needed.

        Raises:
            ApiError: Too many, or not allowed.
        """
        meter = self._meter(address)
        meter.charge(_weight(endpoint, params))
        key = admit(endpoint.access, sent, params, self._now_ms())
        if endpoint.orders:
            meter.charge_orders(endpoint.orders)
        return key

    def rate_limits(self, address: str) -> list[dict[str, object]]:
        """Return the counters as the websocket API tells them."""
        return self._meter(address).rows()

    def _meter(self, address: str) -> Meter:
        return self._meters.setdefault(address, Meter(self._limits, self._now_ms))


class BinanceVoice:
    """What the venue says where it refuses as a whole; a `fault_door.Voice`."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms

    def unavailable(self) -> web.Response:
        """Say 503: it was not done."""
        return _said(ApiError(*BUSY, status=503), {})

    def rate_limited(self, seconds: float) -> web.Response:
        """Say 429."""
        return _said(ApiError(-1003, "Too many requests.", 429, seconds), {})

    def banned(self, seconds: float) -> web.Response:
        """Say 418."""
        until_ms = self._now_ms() + int(seconds * 1_000)
        msg = f"Way too many requests; IP banned until {until_ms}."
        return _said(ApiError(-1003, msg, 418, seconds), {})

    def closed(self, seconds: float) -> web.Response:
        """Say that there is maintenance."""
        return _said(ApiError(-1016, "This service is no longer available.", 503, seconds), {})

    def denied(self, request: web.Request) -> web.Response | None:
        """Say what it says of a key it does not know."""
        return _said(not_allowed(), {}) if KEY_HEADER in request.headers else None

    def knows_no_order(self, request: web.Request) -> web.Response | None:
        """Say that there is no such order."""
        if request.method != "GET" or request.path not in ORDER_QUERIES:
            return None
        return _said(ApiError(*WORDS[Why.NOT_FOUND]), {})


async def no_such_call(request: web.Request) -> web.Response:
    """Answer a path or a method that the sandbox does not have."""
    msg = f"Path {request.path[:80]}, Method {request.method} is invalid"
    return _said(ApiError(-5000, msg, 404), {})


def _weight(endpoint: Endpoint, params: Params) -> int:
    if endpoint.path == "/fapi/v1/depth":
        return OF_LEVELS.get(params.text("limit", "500"), 20)
    if params.text("symbol"):
        return endpoint.weight
    return OF_EVERY_SYMBOL.get(endpoint.path, endpoint.weight)


async def _read(request: web.Request) -> tuple[Sent, Params]:
    """Return what was signed, byte for byte, and the parameters in it."""
    query = request.raw_path.partition("?")[2]
    try:
        body = (await request.read()).decode()
        words = parse_qsl(f"{query}&{body}", keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise ApiError(-1100, "Illegal characters found in a parameter.") from error
    key = request.headers.get(KEY_HEADER, "")
    return Sent(key, query, body), Params(dict(words))


def _said(error: ApiError, headers: Mapping[str, str]) -> web.Response:
    extra = {"Retry-After": str(math.ceil(error.retry_after_s))} if error.retry_after_s else {}
    return _json(error.told(), error.status, {**headers, **extra})


def _json(told: object, status: int, headers: Mapping[str, str]) -> web.Response:
    body = msgspec.json.encode(told)
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")
