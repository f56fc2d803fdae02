"""Depth beyond the touch: a synced ladder, and what we already took from it.

Rule 1: a diff is applied only in sequence; on a gap the ladder is dropped until a snapshot.
Rule 2: diffs that arrive before their snapshot are kept, and the first one applied must bridge it:
        `first_seq <= snapshot.last_seq + 1` and `last_seq >= snapshot.last_seq`.
        Source: venues/binance_usdm.md section 2 (the `+ 1` is how spot counts).
Rule 3: a level we consumed stays consumed until an update names it.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from engine.model.book import Book
from engine.model.market import Depth, Levels
from engine.model.orders import Side

BUFFER_MAX: Final = 1_000
"""Diffs kept while waiting for a snapshot: 100 s at Binance's 10 a second."""


class SavedDepth(msgspec.Struct):
    """A `DepthBook` at rest."""

    ladder: Depth | None
    buffered: list[Depth]
    taken: tuple[dict[int, int], dict[int, int]]
    reach: tuple[int, int]
    last_seq: int
    is_bridged: bool
    is_known: bool


class DepthBook:
    """The ladder of one instrument, `is_synced` while it can be believed."""

    __slots__ = (
        "_book",
        "_buffer",
        "_is_bridged",
        "_last_seq",
        "_reach",
        "_taken",
        "is_known",
        "is_synced",
    )

    def __init__(self) -> None:
        self._book = Book()
        self._buffer: deque[Depth] = deque(maxlen=BUFFER_MAX)
        self._taken: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._reach = (0, 0)
        self._last_seq = 0
        self._is_bridged = False
        self.is_known = False
        """Whether this instrument ever showed depth."""
        self.is_synced = False

    def apply(self, depth: Depth) -> None:
        """Take a snapshot or a diff."""
        self.is_known = True
        if depth.is_snapshot:
            self._start(depth)
        elif not self.is_synced:
            self._buffer.append(depth)
        elif not self._continues(depth):
            self._drop()
            self._buffer.append(depth)
        elif depth.last_seq >= self._last_seq:
            self._merge(depth)

    def offers(self, *, is_buy: bool, worse_than: int) -> Iterator[tuple[int, int]]:
        """Yield (ticks, free lots) a taker finds strictly beyond a price, best first."""
        if not self.is_synced:
            return
        taken = self._taken[is_buy]
        for ticks, lots in self._book.levels(Side.SELL if is_buy else Side.BUY):
            if ticks > worse_than if is_buy else ticks < worse_than:
                yield ticks, lots - taken.get(ticks, 0)

    def take(self, *, is_buy: bool, ticks: int, lots: int) -> None:
        """Remember that our taker consumed some of a level."""
        taken = self._taken[is_buy]
        taken[ticks] = taken.get(ticks, 0) + lots

    def taken_at(self, *, is_buy: bool, ticks: int) -> int:
        """Return what our takers consumed of a level that no update has named since."""
        return self._taken[is_buy].get(ticks, 0)

    def size_at(self, side: Side, ticks: int) -> int | None:
        """Return the displayed lots at a price, None where the ladder does not reach."""
        if not self.is_synced:
            return None
        bid_reach, ask_reach = self._reach
        is_within = bid_reach <= ticks if side is Side.BUY else ticks <= ask_reach
        lots = self._book.size_at(side, ticks)
        return lots if lots or is_within else None

    def touch(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Return best bid and best ask as (ticks, lots), None unless both are known."""
        if not self.is_synced:
            return None
        bid, ask = self._book.best(Side.BUY), self._book.best(Side.SELL)
        return (bid, ask) if bid and ask else None

    def _start(self, snapshot: Depth) -> None:
        if self.is_synced and 0 < snapshot.last_seq < self._last_seq:
            return  # A slow snapshot must not turn the book back.
        self._book.apply(snapshot)
        self._reach = (
            min((ticks for ticks, _ in snapshot.bids), default=0),
            max((ticks for ticks, _ in snapshot.asks), default=0),
        )
        self._taken[0].clear()
        self._taken[1].clear()
        self._last_seq, self.is_synced, self._is_bridged = snapshot.last_seq, True, False
        waiting, self._buffer = self._buffer, deque(maxlen=BUFFER_MAX)
        for diff in waiting:
            self.apply(diff)

    def _continues(self, diff: Depth) -> bool:
        if self._is_bridged and diff.prev_seq:
            return diff.prev_seq == self._last_seq
        return diff.first_seq <= self._last_seq + 1 or not self._last_seq

    def _merge(self, diff: Depth) -> None:
        self._book.apply(diff)
        self._last_seq, self._is_bridged = diff.last_seq, True
        self._forget(self._taken[True], diff.asks)
        self._forget(self._taken[False], diff.bids)

    def _drop(self) -> None:
        self._book.clear()
        self._taken[0].clear()
        self._taken[1].clear()
        self.is_synced = False

    @staticmethod
    def _forget(taken: dict[int, int], levels: Levels) -> None:
        if taken:
            for ticks, _ in levels:
                taken.pop(ticks, None)

    def save(self) -> SavedDepth:
        """Return the complete state as plain data."""
        bids, asks = tuple(self._book.levels(Side.BUY)), tuple(self._book.levels(Side.SELL))
        ladder = Depth(0, "", bids, asks, is_snapshot=True) if self.is_synced else None
        return SavedDepth(
            ladder=ladder,
            buffered=list(self._buffer),
            taken=self._taken,
            reach=self._reach,
            last_seq=self._last_seq,
            is_bridged=self._is_bridged,
            is_known=self.is_known,
        )

    @classmethod
    def load(cls, saved: SavedDepth) -> "DepthBook":
        """Rebuild what `save` returned."""
        depth = cls()
        if saved.ladder is not None:
            depth._book.apply(saved.ladder)
            depth.is_synced = True
        depth._buffer.extend(saved.buffered)
        depth._taken, depth._reach = saved.taken, saved.reach
        depth._last_seq, depth._is_bridged = saved.last_seq, saved.is_bridged
        depth.is_known = saved.is_known
        return depth
