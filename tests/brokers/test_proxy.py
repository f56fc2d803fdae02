"""The proxy itself: each toxic does what its name says, that way only, until it is healed."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from tests.brokers.proxy import (
    DOWN,
    UP,
    Bandwidth,
    Down,
    Latency,
    LimitData,
    Proxy,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
)

PATIENCE_S = 20.0
HELLO = b"hello, venue"


class Caller:
    """A connection through the proxy to a server that says everything back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, data: bytes = HELLO) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def heard(self, size: int = len(HELLO)) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readexactly(size)

    async def end(self) -> bytes:
        """What still comes before the end of the connection."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read()


class Echo:
    """What the server was told, and the proxy before it."""

    def __init__(self) -> None:
        self.told = bytearray()
        self.pieces: list[bytes] = []
        self.proxy: Proxy | None = None

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), contextlib.closing(writer):
            while data := await reader.read(65_536):
                self.told += data
                self.pieces.append(data)
                writer.write(data)
                await writer.drain()

    @contextlib.asynccontextmanager
    async def call(self) -> AsyncIterator[Caller]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        with contextlib.closing(writer):
            yield Caller(reader, writer)


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    found = Echo()
    server = await asyncio.start_server(found.connected, "127.0.0.1", 0)
    async with Proxy(server.sockets[0].getsockname()[1]) as found.proxy:
        yield found
    server.close()


async def test_without_a_toxic_everything_passes(echo: Echo) -> None:
    """Bytes, the end of one side, and no more connections than were made."""
    async with echo.call() as caller:
        for _ in range(3):
            await caller.say()
            assert HELLO == await caller.heard()
        caller.writer.write_eof()
        assert b"" == await caller.end()
    assert HELLO * 3 == echo.told
    assert 1 == echo.proxy.accepted


@pytest.mark.parametrize("way", [UP, DOWN])
async def test_latency(echo: Echo, way: str) -> None:
    """Later, in order, and not later with each piece."""
    echo.proxy.strike(Latency(0.2, 0.05), way)
    async with echo.call() as caller:
        began_s = time.monotonic()
        for _ in range(10):
            await caller.say()
            await asyncio.sleep(0.005)
        assert HELLO * 10 == await caller.heard(10 * len(HELLO))
        assert time.monotonic() - began_s >= 0.15


async def test_bandwidth(echo: Echo) -> None:
    """A second for what a second holds, less nothing."""
    echo.proxy.strike(Bandwidth(10_000), DOWN)
    async with echo.call() as caller:
        began_s = time.monotonic()
        await caller.say(b"x" * 3_000)
        assert b"x" * 3_000 == await caller.heard(3_000)
        assert time.monotonic() - began_s >= 0.3


async def test_slow_close(echo: Echo) -> None:
    """Data passes at once, its end does not."""
    echo.proxy.strike(SlowClose(0.3), DOWN)
    async with echo.call() as caller:
        await caller.say()
        assert HELLO == await caller.heard()
        began_s = time.monotonic()
        caller.writer.write_eof()
        assert b"" == await caller.end()
        assert time.monotonic() - began_s >= 0.3


async def test_timeout_swallows_and_ends(echo: Echo) -> None:
    """The server hears nothing, and the connection is over after a while."""
    echo.proxy.strike(Timeout(0.1), UP)
    async with echo.call() as caller:
        await caller.say()
        assert b"" == await caller.end()
    assert b"" == echo.told


async def test_what_was_swallowed_is_not_followed_by_what_came_later(echo: Echo) -> None:
    """Healing ends the connection instead of leaving a hole in it; the next one is whole."""
    echo.proxy.strike(Timeout(), DOWN)
    async with echo.call() as caller, echo.call() as idle:
        await caller.say()
        while HELLO != echo.told:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)
        await echo.proxy.heal()
        assert b"" == await caller.end()
        await idle.say()
        assert HELLO == await idle.heard()


@pytest.mark.parametrize(("way", "is_told"), [(UP, False), (DOWN, True)])
async def test_reset_peer(echo: Echo, way: str, is_told: bool) -> None:
    """A reset and no end, before the server has heard or after it."""
    echo.proxy.strike(ResetPeer(), way)
    async with echo.call() as caller:
        await caller.say()
        with pytest.raises(ConnectionResetError):
            await caller.end()
    assert (HELLO if is_told else b"") == echo.told


async def test_slicer(echo: Echo) -> None:
    """The same bytes, a few at a time."""
    echo.proxy.strike(Slicer(3, 0.001), UP)
    async with echo.call() as caller:
        await caller.say()
        assert HELLO == await caller.heard()
    assert len(echo.pieces) > 2


@pytest.mark.parametrize(("way", "told"), [(UP, 5), (DOWN, 12)])
async def test_limit_data(echo: Echo, way: str, told: int) -> None:
    """So many bytes and an end, though the connection is older than the toxic."""
    async with echo.call() as caller:
        await caller.say(b"before")
        assert b"before" == await caller.heard(6)
        echo.told.clear()
        echo.proxy.strike(LimitData(5), way)
        await caller.say()
        back = await caller.end()
        while len(echo.told) < told:
            await asyncio.sleep(0.005)
    assert HELLO[:told] == echo.told
    assert HELLO[:5].startswith(back)
    assert len(back) == 5 or way == UP


async def test_down_and_up_again(echo: Echo) -> None:
    """Who is connected is cut, who comes is refused, and the address stays."""
    async with echo.call() as caller:
        await caller.say()
        assert HELLO == await caller.heard()
        echo.proxy.strike(Down())
        assert b"" == await caller.end()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", echo.proxy.port)
    await echo.proxy.heal()
    async with echo.call() as caller:
        await caller.say()
        assert HELLO == await caller.heard()


async def test_toxicity_is_the_share_of_connections_that_are_struck(echo: Echo) -> None:
    echo.proxy.strike(ResetPeer(), UP, toxicity=0.5)
    struck = 0
    for _ in range(40):
        async with echo.call() as caller:
            await caller.say()
            try:
                await caller.heard()
            except (ConnectionResetError, asyncio.IncompleteReadError):
                struck += 1
    assert 5 < struck < 35
