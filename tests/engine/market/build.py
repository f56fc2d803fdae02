"""Small instruments and messages for the market tests; every argument has an innocent default."""

from decimal import Decimal

from engine.model.instrument import Instrument
from engine.model.market import Bar, Depth, Funding, Levels, Quote, Trade
from engine.model.orders import Side

START_NS = 1_699_999_200_000_000_000
"""A whole hour."""
MS = 1_000_000
S = 1_000_000_000
SYMBOL = "BTC-USDT"


def instrument(symbol: str = SYMBOL) -> Instrument:
    return Instrument(
        symbol=symbol,
        base="BTC",
        quote="USDT",
        settlement="USDT",
        tick_size=Decimal("0.1"),
        lot_size=Decimal("0.001"),
        min_qty=Decimal("0.001"),
    )


def quote(
    bid: int = 10_000,
    ask: int = 10_001,
    *,
    at_ms: int = 0,
    event_ms: int | None = None,
    seq: int = 0,
    bid_lots: int = 5,
    ask_lots: int = 7,
    symbol: str = SYMBOL,
) -> Quote:
    return Quote(START_NS + at_ms * MS, symbol, bid, bid_lots, ask, ask_lots, _event(event_ms), seq)


def trade(
    price: int = 10_000,
    *,
    at_ms: int = 0,
    event_ms: int | None = None,
    trade_id: int = 0,
    lots: int = 3,
    side: Side = Side.BUY,
    symbol: str = SYMBOL,
) -> Trade:
    return Trade(START_NS + at_ms * MS, symbol, price, lots, side, trade_id, _event(event_ms))


def depth(
    bids: Levels = ((10_000, 5),),
    asks: Levels = ((10_001, 7),),
    *,
    at_ms: int = 0,
    event_ms: int | None = None,
    is_snapshot: bool = False,
    seqs: tuple[int, int, int] = (0, 0, 0),
    symbol: str = SYMBOL,
) -> Depth:
    """Make an update; `seqs` are first, last and previous."""
    first, last, prev = seqs
    at_ns = START_NS + at_ms * MS
    return Depth(at_ns, symbol, bids, asks, is_snapshot, first, last, prev, _event(event_ms))


def bar(
    index: int = 0,
    ohlc: tuple[int, int, int, int] = (10_000, 10_010, 9_990, 10_005),
    *,
    interval_s: int = 60,
    volume: int = 9,
    closed_ms: int = 0,
    symbol: str = SYMBOL,
) -> Bar:
    """Make the `index`-th bar since the start, arriving `closed_ms` after its end."""
    open_ns = START_NS + index * interval_s * S
    at_ns = open_ns + interval_s * S + closed_ms * MS
    return Bar(at_ns, symbol, interval_s, open_ns, *ohlc, volume)


def funding(
    mark: str = "1000.05",
    rate: str = "0.0001",
    *,
    at_ms: int = 0,
    event_ms: int | None = None,
    next_ns: int = START_NS + 3_600 * S,
    symbol: str = SYMBOL,
) -> Funding:
    at_ns = START_NS + at_ms * MS
    return Funding(at_ns, symbol, Decimal(mark), Decimal(rate), next_ns, _event(event_ms))


def _event(event_ms: int | None) -> int:
    return 0 if event_ms is None else START_NS + event_ms * MS
