"""One message of a public line to events; any bytes in, never an exception out. Pure.

A trade has no number of its own: one that was told before, with the same time, price, size and
side, is left out. A push may hold several, and nobody says in which order.

Source: sheet sections 3 and 4.
"""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from brokers.bitunix.moments import MS_NS, moment_ns
from brokers.bitunix.wire import (
    Head,
    Level,
    Print,
    read_head,
    read_ladder,
    read_price,
    read_prints,
    read_rate,
)
from brokers.link.grid import Grid, Refused, plain_decimal
from engine.model.market import Depth, FeedEvent, Flaw, Funding, Levels, Malformed, Quote, Trade
from engine.model.orders import Side
from engine.model.recent import Recent
from engine.model.text import sanitize

PRINTS_REMEMBERED: Final = 4_096
"""For each instrument; a reconnected line repeats at most some hundred."""
PERCENT: Final = Decimal("0.01")
DETAIL_CHARS_MAX: Final = 120
TOUCH: Final = "depth_book1"
LADDER: Final = "depth_book15"
TRADE: Final = "trade"
PRICE_CHANNELS: Final = ("price", "market_price")
SIDES: Final[Mapping[str, Side]] = {"buy": Side.BUY, "sell": Side.SELL}

Events = tuple[FeedEvent, ...]


class PushParser:
    """Reads the pushes of one venue; remembers trades and coming funding rates."""

    def __init__(self, grids: Mapping[str, Grid], *, funding_in_percent: bool = True) -> None:
        self._grids = grids
        self._unit = PERCENT if funding_in_percent else Decimal(1)
        self._prints = {symbol: Recent(PRINTS_REMEMBERED) for symbol in grids}
        self._coming: dict[str, Decimal] = {}
        """The rate that will be settled next, as REST tells it."""
        self._readers: dict[str, Callable[[Head, int, Grid], Events]] = {
            TOUCH: _quote,
            LADDER: _depth,
            TRADE: self._trades,
            **dict.fromkeys(PRICE_CHANNELS, self._funding),
        }

    def head(self, body: bytes, at_ns: int) -> Head | Malformed:
        """Read just enough of a message to tell what it is."""
        try:
            return read_head(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return flawed(at_ns, "", "malformed", str(error))

    def push(self, head: Head, at_ns: int) -> Events:
        """Return the events of a push; none for a channel we don't use."""
        reader = self._readers.get(head.ch)
        if reader is None:
            return ()
        return self._guarded(head.symbol, at_ns, lambda grid: reader(head, at_ns, grid))

    def rate(self, symbol: str, head: Head, at_ns: int) -> Events:
        """Take the coming rate from an answer of REST; returns only what is wrong with it."""
        return self._guarded(symbol, at_ns, lambda grid: self._rate(head, grid))

    def recorded(self, head: Head, at_ns: int, ignored: Collection[str]) -> Events:
        """Return the events of a message that was kept, by whatever way it had come."""
        if head.ch:
            return () if head.symbol in ignored else self.push(head, at_ns)
        if head.code is None:
            return ()
        try:
            symbol = read_rate(head.data).symbol
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return ()
        return () if symbol in ignored else self.rate(symbol, head, at_ns)

    def _guarded(self, symbol: str, at_ns: int, read: Callable[[Grid], Events]) -> Events:
        grid = self._grids.get(symbol)
        if grid is None:
            return (flawed(at_ns, "", "unknown_symbol", f"unknown symbol {symbol}"),)
        try:
            return read(grid)
        except Refused as refused:
            return (flawed(at_ns, symbol, refused.flaw, refused.detail),)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return (flawed(at_ns, symbol, "malformed", str(error)),)

    def _trades(self, head: Head, at_ns: int, grid: Grid) -> Events:
        told = read_prints(head.data)
        prints = told if isinstance(told, list) else [told]
        known = self._prints[grid.symbol]
        new = [item for item in prints if known.add(_fingerprint(item))]
        events = [_trade_or_flaw(item, at_ns, grid) for item in new]
        return tuple(sorted(events, key=_happened_ns))

    def _funding(self, head: Head, at_ns: int, grid: Grid) -> Events:
        data = read_price(head.data)
        rate = self._coming.get(grid.symbol, _signed(data.rate) * self._unit)
        next_ns = moment_ns(data.next_funding)
        return (Funding(at_ns, grid.symbol, _mark(data.mark), rate, next_ns, head.ts * MS_NS),)

    def _rate(self, head: Head, grid: Grid) -> Events:
        data = read_rate(head.data)
        if data.symbol != grid.symbol:
            raise Refused("unknown_symbol", f"the funding of {data.symbol} for {grid.symbol}")
        self._coming[grid.symbol] = _signed(data.rate) * self._unit
        return ()


def flawed(at_ns: int, symbol: str, flaw: Flaw, detail: str) -> Malformed:
    """Make a `Malformed` of what can't be an event."""
    return Malformed(at_ns, symbol, flaw, sanitize(detail, DETAIL_CHARS_MAX))


def _quote(head: Head, at_ns: int, grid: Grid) -> Events:
    data = read_ladder(head.data)
    if not (data.bids and data.asks):
        raise Refused("non_positive", "a side of the touch is empty")
    (bid, bid_size), (ask, ask_size) = data.bids[0], data.asks[0]
    bid_lots, ask_lots = grid.lots[bid_size], grid.lots[ask_size]
    if not (bid_lots and ask_lots):
        raise Refused("non_positive", "a side of the touch is empty")
    prices = grid.ticks[bid], grid.ticks[ask]
    event_ns = head.ts * MS_NS
    return (Quote(at_ns, grid.symbol, prices[0], bid_lots, prices[1], ask_lots, event_ns),)


def _depth(head: Head, at_ns: int, grid: Grid) -> Events:
    data = read_ladder(head.data)
    bids, asks = _levels(data.bids, grid), _levels(data.asks, grid)
    event_ns = head.ts * MS_NS
    return (Depth(at_ns, grid.symbol, bids, asks, is_snapshot=True, ts_event_ns=event_ns),)


def _levels(raw: list[Level], grid: Grid) -> Levels:
    """Convert price levels; one of no size is none."""
    ticks, lots = grid.ticks, grid.lots
    return tuple((ticks[price], count) for price, size in raw if (count := lots[size]))


def _trade_or_flaw(item: Print, at_ns: int, grid: Grid) -> Trade | Malformed:
    try:
        return _trade(item, at_ns, grid)
    except Refused as refused:
        return flawed(at_ns, grid.symbol, refused.flaw, refused.detail)


def _happened_ns(event: Trade | Malformed) -> int:
    return event.ts_event_ns if isinstance(event, Trade) else 0


def _trade(item: Print, at_ns: int, grid: Grid) -> Trade:
    ticks, lots = grid.ticks[item.price], grid.lots[item.size]
    side = SIDES.get(item.side.lower())
    if side is None:
        raise Refused("malformed", f"a trade of side {item.side!r}")
    if not lots:
        raise Refused("non_positive", "a trade of nothing")
    return Trade(at_ns, grid.symbol, ticks, lots, side, 0, moment_ns(item.at))


def _fingerprint(item: Print) -> str:
    return "\n".join((item.at, item.price, item.size, item.side))


def _mark(text: str) -> Decimal:
    mark = Decimal(plain_decimal(text))
    if not mark:
        raise Refused("non_positive", "a mark price of zero")
    return mark


def _signed(text: str) -> Decimal:
    rate = Decimal(plain_decimal(text.removeprefix("-")))
    return -rate if text.startswith("-") else rate
