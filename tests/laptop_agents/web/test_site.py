"""The server as a browser meets it: over real sockets, in front of a real screen process."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import psutil
import pytest
from aiohttp import web

from laptop_agents.keys_shape import VARIABLES
from laptop_agents.web.door import COOKIE, Door
from laptop_agents.web.site import FILES, HEADERS, Site
from laptop_agents.web.visitor import Size, size_of, surroundings

SHORT = ("profiles", "schema")
"""A command that writes on its terminal and ends."""


class Served:
    """A site on a port of its own, and a client that may carry the cookie."""

    def __init__(self, door: Door, client: aiohttp.ClientSession) -> None:
        self.door, self._client = door, client
        self.base = f"http://127.0.0.1:{door.port}"

    async def request(self, method: str, path: str, **headers: str) -> aiohttp.ClientResponse:
        answer = await self._client.request(
            method, self.base + path, headers=headers, allow_redirects=False
        )
        await answer.read()
        return answer

    async def get(self, path: str, **headers: str) -> aiohttp.ClientResponse:
        return await self.request("GET", path, **headers)

    async def enter(self) -> None:
        """Use the token once, as the owner does."""
        answer = await self.get(f"/?token={self.door.token}")
        assert 303 == answer.status
        self._client.headers["Cookie"] = f"{COOKIE}={answer.cookies[COOKIE].value}"

    async def attach(self, **headers: str) -> aiohttp.ClientWebSocketResponse:
        origin = {"Origin": self.base} | headers
        return await self._client.ws_connect(f"{self.base}{self.door.room}ws", headers=origin)


@asynccontextmanager
async def served(*words: str) -> AsyncIterator[Served]:
    """Serve a command until the block ends; then no child is left."""
    others = psutil.Process().children()
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    door = Door(sock.getsockname()[1])
    runner = web.AppRunner(Site(door, words or SHORT).application(), access_log=None)
    await runner.setup()
    await web.SockSite(runner, sock).start()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
        yield Served(door, client)
    await runner.cleanup()
    assert others == psutil.Process().children()


async def painted(socket: aiohttp.ClientWebSocketResponse) -> str:
    """All that a screen paints until it closes."""
    return b"".join(
        [message.data async for message in socket if isinstance(message.data, bytes)]
    ).decode()


ROUTES = ("", "ws", *FILES)


@pytest.mark.parametrize("name", ROUTES)
async def test_no_route_answers_a_stranger(name: str) -> None:
    """No words, wrong words, right words to a wrong name or from a wrong page: no handler runs."""
    async with served() as site:
        path = site.door.room + name
        right = {"Cookie": f"{COOKIE}={site.door.cookie}"}
        statuses = [
            (await site.get(path)).status,
            (await site.get(path, Cookie=f"{COOKIE}=wrong")).status,
            (await site.get(f"{path}?token={site.door.token}")).status,
            (await site.get(path, **right, Host="rebound.example")).status,
            (await site.get(path, **right, Origin="http://elsewhere.example")).status,
        ]

    assert [401, 401, 401, 403, 403] == statuses


@pytest.mark.parametrize("name", ["", *FILES])
async def test_the_owner_gets_page_and_files(name: str) -> None:
    """Whole, from here, and with every header that keeps them here."""
    async with served() as site:
        await site.enter()
        answer = await site.get(site.door.room + name)
        body = await answer.read()

    assert 200 == answer.status
    assert len(body) > 100
    assert HEADERS.items() <= dict(answer.headers).items()
    assert "Server" not in answer.headers
    assert b"//fonts." not in body


async def test_the_token_leaves_the_address_line() -> None:
    """It opens once and leads to a place without it; what is read there names it nowhere."""
    async with served() as site:
        answer = await site.get(f"/?token={site.door.token}&next=//elsewhere.example")
        await site.enter()
        page = await (await site.get(site.door.room)).text()

    assert site.door.room == answer.headers["Location"]
    cookie = answer.cookies[COOKIE]
    assert (site.door.room, True, "Strict") == (
        cookie["path"],
        cookie["httponly"],
        cookie["samesite"],
    )
    assert site.door.token not in page
    assert site.door.token not in str(answer.headers)
    assert "no-referrer" == answer.headers["Referrer-Policy"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_nothing_but_reading(method: str) -> None:
    """No form and no script of another page finds anything to change."""
    async with served() as site:
        await site.enter()
        answer = await site.request(method, site.door.room)

    assert 405 == answer.status


async def test_no_path_leads_out_of_the_table() -> None:
    """Files are named one by one."""
    async with served() as site:
        await site.enter()
        paths = ("../door.py", "theirs/../../../etc/passwd", "%2e%2e/door.py", "site.py")
        statuses = {(await site.get(site.door.room + path)).status for path in paths}

    assert statuses <= {401, 404}


async def test_a_socket_without_an_origin_is_none_of_ours() -> None:
    """Every browser says which page opened a socket."""
    async with served() as site:
        await site.enter()
        answer = await site.get(f"{site.door.room}ws")

    assert 403 == answer.status


async def test_a_screen_is_painted_and_its_end_closes_the_socket() -> None:
    """What the program writes on its terminal is what the browser gets."""
    async with served() as site:
        await site.enter()
        text = await painted(await site.attach())

    assert '"$schema"' in text
    assert "\r\n" in text, "it was a terminal"


def test_sizes_have_limits() -> None:
    """What is no number is 80x24; nobody gets more cells than a wall of screens."""
    assert Size(120, 40) == size_of("120", 40)
    assert Size(80, 24) == size_of("wide", None)
    assert Size(1, 1) == size_of(0, -5)
    assert Size(500, 300) == size_of(10**9, "99999")


def test_the_owners_terminal_is_not_the_visitors() -> None:
    """Its size and its locale stay; home and settings go along."""
    owner = {
        "COLUMNS": "80",
        "LINES": "24",
        "LANG": "C",
        "LAPTOP_AGENTS_HOME": "/h",
        "NO_COLOR": "1",
        **dict.fromkeys(VARIABLES, "a-key"),
    }
    env = surroundings(owner)

    assert not {"COLUMNS", "LINES", "LANG"} & set(env)
    assert "a-key" not in env.values()
    assert ("/h", "1", "truecolor") == (
        env["LAPTOP_AGENTS_HOME"],
        env["NO_COLOR"],
        env["COLORTERM"],
    )
