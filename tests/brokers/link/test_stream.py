"""A line to a real server on loopback that breaks it in every way a venue can."""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidURI

from brokers.link.backoff import Backoff, BackoffConfig
from brokers.link.stream import Down, Frame, Stream, StreamConfig, Up, Word

PATIENCE_S = 20.0
QUICK = BackoffConfig(base_s=0.01, cap_s=0.05, per_hour=1_000)
Serve = Callable[[ServerConnection], Awaitable[None]]


class Line:
    """A stream being run, and what it said."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.words: list[Word] = []
        self.task = asyncio.create_task(stream.run(self.words.append))

    def of(self, kind: type) -> list:
        return [word for word in self.words if isinstance(word, kind)]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                assert not self.task.done(), self.task
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def lined(
    port: int, backoff: BackoffConfig = QUICK, opening: tuple[str, ...] = ("sub",), **config: object
) -> AsyncIterator[Line]:
    url = f"ws://127.0.0.1:{port}/ws"
    stream = Stream(
        StreamConfig(url=url, **config), lambda: opening, Backoff(backoff, random.Random(1))  # noqa: S311
    )  # fmt: skip
    line = Line(stream)
    try:
        yield line
    finally:
        line.task.cancel()
        await asyncio.gather(line.task, return_exceptions=True)


@contextlib.asynccontextmanager
async def venue(behaviour: Serve, **options: object) -> AsyncIterator[int]:
    async with serve(behaviour, "127.0.0.1", 0, **options) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def test_frames_arrive_in_order_after_the_subscription() -> None:
    """Bytes as they were sent, text or binary."""
    heard = []

    async def behaviour(socket: ServerConnection) -> None:
        heard.append(await socket.recv())
        await socket.send('{"a":"é"}')
        await socket.send(b"\x00\xff")
        await socket.wait_closed()

    async with venue(behaviour) as port, lined(port) as line:
        await line.until(lambda: len(line.of(Frame)) == 2)

        assert isinstance(line.words[0], Up)
        assert [b'{"a":"\xc3\xa9"}', b"\x00\xff"] == [frame.data for frame in line.of(Frame)]
        assert ["sub"] == heard
        assert await line.stream.send("ping")


async def close(socket: ServerConnection) -> None:
    await socket.close()


async def reset(socket: ServerConnection) -> None:
    socket.transport.abort()


async def oversize(socket: ServerConnection) -> None:
    await socket.send("x" * 2_000)
    await socket.wait_closed()


async def silence(socket: ServerConnection) -> None:
    await socket.wait_closed()


async def garbage(socket: ServerConnection) -> None:
    socket.transport.write(b"\xff" * 64)
    await socket.wait_closed()


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [(close, "ConnectionClosed"), (reset, "ConnectionClosed"), (oversize, "1009"),
     (silence, "silent for 0.2 s"), (garbage, "ConnectionClosed")],
)  # fmt: skip
async def test_every_break_is_told_and_mended(behaviour: Serve, cause: str) -> None:
    """With its cause; the next connection subscribes again, and only then do frames come."""
    broken: list[bool] = []
    subscribed = []

    async def first_breaks(socket: ServerConnection) -> None:
        subscribed.append(await socket.recv())
        if not broken:
            broken.append(True)
            await socket.send("before")
            await behaviour(socket)
            return
        for _ in range(200):
            await socket.send("after")
            await asyncio.sleep(0.02)

    config = {"silent_after_s": 0.2, "frame_bytes_max": 1_000}
    async with venue(first_breaks) as port, lined(port, **config) as line:
        await line.until(lambda: len(line.of(Frame)) >= 3)

        kinds = [type(word).__name__ for word in line.words]
        assert ["Up", "Frame", "Down", "Up", "Frame"] == kinds[:5]
        assert cause in line.of(Down)[0].cause
        assert ["sub", "sub"] == subscribed
        assert [1, 2] == [up.attempt for up in line.of(Up)]


async def test_a_venue_that_is_not_there_is_tried_again() -> None:
    """Until it is."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with lined(port) as line:
        await line.until(lambda: len(line.of(Down)) >= 3)
        assert not line.of(Up)
        assert not await line.stream.send("nobody hears")

        async with serve(silence, "127.0.0.1", port):
            await line.until(lambda: bool(line.of(Up)))


async def test_flapping_is_said_and_stops() -> None:
    """When the hour's attempts are gone, the next one waits."""
    few = BackoffConfig(base_s=0.001, cap_s=0.002, per_hour=5)
    async with venue(close) as port, lined(port, few) as line:
        await line.until(lambda: any(down.is_flapping for down in line.of(Down)))

        last = line.of(Down)[-1]
        assert last.retry_s > 3_000
        assert 6 == len(line.of(Down))
        assert not any(down.is_flapping for down in line.of(Down)[:5])
        await asyncio.sleep(0.05)
        assert 6 == line.stream.attempts


async def test_a_refused_handshake_is_a_break() -> None:
    """A 401 or a 503 is no frame."""

    def refuse(connection: ServerConnection, request: object) -> object:
        return connection.respond(503, "maintenance")

    async with venue(silence, process_request=refuse) as port, lined(port) as line:
        await line.until(lambda: len(line.of(Down)) >= 2)

        assert "503" in line.of(Down)[0].cause


async def test_a_url_that_is_none_ends_it() -> None:
    """A typing error is no outage."""
    config = StreamConfig(url="http://127.0.0.1/")
    stream = Stream(config, tuple, Backoff(QUICK, random.Random(1)))  # noqa: S311
    with pytest.raises(InvalidURI):
        await stream.run(lambda _: None)


async def test_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order must not travel through whatever a shell once exported."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    async with venue(silence) as port, lined(port) as line:
        await line.until(lambda: bool(line.of(Up)))


async def test_a_slow_line_is_no_silent_one() -> None:
    """Each frame starts the limit anew."""

    async def slow(socket: ServerConnection) -> None:
        for _ in range(15):
            await socket.send("tick")
            await asyncio.sleep(0.06)
        await socket.wait_closed()

    async with venue(slow) as port, lined(port, silent_after_s=0.6) as line:
        await line.until(lambda: len(line.of(Frame)) == 15)
        assert not line.of(Down)


async def test_a_reader_can_give_a_line_up() -> None:
    """Though frames go on arriving; the cause is the reader's, and the line comes back."""

    async def chatty(socket: ServerConnection) -> None:
        while True:
            await socket.send("tick")
            await asyncio.sleep(0.001)

    async with venue(chatty) as port, lined(port, ping_s=None) as line:
        await line.until(lambda: len(line.of(Frame)) > 3)
        line.stream.give_up("nothing that was asked for")
        await line.until(lambda: 2 == len(line.of(Up)))

        assert ["TimeoutError: nothing that was asked for"] == [
            down.cause for down in line.of(Down)
        ]
        before = len(line.of(Frame))
        await line.until(lambda: len(line.of(Frame)) > before + 3)
        assert 1 == len(line.of(Down))


async def test_messages_in_pieces_and_before_anybody_reads() -> None:
    """Each is handed on whole and in order, pings in between notwithstanding."""

    async def behaviour(socket: ServerConnection) -> None:
        await socket.send("early")
        await socket.recv()

        async def pieces() -> AsyncIterator[str]:
            for piece in ("in ", "three ", "pieces"):
                yield piece
                await (await socket.ping())

        await socket.send(pieces())
        await socket.send("late")
        await socket.wait_closed()

    async with venue(behaviour) as port, lined(port) as line:
        await line.until(lambda: len(line.of(Frame)) == 3)

        assert isinstance(line.words[0], Up)
        told = [frame.data for frame in line.of(Frame)]
        assert [b"early", b"in three pieces", b"late"] == told


async def test_a_bug_of_the_reader_ends_the_line() -> None:
    """It is raised where the line is run, once, and nothing more is handed over."""
    taken: list[Frame] = []

    async def behaviour(socket: ServerConnection) -> None:
        for n in range(3):
            await socket.send(str(n))
        await socket.wait_closed()

    def take(word: Word) -> None:
        if isinstance(word, Frame):
            taken.append(word)
            raise ZeroDivisionError

    async with venue(behaviour) as port:
        config = StreamConfig(url=f"ws://127.0.0.1:{port}")
        stream = Stream(config, tuple, Backoff(QUICK, random.Random(1)))  # noqa: S311
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(ZeroDivisionError):
                await stream.run(take)

    assert [b"0"] == [frame.data for frame in taken]
