"""A Bitunix exchange on loopback: its public REST and line, and the account behind them.

Every answer is a 200 with a code inside, errors too, as at the venue.
"""

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from brokers.bitunix.talk import Topic
from brokers.link.budget import Budget, Lane, Limit
from brokers.sandbox import bitunix_frames as frames
from brokers.sandbox.bitunix_desk import whole
from brokers.sandbox.bitunix_lines import Line, push, serve_line
from brokers.sandbox.bitunix_private import BOTH_UNITS, PrivateSide
from brokers.sandbox.bitunix_words import (
    PREFIX,
    TOO_MANY,
    BitunixVoice,
    dated,
    good,
    refused,
)
from brokers.sandbox.exchange import Exchange, ExchangeConfig
from brokers.sandbox.fault_door import add_faults
from brokers.sandbox.faults import MENU, Faults
from brokers.sandbox.market import SandboxMarket, ShownBook
from brokers.sandbox.outbox import Outbox
from brokers.sandbox.streams import OpenStreams
from brokers.sandbox.tape import MINUTE_NS, Tape
from brokers.sandbox.trading_rules import TradingRules
from engine.model.market import Depth, FeedEvent, Funding, Trade

LIMITS: Final = {"1": 1, "5": 5, "15": 15, "50": 50, "max": 1_000}
PER_S: Final = 10
INTERVALS: Final = {
    "1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360,
    "8h": 480, "12h": 720, "1d": 1_440, "3d": 4_320, "1w": 10_080,
}  # fmt: skip
"""Minutes; a month is not of one length and not offered."""
NEVER_HERE: Final = frozenset({"expire_listen_key", "dead_man", "post_only_expires"})
"""Faults this venue can't have: no listen key, no dead-man switch, and every post-only order that
crosses ends without a word."""
PARAMETER: Final = (10002, "Parameter error")
RULES: Final = TradingRules(price_band=Decimal("0.02"))
"""Limits lie within 2 % of the mark, as `priceProtectScope` says."""
NO_SYMBOL: Final = (20001, "Market not exists")


class BitunixSandbox:
    """The exchange; `app` is served by whoever runs it."""

    def __init__(
        self,
        market: SandboxMarket,
        exchange: Exchange | None = None,
        login_units: frozenset[str] = BOTH_UNITS,
    ) -> None:
        """Open.

        Args:
            market: What is traded.
            exchange: The account; None makes one.
            login_units: What the time of a login may be told in: `s`, `ms`.

        """
        self._market = market
        self.exchange = exchange or Exchange(market, ExchangeConfig(rules=RULES))
        self.faults = Faults(frozenset(MENU) - NEVER_HERE)
        self.faults.let_transfer(self.exchange.transfer)
        self.faults.let_prices_jump(market.jump)
        self.faults.let_rules_change(self.exchange.listed.change)
        self._streams = OpenStreams(self.faults)
        self._tape = Tape(market)
        self._lines: dict[Line, None] = {}
        self._funding: dict[str, Funding] = {}
        self._last: dict[str, int] = {}
        """Price of the last trade in ticks."""
        market.listen(self._publish)
        self.app = web.Application()
        for path, handler in self._gets().items():
            self.app.router.add_get(PREFIX + path, _limited(path, handler))
        self.app.router.add_get("/public/", self._line)
        self.private = PrivateSide(self.app, self.exchange, self.faults, self._streams, login_units)
        self.app.on_response_prepare.append(dated(self.faults))
        add_faults(self.app, self.faults, BitunixVoice())

    def _gets(self) -> Mapping[str, "Handler"]:
        return {
            "/market/trading_pairs": self._pairs,
            "/market/depth": self._depth,
            "/market/funding_rate": self._rate,
            "/market/funding_rate/batch": self._rates,
            "/market/tickers": self._tickers,
            "/market/kline": self._bars,
        }

    # --- REST ----------------------------------------------------------------------------------

    def _pairs(self, query: Mapping[str, str]) -> web.Response:
        listed, names = self.exchange.listed, [b.instrument.symbol for b in self._asked(query)]
        return good([frames.pair(listed.now[n], is_halted=n in listed.halted) for n in names])

    def _depth(self, query: Mapping[str, str]) -> web.Response:
        book = self._market.books.get(query.get("symbol", ""))
        count = LIMITS.get(query.get("limit", "max"))
        if book is None:
            return refused(*NO_SYMBOL)
        if count is None:
            return refused(*PARAMETER)
        return good(frames.ladder(book, count, ("bids", "asks")))

    def _rate(self, query: Mapping[str, str]) -> web.Response:
        book = self._market.books.get(query.get("symbol", ""))
        return refused(*NO_SYMBOL) if book is None else good(self._rate_of(book))

    def _rates(self, _: Mapping[str, str]) -> web.Response:
        return good([self._rate_of(book) for book in self._market.books.values()])

    def _tickers(self, query: Mapping[str, str]) -> web.Response:
        return good([self._ticker(book) for book in self._asked(query)])

    def _bars(self, query: Mapping[str, str]) -> web.Response:
        """`kline`, newest first; `type` makes no difference here."""
        book, minutes = self._market.books.get(query.get("symbol", "")), query.get("interval", "")
        if book is None:
            return refused(*NO_SYMBOL)
        if minutes not in INTERVALS:
            return refused(*PARAMETER)
        since_ms, until_ms = (
            whole(query, name, d) for name, d in (("startTime", 0), ("endTime", 2**42))
        )
        limit = min(whole(query, "limit", 100), 200)
        length_ns = INTERVALS[minutes] * MINUTE_NS
        found = self._tape.bars(
            book.instrument.symbol, length_ns, since_ms * frames.MS_NS, until_ms * frames.MS_NS
        )
        return good([frames.bar(one, book.instrument) for one in found[::-1][:limit]])

    def _asked(self, query: Mapping[str, str]) -> list[ShownBook]:
        """Return the books named in `symbols`; all where none is."""
        names = list(filter(None, query.get("symbols", "").split(",")))
        books = self._market.books
        return [books[name] for name in names or books if name in books]

    def _rate_of(self, book: ShownBook) -> dict[str, Any]:
        symbol = book.instrument.symbol
        return frames.rate(book.instrument, self._funding.get(symbol), self._last_of(book))

    def _ticker(self, book: ShownBook) -> dict[str, Any]:
        symbol, last = book.instrument.symbol, self._last_of(book)
        funding = self._funding.get(symbol)
        return {
            "symbol": symbol, "lastPrice": last, "last": last, "open": last, "high": last,
            "low": last, "markPrice": f"{funding.mark_price:f}" if funding else last,
            "quoteVol": "0", "baseVol": "0", "time": str(time.time_ns() // frames.MS_NS),
        }  # fmt: skip

    def _last_of(self, book: ShownBook) -> str:
        quote, item = book.quote, book.instrument
        ticks = self._last.get(item.symbol, quote.bid_ticks if quote else 0)
        return f"{item.price(ticks):f}"

    # --- the public line -----------------------------------------------------------------------

    async def _line(self, request: web.Request) -> web.WebSocketResponse:
        line = Line(Outbox(request.path, self.faults), self._carries)
        self._lines[line] = None
        try:
            with self._streams.opened(request):
                return await serve_line(request, line, lambda word: self._begin(line, word))
        finally:
            self._lines.pop(line, None)

    def _carries(self, topic: Topic) -> bool:
        symbol, channel = topic
        return symbol in self._market.books and channel in frames.CHANNELS

    def _begin(self, line: Line, word: dict[str, Any]) -> None:
        """Obey; a new subscription to a book starts with what it is now."""
        for symbol, channel in line.take_word(word):
            book, count = self._market.books[symbol], frames.LADDERS.get(channel)
            now_ms = self._market.now_ns // frames.MS_NS  # what comes next may not be older
            if count is not None and book.bids:
                line.offer(push(channel, symbol, now_ms, frames.ladder(book, count)))
            if channel == frames.TOUCH and book.quote is not None:
                data = frames.touch(book.quote, book.instrument)
                line.offer(push(channel, symbol, now_ms, data))

    def _publish(self, event: FeedEvent) -> None:
        symbol: str = getattr(event, "symbol", "")
        book = self._market.books.get(symbol)
        if book is None:
            return
        if isinstance(event, Funding):
            self._funding[symbol] = event
        elif isinstance(event, Trade):
            self._last[symbol] = event.price_ticks
        if isinstance(event, Depth) and not (book.bids and book.asks):
            return
        if not any(symbol == topic[0] for line in self._lines for topic in line.topics):
            return
        at_ms = event.ts_ns // frames.MS_NS
        for channel, data in frames.pushes(event, book):
            frame = push(channel, symbol, at_ms, data)
            for line in self._lines:
                if (symbol, channel) in line.topics:
                    line.offer(frame)


Handler = Callable[[Mapping[str, str]], web.Response]


def _limited(path: str, handler: Handler) -> Callable[[web.Request], Any]:
    """Hold one path to so many requests a second from each address."""
    budgets: dict[str, Budget] = {}

    async def answer(request: web.Request) -> web.Response:
        budget = budgets.setdefault(request.remote or "", Budget((Limit(path, PER_S, 1.0),)))
        now_s = time.monotonic()
        if budget.wait_s({path: 1}, Lane.CANCEL, now_s) > 0:
            return refused(*TOO_MANY)
        budget.spend({path: 1}, now_s)
        return handler(request.query)

    return answer
