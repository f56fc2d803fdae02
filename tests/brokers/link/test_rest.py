"""Requests to a real server on loopback: answered, surely not sent, or nobody knows."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from brokers.link.eager import begun
from brokers.link.rest import NotSent, Reply, Request, Rest, RestConfig, Unknown

Raw = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
PLACE = Request("POST", "/order?symbol=A%2FB&sig=%7e", {"X-KEY": "k"}, b"side=BUY")


def answer(body: bytes, status: str = "200 OK", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


@contextlib.asynccontextmanager
async def venue(behaviour: Raw) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that hands each whole request to `behaviour`, as the bytes it got."""
    requests: list[bytes] = []
    visits: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.add(asyncio.current_task())
        with contextlib.suppress(OSError, EOFError), contextlib.closing(writer):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lengths = [
                    line for line in head.lower().split(b"\r\n") if b"content-length" in line
                ]
                size = int(lengths[0].split(b":")[1]) if lengths else 0
                requests.append(head + await reader.readexactly(size))
                await behaviour(requests[-1], writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", requests
    finally:
        server.close()
        for visit in visits:
            visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)
        await server.wait_closed()


async def asked(url: str, request: Request = PLACE, **config: object) -> object:
    async with Rest(RestConfig(base_url=url, **config)) as rest:
        return await rest.ask(request)


async def test_a_request_leaves_byte_for_byte_as_it_was_signed() -> None:
    """Path, query and body untouched; no header that says what we run on."""

    async def behaviour(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b'{"ok":1}', extra="X-Used: 7\r\n"))

    async with venue(behaviour) as (url, requests):
        reply = await asked(url)

    assert isinstance(reply, Reply)
    assert (200, b'{"ok":1}', "7") == (reply.status, reply.body, reply.headers["x-used"])
    assert reply.received_ns >= reply.sent_ns
    (request,) = requests
    assert request.startswith(b"POST /order?symbol=A%2FB&sig=%7e HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\nside=BUY")
    assert b"X-KEY: k" in request
    for header in (b"user-agent", b"accept-encoding", b"cookie"):
        assert header not in request.lower()


async def never(request: bytes, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


async def drop(request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def half(request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(b"x" * 100)[:-50])
    await writer.drain()
    writer.transport.abort()


async def dribble(request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(b"x" * 10)[:-9])
    await asyncio.sleep(5)


async def huge(request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(1_000):
        writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")


async def garbage(request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\xff\xfe\x00 no HTTP\r\n\r\n")


@pytest.mark.parametrize("behaviour", [never, drop, half, dribble, huge, garbage])
async def test_what_may_have_arrived_is_unknown(behaviour: Raw) -> None:
    """However the answer fails; the request was seen once and is not sent again."""
    async with venue(behaviour) as (url, requests):
        outcome = await asked(url, answer_s=0.2, total_s=2.0, answer_bytes_max=100_000)

        assert isinstance(outcome, Unknown)
        assert 1 == len(requests)


async def test_what_never_left_is_known_not_to_have() -> None:
    """Nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    assert isinstance(await asked(f"http://127.0.0.1:{port}"), NotSent)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_kept_connection_that_dies_is_no_reason_to_send_again(method: str) -> None:
    """The library would repeat what it calls idempotent; a venue need not."""
    count = 0

    async def second_dies(request: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        if count == 2:
            writer.transport.abort()
        else:
            writer.write(answer(b"{}"))

    async with venue(second_dies) as (url, requests), Rest(RestConfig(base_url=url)) as rest:
        assert isinstance(await rest.ask(PLACE._replace(method=method)), Reply)
        assert isinstance(await rest.ask(PLACE._replace(method=method)), Unknown)

        assert 2 == len(requests)


async def test_a_redirect_is_an_answer() -> None:
    """It is not followed: the key would go along."""

    async def elsewhere(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"", "307 Temporary Redirect", "Location: /other\r\n"))

    async with venue(elsewhere) as (url, requests):
        reply = await asked(url)

    assert isinstance(reply, Reply)
    assert 307 == reply.status
    assert 1 == len(requests)


def by_name(url: str) -> RestConfig:
    """Ours at a name: no jar keeps the cookies of a bare address."""
    return RestConfig(base_url=url.replace("127.0.0.1", "localhost"))


async def test_no_cookie_and_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a venue or a shell wants kept or taken is not."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    async def cookie(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"{}", extra="Set-Cookie: a=b\r\n"))

    async with venue(cookie) as (url, requests), Rest(by_name(url)) as rest:
        for _ in range(2):
            assert isinstance(await rest.ask(PLACE), Reply)

    assert b"a=b" not in requests[1]


async def test_no_cause_names_what_was_asked() -> None:
    """A query may hold a signature, a header a key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    outcomes = [await asked(url)]
    async with venue(drop) as (url, _):
        outcomes.append(await asked(url))

    for outcome in outcomes:
        assert not any(word in str(outcome) for word in ("sig", "127.0.0.1", "KEY", "order"))


async def test_a_warm_host_has_a_connection_ready_at_any_time() -> None:
    """Before the first request, after the last one, and after the venue has hung up."""
    open_ones: set[asyncio.StreamWriter] = set()
    accepted = asked_by = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted, asked_by
        accepted += 1
        open_ones.add(writer)
        number = accepted
        with contextlib.suppress(OSError, EOFError), contextlib.closing(writer):
            while await reader.readuntil(b"side=BUY"):
                asked_by = number
                writer.write(answer(b"{}"))
        open_ones.discard(writer)

    async def until(holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                await asyncio.sleep(0.005)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    config = RestConfig(base_url=url, kept_s=0.3, stays_warm=True)
    async with server, Rest(config) as rest:
        await until(lambda: accepted == 1)
        assert isinstance(await rest.ask(PLACE), Reply)
        assert (1, 1) == (accepted, asked_by)
        await until(lambda: accepted == 3)
        for writer in open_ones:
            writer.transport.abort()
        await until(lambda: accepted == 5)
        assert isinstance(await rest.ask(PLACE), Reply)
        assert asked_by >= 4
        assert len(open_ones) <= 4, "old ones are closed"
    await until(lambda: not open_ones)


async def test_over_a_connection_that_is_ready_a_request_leaves_in_its_callers_turn() -> None:
    """The loop need not come round: its bytes are with the system when `begun` returns."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with Rest(RestConfig(base_url=url, stays_warm=True)) as rest:
            async with asyncio.timeout(20):
                while not rest._idle:
                    await asyncio.sleep(0.001)
            line, _ = listening.accept()
            with line:
                line.settimeout(20)
                end = begun(told(rest))
                assert PLACE.body == line.recv(4_096)[-len(PLACE.body) :]
                line.sendall(answer(b"{}"))
                await end


async def told(rest: Rest) -> None:
    assert isinstance(await rest.ask(PLACE), Reply)


async def test_a_connection_that_takes_too_long_is_nothing_to_whoever_asked() -> None:
    """Its time-out is the request's, though the caller's turn began it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        async with Rest(RestConfig(base_url=url, connect_s=0.05)) as rest:
            outcomes = []

            async def ask() -> None:
                outcomes.append(await rest.ask(PLACE))

            await begun(ask())
        assert ["TimeoutError"] == [outcome.cause for outcome in outcomes]


async def test_a_request_that_finds_every_place_taken_waits_for_one_though_begun_at_once() -> None:
    """A time-out stands around that wait, which needs a task."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with Rest(RestConfig(base_url=url, connections_max=1)) as rest, asyncio.timeout(20):
            ends = [begun(told(rest)), begun(told(rest))]
            line, _ = await asyncio.to_thread(listening.accept)
            with line:
                for _ in ends:
                    line.settimeout(20)
                    got = await asyncio.to_thread(line.recv, 4_096)
                    assert PLACE.body == got[-len(PLACE.body) :]
                    line.sendall(answer(b"{}"))
                await asyncio.gather(*ends)
