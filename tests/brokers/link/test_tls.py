"""TLS faults (reliability.md F7): whoever can't prove the venue's name is told nothing at all."""

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from brokers.binance.requests import Bytes
from brokers.link.backoff import Backoff, BackoffConfig
from brokers.link.emergency_line import EmergencyLine
from brokers.link.rest import NotSent, Reply, Request, Rest, RestConfig
from brokers.link.stream import Down, Stream, StreamConfig, Up, Word
from brokers.sandbox.certificate import Identity, self_signed

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
HEADERS = {"X-KEY": "canary"}


def trusting(there: Identity) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(there.certificate))


@contextlib.asynccontextmanager
async def venue(tls: ssl.SSLContext | None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server and what it could read of what it was sent."""
    read: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError), contextlib.closing(writer):
            read.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(ANSWER)
            await writer.drain()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1], read


async def by_rest(port: int, tls: ssl.SSLContext | None) -> bool:
    config = RestConfig(base_url=f"https://127.0.0.1:{port}", connect_s=2.0)
    async with Rest(config, tls) as rest:
        outcome = await rest.ask(Request("GET", "/", HEADERS))
    assert isinstance(outcome, Reply | NotSent), outcome
    return isinstance(outcome, Reply)


async def by_emergency_line(port: int, tls: ssl.SSLContext | None) -> bool:
    line = EmergencyLine(f"https://127.0.0.1:{port}", tls=tls)
    try:
        status, _ = await asyncio.to_thread(line.ask, Bytes("GET", "/", HEADERS, b""))
    except OSError:
        return False
    finally:
        line.close()
    return status == 200


async def by_stream(port: int, tls: ssl.SSLContext | None) -> bool:
    """Whether the line spoke at all: the server is no websocket, which is found out by talking."""
    words: asyncio.Queue[Word] = asyncio.Queue()
    config = StreamConfig(url=f"wss://127.0.0.1:{port}/?listenKey=canary", open_timeout_s=2.0)
    stream = Stream(config, tuple, Backoff(BackoffConfig(), random.Random(1)), tls)  # noqa: S311
    task = asyncio.create_task(stream.run(words.put_nowait))
    try:
        async with asyncio.timeout(20.0):
            word = await words.get()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert isinstance(word, Down) or not isinstance(word, Up)
    assert "canary" not in word.cause
    return "InvalidStatus" in word.cause or "InvalidUpgrade" in word.cause


LINES = pytest.mark.parametrize("ask", [by_rest, by_emergency_line, by_stream])


@LINES
async def test_a_venue_that_proves_its_name_is_spoken_to(ask: object, tmp_path: Path) -> None:
    """The certificate is trusted, valid and of this host."""
    there = self_signed(tmp_path)
    async with venue(there.serving()) as (port, read):
        assert await ask(port, trusting(there))
        assert b"canary" in read[0]


@LINES
@pytest.mark.parametrize(("host", "days"), [("127.0.0.2", 1), ("127.0.0.1", -1)])
async def test_another_name_and_an_expired_one_are_refused(
    ask: object, host: str, days: int, tmp_path: Path
) -> None:
    """Though somebody trusted signed it."""
    there = self_signed(tmp_path, [host], days)
    async with venue(there.serving()) as (port, read):
        assert not await ask(port, trusting(there))
        assert [] == read


@LINES
async def test_nobody_vouches_for_himself(ask: object, tmp_path: Path) -> None:
    """A self-signed certificate, against the machine's own authorities: the default."""
    async with venue(self_signed(tmp_path).serving()) as (port, read):
        assert not await ask(port, None)
        assert [] == read


@LINES
async def test_a_server_without_tls_hears_nothing_readable(ask: object) -> None:
    """A port that answers in the open gets a greeting and no key."""
    async with venue(None) as (port, read):
        assert not await ask(port, None)
        assert b"canary" not in b"".join(read)
