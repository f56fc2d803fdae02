"""The websockets of the Bitunix sandbox: greeting, ping in messages, subscriptions nobody confirms.

Rule 1: a client that says nothing for `IDLE_S`, more than `SAID_PER_S` messages a second, or does
        not read, is dropped: the venue publishes no limit, so the strictest report counts.
Rule 2: what a line does not carry is silent; the venue sends no error for it.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
from aiohttp import WSMsgType, web

from brokers.bitunix.talk import Topic

BEHIND_MAX: Final = 4_096
"""Frames a client may be behind."""
CHANNELS_MAX: Final = 300
SAID_PER_S: Final = 5
IDLE_S: Final = 30.0
GREETING: Final = b'{"op":"connect","data":{"result":true}}'


class Line:
    """One websocket: what it asked for, and what waits for it."""

    def __init__(self, carries: Callable[[Topic], bool]) -> None:
        self._carries = carries
        self.topics: set[Topic] = set()
        self.waiting: asyncio.Queue[bytes] = asyncio.Queue(BEHIND_MAX)
        self.is_dropped = False

    def offer(self, frame: bytes) -> None:
        """Let a frame wait; who is too far behind is dropped."""
        try:
            self.waiting.put_nowait(frame)
        except asyncio.QueueFull:
            self.is_dropped = True

    def take_word(self, word: dict[str, Any]) -> list[Topic]:
        """Obey a client's word and return what it has newly subscribed to."""
        match word.get("op"):
            case "ping":
                pong = {"op": "ping", "pong": word.get("ping"), "ping": int(time.time())}
                self.offer(msgspec.json.encode(pong))
            case "subscribe":
                new = [topic for topic in _topics(word) if self._carries(topic)]
                room = CHANNELS_MAX - len(self.topics)
                self.topics.update(new[: max(0, room)])
                return new
            case "unsubscribe":
                self.topics.difference_update(_topics(word))
                self.offer(b'{"op":"unsubscribe"}')
            case _:
                pass
        return []


def push(channel: str, symbol: str, at_ms: int, data: object) -> bytes:
    """Write a push."""
    return msgspec.json.encode({"ch": channel, "symbol": symbol, "ts": at_ms, "data": data})


async def serve_line(
    request: web.Request, line: Line, take: Callable[[dict[str, Any]], object]
) -> web.WebSocketResponse:
    """Live through one connection; each of the client's messages goes to `take`."""
    # Protocol pings are ignored, as clients of the venue found.
    socket = web.WebSocketResponse(autoping=False, compress=False)
    await socket.prepare(request)
    await socket.send_str(GREETING.decode())
    sending = asyncio.create_task(_send(socket, line))
    said: deque[float] = deque(maxlen=SAID_PER_S)
    try:
        while not line.is_dropped:
            message = await socket.receive(IDLE_S)
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
                break
            if message.type is WSMsgType.TEXT:
                now_s = time.monotonic()
                if len(said) == SAID_PER_S and now_s - said[0] < 1.0:
                    break
                said.append(now_s)
                take(_word(message.data))
    except TimeoutError:
        pass
    finally:
        sending.cancel()
        with contextlib.suppress(ConnectionError):
            await socket.close()
    return socket


async def _send(socket: web.WebSocketResponse, line: Line) -> None:
    with contextlib.suppress(ConnectionError):
        while not line.is_dropped:
            await socket.send_str((await line.waiting.get()).decode())
        await socket.close(code=1008, message=b"Too slow")


def _word(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _topics(word: dict[str, Any]) -> Iterable[Topic]:
    args = word.get("args")
    for arg in args if isinstance(args, list) else []:
        if isinstance(arg, dict):
            yield str(arg.get("symbol", "")), str(arg.get("ch", ""))
