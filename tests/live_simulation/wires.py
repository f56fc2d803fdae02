"""Connections of one process to itself: the kernel joins both ends, and nothing lies between.

Loopback TCP is no such thing: what is sent may wait for a softirq, a window or a timer of the real
clock, and on a busy machine it does. Of a pair of local sockets one can read what the other has
written as soon as `send` returns, in the order in which it was written.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final, NamedTuple

FIRST_PORT: Final = 20_001
Factory = Callable[[], asyncio.BaseProtocol]


class Address(NamedTuple):
    """Stands where a server's listening socket would."""

    host: str
    port: int

    def getsockname(self) -> tuple[str, int]:
        return self.host, self.port


class Listening(asyncio.AbstractServer):
    """A server of a world."""

    def __init__(self, network: "Network", address: Address, made: Factory) -> None:
        self._network = network
        self._address = address
        self.made = made

    @property
    def sockets(self) -> tuple[Address, ...]:
        """Where it listens."""
        return (self._address,) if self.is_serving() else ()

    def is_serving(self) -> bool:
        return self._network.at(self._address.port) is self

    def close(self) -> None:
        self._network.leave(self._address.port)

    async def wait_closed(self) -> None:
        """Return: who was let in is not its business."""


class Network:
    """Who listens, by port; ports are given in order, so a seed has the same ones each time."""

    def __init__(self) -> None:
        self._next = FIRST_PORT
        self._servers: dict[int, Listening] = {}

    def listen(self, host: str, made: Factory) -> Listening:
        """Open the next port."""
        address, self._next = Address(host, self._next), self._next + 1
        self._servers[address.port] = server = Listening(self, address, made)
        return server

    def at(self, port: int) -> Listening | None:
        """Return who listens there."""
        return self._servers.get(port)

    def leave(self, port: int) -> None:
        """Let nobody in there any more."""
        self._servers.pop(port, None)


class WiredLoop(asyncio.SelectorEventLoop):
    """Has a network of its own, and no way out of it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._network = Network()

    async def create_server(  # type: ignore[override] - there is no other kind of server here
        self, protocol_factory: Factory, host: str, port: int, **_: Any
    ) -> Listening:
        assert port == 0, "ports are given"
        return self._network.listen(host, protocol_factory)

    async def getaddrinfo(  # type: ignore[override] - hosts are numbers
        self, host: str, port: int, **_: Any
    ) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port))]

    async def create_connection(  # type: ignore[override] - nor another kind of connection
        self, protocol_factory: Factory, host: str, port: int, **_: Any
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        server = self._network.at(port)
        if server is None:
            raise ConnectionRefusedError(host, port)
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
        try:
            await self.connect_accepted_socket(server.made, theirs)
        except BaseException:
            ours.close()
            raise
        return await super().create_connection(protocol_factory, sock=ours)
