"""What a browser gets: a page, textual-serve's terminal for it, and a socket to a screen.

textual-serve brings the half that runs in the browser (xterm.js, its fonts, its messages). Its
server is not used: that one asks nobody who they are, binds any host and loads a font from afar.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from aiohttp import WSMsgType, web

from laptop_agents.web.door import COOKIE, TOKEN, Door, Verdict, knock_of
from laptop_agents.web.visitor import Visitor, size_of

VISITORS_MAX: Final = 4
"""Screens at once: each is a process, and a session has sixteen places for all its screens."""
MESSAGE_BYTES_MAX: Final = 16 * 1024
BEAT_S: Final = 15.0
"""A browser that does not answer a ping within half of this is gone."""
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
        " font-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer. xterm.js writes its own styles, hence the one `unsafe-inline`."""
OURS: Final = Path(__file__).parent
FILES: Final = {
    "page.css": (OURS / "page.css", "text/css"),
    "page.js": (OURS / "page.js", "text/javascript"),
    "theirs/css/xterm.css": (None, "text/css"),
    "theirs/js/textual.js": (None, "text/javascript"),
    "theirs/fonts/RobotoMono-VariableFont_wght.ttf": (None, "font/ttf"),
}
"""All there is to load; None: of textual-serve."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """Serves one session's screen to browsers."""

    def __init__(self, door: Door, words: Sequence[str]) -> None:
        """Serve behind a door.

        Args:
            door: Who may in.
            words: Of the command that every visitor gets.
        """
        self._door = door
        self._words = words
        self._visits: set[asyncio.Task[None]] = set()
        self._bodies = {name: (_content(name), kind) for name, (_, kind) in FILES.items()}

    def application(self) -> web.Application:
        """Return what an HTTP server runs."""
        application = web.Application(middlewares=[self._guard], client_max_size=0)
        room = self._door.room
        application.router.add_get(room, self._page)
        application.router.add_get(f"{room}ws", self._socket)
        application.router.add_get(f"{room}{{name:.+}}", self._file)
        application.on_response_prepare.append(_add_headers)
        application.on_shutdown.append(self._close)
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let the owner through, and nobody else as far as any handler."""
        token, cookie = request.query.get(TOKEN), request.cookies.get(COOKIE)
        verdict = self._door.judge(knock_of(request.path, request.headers, token, cookie))
        if verdict is Verdict.ENTER:
            return await handler(request)
        answer = web.Response(status=verdict.status, text=verdict.words)
        if verdict is Verdict.OPEN:
            answer.headers["Location"] = self._door.room
            answer.set_cookie(
                COOKIE, self._door.cookie, path=self._door.room, httponly=True, samesite="Strict"
            )
        return answer

    async def _page(self, request: web.Request) -> web.Response:
        """Return the page; its socket is at the address the browser knows us by."""
        text = (OURS / "page.html").read_text(encoding="utf-8")
        address = f"ws://{request.host}{self._door.room}ws"
        return web.Response(text=text.replace("{{websocket}}", address), content_type="text/html")

    async def _file(self, request: web.Request) -> web.Response:
        found = self._bodies.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        return web.Response(body=found[0], content_type=found[1])

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """Give a visitor a screen until one of them leaves."""
        if "Origin" not in request.headers:  # the door lets a page in without one, no socket
            raise web.HTTPForbidden
        if len(self._visits) >= VISITORS_MAX:
            raise web.HTTPServiceUnavailable(text=f"{VISITORS_MAX} screens are open already")
        visit = asyncio.current_task()
        assert visit is not None
        self._visits.add(visit)
        try:
            return await self._visit(request)
        finally:
            self._visits.discard(visit)

    async def _visit(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(
            heartbeat=BEAT_S, max_msg_size=MESSAGE_BYTES_MAX, compress=False
        )
        await socket.prepare(request)
        size = size_of(request.query.get("width"), request.query.get("height"))
        visitor = await Visitor.enter(self._words, size)
        painting = asyncio.create_task(_paint(visitor, socket))
        try:
            await _listen(visitor, socket)
        finally:
            painting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await painting
            await _see_off(visitor)
        return socket

    async def _close(self, _: web.Application) -> None:
        """End every visit; the processes are seen off before this returns."""
        visits = list(self._visits)
        for visit in visits:
            visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)


async def _see_off(visitor: Visitor) -> None:
    """Wait until the process is gone, whoever cancels us meanwhile: a shutdown may come now."""
    leaving = asyncio.ensure_future(visitor.leave())
    while not leaving.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(leaving)
    leaving.result()


async def _paint(visitor: Visitor, socket: web.WebSocketResponse) -> None:
    """Send what is painted, then close: the browser says that the screen has ended."""
    with contextlib.suppress(ConnectionError):
        await visitor.show(socket.send_bytes)
        await socket.close()


async def _listen(visitor: Visitor, socket: web.WebSocketResponse) -> None:
    """Take a browser's words until it leaves; one that talks nonsense is shown out."""
    async for message in socket:
        try:
            assert message.type is WSMsgType.TEXT
            match json.loads(message.data):
                case ["stdin", str(keys)]:
                    visitor.press(keys)
                case ["resize", {"width": columns, "height": rows}]:
                    visitor.resize(size_of(columns, rows))
                case ["ping", str(stamp)]:
                    await socket.send_json(["pong", stamp])
                case ["focus" | "blur", *_]:
                    continue
                case _:
                    return
        except (AssertionError, ValueError, ConnectionError):
            return


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers.popall("Server", None)


def _content(name: str) -> bytes:
    ours = FILES[name][0]
    if ours is not None:
        return ours.read_bytes()
    theirs = resources.files("textual_serve") / "static"
    return theirs.joinpath(name.removeprefix("theirs/")).read_bytes()
