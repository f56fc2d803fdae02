"""What Hyperliquid lists, read from `metaAndAssetCtxs`. Pure.

A symbol here is a coin as the venue writes it, `BTC`, and nothing else: margin and profit are USDC,
so `BTCUSDT` would promise another contract. A coin's number is its place, delisted rows counted.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from brokers.hyperliquid import wire
from brokers.hyperliquid.rules import MIN_NOTIONAL, tick_at
from brokers.link.grid import Refused, plain_decimal
from brokers.link.rules_watch import Listed
from engine.model.errors import DataUnavailable, UnknownInstrument
from engine.model.instrument import Instrument
from engine.model.money import ROUNDED
from engine.model.text import sanitize

QUOTE: Final = "USDC"
MARGIN_SHARE: Final = 2
"""Maintenance margin is this part of the initial one at the largest leverage."""
KNOWN_MAX: Final = 12
"""Coins named to who asked for another."""
SAID_MAX: Final = 120
DELISTED: Final = "can't be traded now: it is delisted"

_listing = msgspec.json.Decoder(tuple[wire.Universe, list[wire.Context]]).decode
_universe = msgspec.json.Decoder(wire.Universe).decode


class Place(NamedTuple):
    """What an order says instead of a coin's name."""

    asset: int
    size_decimals: int


def listed(body: bytes, wanted: Sequence[str]) -> list[Instrument]:
    """Return the wanted instruments, in the order they were asked for.

    Raises:
        DataUnavailable: It is no listing, or a wanted coin can't be traded now.
        UnknownInstrument: A wanted coin is not listed.

    """
    try:
        universe, contexts = _listing(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(error) from error
    offered = dict(zip((coin.name for coin in universe.coins), contexts, strict=False))
    coins = {coin.name: coin for coin in universe.coins if coin.name in offered}
    for symbol in wanted:
        if symbol not in coins:
            raise UnknownInstrument(symbol, _known(symbol, coins))
    return [_instrument(coins[symbol], offered[symbol]) for symbol in wanted]


def listed_now(body: bytes, ours: Sequence[Instrument]) -> dict[str, Listed]:
    """Return how a session's coins are listed now, from `meta`, or why one can't be traded.

    A tick follows from the price and from the decimals of a size, so it is no term of its own: a
    session keeps the one it began with, as `brokers.hyperliquid.rules` says.

    Raises:
        DataUnavailable: It is no listing.

    """
    try:
        coins = {coin.name: coin for coin in _universe(body).coins}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(error) from error
    if not coins:
        raise DataUnavailable("the venue's listing is empty")
    return {item.symbol: _now(item, coins[item.symbol]) for item in ours if item.symbol in coins}


def _now(ours: Instrument, coin: wire.Coin) -> Listed:
    if coin.is_delisted:
        return DELISTED
    lot = Decimal(1).scaleb(-coin.size_decimals)
    return replace(ours, lot_size=lot, min_qty=lot)


def places(body: bytes) -> dict[str, Place]:
    """Return the number of every coin, from `meta`.

    Raises:
        DataUnavailable: It is no listing.

    """
    try:
        coins = _universe(body).coins
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(error) from error
    return _numbers(coins)


def numbered(body: bytes) -> dict[str, Place]:
    """Return the number of every coin, from `metaAndAssetCtxs`.

    Raises:
        DataUnavailable: It is no listing.

    """
    try:
        universe, _ = _listing(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(error) from error
    return _numbers(universe.coins)


def _numbers(coins: Sequence[wire.Coin]) -> dict[str, Place]:
    return {coin.name: Place(number, coin.size_decimals) for number, coin in enumerate(coins)}


def _known(symbol: str, coins: dict[str, wire.Coin]) -> tuple[str, ...]:
    """Return the coins somebody may have meant, else the first."""
    tradable = [name for name, coin in coins.items() if not coin.is_delisted]
    meant = [name for name in tradable if symbol.upper().startswith(name.upper())]
    return tuple(meant or [*tradable[:KNOWN_MAX], *(["..."] if len(tradable) > KNOWN_MAX else [])])


def _instrument(coin: wire.Coin, context: wire.Context) -> Instrument:
    if coin.is_delisted:
        raise DataUnavailable(f"{coin.name} {DELISTED}")
    lot = Decimal(1).scaleb(-coin.size_decimals)
    return Instrument(
        symbol=coin.name,
        base=coin.name,
        quote=QUOTE,
        settlement=QUOTE,
        tick_size=tick_at(_price(coin.name, context), coin.size_decimals),
        lot_size=lot,
        min_qty=lot,
        min_notional=MIN_NOTIONAL,
        max_leverage=coin.max_leverage,
        maintenance_margin=_maintenance(coin.max_leverage),
    )


def _maintenance(max_leverage: int) -> Decimal:
    """Return the fraction of notional kept, in millionths, rounded up."""
    fraction = ROUNDED.divide(Decimal(1), Decimal(MARGIN_SHARE * max_leverage))
    return fraction.quantize(Decimal("1e-6"), ROUND_CEILING, ROUNDED)


def _price(coin: str, context: wire.Context) -> Decimal:
    for told in (context.mid, context.mark, context.oracle):
        if told is not None:
            try:
                price = Decimal(plain_decimal(told))
            except Refused:
                continue
            if price:
                return price
    raise DataUnavailable(f"the venue knows no price of {coin}, so no tick either")


def _unreadable(error: Exception) -> DataUnavailable:
    said = sanitize(str(error), SAID_MAX)
    return DataUnavailable(f"the venue's listing can't be read: {said}")
