"""What Bitunix sends on its public lines, as types: numbers stay strings, unknown keys are skipped.

Source: sheet section 4; field names follow it, the one-letter keys its JSON.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, field

from brokers.bitunix.moments import MS_MAX

Milliseconds = Annotated[int, Meta(ge=0, le=MS_MAX)]
Level = tuple[str, str]
"""Price and size."""
NOTHING: Final = Raw(b"null")
PREFIX: Final = "/api/v1/futures"
"""Of every path."""


class Told(msgspec.Struct, gc=False):
    """`data` of an answer to one of our own words."""

    result: bool | None = None
    msg: str = ""


class Head(msgspec.Struct):
    """Any message, enough to tell what it is: a push has `ch`, a word `op`, an answer `code`."""

    ch: str = ""
    op: str = ""
    symbol: str = ""
    ts: Milliseconds = 0
    code: int | str | None = None
    data: Raw = NOTHING


class Ladder(msgspec.Struct, gc=False):
    """`depth_book1` and `depth_book15`: the whole of so many levels."""

    bids: list[Level] = field(name="b")
    asks: list[Level] = field(name="a")


class Print(msgspec.Struct, frozen=True, gc=False):
    """One trade; nothing numbers it."""

    at: str = field(name="t")
    price: str = field(name="p")
    size: str = field(name="v")
    side: str = field(name="s")


class Price(msgspec.Struct, gc=False):
    """`price`: mark price and the funding that was settled last."""

    mark: str = field(name="mp")
    rate: str = field(name="fr")
    next_funding: str | int = field(name="nft")


class FundingRate(msgspec.Struct, gc=False):
    """REST `funding_rate`: the rate that will be settled next."""

    symbol: str
    rate: str = field(name="fundingRate")


read_head = msgspec.json.Decoder(Head).decode
read_told = msgspec.json.Decoder(Told).decode
read_ladder = msgspec.json.Decoder(Ladder).decode
read_prints = msgspec.json.Decoder(list[Print] | Print).decode
read_price = msgspec.json.Decoder(Price).decode
read_rate = msgspec.json.Decoder(FundingRate).decode
