"""How the Bitunix sandbox answers: always a 200, the code is inside."""

from typing import Final

import msgspec
from aiohttp import web

PREFIX: Final = "/api/v1/futures"
TOO_MANY: Final = (10006, "Request too frequently")


def good(data: object) -> web.Response:
    """Answer with data."""
    return _json({"code": 0, "data": data, "msg": "Success"})


def refused(code: int, message: str) -> web.Response:
    """Answer with an error, which is a 200 as well."""
    return _json({"code": code, "data": None, "msg": message})


def _json(told: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(told), content_type="application/json")
