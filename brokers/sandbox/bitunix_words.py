"""How the Bitunix sandbox answers: always a 200, the code is inside."""

import math
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Final

import msgspec
from aiohttp import web

from brokers.sandbox.bitunix_gate import WRONG_SIGN
from brokers.sandbox.faults import Faults

PREFIX: Final = "/api/v1/futures"
TOO_MANY: Final = (10006, "Request too frequently")
CLOSED: Final = (30040, "Trading is prohibited")
NOT_FOUND: Final = (20007, "Order not found")
DETAIL: Final = f"{PREFIX}/trade/get_order_detail"


def good(data: object) -> web.Response:
    """Answer with data."""
    return _json({"code": 0, "data": data, "msg": "Success"})


def refused(code: int, message: str) -> web.Response:
    """Answer with an error, which is a 200 as well."""
    return _json({"code": code, "data": None, "msg": message})


class BitunixVoice:
    """What the venue says where it refuses as a whole; a `fault_door.Voice`."""

    def unavailable(self) -> web.Response:
        """Say 503: it was not done."""
        return web.Response(status=503, text="<html>503 Service Unavailable</html>")

    def rate_limited(self, seconds: float) -> web.Response:  # noqa: ARG002 - it does not say
        """Say it in a 200, without a word of how long."""
        return refused(*TOO_MANY)

    def banned(self, seconds: float) -> web.Response:
        """Say 429: what stands before the venue has had enough."""
        return web.Response(status=429, headers={"Retry-After": str(math.ceil(seconds))})

    def closed(self, seconds: float) -> web.Response:  # noqa: ARG002 - it does not say
        """Say that there is no trading."""
        return refused(*CLOSED)

    def denied(self, request: web.Request) -> web.Response | None:
        """Say what it says of a key it does not know."""
        return refused(*WRONG_SIGN) if "api-key" in request.headers else None

    def knows_no_order(self, request: web.Request) -> web.Response | None:
        """Say that there is no such order."""
        return refused(*NOT_FOUND) if request.path == DETAIL else None


def dated(faults: Faults) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return what puts the venue's time into every answer, for nothing else tells it."""

    async def put(_: web.Request, answer: web.StreamResponse) -> None:
        answer.headers["Date"] = formatdate(time.time() + faults.skew_ms / 1_000, usegmt=True)

    return put


def _json(told: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(told), content_type="application/json")
