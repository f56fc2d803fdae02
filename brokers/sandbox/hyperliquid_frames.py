"""What the Hyperliquid sandbox shows everybody, as the venue writes it. Pure.

Source: the Hyperliquid sheet, sections 2 and 6.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from brokers.hyperliquid.rules import wire
from brokers.sandbox.listed import Listed
from brokers.sandbox.market import ShownBook
from brokers.sandbox.tape import TapeBar
from engine.model.instrument import Instrument
from engine.model.market import FeedEvent, Funding, Quote, Trade
from engine.model.money import ROUNDED
from engine.model.orders import Side

MS_NS: Final = 1_000_000
LEVELS_MAX: Final = 20
LEVELS_OF_OTHERS: Final = 1
"""How many orders a level is said to have: nobody counts them here."""
OLD: Final = {"name": "OLD", "szDecimals": 2, "maxLeverage": 3, "isDelisted": True}
"""Stands first in the listing, so that a client that leaves delisted coins out miscounts."""
OLD_CONTEXT: Final = {
    "funding": "0.0", "openInterest": "0.0", "prevDayPx": "1.0", "dayNtlVlm": "0.0",
    "premium": None, "oraclePx": "1.0", "markPx": "1.0", "midPx": None, "impactPxs": None,
    "dayBaseVlm": "0.0",
}  # fmt: skip
NOBODY: Final = "0x0000000000000000000000000000000000000000"
NO_HASH: Final = f"0x{0:064x}"
SPOT: Final = {
    "tokens": [
        {
            "name": "USDC", "szDecimals": 8, "weiDecimals": 8, "index": 0, "tokenId": f"0x{0:032x}",
            "isCanonical": True, "evmContract": None, "fullName": None,
            "deployerTradingFeeShare": "0.0",
        }
    ],
    "universe": [],
}  # fmt: skip
"""There is no spot trading here."""

MINUTES: Final = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "8h": 480,
    "12h": 720, "1d": 1_440,
}  # fmt: skip
"""Of the bars it has; weeks and months are longer than a sandbox runs."""
MONEY_DECIMALS: Final = 12
MONEY: Final = Decimal(1).scaleb(-MONEY_DECIMALS)
Sides = Mapping[Side, str]
SIDES: Final[Sides] = {Side.BUY: "B", Side.SELL: "A"}


def meta(listed: Listed) -> dict[str, Any]:
    """Return the listing; a coin's place is its number."""
    coins = [
        {
            "name": item.symbol, "szDecimals": decimals_of(item.lot_size),
            "maxLeverage": item.max_leverage, "marginTableId": item.max_leverage,
            **({"isDelisted": True} if name in listed.halted else {}),
        }
        for name, item in listed.now.items()
    ]  # fmt: skip
    return {"universe": [OLD, *coins], "marginTables": [], "collateralToken": 0}


def bar(one: TapeBar, item: Instrument, name: str, length_ns: int) -> dict[str, Any]:
    """Return one row of `candleSnapshot`."""
    opened, high, low, close = (
        wire(item.price(ticks)) for ticks in (one.open, one.high, one.low, one.close)
    )
    return {
        "t": one.open_ns // MS_NS, "T": (one.open_ns + length_ns) // MS_NS - 1, "s": item.symbol,
        "i": name, "o": opened, "c": close, "h": high, "l": low, "v": wire(item.qty(one.volume)),
        "n": one.prints,
    }  # fmt: skip


def asset_of(instruments: Iterable[Instrument]) -> dict[int, Instrument]:
    """Return the instruments by number, as `meta` places them."""
    return dict(enumerate(instruments, start=1))


def context(book: ShownBook, funding: Funding | None) -> dict[str, Any]:
    """Return how a coin stands; nobody counts volumes here."""
    mid = mid_of(book)
    mark = mid if funding is None else funding.mark_price
    shown = "0.0" if mark is None else wire(mark)
    return {
        "funding": "0.0" if funding is None else wire(funding.rate),
        "openInterest": "0.0", "prevDayPx": shown, "dayNtlVlm": "0.0", "dayBaseVlm": "0.0",
        "premium": "0.0", "oraclePx": shown, "markPx": shown,
        "midPx": None if mid is None else wire(mid),
        "impactPxs": None if book.quote is None else list(_touch_prices(book)),
    }  # fmt: skip


def mid_of(book: ShownBook) -> Decimal | None:
    """Return the middle of the touch."""
    if book.quote is None:
        return None
    return book.instrument.price(book.quote.bid_ticks + book.quote.ask_ticks) * Decimal("0.5")


def _touch_prices(book: ShownBook) -> tuple[str, str]:
    quote, item = book.quote, book.instrument
    assert quote is not None, "asked of a quoted coin"
    return wire(item.price(quote.bid_ticks)), wire(item.price(quote.ask_ticks))


def ladder(book: ShownBook, at_ms: int) -> dict[str, Any]:
    """Return the whole book, best first."""
    bids = sorted(book.bids.items(), reverse=True)[:LEVELS_MAX]
    asks = sorted(book.asks.items())[:LEVELS_MAX]
    sides = [[_level(book.instrument, *row) for row in side] for side in (bids, asks)]
    return {"coin": book.instrument.symbol, "time": at_ms, "levels": sides}


def touch(quote: Quote, instrument: Instrument) -> dict[str, Any]:
    """Return a quote as `bbo`."""
    return {
        "coin": quote.symbol,
        "time": quote.ts_ns // MS_NS,
        "bbo": [
            _level(instrument, quote.bid_ticks, quote.bid_lots),
            _level(instrument, quote.ask_ticks, quote.ask_lots),
        ],
    }


def trade(event: Trade, instrument: Instrument) -> dict[str, Any]:
    """Return a print."""
    return {
        "coin": event.symbol, "side": SIDES[event.aggressor],
        "px": wire(instrument.price(event.price_ticks)), "sz": wire(instrument.qty(event.qty_lots)),
        "hash": NO_HASH, "time": event.ts_ns // MS_NS, "tid": event.trade_id,
        "users": [NOBODY, NOBODY],
    }  # fmt: skip


def public(event: FeedEvent, book: ShownBook, funding: Funding | None) -> tuple[str, Any] | None:
    """Return the channel and data an event goes out on; None for what the venue does not send.

    Books do not go out event by event, see the sandbox itself.
    """
    match event:
        case Quote():
            return "bbo", touch(event, book.instrument)
        case Trade():
            return "trades", [trade(event, book.instrument)]
        case Funding():
            return "activeAssetCtx", {"coin": event.symbol, "ctx": context(book, funding)}
        case _:
            return None


def decimals_of(step: Decimal) -> int:
    """Return how many decimals a step has."""
    exponent = step.as_tuple().exponent
    assert isinstance(exponent, int), "a step is finite"
    return max(0, -exponent)


def _level(instrument: Instrument, ticks: int, lots: int) -> dict[str, Any]:
    return {
        "px": wire(instrument.price(ticks)),
        "sz": wire(instrument.qty(lots)),
        "n": LEVELS_OF_OTHERS,
    }


def money(amount: Decimal) -> str:
    """Return an amount of USDC: exact, but for quotients, which are cut."""
    _, _, exponent = amount.as_tuple()
    assert isinstance(exponent, int), "money is finite"
    shown = amount if exponent >= -MONEY_DECIMALS else amount.quantize(MONEY, context=ROUNDED)
    return f"{shown.normalize():f}"
