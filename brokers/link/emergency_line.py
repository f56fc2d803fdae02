"""One HTTP line for emergencies: standard library alone, a deadline for all of a request.

The address is looked up when the line is made, for a name server has no deadline of ours; TLS still
proves the name.
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

from brokers.link.address import guarded
from brokers.link.emergency_door import opened
from engine.model.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

DEADLINE_S: Final = 2.0
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
PIECE: Final = 64 * 1024
PORTS: Final = {"http": 80, "https": 443}
FAILURES: Final = (OSError, http.client.HTTPException, ValueError)


class Sendable(Protocol):
    """A request as it leaves."""

    @property
    def method(self) -> str:
        """GET, POST and so on."""
        ...

    @property
    def target(self) -> str:
        """Path and query."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By name."""
        ...

    @property
    def body(self) -> bytes:
        """Nothing is no body."""
        ...


class EmergencyLine:
    """Asks one host; keeps its connection while that works."""

    def __init__(
        self, base_url: str, deadline_s: float = DEADLINE_S, tls: ssl.SSLContext | None = None
    ) -> None:
        """Look the host up.

        Raises:
            OSError: It can't be found.
            UsageError: The URL is none to send a key to.

        """
        url = urlsplit(guarded("the venue's address", base_url))
        if url.scheme not in PORTS:
            raise UsageError("the venue's address must begin https://")
        self._host, self._default_port = url.hostname or "", PORTS[url.scheme]
        self._port = url.port or self._default_port
        self._deadline_s = deadline_s
        self._tls = None
        if url.scheme == "https":
            self._tls = tls or ssl.create_default_context()
        self._addresses = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        self._wire: _Wire | None = None
        self.date = ""
        """Of the last answer, as the venue wrote it."""

    def ask(self, sent: Sendable) -> tuple[int, bytes]:
        """Send one request and return status and body.

        A kept connection that the other end has dropped is made anew, once: what is asked here may
        be asked twice, for cancels are final and closings reduce-only.

        Raises:
            OSError: It failed, or took too long.

        """
        until_s = time.monotonic() + self._deadline_s
        was_kept = self._wire is not None
        try:
            return self._ask(sent, until_s)
        except (ConnectionError, http.client.BadStatusLine) as error:
            self.close()
            if not was_kept:
                raise _failed(error) from None
        except FAILURES as error:
            self.close()
            raise _failed(error) from None
        try:
            return self._ask(sent, until_s)
        except FAILURES as error:
            self.close()
            raise _failed(error) from None

    def close(self) -> None:
        """Hang up."""
        if self._wire is not None:
            self._wire.hang_up()
            self._wire = None

    def _ask(self, sent: Sendable, until_s: float) -> tuple[int, bytes]:
        if self._wire is None:
            self._wire = self._opened(until_s)
        self._wire.until_s = until_s
        connection = http.client.HTTPConnection(self._host, self._port)
        connection.default_port = self._default_port
        connection.sock = self._wire
        connection.request(sent.method, sent.target, sent.body or None, dict(sent.headers))
        with connection.getresponse() as answer:
            self.date = answer.headers.get("Date", "")
            body = answer.read(ANSWER_BYTES_MAX)
            is_whole = not answer.length and not answer.read(1)
            if answer.will_close:
                self.close()
        if not is_whole:
            raise OSError("an answer that is cut, or too long")
        return answer.status, body

    def _opened(self, until_s: float) -> "_Wire":
        line = opened(self._addresses, until_s)
        try:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.settimeout(_left_s(until_s))
            if self._tls is not None:
                line = self._tls.wrap_socket(line, server_hostname=self._host)
        except OSError:
            line.close()
            raise
        return _Wire(line, until_s)


class _Wire:
    """A connected socket, as much of one as `http.client` uses, that is in a hurry."""

    def __init__(self, line: socket.socket, until_s: float) -> None:
        self._line = line
        self.until_s = until_s

    def sendall(self, data: bytes) -> None:
        self._line.settimeout(_left_s(self.until_s))
        self._line.sendall(data)

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self), PIECE)

    def receive(self, into: "WriteableBuffer") -> int:
        self._line.settimeout(_left_s(self.until_s))
        return self._line.recv_into(into)

    def close(self) -> None:
        """Nothing: `http.client` closes before it has read what it asks for."""

    def hang_up(self) -> None:
        self._line.close()


class _Reader(io.RawIOBase):
    """What comes over a wire."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        return self._wire.receive(buffer)


def _left_s(until_s: float) -> float:
    """Return what is left of a deadline.

    Raises:
        TimeoutError: Nothing is.

    """
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("out of time")
    return left_s


def _failed(error: Exception) -> OSError:
    return OSError(f"the venue can't be asked: {type(error).__name__}")
