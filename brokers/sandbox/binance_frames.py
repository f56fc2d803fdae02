"""What the Binance sandbox sends: events and listings as the venue writes them. Pure.

Source: the Binance sheet, sections 2 and 3.
"""

from collections.abc import Mapping
from typing import Any, Final

from brokers.sandbox.market import ShownBook
from engine.model.instrument import Instrument
from engine.model.market import Depth, FeedEvent, Funding, Levels, Quote, Trade
from engine.model.orders import Side

MS_NS: Final = 1_000_000
WEIGHT_PER_MINUTE: Final = 2_400
ORDERS_PER_10S: Final = 300
ORDERS_PER_MINUTE: Final = 1_200

ORDERS_MAX: Final = 200
LARGEST: Final = "1000000"

KINDS: Final[Mapping[type, tuple[str, ...]]] = {
    Quote: ("bookTicker",),
    Trade: ("aggTrade",),
    Depth: ("depth",),
    Funding: ("markPrice",),
}
"""The streams an event is sent on, by the first part of their name."""


def payload(event: FeedEvent, instrument: Instrument) -> dict[str, Any] | None:
    """Return an event's `data`; None for what a venue does not send."""
    at_ms = event.ts_ns // MS_NS
    match event:
        case Quote():
            return {
                "e": "bookTicker", "u": event.seq, "E": at_ms, "T": at_ms, "s": event.symbol,
                "b": _price(instrument, event.bid_ticks), "B": _qty(instrument, event.bid_lots),
                "a": _price(instrument, event.ask_ticks), "A": _qty(instrument, event.ask_lots),
                "st": 1, "ps": "",
            }  # fmt: skip
        case Trade():
            return {
                "e": "aggTrade", "E": at_ms, "a": event.trade_id, "s": event.symbol,
                "p": _price(instrument, event.price_ticks), "q": _qty(instrument, event.qty_lots),
                "f": event.trade_id, "l": event.trade_id, "T": at_ms,
                "m": event.aggressor is Side.SELL,
            }  # fmt: skip
        case Depth():
            return {
                "e": "depthUpdate", "E": at_ms, "T": at_ms, "s": event.symbol,
                "U": event.first_seq, "u": event.last_seq, "pu": event.prev_seq,
                "b": _levels(instrument, event.bids), "a": _levels(instrument, event.asks),
            }  # fmt: skip
        case Funding():
            mark = f"{event.mark_price:f}"
            return {
                "e": "markPriceUpdate", "E": at_ms, "s": event.symbol, "p": mark, "i": mark,
                "P": mark, "r": f"{event.rate:f}", "T": event.next_ns // MS_NS,
            }  # fmt: skip
        case _:
            return None


def snapshot(book: ShownBook, limit: int, at_ms: int) -> dict[str, Any]:
    """Return the REST book, best prices first."""
    bids = sorted(book.bids.items(), reverse=True)[:limit]
    asks = sorted(book.asks.items())[:limit]
    return {
        "lastUpdateId": book.last_seq, "E": at_ms, "T": at_ms,
        "bids": _levels(book.instrument, tuple(bids)),
        "asks": _levels(book.instrument, tuple(asks)),
    }  # fmt: skip


def listing(instruments: Mapping[str, Instrument], at_ms: int) -> dict[str, Any]:
    """Return `exchangeInfo`."""
    limits = (
        ("REQUEST_WEIGHT", "MINUTE", 1, WEIGHT_PER_MINUTE),
        ("ORDERS", "SECOND", 10, ORDERS_PER_10S),
        ("ORDERS", "MINUTE", 1, ORDERS_PER_MINUTE),
    )
    return {
        "timezone": "UTC",
        "serverTime": at_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [
            {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
            for kind, interval, number, limit in limits
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True}],
        "symbols": [_symbol(item) for item in instruments.values()],
    }


def _symbol(item: Instrument) -> dict[str, Any]:
    tick, lot = f"{item.tick_size:f}", f"{item.lot_size:f}"
    return {
        "symbol": item.symbol, "pair": item.symbol, "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000, "onboardDate": 1_569_398_400_000, "status": "TRADING",
        "baseAsset": item.base, "quoteAsset": item.quote, "marginAsset": item.settlement,
        "pricePrecision": _decimals(tick), "quantityPrecision": _decimals(lot),
        "baseAssetPrecision": 8, "quotePrecision": 8, "underlyingType": "COIN",
        "orderTypes": ["LIMIT", "MARKET"], "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        "filters": _filters(tick, lot, f"{item.min_qty:f}", f"{item.min_notional:f}"),
    }  # fmt: skip


def _filters(tick: str, lot: str, least: str, notional: str) -> list[dict[str, Any]]:
    sizes = {"minQty": least, "maxQty": LARGEST, "stepSize": lot}
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": LARGEST, "tickSize": tick},
        {"filterType": "LOT_SIZE", **sizes},
        {"filterType": "MARKET_LOT_SIZE", **sizes},
        {"filterType": "MAX_NUM_ORDERS", "limit": ORDERS_MAX},
        {"filterType": "MIN_NOTIONAL", "notional": notional},
        {"filterType": "PERCENT_PRICE", "multiplierUp": "1.05", "multiplierDown": "0.95",
         "multiplierDecimal": "4"},
    ]  # fmt: skip


def _decimals(step: str) -> int:
    return len(step.partition(".")[2])


def _price(instrument: Instrument, ticks: int) -> str:
    return f"{instrument.price(ticks):f}"


def _qty(instrument: Instrument, lots: int) -> str:
    return f"{instrument.qty(lots):f}"


def _levels(instrument: Instrument, levels: Levels) -> list[list[str]]:
    return [[_price(instrument, ticks), _qty(instrument, lots)] for ticks, lots in levels]
