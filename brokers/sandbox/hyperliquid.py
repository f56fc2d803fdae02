"""A Hyperliquid exchange on loopback: `POST /info`, `POST /exchange` and one websocket.

Rule 1: a book goes out whole and at most twice a second; a client that joins gets it at once.
Rule 2: what a request says is told apart as the venue does it: what is no JSON of the right shape
        is 422, too much from one place is 429, everything else is 200, whatever is wrong with it.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

from brokers.hyperliquid.rules import wire
from brokers.link.budget import Budget, Lane, Limit
from brokers.sandbox import hyperliquid_actions as actions
from brokers.sandbox import hyperliquid_frames as frames
from brokers.sandbox.exchange import Exchange, ExchangeConfig
from brokers.sandbox.fault_door import add_faults
from brokers.sandbox.faults import MENU, Faults
from brokers.sandbox.hyperliquid_account import AccountDesk
from brokers.sandbox.hyperliquid_desk import RULES, Desk
from brokers.sandbox.hyperliquid_door import Denied, Door
from brokers.sandbox.hyperliquid_lines import Lines, Topic
from brokers.sandbox.market import SandboxMarket
from brokers.sandbox.tape import MINUTE_NS, Tape
from engine.model.market import Depth, FeedEvent, Funding

BOOK_EVERY_NS: Final = 500_000_000
BARS_MAX: Final = 5_000
IP: Final = "ip"
IP_LIMIT: Final = Limit(IP, 1_200, 60.0)
CHEAP: Final = frozenset(
    {"l2Book", "allMids", "clearinghouseState", "orderStatus", "spotClearinghouseState",
     "exchangeStatus"}
)  # fmt: skip
CHEAP_WEIGHT, WEIGHT = 2, 20
WEIGHTS: Final[Mapping[str, int]] = {"userRole": 60} | dict.fromkeys(CHEAP, CHEAP_WEIGHT)
BATCH_PER_WEIGHT: Final = 40
NOBODY: Final = "0x" + 40 * "0"
KNOWN: Final = frozenset(MENU) - {"expire_listen_key", "not_found_twice", "post_only_expires"}
"""Faults there are here: no listen keys, nothing told by a path."""
SHAPELESS: Final = "Failed to deserialize the JSON body into the target type"
Question = Mapping[str, Any]
BAD: Final = (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What a question of the wrong shape raises where it is read."""


class HyperliquidSandbox:
    """The exchange; `app` is served by whoever runs it."""

    def __init__(self, market: SandboxMarket, exchange: Exchange | None = None) -> None:
        self._market = market
        self.exchange = exchange or Exchange(market, ExchangeConfig(rules=RULES))
        self.faults = Faults(KNOWN)
        self.faults.let_transfer(self.exchange.transfer)
        self.faults.let_prices_jump(market.jump)
        self.faults.let_rules_change(self.exchange.listed.change)
        self._fundings: dict[str, Funding] = {}
        self._books_sent_ns: dict[str, int] = {}
        self._budget = Budget((IP_LIMIT,))
        self.door = Door()
        self.lines = Lines(self.faults, market.books.__contains__, self._first)
        self.account = AccountDesk(self.exchange, self.door, self.lines.tell, self._now_ms)
        self.desk = Desk(self.exchange, self.account.blotter, self._now_ms)
        self.faults.on("dead_man", lambda _: self.desk.fire())
        self._answers: dict[str, Callable[[Question], object]] = {
            "meta": lambda _: frames.meta(self.exchange.listed),
            "metaAndAssetCtxs": lambda _: self._listing(),
            "l2Book": lambda asked: self._ladder(asked["coin"]),
            "allMids": lambda _: self._mids(),
            "candleSnapshot": lambda asked: self._bars(asked["req"]),
            "spotMeta": lambda _: frames.SPOT,
            "spotMetaAndAssetCtxs": lambda _: [frames.SPOT, []],
            "perpDexs": lambda _: [None],
            "exchangeStatus": lambda _: {"specialStatuses": None, "time": self._now_ms()},
            **self.account.answers,
        }
        self._tape = Tape(market)
        market.listen(self._publish)
        self.app = web.Application()
        self.app.router.add_post("/info", self._info)
        self.app.router.add_post("/exchange", self._act)
        self.app.router.add_get("/ws", self.lines.serve)
        add_faults(self.app, self.faults, Voice())

    # --- requests ------------------------------------------------------------------------------

    async def _info(self, request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read(), type=dict[str, Any])
            answer = self._answers[asked["type"]]
            if not self._has_room(WEIGHTS.get(asked["type"], WEIGHT)):
                return _answered(None, 429)
            return _answered(answer(asked))
        except BAD:
            return _answered(SHAPELESS, 422)

    async def _act(self, request: web.Request) -> web.Response:
        try:
            asked = actions.decode(await request.read())
        except BAD:
            return _answered(SHAPELESS, 422)
        if not self._has_room(1 + actions.weight(asked.action) // BATCH_PER_WEIGHT):
            return _answered(None, 429)
        try:
            self.door.admit(asked, self._now_ms())
            return _answered({"status": "ok", "response": self.desk.act(asked.action)})
        except Denied as denied:
            return _answered({"status": "err", "response": str(denied)})

    def _has_room(self, weight: int) -> bool:
        """Count a request if the caller has room for it; all callers are one: loopback."""
        cost, now_s = {IP: weight}, time.monotonic()
        if self._budget.wait_s(cost, Lane.CANCEL, now_s) > 0:
            return False
        self._budget.spend(cost, now_s)
        return True

    def _listing(self) -> object:
        shown = [
            frames.context(book, self._fundings.get(coin))
            for coin, book in self._market.books.items()
        ]
        return [frames.meta(self.exchange.listed), [frames.OLD_CONTEXT, *shown]]

    def _ladder(self, coin: str) -> object:
        book = self._market.books.get(coin)
        return None if book is None else frames.ladder(book, self._now_ms())

    def _bars(self, asked: Question) -> object:
        """Return what opened in a span, as long as the sandbox runs, at most the newest 5,000."""
        book, name = self._market.books[asked["coin"]], asked["interval"]
        length_ns = frames.MINUTES[name] * MINUTE_NS
        span = int(asked["startTime"]) * frames.MS_NS, int(asked["endTime"]) * frames.MS_NS
        found = self._tape.bars(book.instrument.symbol, length_ns, *span)[-BARS_MAX:]
        return [frames.bar(one, book.instrument, name, length_ns) for one in found]

    def _mids(self) -> dict[str, str]:
        mids = {coin: frames.mid_of(book) for coin, book in self._market.books.items()}
        return {coin: wire(mid) for coin, mid in mids.items() if mid is not None}

    def _now_ms(self) -> int:
        """Return the venue's time: the wall clock, and what a fault adds to it."""
        return time.time_ns() // frames.MS_NS + self.faults.skew_ms

    # --- streams -------------------------------------------------------------------------------

    def _first(self, topic: Topic) -> list[object]:
        """Return what a subscription begins with."""
        if topic.kind == "userFills":
            return [self.account.snapshot(topic.of)]
        book = self._market.books.get(topic.of)
        if book is None:
            return []
        if topic.kind == "l2Book":
            return [frames.ladder(book, self._now_ms())]
        if topic.kind == "bbo" and book.quote is not None:
            return [frames.touch(book.quote, book.instrument)]
        return []

    def _publish(self, event: FeedEvent) -> None:
        self.desk.watch()
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
            self.lines.tell(told[0], symbol, told[1])

    def _publish_book(self, depth: Depth) -> None:
        if depth.ts_ns - self._books_sent_ns.get(depth.symbol, 0) >= BOOK_EVERY_NS:
            self._books_sent_ns[depth.symbol] = depth.ts_ns
            book = self._market.books[depth.symbol]
            told = frames.ladder(book, depth.ts_ns // frames.MS_NS)
            self.lines.tell("l2Book", depth.symbol, told)


def _answered(told: object, status: int = 200) -> web.Response:
    body = msgspec.json.encode(told)
    return web.Response(body=body, status=status, content_type="application/json")


class Voice:
    """What the venue says where it refuses as a whole; a `fault_door.Voice`."""

    def unavailable(self) -> web.Response:
        """Say 503: it was not done."""
        return _answered("Service temporarily unavailable", 503)

    def rate_limited(self, seconds: float) -> web.Response:  # noqa: ARG002 - it does not say
        """Say 429."""
        return _answered(None, 429)

    def banned(self, seconds: float) -> web.Response:
        """Say 429 as well: there is no other word for it here."""
        return self.rate_limited(seconds)

    def closed(self, seconds: float) -> web.Response:  # noqa: ARG002 - it does not say
        """Say that there is maintenance."""
        return _answered("Hyperliquid is down for maintenance", 503)

    def denied(self, request: web.Request) -> web.Response | None:
        """Say what it says of a signer it does not know; questions need none."""
        unknown = {"status": "err", "response": f"User or API Wallet {NOBODY} does not exist."}
        return _answered(unknown) if request.path == "/exchange" else None

    def knows_no_order(self, request: web.Request) -> web.Response | None:  # noqa: ARG002 - see below
        """Say nothing: which order a question is about stands in its body."""
        return None
