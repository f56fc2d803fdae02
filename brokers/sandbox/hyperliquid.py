"""A Hyperliquid exchange on loopback: `POST /info`, `POST /exchange` and one websocket.

Rule 1: a book goes out whole and at most twice a second; a client that joins gets it at once.
Rule 2: a client that does not read is dropped; one to which nothing was said for a minute, too.
Rule 3: what a request says is told apart as the venue does it: what is no JSON of the right shape
        is 422, everything else is 200, whatever is wrong with it.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from aiohttp import WSMsgType, web

from brokers.hyperliquid.rules import wire
from brokers.sandbox import hyperliquid_frames as frames
from brokers.sandbox.market import SandboxMarket
from engine.model.market import Depth, FeedEvent, Funding

GREETING: Final = "Websocket connection established."
IDLE_S: Final = 60.0
"""A line to which nothing was said for so long is closed."""
BOOK_EVERY_NS: Final = 500_000_000
BEHIND_MAX: Final = 4_096
"""Frames a client may be behind."""
SUBSCRIPTIONS_MAX: Final = 1_000
COIN_CHANNELS: Final = frozenset({"bbo", "l2Book", "trades", "activeAssetCtx"})
Question = Mapping[str, Any]
Topic = tuple[str, str]
"""Channel, and coin or user."""


class Unreadable(ValueError):
    """A question of the wrong shape: the venue answers 422."""


class Listener:
    """One websocket: what it subscribed to, and what waits for it."""

    def __init__(self) -> None:
        self.topics: set[Topic] = set()
        self.waiting: asyncio.Queue[bytes] = asyncio.Queue(BEHIND_MAX)
        self.is_behind = False

    def offer(self, channel: str, data: object) -> None:
        """Let a frame wait; who is too far behind is dropped."""
        try:
            self.waiting.put_nowait(msgspec.json.encode({"channel": channel, "data": data}))
        except asyncio.QueueFull:
            self.is_behind = True


class HyperliquidSandbox:
    """The exchange; `app` is served by whoever runs it."""

    def __init__(self, market: SandboxMarket) -> None:
        self._market = market
        self._listeners: set[Listener] = set()
        self._fundings: dict[str, Funding] = {}
        self._books_sent_ns: dict[str, int] = {}
        self._answers: dict[str, Callable[[Question], object]] = {
            "meta": lambda _: frames.meta(market.instruments),
            "metaAndAssetCtxs": self._listing,
            "l2Book": lambda asked: self._ladder(_coin(asked)),
            "allMids": lambda _: self._mids(),
            "spotMeta": lambda _: frames.SPOT,
            "spotMetaAndAssetCtxs": lambda _: [frames.SPOT, []],
            "perpDexs": lambda _: [None],
            "exchangeStatus": lambda _: {"specialStatuses": None, "time": now_ms()},
        }
        market.listen(self._publish)
        self.app = web.Application()
        self.app.router.add_post("/info", self._info)
        self.app.router.add_get("/ws", self._socket)

    # --- questions -----------------------------------------------------------------------------

    async def _info(self, request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read(), type=dict[str, Any])
            return answered(self._answers[asked["type"]](asked))
        except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, Unreadable):
            return answered("Failed to deserialize the JSON body into the target type", 422)

    def _listing(self, _: Question) -> object:
        shown = [
            frames.context(book, self._fundings.get(coin))
            for coin, book in self._market.books.items()
        ]
        return [frames.meta(self._market.instruments), [frames.OLD_CONTEXT, *shown]]

    def _ladder(self, coin: str) -> object:
        book = self._market.books.get(coin)
        return None if book is None else frames.ladder(book, now_ms())

    def _mids(self) -> dict[str, str]:
        mids = {coin: frames.mid_of(book) for coin, book in self._market.books.items()}
        return {coin: wire(mid) for coin, mid in mids.items() if mid is not None}

    # --- streams -------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=True, compress=False)
        await socket.prepare(request)
        await socket.send_str(GREETING)
        listener = Listener()
        self._listeners.add(listener)
        sending = asyncio.create_task(_send(socket, listener))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._obey(listener, message.data)
        finally:
            self._listeners.discard(listener)
            sending.cancel()
        return socket

    def _obey(self, listener: Listener, text: str) -> None:
        """Do what a client says on its line."""
        try:
            said = msgspec.json.decode(text, type=dict[str, Any])
            method = said["method"]
            if method == "ping":
                listener.waiting.put_nowait(b'{"channel":"pong"}')
                return
            wanted = said["subscription"]
            topic = self._topic(wanted)
            if method not in {"subscribe", "unsubscribe"}:
                raise Unreadable(f"unknown method {method}")
        except (msgspec.MsgspecError, KeyError, TypeError, Unreadable):
            listener.offer("error", f"Error parsing JSON into valid websocket request: {text[:80]}")
            return
        self._turn(listener, topic, said)

    def _topic(self, wanted: Question) -> Topic:
        channel = wanted["type"]
        if channel in COIN_CHANNELS:
            return channel, _coin(wanted)
        raise Unreadable(f"unknown channel {channel}")

    def _turn(self, listener: Listener, topic: Topic, said: Question) -> None:
        """Begin or end a subscription, and acknowledge it."""
        channel, of = topic
        if channel in COIN_CHANNELS and of not in self._market.books:
            listener.offer("error", f"Invalid subscription {of[:20]}")
            return
        if said["method"] == "subscribe":
            if topic in listener.topics:
                listener.offer("error", f"Already subscribed: {channel}")
                return
            if len(listener.topics) < SUBSCRIPTIONS_MAX:
                listener.topics.add(topic)
        else:
            listener.topics.discard(topic)
        listener.offer("subscriptionResponse", said)
        if said["method"] == "subscribe":
            self._show_first(listener, topic)

    def _show_first(self, listener: Listener, topic: Topic) -> None:
        """Send what a channel begins with."""
        channel, coin = topic
        book = self._market.books.get(coin)
        if channel == "l2Book" and book is not None:
            listener.offer(channel, frames.ladder(book, now_ms()))
        if channel == "bbo" and book is not None and book.quote is not None:
            listener.offer(channel, frames.touch(book.quote, book.instrument))

    def _publish(self, event: FeedEvent) -> None:
        symbol: str = getattr(event, "symbol", "")
        book = self._market.books.get(symbol)
        if book is None:
            return
        if isinstance(event, Funding):
            self._fundings[symbol] = event
        if isinstance(event, Depth):
            self._publish_book(event)
            return
        told = frames.public(event, book, self._fundings.get(symbol))
        if told is not None:
            self.tell((told[0], symbol), told[1])

    def _publish_book(self, depth: Depth) -> None:
        if depth.ts_ns - self._books_sent_ns.get(depth.symbol, 0) >= BOOK_EVERY_NS:
            self._books_sent_ns[depth.symbol] = depth.ts_ns
            book = self._market.books[depth.symbol]
            self.tell(("l2Book", depth.symbol), frames.ladder(book, depth.ts_ns // frames.MS_NS))

    def tell(self, topic: Topic, data: object) -> None:
        """Send to everybody who subscribed."""
        for listener in self._listeners:
            if topic in listener.topics:
                listener.offer(topic[0], data)


async def _send(socket: web.WebSocketResponse, listener: Listener) -> None:
    try:
        while not listener.is_behind:
            async with asyncio.timeout(IDLE_S):
                frame = await listener.waiting.get()
            await socket.send_str(frame.decode())
    except TimeoutError:
        await socket.close(code=1000, message=b"Inactive")
        return
    await socket.close(code=1008, message=b"Too slow")


def answered(told: object, status: int = 200) -> web.Response:
    """Return an answer."""
    body = msgspec.json.encode(told)
    return web.Response(body=body, status=status, content_type="application/json")


def now_ms() -> int:
    """Return the venue's time."""
    return time.time_ns() // frames.MS_NS


def _coin(asked: Question) -> str:
    coin = asked["coin"]
    if not isinstance(coin, str):
        raise Unreadable("a coin is a text")
    return coin
