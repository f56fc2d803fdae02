"""What the Bitunix sandbox sends of its market, as the venue writes it. Pure.

Source: the Bitunix sheet, sections 3 and 4.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from brokers.sandbox.market import ShownBook
from brokers.sandbox.tape import TapeBar
from engine.model.instrument import Instrument
from engine.model.market import Depth, FeedEvent, Funding, Quote, Trade
from engine.model.orders import Side

MS_NS: Final = 1_000_000
S_NS: Final = 1_000_000_000
PERCENT: Final = 100
"""Funding rates are told in percentage points."""
TOUCH: Final = "depth_book1"
TRADE: Final = "trade"
PRICE: Final = "price"
LADDERS: Final[Mapping[str, int]] = {"depth_book5": 5, "depth_book15": 15}
CHANNELS: Final = frozenset({TOUCH, TRADE, PRICE, *LADDERS})
RATE_MAX: Final = "0.3"
"""Percentage points either way."""
INTERVAL_H: Final = 8

Push = tuple[str, Any]
"""Channel and data."""


def pushes(event: FeedEvent, book: ShownBook) -> list[Push]:
    """Return what an event of a symbol sends; nothing for what a venue does not tell."""
    item = book.instrument
    match event:
        case Quote():
            return [(TOUCH, touch(event, item))]
        case Depth():
            return [(name, ladder(book, count)) for name, count in LADDERS.items()]
        case Trade():
            return [(TRADE, [_print(event, item)])]
        case Funding():
            return [(PRICE, price(event))]
        case _:
            return []


def touch(quote: Quote, item: Instrument) -> dict[str, Any]:
    """Return `depth_book1`."""
    return {
        "b": [[_price(item, quote.bid_ticks), _qty(item, quote.bid_lots)]],
        "a": [[_price(item, quote.ask_ticks), _qty(item, quote.ask_lots)]],
    }


def ladder(book: ShownBook, count: int, names: tuple[str, str] = ("b", "a")) -> dict[str, Any]:
    """Return the best levels of both sides, best first."""
    item = book.instrument
    sides = (sorted(book.bids.items(), reverse=True), sorted(book.asks.items()))
    return {
        name: [[_price(item, ticks), _qty(item, lots)] for ticks, lots in side[:count]]
        for name, side in zip(names, sides, strict=True)
    }


def _print(trade: Trade, item: Instrument) -> dict[str, Any]:
    return {
        "t": iso(trade.ts_ns),
        "p": _price(item, trade.price_ticks),
        "v": _qty(item, trade.qty_lots),
        "s": "sell" if trade.aggressor is Side.SELL else "buy",
    }


def price(funding: Funding) -> dict[str, Any]:
    """Return `price`: mark, index, the rate that was settled last, and both settlement times."""
    mark, before_ns = f"{funding.mark_price:f}", INTERVAL_H * 3_600 * S_NS
    return {
        "mp": mark, "ip": mark, "fr": percent(funding.rate),
        "ft": iso(max(0, funding.next_ns - before_ns)), "nft": iso(funding.next_ns),
    }  # fmt: skip


def rate(item: Instrument, funding: Funding | None, last: str) -> dict[str, Any]:
    """Return REST `funding_rate`."""
    return {
        "symbol": item.symbol,
        "markPrice": last if funding is None else f"{funding.mark_price:f}",
        "lastPrice": last,
        "indexPrice": None,
        "fundingRate": "0" if funding is None else percent(funding.rate),
        "nextFundingTime": "0" if funding is None else str(funding.next_ns // MS_NS),
        "fundingInterval": INTERVAL_H,
        "maxFundingRate": RATE_MAX,
        "minFundingRate": f"-{RATE_MAX}",
    }


def bar(one: TapeBar, item: Instrument) -> dict[str, Any]:
    """Return one row of `kline`."""
    prices = {"open": one.open, "high": one.high, "low": one.low, "close": one.close}
    return {
        "time": str(one.open_ns // MS_NS),
        **{name: _price(item, ticks) for name, ticks in prices.items()},
        "baseVol": _qty(item, one.volume),
        "quoteVol": f"{one.units * item.tick_size * item.lot_size:f}",
    }


def pair(item: Instrument, *, is_halted: bool = False) -> dict[str, Any]:
    """Return one row of `trading_pairs`."""
    return {
        "symbol": item.symbol, "base": item.base, "quote": item.quote,
        "minTradeVolume": f"{item.min_qty:f}", "minBuyPriceOffset": "-0.95",
        "maxSellPriceOffset": "100", "maxLimitOrderVolume": "1000000",
        "maxMarketOrderVolume": "1000000", "basePrecision": _decimals(item.lot_size),
        "quotePrecision": _decimals(item.tick_size), "minLeverage": 1,
        "maxLeverage": item.max_leverage, "defaultLeverage": item.max_leverage,
        "defaultMarginMode": "1", "priceProtectScope": "0.02",
        "symbolStatus": "STOP" if is_halted else "OPEN",
        "isApiSupported": True, "maxFundingRate": RATE_MAX, "minFundingRate": f"-{RATE_MAX}",
    }  # fmt: skip


def percent(rate_: Decimal) -> str:
    """Write a fraction as percentage points."""
    return f"{rate_ * PERCENT:f}"


def iso(at_ns: int) -> str:
    """Write a time to the nanosecond, as trades carry it."""
    second = datetime.fromtimestamp(at_ns // S_NS, UTC)
    return f"{second:%Y-%m-%dT%H:%M:%S}.{at_ns % S_NS:09}Z"


def _decimals(step: Decimal) -> int:
    return len(f"{step:f}".partition(".")[2])


def _price(item: Instrument, ticks: int) -> str:
    return f"{item.price(ticks):f}"


def _qty(item: Instrument, lots: int) -> str:
    return f"{item.qty(lots):f}"
