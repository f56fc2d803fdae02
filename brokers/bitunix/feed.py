"""Bitunix's live market data: lines of pushes, and the coming funding rates by question.

Each push of the book is the whole of fifteen levels, so there is nothing to mend after a break.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Final

from brokers.bitunix.config import BitunixConfig
from brokers.bitunix.klines import KLINES
from brokers.bitunix.listing import listed, listed_now
from brokers.bitunix.parse import LADDER, TOUCH, TRADE, PushParser
from brokers.bitunix.talk import Talk, TalkConfig, Topic, subscription
from brokers.link.backoff import Backoff, BackoffConfig
from brokers.link.feed import OK, MarketFeed, Tap, good_body
from brokers.link.grid import Grid
from brokers.link.questions import Questions
from brokers.link.rest import Reply, Request, RestConfig
from brokers.link.rules_watch import Listing
from brokers.link.stream import Stream, StreamConfig
from brokers.link.trust import trusted
from engine.model.market import Malformed

LISTING: Final = "/api/v1/futures/market/trading_pairs"
RATE: Final = "/api/v1/futures/market/funding_rate?symbol={}"
SYMBOLS_PER_LINE: Final = 60
"""Four channels each; a connection has 300."""
TICK_S: Final = 0.1
"""Between two looks at the clock of a line."""
APART_S: Final = 0.2
"""Between two questions: half of the ten a second that one address may ask."""


class BitunixFeed(MarketFeed):
    """USDT perpetuals; implements `engine.venue.LiveFeed`."""

    name = "bitunix"
    klines = KLINES
    listing = Listing(Request("GET", LISTING, {}), listed_now)

    def __init__(
        self, symbols: Sequence[str], config: BitunixConfig, tap: Tap | None = None
    ) -> None:
        """Prepare to listen.

        Args:
            symbols: Instruments.
            config: Where the venue is.
            tap: Gets every message as it came, before it is read; None listens alone.

        """
        self._config = config
        self._rest_config = RestConfig(base_url=config.rest_url)
        self._tls = trusted(self.name, config)
        rest = Questions(self._rest_config, self._tls)
        super().__init__(symbols, rest, tap, config.rules_every_s)
        self._parser = PushParser({})
        self._talks: dict[str, Talk] = {}

    async def discover(self) -> None:
        """Read the listing.

        Raises:
            DataUnavailable: The venue can't be reached or does not answer with a listing.
            UnknownInstrument: It does not list one of the symbols.

        """
        async with Questions(self._rest_config, self._tls) as rest:
            outcome = await rest.ask(self.listing.request)
        self._instruments = tuple(listed(good_body(self.name, outcome), self._symbols))
        grids = {item.symbol: Grid(item) for item in self._instruments}
        self._parser = PushParser(grids, funding_in_percent=self._config.funding_in_percent)

    # --- lines ---------------------------------------------------------------------------------

    def _begin(self) -> None:
        lines = range(0, len(self._symbols), SYMBOLS_PER_LINE)
        for number, start in enumerate(lines, start=1):
            name = "public" if number == 1 else f"public{number}"
            self._talks[name] = self._talk(self._symbols[start : start + SYMBOLS_PER_LINE])
            self._open(name, self._stream())
            self._spawn(self._mind(name))
        self._spawn(self._ask_rates())

    def _talk(self, symbols: Sequence[str]) -> Talk:
        config = self._config
        surely = [(symbol, ch) for symbol in symbols for ch in (TOUCH, LADDER)]
        topics: list[Topic] = [
            *surely,
            *((symbol, ch) for symbol in symbols for ch in (TRADE, config.price_channel)),
        ]
        return Talk(
            TalkConfig(
                ping_s=config.ping_s,
                greeting_s=config.open_timeout_s,
                first_push_s=config.first_push_s,
                silent_after_s=config.silent_after_s,
            ),
            subscription(topics),
            surely,
        )

    def _stream(self) -> Stream:
        config = self._config
        return Stream(
            StreamConfig(
                url=config.public_url,
                # Silence is the talk's to judge; this one is for a line without even pongs.
                silent_after_s=config.silent_after_s + config.first_push_s,
                open_timeout_s=config.open_timeout_s,
                ping_s=None,
            ),
            tuple,
            Backoff(BackoffConfig(per_hour=config.reconnects_per_hour), random.Random()),
            self._tls,
        )

    async def _mind(self, name: str) -> None:
        """Ping, and give the line up when it brings nothing."""
        talk, stream = self._talks[name], self.streams[name]
        while True:
            await asyncio.sleep(TICK_S)
            now_s = time.monotonic()
            for text in talk.due(now_s, time.time()):
                await stream.send(text)
            cause = talk.trouble(now_s)
            if cause:
                talk.end()
                stream.give_up(cause)

    def _came_up(self, name: str, at_ns: int) -> None:  # noqa: ARG002 - it proves nothing yet
        self._talks[name].begin(time.monotonic())

    def _read(self, name: str, at_ns: int, data: bytes) -> None:
        head = self._parser.head(data, at_ns)
        if isinstance(head, Malformed):
            self._put(head)
            return
        if self._tap is not None:
            self._tap(head.symbol, at_ns, data)
        talk = self._talks[name]
        if not head.ch:
            for text in talk.told(head, time.monotonic()):
                self._spawn(self._say(name, text))
            return
        talk.pushed((head.symbol, head.ch), time.monotonic())
        if self._down.get(name, True):
            self._is_back(name, at_ns)
        for event in self._parser.push(head, at_ns):
            self._put(event)

    async def _say(self, name: str, text: str) -> None:
        await self.streams[name].send(text)

    # --- funding -------------------------------------------------------------------------------

    async def _ask_rates(self) -> None:
        """Ask each instrument's coming rate in turn; one that does not come is asked for later."""
        if self._tap is not None:
            await self._keep_rules(self._tap)
        while True:
            for symbol in self._symbols:
                await self._ask_rate(symbol)
                await asyncio.sleep(APART_S)
            await asyncio.sleep(self._config.funding_poll_s)

    async def _keep_rules(self, tap: Tap) -> None:
        """Let a recording begin with the rules of what is in it."""
        for symbol in self._symbols:
            outcome = await self._rest.ask(Request("GET", f"{LISTING}?symbols={symbol}", {}))
            if isinstance(outcome, Reply) and outcome.status == OK:
                tap(symbol, time.time_ns(), outcome.body)
            await asyncio.sleep(APART_S)

    async def _ask_rate(self, symbol: str) -> None:
        outcome = await self._rest.ask(Request("GET", RATE.format(symbol), {}))
        if not isinstance(outcome, Reply) or outcome.status != OK:
            return
        at_ns = time.time_ns()
        if self._tap is not None:
            self._tap(symbol, at_ns, outcome.body)
        head = self._parser.head(outcome.body, at_ns)
        if not isinstance(head, Malformed) and str(head.code) == "0":
            for event in self._parser.rate(symbol, head, at_ns):
                self._put(event)
