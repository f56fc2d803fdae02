"""The newest bars of one instrument at four lengths, built a beat at a time.

Rule 1: a beat of the timer lies within one interval of every length, so its prints are summed once
        and merged into the open bars; no quote costs anything.
Rule 2: mids, one a beat, until the first print is seen, prints alone from then on, as in
        `engine.market.bars`. Every interval from the first price on has its bar, a silent one too.
Rule 3: no decision reads this: it is not kept in checkpoints, a resumed session begins anew.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from engine.model.market import Trade
from engine.model.orders import BUY
from engine.session.control.views import BarFace, BarTail

SECOND_NS: Final = 1_000_000_000
INTERVALS_S: Final = (1, 5, 60, 900)
"""A screen merges them into coarser frames, never more than five into one."""
TAIL_MAX: Final = 240
"""Closed bars of each length: four together are the thousand bars a chart may keep."""


class BarTails:
    """One instrument's open bars and the newest closed ones."""

    def __init__(self) -> None:
        self._series = tuple(_Series(interval_s) for interval_s in INTERVALS_S)
        self._has_prints = False

    def beat(self, at_ns: int, prints: Sequence[Trade], mid_ticks: int) -> None:
        """Take what happened in a beat.

        Args:
            at_ns: Any time within the beat.
            mid_ticks: Rounded down to the tick; 0 until priced.

        """
        if prints and not self._has_prints:
            self._has_prints = True
            for series in self._series:
                series.forget_open()
        if prints:
            part = summed(prints)
        elif mid_ticks and not self._has_prints:
            part = BarFace(mid_ticks, mid_ticks, mid_ticks, mid_ticks, 0, 0, 0)
        else:
            part = None
        for series in self._series:
            series.take(at_ns, part)

    def faces(self, most: int) -> tuple[BarTail, ...]:
        """Return at most so many bars of each length, the open one last."""
        return tuple(series.face(most) for series in self._series if series.is_begun)


def summed(prints: Sequence[Trade]) -> BarFace:
    """Return prints as one bar."""
    ticks = [trade.price_ticks for trade in prints]
    lots = sum(trade.qty_lots for trade in prints)
    bought = sum(trade.qty_lots for trade in prints if trade.aggressor is BUY)
    return BarFace(ticks[0], max(ticks), min(ticks), ticks[-1], lots, bought, len(prints))


def merged(bar: BarFace, later: BarFace) -> BarFace:
    """Return two bars, one after the other, as one."""
    return BarFace(
        bar.open_ticks,
        max(bar.high_ticks, later.high_ticks),
        min(bar.low_ticks, later.low_ticks),
        later.close_ticks,
        bar.lots + later.lots,
        bar.buy_lots + later.buy_lots,
        bar.prints + later.prints,
    )


class _Series:
    """The bars of one length."""

    def __init__(self, interval_s: int) -> None:
        self._interval_s = interval_s
        self._closed: deque[BarFace] = deque(maxlen=TAIL_MAX)
        self._start_ns = 0
        self._open: BarFace | None = None
        """None while the open interval has nothing of its own."""

    @property
    def is_begun(self) -> bool:
        return self._open is not None or bool(self._closed)

    def forget_open(self) -> None:
        self._open = None

    def take(self, at_ns: int, part: BarFace | None) -> None:
        length_ns = self._interval_s * SECOND_NS
        start_ns = at_ns // length_ns * length_ns
        if self.is_begun and start_ns > self._start_ns:
            self._close((start_ns - self._start_ns) // length_ns)
        self._start_ns = max(start_ns, self._start_ns)
        if part is not None:
            self._open = part if self._open is None else merged(self._open, part)

    def _close(self, intervals: int) -> None:
        if self._open is not None:
            self._closed.append(self._open)
            intervals -= 1
        self._open = None
        if self._closed:
            flat = _flat(self._closed[-1].close_ticks)
            self._closed.extend([flat] * min(intervals, TAIL_MAX))

    def face(self, most: int) -> BarTail:
        closed = self._closed
        current = self._open or _flat(closed[-1].close_ticks)
        kept = min(most - 1, len(closed))
        bars: Iterable[BarFace] = islice(closed, len(closed) - kept, None)
        first_s = self._start_ns // SECOND_NS - kept * self._interval_s
        return BarTail(self._interval_s, first_s, (*bars, current))


def _flat(ticks: int) -> BarFace:
    return BarFace(ticks, ticks, ticks, ticks, 0, 0, 0)
