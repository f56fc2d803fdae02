"""Where prices and times stand on a chart, and which of them are named. Pure.

Rule 1: a named price is a whole number of ticks and stands in the row that contains it.
Rule 2: a named time is a multiple of a step people count in.
"""

from collections.abc import Mapping
from itertools import count
from typing import Final, NamedTuple

DAY_S: Final = 86_400
MARK_ROWS: Final = 3
"""At least so many rows from one named price to the next."""
SPAN_TICKS_MIN: Final = 4
"""A market that stands still is drawn in the middle of so many ticks."""
HALVES: Final = 2
"""A row is told apart into so many levels."""
TIME_STEPS_S: Final = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, DAY_S,
)  # fmt: skip


class Scale(NamedTuple):
    """Maps prices in ticks to levels of half a row, 0 on top."""

    low: int
    high: int
    rows: int

    def level(self, ticks: float) -> int:
        """Return the level of a price; those beyond the edges stand at them."""
        levels = self.rows * HALVES
        share = (self.high - ticks) / (self.high - self.low)
        return max(0, min(levels - 1, int(share * (levels - 1) + 0.5)))

    def row(self, ticks: float) -> int:
        """Return the row of a price."""
        return self.level(ticks) // HALVES

    def holds(self, ticks: float) -> bool:
        """Whether a price is on the chart."""
        return self.low <= ticks <= self.high


def scale(low: int, high: int, rows: int) -> Scale:
    """Return a scale from the lowest to the highest price, never of no height."""
    missing = SPAN_TICKS_MIN - (high - low)
    if missing > 0:
        low, high = low - (missing + 1) // 2, high + (missing + 1) // 2
    return Scale(low, high, rows)


def price_marks(shown: Scale) -> Mapping[int, int]:
    """Return the named prices by row: steps of 1, 2 or 5 times a power of ten ticks."""
    wanted = max(1, shown.rows // MARK_ROWS)
    step = _nice_step((shown.high - shown.low) / wanted)
    first = -(-shown.low // step) * step
    return {shown.row(ticks): ticks for ticks in range(first, shown.high + 1, step)}


def _nice_step(least: float) -> int:
    for power in count():
        for digit in (1, 2, 5):
            step: int = digit * 10**power
            if step >= least:
                return step
    raise AssertionError("there is always a larger power of ten")


def time_marks(first_s: int, frame_s: int, columns: int) -> Mapping[int, str]:
    """Return the named times by column; labels never touch each other."""
    for step_s in TIME_STEPS_S:
        words = "HH:MM:SS" if step_s % 60 else "HH:MM"
        if step_s % frame_s == 0 and step_s // frame_s >= len(words) + 2:
            break
    else:
        return {}
    start = -first_s % step_s // frame_s
    return {
        column: _time(first_s + column * frame_s, step_s)
        for column in range(start, columns, step_s // frame_s)
    }


def _time(at_s: int, step_s: int) -> str:
    of_day = at_s % DAY_S
    text = f"{of_day // 3_600:02}:{of_day // 60 % 60:02}"
    return text if step_s % 60 == 0 else f"{text}:{of_day % 60:02}"
