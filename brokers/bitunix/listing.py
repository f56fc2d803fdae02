"""What Bitunix lists, read from `trading_pairs`: steps are powers of ten. Pure.

Source: sheet section 3. A minimum notional is not published: none is assumed, and the venue's
refusal (30016, 30017) decides.
"""

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, field

from brokers.link.rules_watch import Listed
from engine.model.errors import DataUnavailable, UnknownInstrument
from engine.model.instrument import Instrument
from engine.model.text import sanitize

OPEN: Final = "OPEN"
QUOTE: Final = "USDT"
LEVERAGE_MAX: Final = 1_000
Decimals = Annotated[int, Meta(ge=0, le=12)]


class Pair(msgspec.Struct):
    """One contract."""

    symbol: str
    base: str
    quote: str
    price_decimals: Decimals = field(name="quotePrecision")
    size_decimals: Decimals = field(name="basePrecision")
    min_qty: Decimal = field(name="minTradeVolume")
    status: str = field(name="symbolStatus")
    max_leverage: Annotated[int, Meta(ge=1, le=LEVERAGE_MAX)] = field(
        name="maxLeverage", default=20
    )
    is_for_programs: bool = field(name="isApiSupported", default=True)


class Name(msgspec.Struct):
    """What every row has, whatever else is wrong with it."""

    symbol: str = ""
    quote: str = ""


class Listing(msgspec.Struct):
    """The answer; rows nobody asked for may be as strange as they like."""

    code: int | str
    data: list[Raw] | None = None
    msg: str | None = None


_decode = msgspec.json.Decoder(Listing).decode
_decode_name = msgspec.json.Decoder(Name).decode
_decode_pair = msgspec.json.Decoder(Pair, strict=False).decode


def listed(body: bytes, wanted: Sequence[str]) -> list[Instrument]:
    """Return the wanted instruments, in the order they were asked for.

    Raises:
        DataUnavailable: It is no listing, or a wanted contract can't be traded now.
        UnknownInstrument: A wanted symbol is not listed.
    """
    try:
        offered = _offered(body)
        for symbol in wanted:
            if symbol not in offered:
                raise UnknownInstrument(symbol, tuple(offered))
        return [_instrument(_decode_pair(offered[symbol])) for symbol in wanted]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DataUnavailable(f"the venue's listing can't be read: {_said(error)}") from error


def listed_now(body: bytes, ours: Sequence[Instrument]) -> dict[str, Listed]:
    """Return how a session's instruments are listed now, or why one can't be traded.

    Raises:
        DataUnavailable: It is no listing.
    """
    try:
        offered = _offered(body)
        if not offered:
            raise DataUnavailable("the venue's listing is empty")
        pairs = [_decode_pair(offered[one.symbol]) for one in ours if one.symbol in offered]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DataUnavailable(f"the venue's listing can't be read: {_said(error)}") from error
    return {pair.symbol: _closed(pair) or _rules(pair) for pair in pairs}


def rules_in(body: bytes) -> dict[str, Instrument]:
    """Return every instrument of a listing that can be read, for recordings; none where it is none.

    A contract that can't be traded any more could be when it was recorded.
    """
    try:
        told = _offered(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, DataUnavailable):
        return {}
    found = {}
    for symbol, row in told.items():
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            found[symbol] = _rules(_decode_pair(row))
    return found


def _offered(body: bytes) -> dict[str, Raw]:
    told = _decode(body)
    if str(told.code) != "0" or told.data is None:
        raise DataUnavailable(f"bitunix answered {_said(told.code)}: {_said(told.msg)}")
    offered = {}
    for row in told.data:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            name = _decode_name(row)
            if name.quote == QUOTE:
                offered[name.symbol] = row
    return offered


def _instrument(pair: Pair) -> Instrument:
    if why := _closed(pair):
        raise DataUnavailable(f"{pair.symbol} {why}")
    return _rules(pair)


def _closed(pair: Pair) -> str:
    """Return why a contract can't be traded; empty where it can."""
    if pair.status != OPEN:
        return f"can't be traded now: {sanitize(pair.status, 20)}"
    return "" if pair.is_for_programs else "can't be traded now: not by programs"


def _rules(pair: Pair) -> Instrument:
    lot = Decimal(1).scaleb(-pair.size_decimals)
    has_least = pair.min_qty.is_finite() and pair.min_qty > lot
    return Instrument(
        symbol=pair.symbol,
        base=pair.base,
        quote=pair.quote,
        settlement=pair.quote,
        tick_size=Decimal(1).scaleb(-pair.price_decimals),
        lot_size=lot,
        min_qty=Decimal(f"{pair.min_qty.normalize():f}") if has_least else lot,
        max_leverage=pair.max_leverage,
    )


def _said(what: object) -> str:
    return sanitize(str(what), 120)
