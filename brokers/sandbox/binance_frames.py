"""What the Binance sandbox sends: events and listings as the venue writes them. Pure.

Source: the Binance sheet, sections 2 and 3.
"""

from collections.abc import Mapping
from typing import Any, Final

from brokers.sandbox.binance_limits import Limits
from brokers.sandbox.exchange import Exchange
from brokers.sandbox.market import ShownBook
from brokers.sandbox.trading_rules import TradingRules
from engine.model.instrument import Instrument
from engine.model.market import Depth, FeedEvent, Funding, Levels, Quote, Trade
from engine.model.orders import Side

MS_NS: Final = 1_000_000
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


def listing(exchange: Exchange, limits: Limits, at_ms: int) -> dict[str, Any]:
    """Return `exchangeInfo`."""
    rules = exchange.config.rules
    announced = (
        ("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_per_minute),
        ("ORDERS", "SECOND", 10, limits.orders_per_10s),
        ("ORDERS", "MINUTE", 1, limits.orders_per_minute),
    )
    return {
        "timezone": "UTC",
        "serverTime": at_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [
            {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
            for kind, interval, number, limit in announced
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True}],
        "symbols": [
            _symbol(item, rules, is_halted=symbol in exchange.listed.halted)
            for symbol, item in exchange.listed.now.items()
        ],
    }


def _symbol(item: Instrument, rules: TradingRules, *, is_halted: bool) -> dict[str, Any]:
    tick, lot = f"{item.tick_size:f}", f"{item.lot_size:f}"
    return {
        "symbol": item.symbol, "pair": item.symbol, "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000, "onboardDate": 1_569_398_400_000,
        "status": "SETTLING" if is_halted else "TRADING",
        "baseAsset": item.base, "quoteAsset": item.quote, "marginAsset": item.settlement,
        "pricePrecision": _decimals(tick), "quantityPrecision": _decimals(lot),
        "baseAssetPrecision": 8, "quotePrecision": 8, "underlyingType": "COIN",
        "orderTypes": ["LIMIT", "MARKET"], "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        "maintMarginPercent": f"{100 * item.maintenance_margin:.4f}",
        "requiredMarginPercent": "5.0000", "triggerProtect": "0.0500", "liquidationFee": "0.005",
        "marketTakeBound": "0.05", "settlePlan": 0, "underlyingSubType": [],
        "filters": _filters(item, rules),
    }  # fmt: skip


def _filters(item: Instrument, rules: TradingRules) -> list[dict[str, Any]]:
    tick, lot = f"{item.tick_size:f}", f"{item.lot_size:f}"
    sizes = {"minQty": f"{item.min_qty:f}", "maxQty": f"{rules.max_qty:f}", "stepSize": lot}
    up, down = f"{1 + rules.price_band:f}", f"{1 - rules.price_band:f}"
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": LARGEST, "tickSize": tick},
        {"filterType": "LOT_SIZE", **sizes},
        {"filterType": "MARKET_LOT_SIZE", **sizes},
        {"filterType": "MAX_NUM_ORDERS", "limit": rules.open_orders_max},
        {"filterType": "MIN_NOTIONAL", "notional": f"{item.min_notional:f}"},
        {"filterType": "PERCENT_PRICE", "multiplierUp": up, "multiplierDown": down,
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
