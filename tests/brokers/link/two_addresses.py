"""A host with two addresses, the first of which never answers."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

NAME = "two.test"
DEAD, GOOD = "127.0.0.2", "127.0.0.1"


@contextlib.contextmanager
def dead(port: int) -> Iterator[None]:
    """Take a port whose queue is full: whoever knocks there waits for ever."""
    with contextlib.ExitStack() as stack:
        door = stack.enter_context(socket.socket())
        door.bind((DEAD, port))
        door.listen(0)
        for _ in range(3):
            visitor = stack.enter_context(socket.socket())
            visitor.setblocking(False)
            visitor.connect_ex((DEAD, port))
        yield


def has_two_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the name server say so."""
    known = socket.getaddrinfo

    def found(host: str, port: int, *args: object, **options: object) -> list:
        if host != NAME:
            return known(host, port, *args, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (at, port)) for at in (DEAD, GOOD)]

    monkeypatch.setattr(socket, "getaddrinfo", found)
