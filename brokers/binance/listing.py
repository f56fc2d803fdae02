"""What Binance lists, read from `exchangeInfo`: trading rules come from the filters. Pure.

`pricePrecision` and `quantityPrecision` are display figures, neither tick nor lot.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec
from msgspec import field

from brokers.link.rules_watch import Listed
from engine.model.errors import DataUnavailable, UnknownInstrument
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.text import sanitize

TRADING: Final = "TRADING"
PERPETUAL: Final = "PERPETUAL"
STEP_MIN, STEP_MAX = Decimal("1e-12"), Decimal("1e6")


class Filter(msgspec.Struct):
    """One trading rule; which fields it has depends on its type."""

    type: str = field(name="filterType")
    tick_size: Decimal | None = field(name="tickSize", default=None)
    step_size: Decimal | None = field(name="stepSize", default=None)
    min_qty: Decimal | None = field(name="minQty", default=None)
    notional: Decimal | None = None


class Symbol(msgspec.Struct):
    """One contract."""

    symbol: str
    contract_type: str = field(name="contractType")
    status: str
    base: str = field(name="baseAsset")
    quote: str = field(name="quoteAsset")
    margin: str = field(name="marginAsset")
    filters: list[Filter]


class ExchangeInfo(msgspec.Struct):
    """The answer."""

    symbols: list[Symbol]


_decode = msgspec.json.Decoder(ExchangeInfo, strict=False).decode


def listed(body: bytes, wanted: Sequence[str]) -> list[Instrument]:
    """Return the wanted instruments, in the order they were asked for.

    Raises:
        DataUnavailable: It is no listing, or a wanted contract can't be traded now.
        UnknownInstrument: A wanted symbol is not listed, or is no linear perpetual.
    """
    linear = _linear(body)
    for symbol in wanted:
        if symbol not in linear:
            raise UnknownInstrument(symbol, tuple(linear))
    return [_instrument(linear[symbol]) for symbol in wanted]


def listed_now(body: bytes, ours: Sequence[Instrument]) -> dict[str, Listed]:
    """Return how a session's instruments are listed now, or why one can't be traded.

    Raises:
        DataUnavailable: It is no listing.
    """
    linear = _linear(body)
    if not linear:
        raise DataUnavailable("the venue's listing is empty")
    return {item.symbol: _now(linear[item.symbol]) for item in ours if item.symbol in linear}


def _now(item: Symbol) -> Listed:
    return _closed(item) or _rules(item)


def _linear(body: bytes) -> dict[str, Symbol]:
    try:
        offered = _decode(body).symbols
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataUnavailable(f"the venue's listing can't be read: {_said(error)}") from error
    return {item.symbol: item for item in offered if _is_linear(item)}


def _is_linear(item: Symbol) -> bool:
    return item.contract_type == PERPETUAL and item.margin == item.quote


def _instrument(item: Symbol) -> Instrument:
    if why := _closed(item):
        raise DataUnavailable(f"{item.symbol} {why}")
    return _rules(item)


def _closed(item: Symbol) -> str:
    """Return why a contract can't be traded; empty where it can."""
    return "" if item.status == TRADING else f"can't be traded now: {sanitize(item.status, 20)}"


def _rules(item: Symbol) -> Instrument:
    rules = {rule.type: rule for rule in item.filters}
    price, lot = rules.get("PRICE_FILTER"), rules.get("LOT_SIZE")
    floor = rules.get("MIN_NOTIONAL")
    tick_size = _step(item.symbol, None if price is None else price.tick_size)
    lot_size = _step(item.symbol, None if lot is None else lot.step_size)
    least = None if lot is None else lot.min_qty
    notional = None if floor is None else floor.notional
    return Instrument(
        symbol=item.symbol,
        base=item.base,
        quote=item.quote,
        settlement=item.margin,
        tick_size=tick_size,
        lot_size=lot_size,
        min_qty=max(lot_size, least) if least is not None and least.is_finite() else lot_size,
        min_notional=notional if notional is not None and notional.is_finite() else ZERO,
    )


def _step(symbol: str, step: Decimal | None) -> Decimal:
    """Return a step without the zeros behind it, as the engine writes prices."""
    if step is None or not step.is_finite() or not STEP_MIN <= step <= STEP_MAX:
        raise DataUnavailable(f"the venue's rules for {symbol} have no usable step")
    return Decimal(f"{step.normalize():f}")


def _said(error: Exception) -> str:
    return sanitize(str(error), 120)
