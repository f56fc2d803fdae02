"""The worth of the account column by column: any points on an even time axis. Pure."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from engine.session.control.views import Worth
from tui.candles import ASCII_EIGHTHS, EIGHTHS

SHORTS: Final = " ░░░▒▒▒▓▓"
ASCII_SHORTS: Final = " ---===~~"
"""A short position is another glyph, not another color alone."""
STEPS: Final = 8


class Curve(NamedTuple):
    """One value a column, oldest first."""

    equity: list[float]
    net: list[float | None]
    """Signed value of all positions."""

    @property
    def drawdowns(self) -> list[float]:
        """Fall from the peak before, in percent of it, of the columns alone."""
        peaks = accumulate(self.equity, max)
        return [
            (peak - now) / peak * 100 if peak > 0 else 0.0
            for peak, now in zip(peaks, self.equity, strict=True)
        ]


def since(points: Sequence[Worth], seconds: int) -> Sequence[Worth]:
    """Return the points of the newest seconds; all of them for 0."""
    if not seconds or not points:
        return points
    from_ns = points[-1][0] - seconds * 1_000_000_000
    return [point for point in points if point[0] >= from_ns]


def curve(points: Sequence[Worth], columns: int) -> Curve:
    """Return the newest point of each column of time; a column without one repeats the last."""
    first_ns, last_ns = points[0][0], points[-1][0]
    span = max(1, last_ns - first_ns)
    newest: dict[int, Worth] = {}
    for point in points:
        newest[min(columns - 1, (point[0] - first_ns) * columns // span)] = point
    shown = points[0]
    made = Curve([], [])
    for column in range(columns):
        shown = newest.get(column, shown)
        made.equity.append(float(shown[1]))
        made.net.append(None if shown[2] is None else float(shown[2]))
    return made


def spark(values: Sequence[float | None], width: int, *, is_ascii: bool) -> str:
    """Return a line of bars, the largest full; below zero has glyphs of its own, unknown none."""
    above, below = (ASCII_EIGHTHS, ASCII_SHORTS) if is_ascii else (EIGHTHS, SHORTS)
    most = max((abs(value) for value in values if value is not None), default=0.0)

    def glyph(value: float | None) -> str:
        if value is None:
            return " "
        return (below if value < 0 else above)[
            int(abs(value) / most * STEPS + 0.999) if most else 0
        ]

    return "".join(map(glyph, values)).ljust(width)[:width]
