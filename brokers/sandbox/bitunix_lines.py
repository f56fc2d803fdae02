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
from brokers.sandbox.outbox import Outbox

CHANNELS_MAX: Final = 300
SAID_PER_S: Final = 5
IDLE_S: Final = 30.0
GREETING: Final = b'{"op":"connect","data":{"result":true}}'


class Line:
    """One websocket: what it asked for, and what waits for it."""

    def __init__(self, outbox: Outbox, carries: Callable[[Topic], bool]) -> None:
        self.outbox = outbox
        self._carries = carries
        self.topics: set[Topic] = set()

    def offer(self, frame: bytes, *, is_fill: bool = False) -> None:
        """Let a frame wait."""
        self.outbox.offer(frame, is_fill=is_fill)

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
    sending = asyncio.create_task(line.outbox.send(socket))
    said: deque[float] = deque(maxlen=SAID_PER_S)
    try:
        while not line.outbox.is_behind:
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
        await asyncio.gather(sending, return_exceptions=True)
        with contextlib.suppress(ConnectionError):
            await socket.close()
    return socket


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
