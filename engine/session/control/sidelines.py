"""What is worked out beside the decisions, for people: each part in a file of its own.

Rule 1: nothing here is read by the kernel; a fault here costs the views, not the session.
Rule 2: every part is bounded, and an event no part is interested in costs one dictionary miss.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from engine.kernel import Kernel
from engine.model.account import Fill
from engine.model.events import Input, Timer
from engine.model.records import Alert, FsmTransition, Record
from engine.model.venue_events import VenueFill
from engine.session.control.changes import Changes
from engine.session.control.days import Days
from engine.session.control.deeds import Deeds
from engine.session.control.doubts import Doubts
from engine.session.control.forecast import Forecast
from engine.session.control.markouts import Markouts
from engine.session.control.streams import Streams

SECOND_NS: Final = 1_000_000_000


class Sidelines:
    """Follows a session and keeps what its views tell besides its state."""

    def __init__(self, kernel: Kernel, fills_max: int) -> None:
        self.deeds = Deeds()
        self.days = Days(kernel)
        self.markouts = Markouts(kernel, fills_max)
        self.forecast = Forecast(kernel.conduct.breakers)
        self.doubts = Doubts(kernel)
        self.streams = Streams(kernel.market)
        self.changes = Changes(kernel.market)
        self._rows: Mapping[type, Callable[[Any], None]] = {
            **self.deeds.rows,
            Fill: self.markouts.took,
            VenueFill: self.markouts.heard,
            **dict.fromkeys((FsmTransition, Alert), self.doubts.look),
            Timer: self._beat,
        }

    def follow(self, events: Sequence[Record | Input]) -> None:
        """Take what one turn decided, in order."""
        rows = self._rows
        for event in events:
            row = rows.get(type(event))
            if row is not None:
                row(event)

    def _beat(self, timer: Timer) -> None:
        ts_ns = timer.ts_ns
        self.markouts.on_time(ts_ns)
        if ts_ns % SECOND_NS == 0:
            self.days.on_second(ts_ns)
            self.forecast.on_second(ts_ns)
            self.streams.on_second(ts_ns)
            self.changes.on_second(ts_ns)
