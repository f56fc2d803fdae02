"""The ladder of one instrument: sizes by price, best first.

Both sides are the same structure seen through a sign: a key is `ticks` on the bid side and `-ticks`
on the ask side, so that the best price is always the last element of a sorted list. Reading the
touch is then an index, and a change near the touch, where most of them are, moves few elements.
Rejected: a heap (deletes anywhere are common), a tree (a list of 1,000 integers moves in the time
of one Python call).

Rule 1: what is stored is positive; a level of 0 lots does not exist.
Rule 2: the book neither checks sequences nor refuses crossed sides. `engine.market.book` does the
first; the second is the venue's business until the next update.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Final

from engine.model.market import Depth, Levels
from engine.model.orders import Side

DEFAULT_LEVELS_MAX: Final = 1_000
"""Levels kept per side: what Binance sends in its largest snapshot."""


class _Ladder:
    """One side. `keys` ascends to the best; `sizes` maps a key to its lots."""

    __slots__ = ("keys", "sign", "sizes")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.sizes: dict[int, int] = {}

    def replace(self, levels: Levels, max_levels: int) -> None:
        """Forget everything and take `levels`, the last one where a price repeats."""
        sign = self.sign
        newest = {sign * ticks: lots for ticks, lots in levels}
        self.sizes = {key: lots for key, lots in newest.items() if lots > 0}
        self.keys = sorted(self.sizes)
        self._trim(max_levels)

    def merge(self, levels: Levels, max_levels: int) -> None:
        """Set each level to its new size, in order; 0 deletes, known or not."""
        sign, keys, sizes = self.sign, self.keys, self.sizes
        for ticks, lots in levels:
            key = sign * ticks
            if lots > 0:
                if key not in sizes:
                    insort(keys, key)
                sizes[key] = lots
            elif sizes.pop(key, 0):
                del keys[bisect_left(keys, key)]
        if len(keys) > max_levels:
            self._trim(max_levels)

    def _trim(self, max_levels: int) -> None:
        excess = len(self.keys) - max_levels
        if excess > 0:
            for key in self.keys[:excess]:
                del self.sizes[key]
            del self.keys[:excess]


class Book:
    """Bids and asks of one instrument in ticks and lots, at most `max_levels` a side.

    The levels furthest from the touch are forgotten first. One that was forgotten comes back only
    when the venue next mentions it, so the deep end of a long-lived book has holes, as any book
    started from a bounded snapshot has.
    """

    __slots__ = ("_asks", "_bids", "max_levels")

    def __init__(self, max_levels: int = DEFAULT_LEVELS_MAX) -> None:
        assert max_levels > 0
        self.max_levels = max_levels
        self._bids = _Ladder(1)
        self._asks = _Ladder(-1)

    def clear(self) -> None:
        """Forget every level."""
        self._bids = _Ladder(1)
        self._asks = _Ladder(-1)

    def apply(self, depth: Depth) -> None:
        """Take one update: a snapshot replaces both sides, a diff changes the levels it names.

        O(changed levels x log levels), plus the move of a list of at most `max_levels` pointers for
        each level that appears or disappears.
        """
        if depth.is_snapshot:
            self._bids.replace(depth.bids, self.max_levels)
            self._asks.replace(depth.asks, self.max_levels)
        else:
            self._bids.merge(depth.bids, self.max_levels)
            self._asks.merge(depth.asks, self.max_levels)

    def best(self, side: Side) -> tuple[int, int] | None:
        """Return (ticks, lots) of the best bid (BUY) or ask (SELL), None if that side is empty."""
        ladder = self._bids if side is Side.BUY else self._asks
        if not ladder.keys:
            return None
        key = ladder.keys[-1]
        return ladder.sign * key, ladder.sizes[key]

    def levels(self, side: Side) -> Iterator[tuple[int, int]]:
        """Yield (ticks, lots) of the bids (BUY) or asks (SELL), best first.

        Lazy: taking three levels costs three steps. The book must not change meanwhile.
        """
        ladder = self._bids if side is Side.BUY else self._asks
        sign, sizes = ladder.sign, ladder.sizes
        for key in reversed(ladder.keys):
            yield sign * key, sizes[key]

    def size_at(self, side: Side, ticks: int) -> int:
        """Return the lots at one price, 0 where there is no level."""
        ladder = self._bids if side is Side.BUY else self._asks
        return ladder.sizes.get(ladder.sign * ticks, 0)

    def size_to(self, side: Side, ticks: int) -> int:
        """Return the total lots from the best price to `ticks`, inclusive.

        For SELL this is what a buyer with limit `ticks` can get, for BUY what a seller can.
        O(levels in between).
        """
        ladder = self._bids if side is Side.BUY else self._asks
        start = bisect_left(ladder.keys, ladder.sign * ticks)
        return sum(ladder.sizes[key] for key in ladder.keys[start:])

    def level_count(self, side: Side) -> int:
        """Return how many levels one side has."""
        return len((self._bids if side is Side.BUY else self._asks).keys)

    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is above the best ask; a touching (locked) book is not."""
        bids, asks = self._bids.keys, self._asks.keys
        return bool(bids and asks) and bids[-1] > -asks[-1]
