"""Binance's live market data: two lines, and a snapshot whenever a book has lost its thread.

Diffs flow before the snapshot is asked for, so that none is missing behind it.
"""

import random
import time
from collections.abc import Sequence
from typing import Final

from brokers.binance.books import Books
from brokers.binance.config import BinanceConfig
from brokers.binance.klines import KLINES
from brokers.binance.listing import listed, listed_now
from brokers.binance.parse import LineParser, split_stream
from brokers.link.backoff import Backoff, BackoffConfig
from brokers.link.feed import OK, MarketFeed, Tap, good_body
from brokers.link.grid import Grid
from brokers.link.questions import Questions
from brokers.link.rest import Reply, Request, RestConfig
from brokers.link.rules_watch import Listing
from brokers.link.stream import Stream, StreamConfig
from brokers.link.trust import trusted
from engine.model.market import Depth, FeedEvent

LISTING: Final = "/fapi/v1/exchangeInfo"
SNAPSHOT: Final = "/fapi/v1/depth?symbol={}&limit=1000"
STREAM_NAME_MAX: Final = 64
ENVELOPE: Final = b'{"stream":"'


class BinanceFeed(MarketFeed):
    """USD-M futures; implements `engine.venue.LiveFeed`."""

    name = "binance"
    klines = KLINES
    listing = Listing(Request("GET", LISTING, {}), listed_now)

    def __init__(
        self, symbols: Sequence[str], config: BinanceConfig, tap: Tap | None = None
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
        self._books = Books(symbols)
        self._parser = LineParser({})

    async def discover(self) -> None:
        """Read the listing.

        Raises:
            DataUnavailable: The venue can't be reached or does not answer with a listing.
            UnknownInstrument: It does not list one of the symbols.

        """
        async with Questions(self._rest_config, self._tls) as rest:
            outcome = await rest.ask(self.listing.request)
        self._instruments = tuple(listed(good_body(self.name, outcome), self._symbols))
        self._parser = LineParser({item.symbol: Grid(item) for item in self._instruments})

    # --- lines ---------------------------------------------------------------------------------

    def _begin(self) -> None:
        for name, url, kinds in self._lines():
            self._open(name, self._stream(f"{url}/stream?streams={self._names(kinds)}"))

    def _lines(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        config = self._config
        return (
            ("public", config.public_url, ("bookTicker", f"depth@{config.depth_ms}ms")),
            ("market", config.market_url, ("aggTrade", "markPrice@1s")),
        )

    def _names(self, kinds: Sequence[str]) -> str:
        return "/".join(f"{symbol.lower()}@{kind}" for symbol in self._symbols for kind in kinds)

    def _stream(self, url: str) -> Stream:
        config = self._config
        return Stream(
            StreamConfig(
                url=url,
                silent_after_s=config.silent_after_s,
                open_timeout_s=config.open_timeout_s,
                ping_s=config.ping_s,
            ),
            tuple,
            Backoff(BackoffConfig(per_hour=config.reconnects_per_hour), random.Random()),
            self._tls,
        )

    def _read(self, name: str, at_ns: int, data: bytes) -> None:  # noqa: ARG002 - its stream says it
        if self._tap is not None:
            self._tap(_symbol(data), at_ns, data)
        event = self._parser.frame(data, at_ns)
        if event is not None:
            self._put(event)

    def _lost_touch(self) -> None:
        self._books.broke()

    def _put(self, event: FeedEvent) -> None:
        if isinstance(event, Depth):
            self._books.saw(event)
            for symbol in self._books.due(event.ts_ns):
                self._spawn(self._fetch(symbol))
        super()._put(event)

    # --- snapshots -----------------------------------------------------------------------------

    async def _fetch(self, symbol: str) -> None:
        """Ask for a snapshot; one that does not come is asked for again by the next diff."""
        outcome = await self._rest.ask(Request("GET", SNAPSHOT.format(symbol), {}))
        if isinstance(outcome, Reply) and outcome.status == OK:
            at_ns = time.time_ns()
            if self._tap is not None:
                self._tap(symbol, at_ns, outcome.body)
            event = self._parser.snapshot_of(symbol, outcome.body, at_ns)
            if event is not None:
                self._put(event)


def _symbol(frame: bytes) -> str:
    """Return the instrument in a stream's name; empty where there is none."""
    if not frame.startswith(ENVELOPE):
        return ""
    name = frame[len(ENVELOPE) : len(ENVELOPE) + STREAM_NAME_MAX].partition(b'"')[0]
    return split_stream(name.decode("ascii", "replace"))[0]
