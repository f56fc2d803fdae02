"""A market feed that reaches its sandbox through proxies, and a witness of what both sides saw."""

import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, fields, replace
from types import ModuleType
from typing import Final

from engine.market.book import BookSync
from engine.model.instrument import Instrument
from engine.model.market import Depth, FeedEvent, FeedStatus
from engine.model.orders import Side
from tests.brokers.binance import exchange as binance
from tests.brokers.bitunix import exchange as bitunix
from tests.brokers.hyperliquid import exchange as hyperliquid
from tests.brokers.proxy import Proxy

VENUES: Final[dict[str, ModuleType]] = {
    "binance": binance,
    "bitunix": bitunix,
    "hyperliquid": hyperliquid,
}
QUICK: Final = {
    "binance": {"silent_after_s": 0.5, "ping_s": 0.5},
    "bitunix": {"silent_after_s": 0.5, "ping_s": 0.2},
    "hyperliquid": {"silent_after_s": 0.8, "ping_s": 0.2},
}
"""Settings that find a silent line out at once."""
TOP: Final = 5
"""Levels of each side that are compared."""
Ladder = tuple[tuple[tuple[object, object], ...], ...]


@dataclass
class Witness:
    """Everything the venue ever showed, and every book that follows from what was heard."""

    venue: object
    hearing: object
    rest: Proxy
    lines: list[Proxy]
    shown: dict[str, set[Ladder]] = field(default_factory=dict)
    books: dict[str, BookSync] = field(default_factory=dict)
    judged: int = 0
    """Books in sync that were held against what was shown."""
    _read: int = 0

    def watch(self) -> None:
        for symbol in self.venue.market.books:
            self.shown[symbol], self.books[symbol] = set(), BookSync(1_000)
            self._note(symbol)
        self.venue.market.listen(self._seen)

    def _seen(self, event: FeedEvent) -> None:
        if isinstance(event, Depth):
            self._note(event.symbol)

    def _note(self, symbol: str) -> None:
        book = self.venue.market.books[symbol]
        sides = sorted(book.bids.items(), reverse=True), sorted(book.asks.items())
        self.shown[symbol].add(ladder(book.instrument, *sides))

    def judge(self) -> None:
        """Follow what was heard since the last look; a book in sync must be one that was shown."""
        for event in self.hearing.events[self._read :]:
            if isinstance(event, FeedStatus) and event.is_connected:
                for book in self.books.values():
                    book.forget()
            elif isinstance(event, Depth):
                self._follow(event)
        self._read = len(self.hearing.events)

    def _follow(self, depth: Depth) -> None:
        sync = self.books[depth.symbol]
        sync.apply(depth)
        if sync.is_synced:
            grids = {item.symbol: item for item in self.hearing.feed.instruments}
            sides = sync.book.levels(Side.BUY), sync.book.levels(Side.SELL)
            assert ladder(grids[depth.symbol], *sides) in self.shown[depth.symbol], depth
            self.judged += 1

    def is_connected(self) -> bool:
        last = {status.source: status.is_connected for status in self.hearing.of(FeedStatus)}
        return all(last.values())

    def is_synced(self) -> bool:
        self.judge()
        return self.is_connected() and all(book.is_synced for book in self.books.values())

    async def go_on(self, books: int) -> None:
        """Wait until so many more books have been judged."""
        enough = self.judged + books
        await self.hearing.until(lambda: self.is_synced() and self.judged >= enough)


def ladder(grid: Instrument, *sides: Iterable[tuple[int, int]]) -> Ladder:
    """Return the best levels of each side as prices and quantities."""
    return tuple(
        tuple((grid.price(ticks), grid.qty(lots)) for ticks, lots in list(side)[:TOP])
        for side in sides
    )


@contextlib.asynccontextmanager
async def witness(name: str, *, is_quick: bool) -> AsyncIterator[Witness]:
    """A feed through one proxy for its requests, and one for each of its lines."""
    place = VENUES[name]
    async with contextlib.AsyncExitStack() as stack:
        venue = await stack.enter_async_context(place.exchange())
        found = Witness(venue, None, await stack.enter_async_context(Proxy(venue.port)), [])
        changes: dict[str, object] = {"reconnects_per_hour": 3_600}
        for one in fields(venue.config):
            url = str(getattr(venue.config, one.name))
            if not url.startswith(("http://127.", "ws://127.")):
                continue
            proxy = found.rest
            if url.startswith("ws"):
                proxy = await stack.enter_async_context(Proxy(venue.port))
                found.lines.append(proxy)
            changes[one.name] = url.replace(f":{venue.port}", f":{proxy.port}")
        found.watch()
        config = replace(venue.config, **changes, **(QUICK[name] if is_quick else {}))
        found.hearing = await stack.enter_async_context(place.heard(config))
        await found.hearing.until(found.is_synced)
        yield found
