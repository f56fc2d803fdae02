"""The emergency's HTTP line to a raw server that misbehaves in every way."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from brokers.binance.requests import Bytes
from brokers.link.emergency_line import ANSWER_BYTES_MAX, EmergencyLine
from engine.model.errors import UsageError

SENT = Bytes("POST", "/order?a=%2F", {"X-KEY": "canary-key"}, b"side=SELL&signature=canary-sig")
Behave = Callable[[socket.socket, int], bool]
"""From connection and count of requests so far to whether the connection is kept."""


def good(body: bytes = b"{}", extra: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


@contextlib.contextmanager
def server(behave: Behave) -> Iterator[tuple[str, list[bytes]]]:
    """Serve until the test is done; all it was sent is in the list."""
    seen: list[bytes] = []
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = door.accept()
                with visitor, contextlib.suppress(OSError):
                    while request := read(visitor):
                        seen.append(request)
                        if not behave(visitor, len(seen)):
                            break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}", seen
    finally:
        door.close()


def read(visitor: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (piece := visitor.recv(4096)):
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    sizes = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    size = int(sizes[0].split(b":")[1]) if sizes else 0
    while len(body) < size:
        body += visitor.recv(4096)
    return head + b"\r\n\r\n" + body


def answers(visitor: socket.socket, _: int) -> bool:
    visitor.sendall(good(b'{"a":1}'))
    return True


def test_requests_leave_as_signed_over_one_connection() -> None:
    """Target, headers and body untouched; nothing that says what we run on."""
    with server(answers) as (url, seen):
        line = EmergencyLine(url)
        assert [(200, b'{"a":1}')] * 3 == [line.ask(SENT) for _ in range(3)]
        line.close()

    assert 3 == len(seen)
    assert seen[0].startswith(b"POST /order?a=%2F HTTP/1.1\r\n")
    assert seen[0].endswith(b"\r\n\r\nside=SELL&signature=canary-sig")
    assert b"X-KEY: canary-key\r\n" in seen[0]
    assert b"user-agent" not in seen[0].lower()


def test_an_answer_that_ends_its_connection_is_whole() -> None:
    """Read to its end, and the next request opens another."""

    def once(visitor: socket.socket, _: int) -> bool:
        visitor.sendall(b"HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\nsome text")
        return False

    with server(once) as (url, _):
        line = EmergencyLine(url)
        assert [(418, b"some text")] * 2 == [line.ask(SENT) for _ in range(2)]


def test_a_kept_connection_that_died_is_made_anew() -> None:
    """Once; a venue that hangs up on every request is not there."""

    def dies_after_one(visitor: socket.socket, count: int) -> bool:
        if count == 2:
            return False
        visitor.sendall(good())
        return True

    with server(dies_after_one) as (url, seen):
        line = EmergencyLine(url)
        line.ask(SENT)
        assert (200, b"{}") == line.ask(SENT)
        assert 3 == len(seen)
        line.close()
    with server(lambda *_: False) as (url, seen):
        with pytest.raises(OSError, match="the venue can't be asked"):
            EmergencyLine(url).ask(SENT)
        assert 1 == len(seen)


def silence(visitor: socket.socket, _: int) -> bool:
    visitor.recv(1)
    return False


def dribble(visitor: socket.socket, _: int) -> bool:
    for byte in good():
        visitor.sendall(bytes([byte]))
        time.sleep(0.05)
    return True


def dribble_body(visitor: socket.socket, _: int) -> bool:
    visitor.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _count in range(1_000):
        visitor.sendall(b"x")
        time.sleep(0.05)
    return True


def huge(visitor: socket.socket, _: int) -> bool:
    visitor.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _count in range(ANSWER_BYTES_MAX // 65_536 + 2):
        visitor.sendall(b"x" * 65_536)
    return False


def cut(visitor: socket.socket, _: int) -> bool:
    visitor.sendall(good(b"x" * 100)[:-50])
    return False


def noise(visitor: socket.socket, _: int) -> bool:
    visitor.sendall(b"\xff\xfe no HTTP\r\n\r\n")
    return False


@pytest.mark.parametrize("behave", [silence, dribble, dribble_body, huge, cut, noise])
def test_whatever_the_venue_does_there_is_an_end(behave: Behave) -> None:
    """Within the deadline of all of it, as an `OSError` that names nothing secret."""
    with server(behave) as (url, _):
        line = EmergencyLine(url, deadline_s=0.5)
        began_s = time.monotonic()
        with pytest.raises(OSError, match="can't be asked") as raised:
            line.ask(SENT)

    assert time.monotonic() - began_s < 5.0
    assert "canary" not in f"{raised.value!r} {raised.value.__cause__!r}"


def test_a_redirect_is_an_answer_and_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key would go along."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    def elsewhere(visitor: socket.socket, _: int) -> bool:
        visitor.sendall(
            b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
        )
        return True

    with server(elsewhere) as (url, seen):
        line = EmergencyLine(url)
        assert (307, b"") == line.ask(SENT)
        assert 1 == len(seen)
        line.close()


def test_nobody_there_and_no_address() -> None:
    """Told at once."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(OSError, match="ConnectionRefusedError"):
        EmergencyLine(url).ask(SENT)
    for address in ("ftp://x", "nonsense", "http://", "wss://127.0.0.1", "http://venue.example"):
        with pytest.raises(UsageError, match="address"):
            EmergencyLine(address)
