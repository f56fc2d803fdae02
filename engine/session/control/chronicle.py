"""The last of everything that happened, for the tails of a view.

Fed with what every turn decided, attached or not: a screen that comes late sees how it came to
this. An event that is not kept costs one dictionary miss.
"""

from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from engine.kernel import Kernel
from engine.model.account import Fill, RoundTrip
from engine.model.events import Input, Timer
from engine.model.records import FsmTransition, Record
from engine.session.control.log_tail import LogTail
from engine.session.control.sidelines import Sidelines
from engine.session.control.views import LogLine

TAIL_MAX: Final = 50
"""Fills, round trips and transitions kept: a screen's worth; the journal has them all."""
EQUITY_MAX: Final = 300
"""Seconds."""
SECOND_NS: Final = 1_000_000_000


class Chronicle:
    """Bounded tails of a session."""

    def __init__(self, kernel: Kernel) -> None:
        self._portfolio = kernel.portfolio
        self.fills: deque[Fill] = deque(maxlen=TAIL_MAX)
        self.round_trips: deque[RoundTrip] = deque(maxlen=TAIL_MAX)
        self.transitions: deque[FsmTransition] = deque(maxlen=TAIL_MAX)
        self.equity: deque[tuple[int, Decimal]] = deque(maxlen=EQUITY_MAX)
        self.sidelines = Sidelines(kernel, TAIL_MAX)
        self._log = LogTail(kernel, self.sidelines.deeds)
        self._tails: dict[type, tuple[deque[Any], ...]] = {
            Fill: (self.fills,),
            RoundTrip: (self.round_trips,),
            FsmTransition: (self.transitions,),
        }

    def follow(self, events: Sequence[Record | Input]) -> None:
        """Take what one turn decided, in order."""
        self.sidelines.follow(events)
        self._log.follow(events)
        tails = self._tails
        for event in events:
            kind = type(event)
            if kind is Timer:
                if event.ts_ns % SECOND_NS == 0:
                    self.equity.append((event.ts_ns, self._portfolio.equity))
                continue
            for tail in tails.get(kind, ()):
                tail.append(event)

    def log(self) -> tuple[LogLine, ...]:
        """Return the newest lines, in words."""
        return self._log.lines()
