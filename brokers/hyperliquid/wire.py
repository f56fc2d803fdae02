"""What Hyperliquid's public half sends, as types: numbers stay strings, unknown keys are skipped.

Source: the Hyperliquid sheet, sections 2 and 6. Times are milliseconds.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, field

Milliseconds = Annotated[int, Meta(ge=0, le=9_223_372_036_854)]
"""Bounded so that nanoseconds fit 64 bits."""
Identifier = Annotated[int, Meta(ge=0, le=2**63 - 1)]
MS_NS: Final = 1_000_000
JSON: Final = {"Content-Type": "application/json"}
"""Of every request."""


class Level(msgspec.Struct, gc=False):
    """A price of the book."""

    price: str = field(name="px")
    size: str = field(name="sz")


class Touch(msgspec.Struct, gc=False):
    """Channel `bbo`; a side nobody stands on is null."""

    coin: str
    at_ms: Milliseconds = field(name="time")
    sides: tuple[Level | None, Level | None] = field(name="bbo")


class Ladder(msgspec.Struct, gc=False):
    """Channel `l2Book` and its question: the whole book, 20 levels a side."""

    coin: str
    at_ms: Milliseconds = field(name="time")
    sides: tuple[list[Level], list[Level]] = field(name="levels")


class TradePrint(msgspec.Struct, gc=False):
    """One of a list on channel `trades`."""

    coin: str
    side: str
    """Of the taker: B or A."""
    price: str = field(name="px")
    size: str = field(name="sz")
    at_ms: Milliseconds = field(name="time")
    trade_id: Identifier = field(name="tid")


class Context(msgspec.Struct, gc=False):
    """How a coin stands."""

    funding: str
    """Fraction of notional an hour."""
    mark: str = field(name="markPx")
    mid: str | None = field(name="midPx", default=None)
    oracle: str | None = field(name="oraclePx", default=None)


class CoinContext(msgspec.Struct, gc=False):
    """Channel `activeAssetCtx`; it carries no time."""

    coin: str
    context: Context = field(name="ctx")


class Message(msgspec.Struct, gc=False):
    """Every frame but the first, which can be plain text."""

    channel: str
    data: Raw = Raw(b"null")


class Coin(msgspec.Struct, gc=False):
    """One row of the listing; its place is the coin's number."""

    name: str
    size_decimals: Annotated[int, Meta(ge=0, le=6)] = field(name="szDecimals")
    max_leverage: Annotated[int, Meta(gt=0)] = field(name="maxLeverage", default=1)
    is_delisted: bool = field(name="isDelisted", default=False)


class Universe(msgspec.Struct, gc=False):
    """What is listed, rows that are delisted among it."""

    coins: list[Coin] = field(name="universe")
