"""The market of a sandbox: another source, played in real time, its books kept as diffs.

Sources bring whole books or changes of their own; venues send changes. So each book is compared
with the one before it, and what differs is a diff with numbers that continue the chain. Changes of
a recording count once it has shown a whole book.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from brokers.paper.depth import DepthBook
from engine.model.events import HealthChanged, OperatorCommand
from engine.model.instrument import Instrument
from engine.model.market import (
    Depth,
    FeedEvent,
    Funding,
    Levels,
    Quote,
    ReferenceQuote,
    ReferenceStatus,
    RulesChanged,
    Trade,
)
from engine.venue import Feed

BPS: Final = 10_000
NO_MARKET: Final = (OperatorCommand, HealthChanged, ReferenceQuote, ReferenceStatus, RulesChanged)
"""What a recorded session took beside its market."""
LEAD_S: Final = 0.005
"""Events due within so long are sent together."""


@dataclass(slots=True)
class ShownBook:
    """What everybody can see of one instrument; prices in ticks, sizes in lots."""

    instrument: Instrument
    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    last_seq: int = 0
    quote: Quote | None = None
    shift_ticks: int = 0
    """By which every price is moved, see `SandboxMarket.jump`."""
    ladder: DepthBook = field(default_factory=DepthBook)
    """What a source that brings changes has led to."""

    def follow(self, depth: Depth, numbers: Iterator[int]) -> Depth | None:
        """Take what a source brings of the book; None while that is no whole one."""
        self.ladder.apply(depth)
        whole = self.ladder.save().ladder
        if whole is None:
            return None
        bids, asks = (_moved(side, self.shift_ticks) for side in (whole.bids, whole.asks))
        now = Depth(depth.ts_ns, depth.symbol, bids, asks, is_snapshot=True)
        return self.become(now, numbers)

    def become(self, depth: Depth, numbers: Iterator[int]) -> Depth:
        """Take a whole book and return the diff that leads to it."""
        changes = [_changes(self.bids, depth.bids), _changes(self.asks, depth.asks)]
        previous, first = self.last_seq, next(numbers)
        self.bids, self.asks = dict(depth.bids), dict(depth.asks)
        self.last_seq = next(numbers)
        return Depth(
            depth.ts_ns,
            depth.symbol,
            changes[0],
            changes[1],
            first_seq=first,
            last_seq=self.last_seq,
            prev_seq=previous,
            ts_event_ns=depth.ts_ns,
        )

    def whole(self, ts_ns: int) -> Depth:
        """Return it as one message, numbered like the diff that led to it."""
        return Depth(
            ts_ns,
            self.instrument.symbol,
            tuple(self.bids.items()),
            tuple(self.asks.items()),
            is_snapshot=True,
            last_seq=self.last_seq,
            ts_event_ns=ts_ns,
        )


def _move_stamps(event: FeedEvent, offset_ns: int) -> None:
    """Let the venue's own stamps move with the rest, so that funding still falls due."""
    if isinstance(event, Quote | Trade | Depth | Funding) and event.ts_event_ns:
        event.ts_event_ns += offset_ns
    if isinstance(event, Funding):
        event.next_ns += offset_ns


def _moved(levels: Levels, ticks: int) -> Levels:
    return tuple((price + ticks, size) for price, size in levels) if ticks else levels


def _changes(before: dict[int, int], after: Levels) -> Levels:
    """Return the levels that changed; gone ones with a size of 0."""
    new = dict(after)
    changed = [(price, size) for price, size in new.items() if before.get(price) != size]
    return tuple(changed + [(price, 0) for price in before if price not in new])


class SandboxMarket:
    """Plays a source at wall-clock speed to whoever listens."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._listeners: list[Callable[[FeedEvent], None]] = []
        self._numbers = count(1_000)
        self.books = {item.symbol: ShownBook(item) for item in feed.instruments}
        self.now_ns = 0
        """Wall time of the newest event."""

    @property
    def instruments(self) -> Sequence[Instrument]:
        """What is traded here."""
        return self._feed.instruments

    def listen(self, listener: Callable[[FeedEvent], None]) -> None:
        """Hear every event from now on, each with the wall time at which it happens."""
        self._listeners.append(listener)

    async def play(self) -> None:
        """Play the source to its end."""
        offset_ns: int | None = None
        for batch in self._feed.batches():
            for event in batch:
                if isinstance(event, NO_MARKET):
                    continue  # a recording's; no market
                if offset_ns is None:
                    offset_ns = time.time_ns() - event.ts_ns
                event.ts_ns += offset_ns
                wait_s = (event.ts_ns - time.time_ns()) / 1e9
                if wait_s > LEAD_S:
                    await asyncio.sleep(wait_s)
                event.ts_ns = min(event.ts_ns, time.time_ns())
                _move_stamps(event, offset_ns)
                self.show(event)
            await asyncio.sleep(0)

    def jump(self, bps: int) -> None:
        """Move every price by so much of what its source says, from the next event on."""
        for book in self.books.values():
            if book.quote is not None:
                mid2_ticks = book.quote.bid_ticks + book.quote.ask_ticks - 2 * book.shift_ticks
                book.shift_ticks = mid2_ticks * bps // (2 * BPS)

    def show(self, event: FeedEvent) -> None:
        """Let one event happen, now."""
        self.now_ns = event.ts_ns
        match event:
            case Depth(symbol=symbol):
                followed = self.books[symbol].follow(event, self._numbers)
                if followed is None:
                    return
                event = followed
            case Quote(symbol=symbol):
                event.seq = next(self._numbers)
                event.bid_ticks += self.books[symbol].shift_ticks
                event.ask_ticks += self.books[symbol].shift_ticks
                self.books[symbol].quote = event
            case Trade(symbol=symbol):
                event.price_ticks += self.books[symbol].shift_ticks
            case Funding(symbol=symbol):
                book = self.books[symbol]
                event.mark_price += book.instrument.price(book.shift_ticks)
            case _:
                pass
        for listener in self._listeners:
            listener(event)
