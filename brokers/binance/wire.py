"""What Binance sends, as types: numbers stay the strings they came as, unknown keys are skipped.

Names follow the venue's documentation, the one-letter keys their JSON. Times are milliseconds.
"""

from collections.abc import Callable
from typing import Annotated, Final, Generic, Protocol, TypeVar

import msgspec
from msgspec import Meta, field

Milliseconds = Annotated[int, Meta(ge=0, le=9_223_372_036_854)]
"""Bounded so that nanoseconds fit 64 bits."""
Identifier = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Level = tuple[str, str]
"""Price and size."""

NO_TIME: Final = 0


class Payload(Protocol):
    """What every stream's `data` offers."""

    symbol: str
    pair: str
    """Set in COIN-M streams only."""

    def prices(self) -> list[str]:
        """Return the prices in it, to learn the tick from."""
        ...

    def sizes(self) -> list[str]:
        """Return the sizes in it, to learn the lot from."""
        ...


class BookTicker(msgspec.Struct, gc=False):
    """`<symbol>@bookTicker`; spot sends no times."""

    symbol: str = field(name="s")
    bid: str = field(name="b")
    bid_size: str = field(name="B")
    ask: str = field(name="a")
    ask_size: str = field(name="A")
    update_id: Identifier = field(name="u")
    transaction_ms: Milliseconds = field(name="T", default=NO_TIME)
    pair: str = field(name="ps", default="")

    def prices(self) -> list[str]:
        """Return bid and ask."""
        return [self.bid, self.ask]

    def sizes(self) -> list[str]:
        """Return the sizes at both."""
        return [self.bid_size, self.ask_size]


class TradePrint(msgspec.Struct, gc=False):
    """`<symbol>@trade`."""

    symbol: str = field(name="s")
    price: str = field(name="p")
    size: str = field(name="q")
    trade_id: Identifier = field(name="t")
    is_buyer_maker: bool = field(name="m")
    transaction_ms: Milliseconds = field(name="T")
    pair: str = field(name="ps", default="")

    def prices(self) -> list[str]:
        """Return its price."""
        return [self.price]

    def sizes(self) -> list[str]:
        """Return its size."""
        return [self.size]


class AggregateTrade(msgspec.Struct, gc=False):
    """`<symbol>@aggTrade`: the fills of one taker order at one price."""

    symbol: str = field(name="s")
    price: str = field(name="p")
    size: str = field(name="q")
    trade_id: Identifier = field(name="a")
    is_buyer_maker: bool = field(name="m")
    transaction_ms: Milliseconds = field(name="T")
    pair: str = field(name="ps", default="")

    def prices(self) -> list[str]:
        """Return its price."""
        return [self.price]

    def sizes(self) -> list[str]:
        """Return its size."""
        return [self.size]


class DepthUpdate(msgspec.Struct, gc=False):
    """`<symbol>@depth`: changed levels, absolute sizes, 0 deletes; spot has no `pu`, no `T`."""

    symbol: str = field(name="s")
    bids: list[Level] = field(name="b")
    asks: list[Level] = field(name="a")
    first_id: Identifier = field(name="U")
    last_id: Identifier = field(name="u")
    event_ms: Milliseconds = field(name="E")
    previous_id: Identifier | None = field(name="pu", default=None)
    transaction_ms: Milliseconds | None = field(name="T", default=None)
    pair: str = field(name="ps", default="")

    def prices(self) -> list[str]:
        """Return the price of each changed level."""
        return [price for price, _ in self.bids + self.asks]

    def sizes(self) -> list[str]:
        """Return the size of each changed level."""
        return [size for _, size in self.bids + self.asks]


class MarkPrice(msgspec.Struct, gc=False):
    """`<symbol>@markPrice`; its `T` is the next funding time."""

    symbol: str = field(name="s")
    mark: str = field(name="p")
    rate: str = field(name="r")
    next_funding_ms: Milliseconds = field(name="T")
    event_ms: Milliseconds = field(name="E")
    pair: str = field(name="ps", default="")

    def prices(self) -> list[str]:
        """Return nothing: a mark price is finer than a tick."""
        return []

    def sizes(self) -> list[str]:
        """Return nothing: it has no size."""
        return []


P = TypeVar("P")


class Message(msgspec.Struct, Generic[P], gc=False):
    """The combined-stream envelope."""

    stream: str
    data: P


def reader(payload: type[P]) -> Callable[[bytes], Message[P]]:
    """Return a decoder of one stream's messages; it refuses what is not of that type."""
    # mypy takes the subscript for a type expression; at run time `payload` is the type.
    envelope: type[Message[P]] = Message[payload]  # type: ignore[valid-type]
    return msgspec.json.Decoder(envelope).decode


class DepthSnapshot(msgspec.Struct, gc=False):
    """The REST answer that starts a book; only COIN-M puts a symbol into it."""

    last_id: Identifier = field(name="lastUpdateId")
    bids: list[Level] = field(name="bids")
    asks: list[Level] = field(name="asks")
    symbol: str = ""
    transaction_ms: Milliseconds = field(name="T", default=NO_TIME)


class Head(msgspec.Struct, gc=False):
    """Just enough of a line to tell what it is."""

    stream: str | None = None
    last_id: Identifier | None = field(name="lastUpdateId", default=None)
    request_id: int | str | None = field(name="id", default=None)
    """Set in answers to a subscription."""
