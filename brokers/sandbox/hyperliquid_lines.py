"""The websocket of the Hyperliquid sandbox: who subscribed to what, and what waits for them.

Rule 1: a client that does not read is dropped; one to which nothing was said for a minute, too.
Rule 2: there is no log-in: the streams of an address are anybody's who names it.

Source: the Hyperliquid sheet, section 6.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from aiohttp import WSMsgType, web

from brokers.sandbox.faults import Faults
from brokers.sandbox.outbox import Outbox
from brokers.sandbox.streams import OpenStreams

GREETING: Final = "Websocket connection established."
IDLE_S: Final = 60.0
"""A line to which nothing was said for so long is closed."""
SUBSCRIPTIONS_MAX: Final = 1_000
SHOWN_MAX: Final = 80
"""Characters of a request that are quoted back."""
KEYED_BY: Final[Mapping[str, str]] = {
    "bbo": "coin", "l2Book": "coin", "trades": "coin", "activeAssetCtx": "coin",
    "orderUpdates": "user", "userFills": "user", "userEvents": "user",
}  # fmt: skip
"""What else a subscription of a kind names."""
CHANNELS: Final[Mapping[str, str]] = {"userEvents": "user"}
"""Kinds whose messages come under another name."""
FILLS: Final = "userFills"
PONG: Final = b'{"channel":"pong"}'


class Topic(NamedTuple):
    """What can be subscribed to."""

    kind: str
    of: str
    """Coin, or address in small letters."""


class Unreadable(ValueError):
    """A request of the wrong shape."""


class Listener:
    """One websocket."""

    def __init__(self, outbox: Outbox) -> None:
        self.topics: set[Topic] = set()
        self.outbox = outbox

    def offer(self, channel: str, data: object, *, is_fill: bool = False) -> None:
        """Let a message wait."""
        frame = msgspec.json.encode({"channel": channel, "data": data})
        self.outbox.offer(frame, is_fill=is_fill)


class Lines:
    """Every websocket."""

    def __init__(
        self,
        faults: Faults,
        is_listed: Callable[[str], bool],
        first: Callable[[Topic], list[object]],
    ) -> None:
        """Begin with none.

        Args:
            faults: What is done wrong here.
            is_listed: Whether there is such a coin.
            first: Returns what a subscription begins with.

        """
        self._faults = faults
        self._streams = OpenStreams(faults)
        self._is_listed = is_listed
        self._first = first
        self.listeners: dict[Listener, None] = {}

    def tell(self, kind: str, of: str, data: object) -> None:
        """Send to everybody who subscribed."""
        topic, channel = Topic(kind, of), CHANNELS.get(kind, kind)
        for listener in self.listeners:
            if topic in listener.topics:
                listener.offer(channel, data, is_fill=kind == FILLS)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Live through one connection."""
        socket = web.WebSocketResponse(autoping=True, compress=False)
        await socket.prepare(request)
        await socket.send_str(GREETING)
        listener = Listener(Outbox(request.path, self._faults))
        self.listeners[listener] = None
        sending = asyncio.create_task(listener.outbox.send(socket, IDLE_S))
        try:
            with self._streams.opened(request):
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        self._obey(listener, message.data)
        finally:
            self.listeners.pop(listener, None)
            sending.cancel()
        return socket

    def _obey(self, listener: Listener, text: str) -> None:
        """Do what a client says on its line."""
        try:
            said = msgspec.json.decode(text, type=dict[str, Any])
            if said["method"] == "ping":
                listener.outbox.offer(PONG)
                return
            topic = _topic(said)
        except (msgspec.MsgspecError, KeyError, TypeError, AttributeError, Unreadable):
            shown = text[:SHOWN_MAX]
            listener.offer("error", f"Error parsing JSON into valid websocket request: {shown}")
            return
        if KEYED_BY[topic.kind] == "coin" and not self._is_listed(topic.of):
            listener.offer("error", f"Invalid subscription {topic.of[:SHOWN_MAX]}")
        else:
            self._turn(listener, topic, said)

    def _turn(self, listener: Listener, topic: Topic, said: Mapping[str, Any]) -> None:
        """Begin or end a subscription, and acknowledge it."""
        if said["method"] == "unsubscribe":
            listener.topics.discard(topic)
            listener.offer("subscriptionResponse", said)
            return
        if topic in listener.topics or len(listener.topics) >= SUBSCRIPTIONS_MAX:
            listener.offer("error", f"Already subscribed: {topic.kind}")
            return
        listener.topics.add(topic)
        listener.offer("subscriptionResponse", said)
        for data in self._first(topic):
            listener.offer(CHANNELS.get(topic.kind, topic.kind), data)


def _topic(said: Mapping[str, Any]) -> Topic:
    wanted = said["subscription"]
    kind = wanted["type"]
    if said["method"] not in {"subscribe", "unsubscribe"} or kind not in KEYED_BY:
        raise Unreadable
    key = KEYED_BY[kind]
    return Topic(kind, wanted[key].lower() if key == "user" else str(wanted[key]))
