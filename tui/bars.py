"""Bars of the length a person chose, merged from those a view carries. Pure.

A frame is an exact multiple of the length it is merged from, and starts at a multiple of itself
since 1970 UTC, as the engine's bars do.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from engine.session.control.bar_tails import merged
from engine.session.control.views import BarFace, BarTail

FRAMES: Final = (
    (1, "1s"),
    (5, "5s"),
    (15, "15s"),
    (60, "1m"),
    (300, "5m"),
    (900, "15m"),
    (3_600, "1h"),
)
"""Seconds and name."""
AUTOMATIC: Final = (60, 15, 5, 1)
"""Tried in this order while nobody has chosen: the first with `AUTOMATIC_MIN` bars."""
AUTOMATIC_MIN: Final = 20


class Chart(NamedTuple):
    """Bars of one length, oldest first, without a gap."""

    frame_s: int
    first_s: int
    bars: tuple[BarFace, ...]

    @property
    def end_s(self) -> int:
        """Unix seconds after the last bar."""
        return self.first_s + self.frame_s * len(self.bars)

    def until(self, end_s: int | None) -> "Chart":
        """Return the bars before a time, two at least; all of them for None."""
        if end_s is None:
            return self
        count = max(2, min(len(self.bars), (end_s - self.first_s) // self.frame_s))
        return self._replace(bars=self.bars[:count])

    def last(self, count: int) -> "Chart":
        """Return the newest bars."""
        dropped = max(0, len(self.bars) - count)
        return Chart(self.frame_s, self.first_s + dropped * self.frame_s, self.bars[dropped:])


def framed(tails: Sequence[BarTail], frame_s: int) -> Chart:
    """Merge the longest bars that fit into a frame; a first frame seen in part is left out."""
    fitting = [tail for tail in tails if frame_s % tail.interval_s == 0]
    if not fitting:
        return Chart(frame_s, 0, ())
    tail = fitting[-1]
    each = frame_s // tail.interval_s
    if each == 1:
        return Chart(frame_s, tail.first_s, tail.bars)
    missing = -(tail.first_s // tail.interval_s) % each
    if len(tail.bars) <= missing:
        missing = 0  # a session younger than its first frame shows what there is of it
    bars = tail.bars[missing:]
    first_s = tail.first_s + missing * tail.interval_s
    return Chart(
        frame_s,
        first_s // frame_s * frame_s,
        tuple(_merged(bars[at : at + each]) for at in range(0, len(bars), each)),
    )


def automatic(tails: Sequence[BarTail]) -> Chart:
    """Return the frame that has enough bars to be read; seconds where none has."""
    for frame_s in AUTOMATIC:
        chart = framed(tails, frame_s)
        if len(chart.bars) >= AUTOMATIC_MIN:
            return chart
    return framed(tails, 1)


def name(frame_s: int) -> str:
    """Return a frame as people call it."""
    return dict(FRAMES)[frame_s]


def stepped(frame_s: int, by: int) -> int:
    """Return the frame so many steps longer, as far as there are any."""
    lengths = [length for length, _ in FRAMES]
    return lengths[max(0, min(lengths.index(frame_s) + by, len(lengths) - 1))]


def _merged(bars: Sequence[BarFace]) -> BarFace:
    """Return several bars as one; silent ones open nothing while another has prints."""
    whole = bars[0]
    for bar in bars[1:]:
        whole = merged(whole, bar)
    return whole


def emas(closes: Sequence[float], window: int) -> list[float]:
    """Return exponential averages of closes with the weight `2 / (window + 1)`."""
    averages: list[float] = []
    weight = 2 / (window + 1)
    for close in closes:
        before = averages[-1] if averages else close
        averages.append(before + weight * (close - before))
    return averages


def vwaps(bars: Sequence[BarFace]) -> list[float]:
    """Return averages of typical prices by volume from the first bar on; closes before any."""
    paid = lots = 0.0
    averages: list[float] = []
    for bar in bars:
        paid += (bar.high_ticks + bar.low_ticks + bar.close_ticks) / 3 * bar.lots
        lots += bar.lots
        averages.append(paid / lots if lots else float(bar.close_ticks))
    return averages
