"""A venue with an address that leads nowhere is reached by its other one, by whoever needs it."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing

import pytest
from websockets.asyncio.server import ServerConnection, serve

from brokers.link import emergency_door
from brokers.link.backoff import Backoff, BackoffConfig
from brokers.link.emergency_door import opened
from brokers.link.rest import NotSent, Reply, Request, Rest, RestConfig
from brokers.link.stream import Down, Stream, StreamConfig, Up, Word
from brokers.link.way import way_to
from tests.brokers.link.two_addresses import DEAD, GOOD, NAME, dead, has_two_addresses

PATIENCE_S = 5.0
Addresses = list[tuple[int, int, int, str, tuple[str, int]]]


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with closing(writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await reader.read()


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Of a host one of whose addresses is dead."""
    async with await asyncio.start_server(answer, GOOD, 0) as server:
        port = server.sockets[0].getsockname()[1]
        has_two_addresses(monkeypatch)
        with dead(port):
            yield port


async def test_a_request_takes_the_address_that_answers(port: int) -> None:
    """Long before its time to connect is over."""
    began_s = time.monotonic()
    async with Rest(RestConfig(base_url=f"http://{NAME}:{port}", connect_s=PATIENCE_S)) as rest:
        told = await rest.ask(Request("GET", "/", {}, b""))

    assert isinstance(told, Reply)
    assert b"{}" == told.body
    assert time.monotonic() - began_s < PATIENCE_S / 2


async def test_nobody_there_is_surely_not_sent(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both addresses dead: in time, and known."""
    monkeypatch.setattr("tests.brokers.link.two_addresses.GOOD", DEAD)
    async with Rest(RestConfig(base_url=f"http://{NAME}:{port}", connect_s=0.6)) as rest:
        told = await rest.ask(Request("GET", "/", {}, b""))

    assert told == NotSent("TimeoutError")


async def test_a_line_takes_the_address_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so, as after any first attempt."""
    async with serve(ServerConnection.wait_closed, GOOD, 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        has_two_addresses(monkeypatch)
        with dead(port):
            word = await first_word(f"ws://{NAME}:{port}/ws")

    assert isinstance(word, Up)
    assert 1 == word.attempt


async def test_a_line_that_reaches_nobody_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within its time to open, and in words."""
    monkeypatch.setattr("tests.brokers.link.two_addresses.GOOD", DEAD)
    has_two_addresses(monkeypatch)
    with socket.create_server((GOOD, 0)) as server, dead(port := server.getsockname()[1]):
        word = await first_word(f"ws://{NAME}:{port}/ws", open_timeout_s=0.6)

    assert isinstance(word, Down)
    assert "TimeoutError: no address answers" == word.cause


async def test_a_line_follows_no_redirect() -> None:
    """What is said on it may be signed; elsewhere nobody hears it (reliability.md F7)."""
    visits = []

    async def elsewhere(socket: ServerConnection) -> None:
        visits.append(socket)

    async with serve(elsewhere, GOOD, 0) as other, asyncio.timeout(PATIENCE_S):
        there = next(iter(other.sockets)).getsockname()[1]
        async with await asyncio.start_server(pointing_to(there), GOOD, 0) as server:
            word = await first_word(f"ws://{GOOD}:{server.sockets[0].getsockname()[1]}/ws")

    assert isinstance(word, Down)
    assert "HTTP 302" in word.cause
    assert not visits


def pointing_to(
    port: int,
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        to = f"Location: ws://{GOOD}:{port}/ws".encode()
        writer.write(b"HTTP/1.1 302 Found\r\n" + to + b"\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    return redirect


async def first_word(url: str, **config: float) -> Word:
    """Return how a line began."""
    backoff = Backoff(BackoffConfig(), random.Random(1))  # noqa: S311 - no secret
    words: asyncio.Queue[Word] = asyncio.Queue(maxsize=100)
    task = asyncio.create_task(
        Stream(StreamConfig(url=url, **config), list, backoff).run(words.put_nowait)
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await words.get()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_only_address_needs_no_race() -> None:
    """It is told to the loop as it is."""
    assert {"host": GOOD, "port": 80} == await way_to(GOOD, 80)


# --- the emergency's own, without a loop -----------------------------------------------------------


def at(*hosts: str, port: int) -> Addresses:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in hosts]


@pytest.fixture
def door() -> int:
    with socket.create_server((GOOD, 0)) as server, dead(port := server.getsockname()[1]):
        yield port


def test_an_emergency_takes_the_address_that_answers(door: int) -> None:
    """After the head start of the dead one."""
    began_s = time.monotonic()
    with opened(at(DEAD, GOOD, port=door), began_s + PATIENCE_S) as line:
        took_s = time.monotonic() - began_s

        assert (GOOD, door) == line.getpeername()
    assert emergency_door.HEAD_START_S <= took_s < PATIENCE_S / 2


@pytest.mark.parametrize("useless", ["255.255.255.255", "127.0.0.3"])
def test_an_address_that_refuses_costs_no_head_start(
    useless: str, door: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the system says so at once or the other end does."""
    monkeypatch.setattr(emergency_door, "HEAD_START_S", 60.0)
    with opened(at(useless, GOOD, port=door), time.monotonic() + PATIENCE_S) as line:
        assert (GOOD, door) == line.getpeername()


def test_a_kind_of_address_this_machine_does_not_know_is_passed_over(door: int) -> None:
    """No socket can even be made for it."""
    unknown = [(9_999, socket.SOCK_STREAM, 6, "", (GOOD, door))]
    with opened(unknown + at(GOOD, port=door), time.monotonic() + PATIENCE_S) as line:
        assert (GOOD, door) == line.getpeername()


def test_an_emergency_gives_up_in_time(door: int) -> None:
    """Where nobody answers; why is told where somebody refused."""
    began_s = time.monotonic()
    with pytest.raises(TimeoutError):
        opened(at(DEAD, DEAD, port=door), began_s + 0.4)
    assert 0.4 <= time.monotonic() - began_s < PATIENCE_S / 2
    with pytest.raises(ConnectionRefusedError):
        opened(at("127.0.0.3", port=door), time.monotonic() + PATIENCE_S)
    with pytest.raises(OSError, match="no address"):
        opened([], time.monotonic() + PATIENCE_S)
