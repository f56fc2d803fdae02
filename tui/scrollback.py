"""What a person can scroll back to: the lines of many views, each once, and how to find one. Pure.

A view has the newest lines only; a screen that looks often enough misses none, and says how many
it did where it was away.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from engine.session.control.views import LogLine
from tui.format import SECOND_NS

LINES_MAX: Final = 5_000
"""Section 10 of the screen's specification."""
MINUTE_NS: Final = 60 * SECOND_NS
HOUR_NS: Final = 60 * MINUTE_NS

Wanted = Callable[[LogLine], bool]


class Scrollback:
    """Lines in order, the oldest forgotten."""

    def __init__(self) -> None:
        self.lines: deque[LogLine] = deque(maxlen=LINES_MAX)
        self.missed = 0
        """Lines that came and went while nobody looked."""

    def take(self, newest: Sequence[LogLine]) -> None:
        """Add what is new of a view's lines.

        A session that does not number its lines, or begins anew, has only what its views have.
        """
        last = self.lines[-1].number if self.lines else 0
        if not newest or newest[-1].number == last != 0:
            return
        if newest[-1].number < last or not newest[-1].number:
            self.lines.clear()
            last = 0
        fresh = [line for line in newest if line.number > last or not line.number]
        if last:
            self.missed += max(0, newest[-1].number - last - len(fresh))
        self.lines.extend(fresh)


def sought(lines: Sequence[LogLine], at: int, by: int, wanted: Wanted) -> int | None:
    """Return the next wanted line from `at` on, `by` 1 newer or -1 older; past the end, round."""
    count = len(lines)
    for step in range(1, count + 1):
        place = (at + by * step) % count
        if wanted(lines[place]):
            return place
    return None


def leapt(lines: Sequence[LogLine], at: int, by: int, span_ns: int) -> int:
    """Return the first line of the next (1) or of the previous (-1) span that has any.

    From within a span, -1 leads to its own first line first, as a tape is wound back.
    """
    if not lines:
        return at
    here = lines[at].ts_ns // span_ns
    if by > 0:
        later = (i for i in range(at + 1, len(lines)) if lines[i].ts_ns // span_ns > here)
        return next(later, len(lines) - 1)
    first = _first_of(lines, at, span_ns)
    return first if first < at or not at else _first_of(lines, at - 1, span_ns)


def _first_of(lines: Sequence[LogLine], at: int, span_ns: int) -> int:
    """Return the first line of the span in which `at` lies."""
    here = lines[at].ts_ns // span_ns
    while at and lines[at - 1].ts_ns // span_ns == here:
        at -= 1
    return at
