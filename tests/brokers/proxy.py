"""A TCP proxy on loopback with the eight toxics, each way, switched while it runs.

    async with Proxy(port_of_the_venue) as proxy:
        proxy.strike(LimitData(20), DOWN)  # answers are cut after 20 bytes
        proxy.heal()

Rule 1: a toxic that strikes meets every connection, the ones that are open already too; those that
        `toxicity` spares, it spares until it is healed.
Rule 2: what was swallowed or cut is never followed by what came behind it: such a connection ends
        with the toxic, at the latest.

Source: the names and meanings of Shopify/toxiproxy (README, "Toxics"); reliability.md section 4.5.
"""

import asyncio
import contextlib
import random
import socket
import struct
import time
from dataclasses import dataclass
from typing import Final, Self

PIECE: Final = 64 * 1024
QUEUED_MAX: Final = 1_024
"""Pieces of one way that wait to be carried; then the sender has to."""
RST: Final = struct.pack("ii", 1, 0)
"""SO_LINGER on, no seconds: closing throws away what waits and tells the other end so."""
UP, DOWN = "up", "down"
"""To the venue, and from it."""
BOTH = (UP, DOWN)


class Toxic:
    """What happens to a piece of data, and to its way's end; this one lets both pass."""

    async def carry(self, way: "Way", data: bytes, came_s: float) -> None:
        """Take one piece to the other end.

        Args:
            came_s: When the proxy read it, monotonic.

        """
        await way.push(data)

    async def finish(self, way: "Way") -> None:
        """Tell the other end that no more comes."""
        way.finish()


@dataclass(frozen=True)
class Latency(Toxic):
    """Each piece arrives so much later; the order stays."""

    delay_s: float
    jitter_s: float = 0.0

    async def carry(self, way: "Way", data: bytes, came_s: float) -> None:
        late_s = self.delay_s + way.dice.uniform(-self.jitter_s, self.jitter_s)
        await asyncio.sleep(came_s + late_s - time.monotonic())
        await way.push(data)


@dataclass(frozen=True)
class Bandwidth(Toxic):
    """So many bytes a second."""

    bytes_per_s: int

    async def carry(self, way: "Way", data: bytes, came_s: float) -> None:
        size = max(1, self.bytes_per_s // 50)
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            await asyncio.sleep(len(piece) / self.bytes_per_s)
            await way.push(piece)


@dataclass(frozen=True)
class SlowClose(Toxic):
    """Data passes; the end of it comes late."""

    delay_s: float

    async def finish(self, way: "Way") -> None:
        await asyncio.sleep(self.delay_s)
        way.finish()


@dataclass(frozen=True)
class Timeout(Toxic):
    """Nothing passes any more; after so long the connection ends, after 0 only with the toxic."""

    after_s: float = 0.0

    async def carry(self, way: "Way", data: bytes, came_s: float) -> None:
        way.link.is_torn = True
        if self.after_s:
            await asyncio.sleep(self.after_s)
            way.link.end()

    async def finish(self, way: "Way") -> None:
        way.link.is_torn = True


@dataclass(frozen=True)
class ResetPeer(Toxic):
    """The first data is answered, after a while, by a reset of both ends."""

    after_s: float = 0.0

    async def carry(self, way: "Way", data: bytes, came_s: float) -> None:
        await asyncio.sleep(self.after_s)
        way.link.reset()


@dataclass(frozen=True)
class Slicer(Toxic):
    """Small writes, a while apart."""

    size: int
    delay_s: float = 0.0

    async def carry(self, way: "Way", data: bytes, came_s: float) -> None:
        start = 0
        while start < len(data):
            size = way.dice.randint(1, self.size)
            await way.push(data[start : start + size])
            start += size
            await asyncio.sleep(self.delay_s)


@dataclass(frozen=True)
class LimitData(Toxic):
    """After so many bytes the connection ends."""

    size: int

    async def carry(self, way: "Way", data: bytes, came_s: float) -> None:
        room = self.size - way.since_struck
        if room > 0:
            await way.push(data[:room])
        if len(data) >= room:
            way.link.end()


@dataclass(frozen=True)
class Down(Toxic):
    """Nobody listens, and nobody is connected."""


CLEAN: Final = Toxic()


class Way:
    """One direction of one connection."""

    def __init__(
        self, link: "Link", name: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        self.link, self.name = link, name
        self.dice = link.proxy.dice
        self.since_struck = 0
        """Bytes carried since the last toxic struck."""
        self._source, self._sink = source, sink
        self._waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(QUEUED_MAX)

    async def push(self, data: bytes) -> None:
        self._sink.write(data)
        await self._sink.drain()
        self.since_struck += len(data)

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            self._sink.write_eof()

    async def read(self) -> None:
        while data := await self._source.read(PIECE):
            if self.name == UP and self.link.said is not None:
                self.link.said += data
            await self._waiting.put((time.monotonic(), data))
        await self._waiting.put((time.monotonic(), b""))

    async def carry(self) -> None:
        while True:
            came_s, data = await self._waiting.get()
            toxic = self.link.toxic(self.name)
            if not data:
                await toxic.finish(self)
                return
            await toxic.carry(self, data, came_s)


class Link:
    """One connection through the proxy."""

    def __init__(self, proxy: "Proxy", writers: tuple[asyncio.StreamWriter, ...]) -> None:
        self.proxy = proxy
        self.luck = proxy.dice.random()
        self.said: bytearray | None = None
        if proxy.said is not None:
            self.said = bytearray()
            proxy.said.append(self.said)
        self.is_torn = False
        """Something was swallowed: nothing may follow it."""
        self.ways: tuple[Way, ...] = ()
        self._writers = writers

    async def run(self, ways: tuple[Way, ...]) -> None:
        """Carry both ways until both are over, or one breaks."""
        self.ways = ways
        try:
            async with asyncio.TaskGroup() as tasks:
                for way in ways:
                    tasks.create_task(way.read())
                    tasks.create_task(way.carry())
        except* (OSError, EOFError):
            pass
        finally:
            self.end()

    def toxic(self, name: str) -> Toxic:
        toxic, toxicity = self.proxy.toxics[name]
        return toxic if self.luck < toxicity else CLEAN

    def end(self) -> None:
        """Hang up, as a program does that ends."""
        for writer in self._writers:
            writer.close()

    def reset(self) -> None:
        """Hang up, as a machine does that knows of no connection."""
        for writer in self._writers:
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
            writer.transport.abort()


class Proxy:
    """Use it as a context; `port` leads to the venue's."""

    def __init__(self, target: int, seed: int = 1) -> None:
        self.target = target
        self.dice = random.Random(seed)  # noqa: S311 - dice
        self.port = 0
        self.accepted = 0
        """Connections so far."""
        self.said: list[bytearray] | None = None
        """What was sent up on each connection, struck or not; a list in place of None keeps it."""
        self.links: set[Link] = set()
        self.toxics: dict[str, tuple[Toxic, float]] = {UP: (CLEAN, 1.0), DOWN: (CLEAN, 1.0)}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._place: socket.socket | None = None
        """Keeps the port while nobody listens on it."""

    async def __aenter__(self) -> Self:
        await self._listen(_bound(0))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._close()
        if self._place is not None:
            self._place.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def strike(self, toxic: Toxic, *ways: str, toxicity: float = 1.0) -> None:
        """Let a toxic work from now on, on these ways; `Down` needs none."""
        for name in ways or BOTH:
            self.toxics[name] = (toxic, toxicity)
        for way in (way for link in self.links for way in link.ways):
            way.since_struck = 0
        if isinstance(toxic, Down):
            self._close()
            self._place = _bound(self.port)

    def cut(self) -> None:
        """End what is open; who comes back is welcome."""
        for link in list(self.links):
            link.end()

    async def heal(self) -> None:
        """Let everything pass again."""
        self.toxics = dict.fromkeys(BOTH, (CLEAN, 1.0))
        for link in list(self.links):
            if link.is_torn:
                link.end()
        if self._place is not None:
            place, self._place = self._place, None
            await self._listen(place)

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    async def _listen(self, place: socket.socket) -> None:
        self._server = await asyncio.start_server(self._connected, sock=place)
        self.port = place.getsockname()[1]

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.create_task(self._linked(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _linked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            there, speaker = await asyncio.open_connection("127.0.0.1", self.target)
            link = Link(self, (writer, speaker))
            self.links.add(link)
            try:
                await link.run((Way(link, UP, reader, speaker), Way(link, DOWN, there, writer)))
            finally:
                self.links.discard(link)


def _bound(port: int) -> socket.socket:
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.bind(("127.0.0.1", port))
    return place
