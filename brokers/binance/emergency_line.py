"""One HTTP line for emergencies: standard library alone, a deadline for all of a request.

The address is looked up when the line is made, for a name server has no deadline of ours; TLS still
proves the name.
"""

import http.client
import socket
import ssl
import time
from typing import Final
from urllib.parse import urlsplit

from brokers.binance.requests import Bytes

DEADLINE_S: Final = 2.0
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
PIECE: Final = 64 * 1024
PORTS: Final = {"http": 80, "https": 443}


class EmergencyLine:
    """Asks one host; keeps its connection while that works."""

    def __init__(
        self, base_url: str, deadline_s: float = DEADLINE_S, tls: ssl.SSLContext | None = None
    ) -> None:
        """Look the host up.

        Raises:
            OSError: It can't be found.
            ValueError: The URL is none.

        """
        url = urlsplit(base_url)
        if url.scheme not in PORTS or not url.hostname:
            raise ValueError("not an http or https address")
        self._host, self._port = url.hostname, url.port or PORTS[url.scheme]
        self._deadline_s = deadline_s
        self._tls = None
        if url.scheme == "https":
            self._tls = tls or ssl.create_default_context()
        self._addresses = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, sent: Bytes) -> tuple[int, bytes]:
        """Send one request and return status and body.

        A kept connection that the other end has closed is opened anew, once, and only before an
        answer began: what is asked here may be asked twice, for closings are reduce-only.

        Raises:
            OSError: It failed, or took too long.

        """
        until_s = time.monotonic() + self._deadline_s
        was_open = self._connection is not None
        try:
            return self._ask(sent, until_s)
        except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError):
            self.close()
            if not was_open:
                raise OSError("the venue closed the connection") from None
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise OSError(f"the venue can't be asked: {type(error).__name__}") from None
        try:
            return self._ask(sent, until_s)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise OSError(f"the venue can't be asked: {type(error).__name__}") from None

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, sent: Bytes, until_s: float) -> tuple[int, bytes]:
        connection = self._connection or self._opened(until_s)
        self._connection = connection
        line = connection.sock
        _hurry(line, until_s)
        connection.request(sent.method, sent.target, sent.body or None, sent.headers)
        _hurry(line, until_s)
        answer = connection.getresponse()
        body = b""
        while piece := answer.read1(PIECE):
            body += piece
            _hurry(line, until_s)
            if len(body) > ANSWER_BYTES_MAX:
                raise OSError("an answer too long")
        if answer.will_close:
            self.close()
        return answer.status, body

    def _opened(self, until_s: float) -> http.client.HTTPConnection:
        """Connect to the first address that answers."""
        failure = OSError("no address")
        for family, kind, protocol, _, address in self._addresses:
            line = socket.socket(family, kind, protocol)
            try:
                _hurry(line, until_s)
                line.connect(address)
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls is not None:
                    line = self._tls.wrap_socket(line, server_hostname=self._host)
            except OSError as error:
                failure = error
                line.close()
                continue
            connection = http.client.HTTPConnection(self._host, self._port)
            connection.default_port = PORTS["https" if self._tls else "http"]
            connection.sock = line
            return connection
        raise failure


def _hurry(line: socket.socket | None, until_s: float) -> None:
    """Give a socket what is left of the deadline.

    Raises:
        TimeoutError: Nothing is.

    """
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("out of time")
    if line is not None:
        line.settimeout(left_s)
