"""A server on loopback that answers as it is told, for what no exchange does on purpose."""

import asyncio
import contextlib
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from aiohttp import web

from brokers.binance.config import BinanceConfig

Answer = tuple[int, bytes] | tuple[int, bytes, dict[str, str]]
PATIENCE_S = 20.0
LIMITS = [
    ("REQUEST_WEIGHT", "MINUTE", 1, 2400), ("ORDERS", "SECOND", 10, 300),
    ("ORDERS", "MINUTE", 1, 1200),
]  # fmt: skip


def told(thing: object, status: int = 200, **headers: str) -> Answer:
    """Return an answer in JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, json.dumps(thing).encode(), named


def refused(code: int, status: int = 400, text: str = "text", **headers: str) -> Answer:
    """Return a refusal in the venue's words."""
    return told({"code": code, "msg": text}, status, **headers)


class Seen(NamedTuple):
    """A request."""

    name: str
    """`METHOD /path`."""
    params: dict[str, str]


class Script:
    """What to answer: the next of a request's answers, and then its usual one."""

    def __init__(self) -> None:
        self.port = 0
        self.seen: list[Seen] = []
        self.next: defaultdict[str, deque[Answer | None]] = defaultdict(deque)
        """None never answers."""
        self.usual: dict[str, Answer] = {}
        self.sockets: list[web.WebSocketResponse] = []
        self.clock_ms: Callable[[], int] = lambda: 1_700_000_000_000

    @property
    def config(self) -> BinanceConfig:
        at = f"127.0.0.1:{self.port}"
        return BinanceConfig(
            rest_url=f"http://{at}", spot_url=f"http://{at}", private_url=f"ws://{at}/private",
            answer_s=0.5, reconnects_per_hour=3_600,
        )  # fmt: skip

    def names(self) -> list[str]:
        return [seen.name for seen in self.seen]

    def then(self, name: str, *answers: Answer | None) -> None:
        """Answer the next requests of a name so."""
        self.next[name].extend(answers)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/private/"):
            return await self._socket(request)
        body = (await request.read()).decode()
        pairs = dict(request.query) | dict(p.split("=", 1) for p in body.split("&") if "=" in p)
        name = f"{request.method} {request.path}"
        self.seen.append(Seen(name, pairs))
        if self.next[name]:
            answer = self.next[name].popleft()
        elif name == "GET /fapi/v1/time":
            answer = told({"serverTime": self.clock_ms()})
        else:
            answer = self.usual.get(name, (404, b"no such path"))
        if answer is None:
            await asyncio.sleep(PATIENCE_S)
            raise AssertionError("nobody waits so long")
        status, body_bytes, *headers = answer
        return web.Response(status=status, body=body_bytes, headers=headers[0] if headers else {})

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.seen.append(Seen("WS " + request.path, dict(request.query)))
        self.sockets.append(socket)
        async for _ in socket:
            pass
        self.sockets.remove(socket)
        return socket


@contextlib.asynccontextmanager
async def scripted() -> AsyncIterator[Script]:
    """Serve a script until the test is done."""
    script = Script()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    script.port = runner.addresses[0][1]
    try:
        yield script
    finally:
        for socket in list(script.sockets):
            await socket.close()
        await runner.cleanup()


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.005)
