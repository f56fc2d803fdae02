"""Requests to a venue: what was surely not sent, what was answered, and what nobody knows.

Rule 1: the caller learns which of the three it is. A placement that may have arrived is never
        reported as a failure (reliability.md A3).
Rule 2: no redirect is followed, no proxy of the environment used, no cookie kept, no answer read
        past its cap, and nothing of a request is put into an error: it may hold a key.
Rule 3: nothing is tried again here.

Source: reliability.md F7, rows 23-31; aiohttp 3.14 for its defaults, all stated here.
"""

import ssl
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import aiohttp
from yarl import URL

from brokers.link.exchanged import NotSent, Outcome, Reply, Request, Unknown

__all__ = [
    "Exchange", "NotSent", "Outcome", "Reply", "Request", "Rest", "RestConfig", "Unknown",
]  # fmt: skip

CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RestConfig:
    """One host of a venue."""

    base_url: str
    connect_s: float = 3.0
    """For name, connection and TLS."""
    answer_s: float = 5.0
    """Between two pieces of an answer."""
    total_s: float = 10.0
    answer_bytes_max: int = 16 * 1024 * 1024
    connections_max: int = 8


UNSENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)
"""Raised before the request's first byte."""


class Exchange:
    """One host's connections, and how a request goes over them; what may be asked, others say."""

    def __init__(self, config: RestConfig, tls: ssl.SSLContext | None = None) -> None:
        self._config = config
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open; nothing connects yet."""
        config = self._config
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=config.connections_max, ssl=self._tls if self._tls else True
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept-Encoding", "Content-Type"),
            timeout=aiohttp.ClientTimeout(
                total=config.total_s,
                connect=config.connect_s,
                sock_connect=config.connect_s,
                sock_read=config.answer_s,
            ),
        )
        # It would send a DELETE or PUT again on another connection: rule 3.
        self._session._retry_connection = False
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, request: Request) -> Outcome:
        """Send one request and say what is known of it; never raises but for cancellation."""
        assert self._session is not None, "use it as a context"
        sent_ns = time.monotonic_ns()
        try:
            async with self._session.request(
                request.method,
                URL(self._config.base_url + request.path_and_query, encoded=True),
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
            ) as answer:
                body = await self._read(answer)
                headers = {name.lower(): value for name, value in answer.headers.items()}
        except UNSENT as error:
            return NotSent(type(error).__name__)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Unknown(type(error).__name__)
        if body is None:
            return Unknown(f"an answer over {self._config.answer_bytes_max} bytes")
        return Reply(answer.status, headers, body, sent_ns, time.monotonic_ns())

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes | None:
        """Return the body; None where it is longer than allowed."""
        pieces, size = [], 0
        async for piece in answer.content.iter_chunked(CHUNK):
            size += len(piece)
            if size > self._config.answer_bytes_max:
                answer.close()
                return None
            pieces.append(piece)
        return b"".join(pieces)


class Rest(Exchange):
    """Asks one host anything; use it as an async context."""

    async def ask(self, request: Request) -> Outcome:
        """Send one request and say what is known of it; never raises but for cancellation."""
        return await self._exchange(request)
