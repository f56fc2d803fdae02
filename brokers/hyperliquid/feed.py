"""Hyperliquid's live market data: one line, on which books come whole.

A book of 20 levels a side comes twice a second, the touch with each block that changes it, so there
is nothing to fetch and no chain to lose.
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.grid import CoinGrid
from brokers.hyperliquid.klines import KLINES
from brokers.hyperliquid.listing import Place, listed, listed_now, numbered
from brokers.hyperliquid.parse import FrameParser
from brokers.hyperliquid.questions import INFO, asking
from brokers.hyperliquid.wire import JSON
from brokers.link.backoff import Backoff, BackoffConfig
from brokers.link.feed import MarketFeed, Tap, good_body
from brokers.link.rest import Request, RestConfig
from brokers.link.rules_watch import Listing
from brokers.link.stream import Stream, StreamConfig
from brokers.link.trust import trusted

LINE: Final = "market"
CHANNELS: Final = ("bbo", "l2Book", "trades", "activeAssetCtx")
PING: Final = '{"method":"ping"}'


class HyperliquidFeed(MarketFeed):
    """Perpetuals; implements `engine.venue.LiveFeed`."""

    name = "hyperliquid"
    klines = KLINES
    listing = Listing(Request("POST", INFO, JSON, b'{"type":"meta"}'), listed_now)

    def __init__(
        self, symbols: Sequence[str], config: HyperliquidConfig, tap: Tap | None = None
    ) -> None:
        """Prepare to listen.

        Args:
            symbols: Coins as the venue writes them.
            config: Where the venue is.
            tap: Gets every message as it came, before it is read; None listens alone.

        """
        self._config = config
        self._rest_config = RestConfig(base_url=config.rest_url)
        self._tls = trusted(self.name, config)
        rest = asking(self._rest_config, self._tls)
        super().__init__(symbols, rest, tap, config.rules_every_s)
        self._parser = FrameParser()
        self._listing = b""
        self.places: Mapping[str, Place] = {}
        """What orders would call each coin; known once it is discovered."""

    async def discover(self) -> None:
        """Read the listing, and from each coin's price its tick.

        Raises:
            DataUnavailable: The venue can't be reached or does not answer with a listing.
            UnknownInstrument: It does not list one of the coins.

        """
        async with asking(self._rest_config, self._tls) as rest:
            outcome = await rest.ask(info({"type": "metaAndAssetCtxs"}))
        body = good_body(self.name, outcome)
        self._instruments, self._listing = tuple(listed(body, self._symbols)), body
        self.places = numbered(body)
        self._parser = FrameParser({item.symbol: CoinGrid(item) for item in self._instruments})

    def _begin(self) -> None:
        if self._tap is not None:  # a recording begins with the rules of what is in it
            for symbol in self._symbols:
                self._tap(symbol, time.time_ns(), self._listing)
        stream = open_line(self._config, subscriptions(self._symbols))
        self._open(LINE, stream)
        self._spawn(keep_talking(stream, self._config.ping_s))

    def _read(self, name: str, at_ns: int, data: bytes) -> None:  # noqa: ARG002 - there is one line
        events = self._parser.frame(data, at_ns)
        if self._tap is not None:
            self._tap(getattr(events[0], "symbol", "") if events else "", at_ns, data)
        for event in events:
            self._put(event)


def subscriptions(coins: Sequence[str]) -> list[str]:
    """Return the messages that ask for every channel of every coin."""
    return [subscribe({"type": kind, "coin": coin}) for coin in coins for kind in CHANNELS]


def subscribe(what: dict[str, str]) -> str:
    """Return the message that asks for one channel."""
    return msgspec.json.encode({"method": "subscribe", "subscription": what}).decode()


def info(question: dict[str, object]) -> Request:
    """Return a question."""
    return Request("POST", INFO, JSON, msgspec.json.encode(question))


def open_line(config: HyperliquidConfig, opening: Sequence[str]) -> Stream:
    """Make a line that subscribes to the same each time it opens."""
    return Stream(
        StreamConfig(
            url=config.ws_url,
            silent_after_s=config.silent_after_s,
            open_timeout_s=config.open_timeout_s,
            ping_s=None,
        ),
        lambda: opening,
        Backoff(BackoffConfig(per_hour=config.reconnects_per_hour), random.Random()),
        trusted("hyperliquid", config),
    )


async def keep_talking(stream: Stream, every_s: float) -> None:
    """Ping in the venue's words: it leaves a line on which it has nothing to say for 60 s."""
    while True:
        await asyncio.sleep(every_s)
        await stream.send(PING)
