"""The streams we use: what each carries, and how its payload becomes an event.

Venue time is the transaction's where the payload has one: when it happened, not when it was sent.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from brokers.binance import wire
from brokers.link.grid import Grid, Refused, plain_decimal
from engine.model.market import Depth, Funding, Levels, MarketEvent, Quote, Trade
from engine.model.orders import Side

_MS_NS: Final = 1_000_000


def _quote(data: wire.BookTicker, at_ns: int, grid: Grid) -> Quote:
    bid, bid_lots = grid.ticks[data.bid], grid.lots[data.bid_size]
    ask, ask_lots = grid.ticks[data.ask], grid.lots[data.ask_size]
    if not (bid_lots and ask_lots):
        raise Refused("non_positive", "a side of the touch is empty")
    event_ns = data.transaction_ms * _MS_NS
    return Quote(at_ns, grid.symbol, bid, bid_lots, ask, ask_lots, event_ns, data.update_id)


def _trade(data: wire.TradePrint | wire.AggregateTrade, at_ns: int, grid: Grid) -> Trade:
    ticks, lots = grid.ticks[data.price], grid.lots[data.size]
    if not lots:
        raise Refused("non_positive", "a trade of nothing")
    aggressor = Side.SELL if data.is_buyer_maker else Side.BUY
    event_ns = data.transaction_ms * _MS_NS
    return Trade(at_ns, grid.symbol, ticks, lots, aggressor, data.trade_id, event_ns)


def _depth(data: wire.DepthUpdate, at_ns: int, grid: Grid) -> Depth:
    """Convert a diff; spot names no predecessor, but its ids are contiguous."""
    event_ms = data.event_ms if data.transaction_ms is None else data.transaction_ms
    previous = max(data.first_id - 1, 0) if data.previous_id is None else data.previous_id
    return Depth(
        at_ns,
        grid.symbol,
        levels(data.bids, grid),
        levels(data.asks, grid),
        first_seq=data.first_id,
        last_seq=data.last_id,
        prev_seq=previous,
        ts_event_ns=event_ms * _MS_NS,
    )


def levels(raw: list[wire.Level], grid: Grid) -> Levels:
    """Convert price levels, in the venue's order; a size of zero deletes."""
    ticks, lots = grid.ticks, grid.lots
    return tuple([(ticks[price], lots[size]) for price, size in raw])


def _funding(data: wire.MarkPrice, at_ns: int, grid: Grid) -> Funding:
    mark = Decimal(plain_decimal(data.mark))
    if not mark:
        raise Refused("non_positive", "a mark price of zero")
    rate = Decimal(plain_decimal(data.rate.removeprefix("-")))
    return Funding(
        at_ns,
        grid.symbol,
        mark,
        -rate if data.rate.startswith("-") else rate,
        data.next_funding_ms * _MS_NS,
        data.event_ms * _MS_NS,
    )


KINDS: Final[Mapping[str, tuple[type[wire.Payload], Callable[..., MarketEvent]]]] = {
    "bookTicker": (wire.BookTicker, _quote),
    "trade": (wire.TradePrint, _trade),
    "aggTrade": (wire.AggregateTrade, _trade),
    "depth": (wire.DepthUpdate, _depth),
    "markPrice": (wire.MarkPrice, _funding),
}
"""Streams that become events; a new one is one more row."""

IGNORED_KINDS: Final = frozenset(
    {
        "kline",
        "continuousKline",
        "miniTicker",
        "ticker",
        "forceOrder",
        "depth5",
        "depth10",
        "depth20",
    }
)
"""Streams a recorder may have kept that tell us nothing we use."""
