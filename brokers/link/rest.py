"""Requests to a venue: what was surely not sent, what was answered, and what nobody knows.

Rule 1: the caller learns which of the three it is. A placement that may have arrived is never
        reported as a failure (reliability.md A3).
Rule 2: no redirect is followed, no proxy of the environment used, no cookie kept, no answer read
        past its cap, and nothing of a request is put into an error: it may hold a key.
Rule 3: nothing is tried again here.

A client library would do, but for the time between an order's wish and its first byte: see the
live figures in docs/FIGURES.md.

Source: reliability.md F7, rows 23-31; RFC 9112 sections 3 and 9.
"""

import asyncio
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from brokers.link.answer import BadAnswer
from brokers.link.connection import Connection
from brokers.link.exchanged import NotSent, Outcome, Reply, Request, Unknown
from brokers.link.way import way_to

__all__ = [
    "Exchange", "NotSent", "Outcome", "Reply", "Request", "Rest", "RestConfig", "Unknown",
]  # fmt: skip

PORTS: Final = {"http": 80, "https": 443}
HAS_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
"""Say their length also where it is nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestConfig:
    """One host of a venue."""

    base_url: str
    connect_s: float = 3.0
    """For a free place, name, connection and TLS."""
    answer_s: float = 5.0
    """Between two pieces of an answer."""
    total_s: float = 10.0
    answer_bytes_max: int = 16 * 1024 * 1024
    connections_max: int = 8
    kept_s: float = 15.0
    """An idle connection is not used after so long: the venue may have given it up."""
    stays_warm: bool = False
    """A connection is ready at any time: no order waits for a handshake."""


class Exchange:
    """One host's connections, and how a request goes over them; what may be asked, others say."""

    def __init__(self, config: RestConfig, tls: ssl.SSLContext | None = None) -> None:
        self._config = config
        self._host = _Host(config.base_url)
        self._tls = tls
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._places: asyncio.Semaphore | None = None
        self._warming: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open; nothing is sent yet."""
        self._places = asyncio.Semaphore(self._config.connections_max)
        if self._host.is_encrypted:
            self._tls = self._tls or ssl.create_default_context()
        if self._config.stays_warm:
            self._warming = asyncio.create_task(self._stay_warm())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close every connection."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        for connection in (*self._idle, *self._busy):
            connection.close()
        self._idle.clear()
        await asyncio.sleep(0)  # the loop closes them

    async def _exchange(self, request: Request) -> Outcome:
        """Send one request and say what is known of it; never raises but for cancellation."""
        config, loop = self._config, asyncio.get_running_loop()
        sent_ns, until_s = time.monotonic_ns(), loop.time() + config.total_s
        try:
            sent = self._host.written(request)
            connection = await self._connection(min(config.connect_s, config.total_s))
        except (OSError, ValueError) as error:
            return NotSent(type(error).__name__)
        try:
            told = await connection.ask(sent, silent_s=config.answer_s, until_s=until_s)
        except BadAnswer as error:
            return Unknown(str(error))
        except OSError as error:
            return Unknown(type(error).__name__)
        finally:
            self._leave(connection)
        return Reply(told.status, told.headers, told.body, sent_ns, time.monotonic_ns())

    async def _connection(self, within_s: float) -> Connection:
        """Return a connection for one request: a kept one, else a new one.

        Raises:
            OSError: There is none, or not in time.
            ValueError: The address is none.
        """
        assert self._places is not None, "use it as a context"
        until_s = asyncio.get_running_loop().time() + within_s
        if self._places.locked():
            await asyncio.sleep(0)  # from here on in a task: see `eager`
            async with asyncio.timeout_at(until_s):
                await self._places.acquire()
        else:
            await self._places.acquire()  # at once
        try:
            connection = self._kept()
            if connection is None:
                await asyncio.sleep(0)
                connection = await self._connected(until_s)
        except BaseException:
            self._places.release()
            raise
        self._busy.add(connection)
        return connection

    def _kept(self) -> Connection | None:
        """Return the connection that was used last, if one is fresh."""
        self._prune()
        return self._idle.pop() if self._idle else None

    async def _connected(self, until_s: float) -> Connection:
        loop, host = asyncio.get_running_loop(), self._host
        async with asyncio.timeout_at(until_s):
            _, connection = await loop.create_connection(
                lambda: Connection(self._config.answer_bytes_max),
                **await way_to(host.name, host.port),
                ssl=self._tls if host.is_encrypted else None,
                server_hostname=host.name if host.is_encrypted else None,
            )
        return connection

    async def _stay_warm(self) -> None:
        """Make a new connection before the kept ones are too old."""
        loop, look_s = asyncio.get_running_loop(), self._config.kept_s / 3
        while True:
            old_s = loop.time() - self._config.kept_s + 2 * look_s
            if not any(it.is_open and it.idle_since_s > old_s for it in self._idle):
                with suppress(OSError, ValueError):  # the next order will tell
                    self._idle.append(await self._connected(loop.time() + self._config.connect_s))
            self._prune()
            await asyncio.sleep(look_s)

    def _prune(self) -> None:
        """Close what is too old to be used."""
        stale_s = asyncio.get_running_loop().time() - self._config.kept_s
        for connection in self._idle:
            if connection.idle_since_s <= stale_s:
                connection.close()
        self._idle = [connection for connection in self._idle if connection.is_open]

    def _leave(self, connection: Connection) -> None:
        assert self._places is not None, "use it as a context"
        self._busy.discard(connection)
        self._places.release()
        if connection.is_open:
            self._idle.append(connection)


class Rest(Exchange):
    """Asks one host anything; use it as an async context."""

    async def ask(self, request: Request) -> Outcome:
        """Send one request and say what is known of it; never raises but for cancellation."""
        return await self._exchange(request)


class _Host:
    """Where requests go, and how they are written."""

    def __init__(self, base_url: str) -> None:
        try:
            url = urlsplit(base_url)
            self.port = url.port or PORTS.get(url.scheme, 0)
        except ValueError:
            url, self.port = urlsplit(""), 0
        self.name = url.hostname or ""
        self.is_encrypted = url.scheme == "https"
        self._prefix = url.path
        self._fixed = f"Host: {url.netloc.rpartition('@')[2]}\r\nAccept: */*\r\n"

    def written(self, request: Request) -> bytes:
        """Return all bytes of a request.

        Raises:
            ValueError: There is no such host, or something in it would end a line.
        """
        target, body = self._prefix + request.path_and_query, request.body
        headers = "".join([f"{name}: {value}\r\n" for name, value in request.headers.items()])
        length = f"Content-Length: {len(body)}\r\n" if body or request.method in HAS_BODY else ""
        lines = (target, *request.headers, *request.headers.values())
        if not (self.name and self.port) or " " in target or not all(map(str.isprintable, lines)):
            raise ValueError("a request that can't be written")
        head = f"{request.method} {target} HTTP/1.1\r\n{self._fixed}{headers}{length}\r\n"
        return head.encode("ascii") + body
