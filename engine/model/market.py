"""What a venue shows everybody: quotes, trades, bars, depth, funding.

Prices are integer ticks and sizes integer lots of the instrument (architecture.md rule 5). Every
message starts with `ts_ns`, the time it entered the engine; `ts_event_ns` is the venue's own stamp,
0 where the venue sends none.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from engine.model.orders import Side

Levels = tuple[tuple[int, int], ...]
"""Price level updates as (ticks, lots), in the venue's order; 0 lots deletes the level."""


class Quote(msgspec.Struct, gc=False):
    """Best bid and ask."""

    ts_ns: int
    symbol: str
    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int
    ts_event_ns: int = 0
    seq: int = 0
    """The venue's update id, 0 where it sends none."""


class Trade(msgspec.Struct, gc=False):
    """A public print; `aggressor` is the side of the taker."""

    ts_ns: int
    symbol: str
    price_ticks: int
    qty_lots: int
    aggressor: Side
    trade_id: int = 0
    """Unique within an instrument, not always rising; 0 where the venue sends none."""
    ts_event_ns: int = 0


class Bar(msgspec.Struct, gc=False):
    """Open, high, low, close and volume of one closed interval."""

    ts_ns: int
    symbol: str
    interval_s: int
    open_ns: int
    """Start of the interval; it ends at `open_ns + interval_s * 1e9`, exclusive."""
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int


class BarHistory(msgspec.Struct, gc=False):
    """Bars that had closed before a session began, as the venue keeps them: to know, not to trade.

    It comes before anything live of its instrument; where it could not be had, it says why.
    """

    ts_ns: int
    symbol: str
    """Empty in one that says why there is none."""
    interval_s: int
    bars: tuple[Bar, ...]
    """Oldest first, each stamped with its end."""
    failure: str = ""
    """In words, sanitised; empty where there are bars."""


class Depth(msgspec.Struct, gc=False):
    """A change of the order book, or the whole of it when `is_snapshot`."""

    ts_ns: int
    symbol: str
    bids: Levels
    asks: Levels
    is_snapshot: bool = False
    first_seq: int = 0
    last_seq: int = 0
    prev_seq: int = 0
    """`last_seq` of the update before this one, as the venue says it; 0 in snapshots."""
    ts_event_ns: int = 0


class Funding(msgspec.Struct, gc=False):
    """Mark price and the funding rate that will be paid at `next_ns`."""

    ts_ns: int
    symbol: str
    mark_price: Decimal
    """Quote currency; finer than a tick, hence decimal."""
    rate: Decimal
    """Fraction of notional paid by longs to shorts at `next_ns`."""
    next_ns: int
    ts_event_ns: int = 0


class FeedStatus(msgspec.Struct, gc=False):
    """A feed connected, or was lost."""

    ts_ns: int
    source: str
    is_connected: bool
    reason: str = ""


class RulesChanged(msgspec.Struct, gc=False):
    """A venue lists an instrument on other terms than the session works with, or on those again."""

    ts_ns: int
    symbol: str
    detail: str
    """From and to, in words, sanitised at the adapter edge; empty where nothing differs."""
    is_changed: bool
    tick_size: Decimal | None = None
    """As it is listed now; None where the instrument is not traded."""
    lot_size: Decimal | None = None
    """Like `tick_size`."""


class ReferenceQuote(msgspec.Struct, gc=False):
    """Best bid and ask at the reference market: held against ours, and never a price to trade at.

    Ticks and lots are of the reference's instrument, which the session's first line describes.
    """

    ts_ns: int
    symbol: str
    """Our instrument that it stands beside."""
    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int
    ts_event_ns: int = 0
    seq: int = 0


class ReferenceStatus(msgspec.Struct, gc=False):
    """A line to the reference market is up, or was lost; nothing of our own venue is meant."""

    ts_ns: int
    source: str
    is_connected: bool
    reason: str = ""


Flaw = Literal[
    "malformed",
    "nan",
    "non_positive",
    "off_grid",
    "crossed",
    "out_of_band",
    "stale",
    "duplicate",
    "out_of_order",
    "unknown_symbol",
    "oversize",
    "sequence_gap",
]
"""Why a market message was refused; each has its own counter (reliability.md E1)."""


class Malformed(msgspec.Struct, gc=False):
    """A message the adapter could not express as any of the above."""

    ts_ns: int
    symbol: str
    """Empty when not even that could be read."""
    flaw: Flaw
    detail: str = ""
    """At most 120 characters, sanitised at the adapter edge."""


MarketEvent = Quote | Trade | Bar | Depth | Funding
FeedEvent = MarketEvent | BarHistory | FeedStatus | RulesChanged | Malformed
ReferenceEvent = ReferenceQuote | ReferenceStatus
