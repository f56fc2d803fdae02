"""Faults on HTTP: a middleware that strikes before or after a venue's own handler.

A venue lends its voice for what it would say itself; everything else is the same at every venue.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import msgspec
from aiohttp import web

from brokers.sandbox.faults import AFTER, BEFORE, Fault, Faults, NoSuchFault

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PATH: Final = "/sandbox/faults"
POLL_S: Final = 0.02
PAGE: Final = "<html><head><title>Welcome</title></head><body>Please log in.</body></html>"


class Voice(Protocol):
    """What a venue says where it refuses as a whole."""

    def unavailable(self) -> web.Response:
        """Say 503: it was not done."""
        ...

    def rate_limited(self, seconds: float) -> web.Response:
        """Say 429 with Retry-After."""
        ...

    def banned(self, seconds: float) -> web.Response:
        """Say 418 (or the venue's own) with Retry-After."""
        ...

    def closed(self, seconds: float) -> web.Response:
        """Say that there is maintenance."""
        ...

    def denied(self, request: web.Request) -> web.Response | None:
        """Say that the key is not taken; None where the request needs none."""
        ...

    def knows_no_order(self, request: web.Request) -> web.Response | None:
        """Say that there is no such order; None where the request asks for none."""
        ...


def add_faults(app: web.Application, faults: Faults, voice: Voice) -> None:
    """Put the menu and its strikes into an application that was not started."""

    async def arm(request: web.Request) -> web.Response:
        try:
            fault = faults.ask(await request.read())
        except NoSuchFault as error:
            return _json({"error": str(error)}, 400)
        return _json(msgspec.to_builtins(fault))

    async def mend(_: web.Request) -> web.Response:
        faults.mend()
        return _json(faults.listing())

    async def listing(_: web.Request) -> web.Response:
        return _json(faults.listing())

    @web.middleware
    async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/sandbox/"):
            return await handler(request)
        refusal = _lasting(faults, voice, request) or await _before(faults, voice, request)
        try:
            return refusal or await _after(faults, request, await handler(request))
        except ConnectionResetError:
            return _hang_up(request)  # it broke within the request: nobody waits for an answer

    app.router.add_post(PATH, arm)
    app.router.add_get(PATH, listing)
    app.router.add_delete(PATH, mend)
    app.middlewares.insert(0, strike)


def _lasting(faults: Faults, voice: Voice, request: web.Request) -> web.Response | None:
    path = request.path
    if banned_s := faults.lasts_s("ban", path):
        return voice.banned(banned_s)
    if closed_s := faults.lasts_s("maintenance", path):
        return voice.closed(closed_s)
    return voice.denied(request) if faults.lasts_s("revoke_key", path) else None


async def _before(faults: Faults, voice: Voice, request: web.Request) -> web.Response | None:
    unknown = voice.knows_no_order(request)
    names = BEFORE if unknown is not None else BEFORE[:-1]
    fault = faults.take(names, request.path, request.method)
    if fault is None:
        return None
    match fault.name:
        case "drop":
            return _hang_up(request)
        case "delay":
            await asyncio.sleep(fault.seconds or 0.0)
            return await _before(faults, voice, request)
        case "error_5xx":
            return voice.unavailable()
        case "rate_limit":
            return voice.rate_limited(fault.seconds or 0.0)
        case _:
            return unknown


async def _after(
    faults: Faults, request: web.Request, answer: web.StreamResponse
) -> web.StreamResponse:
    if not isinstance(answer, web.Response):
        return answer  # an open stream has faults of its own
    fault = faults.take(AFTER, request.path, request.method)
    if fault is None:
        return answer
    match fault.name:
        case "accept_then_timeout":
            await _until_gone(request, fault)
            return _hang_up(request)
        case "error_5xx_after":
            return web.Response(status=502, text="<html>502 Bad Gateway</html>")
        case "html_200":
            return web.Response(text=PAGE, content_type="text/html")
        case _:
            body = answer.body if isinstance(answer.body, bytes) else b""
            half = body[: max(1, len(body) // 2)]
            return web.Response(body=half, status=answer.status, content_type="application/json")


def _hang_up(request: web.Request) -> web.Response:
    """Cut the connection; the answer that aiohttp wants has nowhere to go."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _until_gone(request: web.Request, fault: Fault) -> None:
    """Wait until the client gave up, or as long as the fault says."""
    deadline = asyncio.get_running_loop().time() + (fault.seconds or 0.0)
    while asyncio.get_running_loop().time() < deadline:
        if request.transport is None or request.transport.is_closing():
            return
        await asyncio.sleep(POLL_S)


def _json(told: object, status: int = 200) -> web.Response:
    """Answer a person at a shell: in lines."""
    body = msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
    return web.Response(body=body, status=status, content_type="application/json")
