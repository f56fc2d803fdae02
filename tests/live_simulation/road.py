"""The road to the venue: every connection passes here, late, in pieces, or not at all."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final

HOST: Final = "127.0.0.1"
CHUNK: Final = 64 * 1024
PIECE: Final = 7
"""Bytes that arrive together while the road crawls."""
SPIKE: Final = 0.02
"""Share of what is sent that takes ten times as long, as long as the weather is bad."""


class Road:
    """A relay on loopback, both ways."""

    def __init__(self, port: int, latency_s: float, dice: Random, calm_s: float) -> None:
        self._port = port
        self._latency_s = latency_s
        self._dice = dice
        self._calm_s = calm_s
        self._lanes: dict[asyncio.StreamWriter, None] = {}
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._is_closed = False
        self._stalled_s = 0.0
        self._crawls_s = 0.0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "Road":
        self._server = await asyncio.start_server(self._travel, HOST, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def at(self) -> str:
        """Where it begins."""
        assert self._server is not None
        return f"{HOST}:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        """Let nobody on it any more, and break every connection: whose process dies has none."""
        self._is_closed = True
        self.cut()

    def open(self) -> None:
        """Let people on it again."""
        self._is_closed = False

    def cut(self) -> None:
        """Break every connection."""
        for writer in list(self._lanes):
            writer.transport.abort()

    def stall(self, seconds: float) -> None:
        """Let nothing through, and tell nobody."""
        self._stalled_s = asyncio.get_running_loop().time() + seconds

    def crawl(self, seconds: float) -> None:
        """Let everything through in pieces of a few bytes."""
        self._crawls_s = asyncio.get_running_loop().time() + seconds

    async def _travel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_closed:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = None
        self._lanes[writer] = None
        there: asyncio.StreamWriter | None = None
        try:
            back, there = await asyncio.open_connection(HOST, self._port)
            self._lanes[there] = None
            async with asyncio.TaskGroup() as lanes:
                lanes.create_task(self._lane(reader, there))
                lanes.create_task(self._lane(back, writer))
        except (OSError, ExceptionGroup):
            pass  # broken at one end, so at both
        except asyncio.CancelledError:
            pass  # the world ends: asyncio takes a canceled handler for a failed one
        finally:
            self._tasks.pop(task, None)
            for end in (writer, there):
                if end is not None:
                    self._lanes.pop(end, None)
                    end.transport.abort()

    async def _lane(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one direction; its end is the end of both."""
        loop = asyncio.get_running_loop()
        while data := await reader.read(CHUNK):
            await asyncio.sleep(self._delay_s())
            while (left_s := self._stalled_s - loop.time()) > 0:
                await asyncio.sleep(left_s)
            for piece in self._pieces(data, loop.time):
                writer.write(piece)
                await writer.drain()
                if len(piece) < len(data):
                    await asyncio.sleep(self._latency_s / 20)
        with suppress(OSError):
            writer.write_eof()

    def _delay_s(self) -> float:
        delay_s = self._dice.expovariate(1 / self._latency_s)
        is_spike = self._dice.random() < SPIKE and asyncio.get_running_loop().time() < self._calm_s
        return delay_s * 10 if is_spike else delay_s

    def _pieces(self, data: bytes, now_s: Callable[[], float]) -> list[bytes]:
        if now_s() >= self._crawls_s:
            return [data]
        size = max(PIECE, len(data) // 50)
        return [data[at : at + size] for at in range(0, len(data), size)]
