"""Frames that wait for one open stream, and what the fault menu does to them on the way."""

import asyncio
from typing import Final

from aiohttp import web

from brokers.sandbox.faults import Faults

BEHIND_MAX: Final = 4_096
"""Frames a client may be behind before it is dropped."""


class Outbox:
    """One client's frames, in order, unless a fault says otherwise."""

    def __init__(self, path: str, faults: Faults) -> None:
        self.path = path
        self.is_behind = False
        self._faults = faults
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(BEHIND_MAX)
        self._held: list[bytes] = []

    def offer(self, frame: bytes, *, is_fill: bool = False) -> None:
        """Let a frame wait; who is too far behind is dropped."""
        if self._faults.lasts_s("silent_stream", self.path):
            return
        if not is_fill:
            self._put(frame)
            return
        if not self._held:
            held = self._faults.take(("reordered_fills",), self.path)
            if held is not None:
                self._held.append(frame)
                asyncio.get_running_loop().call_later(held.seconds or 0.0, self._release)
                return
        self._put(frame)
        if self._faults.take(("duplicate_fills",), self.path) is not None:
            self._put(frame)
        self._release()

    async def send(self, socket: web.WebSocketResponse, idle_s: float | None = None) -> None:
        """Send what waits until the client is too far behind, or nothing did for so long."""
        try:
            while not self.is_behind:
                async with asyncio.timeout(idle_s):
                    frame = await self._waiting.get()
                await socket.send_str(frame.decode())
        except TimeoutError:
            await socket.close(code=1000, message=b"Inactive")
            return
        await socket.close(code=1008, message=b"Too slow")

    def _release(self) -> None:
        held, self._held = self._held, []
        for frame in held:
            self._put(frame)

    def _put(self, frame: bytes) -> None:
        try:
            self._waiting.put_nowait(frame)
        except asyncio.QueueFull:
            self.is_behind = True
