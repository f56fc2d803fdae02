"""The last of everything that happened, for the tails of a view.

Fed with what every turn decided, attached or not: a screen that comes late sees how it came to
this. An event that is not kept costs one dictionary miss.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import msgspec

from engine.kernel import Kernel
from engine.model.account import Fill, RoundTrip
from engine.model.events import INPUT_TYPES, RECORD_TYPES, Input, OperatorCommand, Timer
from engine.model.records import (
    Alert,
    BreakerTripped,
    ErrorRecord,
    FsmTransition,
    OrderChanged,
    OrderSubmitted,
    Record,
)
from engine.session.control.hops import Hops
from engine.session.control.log_tail import LogTail
from engine.session.control.prints import Prints
from engine.session.control.sidelines import Sidelines
from engine.session.control.views import LogLine, Worth
from engine.session.fold import HEARTBEAT
from engine.session.journal_reader import Line, event_of

TAIL_MAX: Final = 50
"""Fills, round trips and transitions kept: a screen's worth; the journal has them all."""
EQUITY_MAX: Final = 300
"""Seconds."""
EQUITY_MINUTES_MAX: Final = 240
"""Minutes before them."""
SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS

Taker = Callable[[Any], None]
NOBODY: Final[Mapping[type, Taker]] = MappingProxyType({})

_RECALLED: Final = frozenset(
    {Fill, RoundTrip, FsmTransition, Alert, ErrorRecord, BreakerTripped, OperatorCommand}
)
REMEMBERED: Final[dict[str, type[Any]]] = {
    name: kind for name, kind in (INPUT_TYPES | RECORD_TYPES).items() if kind in _RECALLED
}
"""What a resume recalls, by type of line; what is worked out beside it begins anew."""


class _Worth(msgspec.Struct, frozen=True, gc=False):
    """What the equity's tail takes from a heartbeat, written in the same second as a timer's."""

    equity: Decimal


class Chronicle:
    """Bounded tails of a session."""

    def __init__(self, kernel: Kernel, beside: Mapping[type, Taker] = NOBODY) -> None:
        """Begin with nothing.

        Args:
            kernel: Of the session.
            beside: Who takes a kind of event of which nothing is kept here.

        """
        self._kernel = kernel
        self.fills: deque[Fill] = deque(maxlen=TAIL_MAX)
        self.round_trips: deque[RoundTrip] = deque(maxlen=TAIL_MAX)
        self.transitions: deque[FsmTransition] = deque(maxlen=TAIL_MAX)
        self.hops = Hops()
        self.prints = Prints(kernel.market, self.hops)
        self.sidelines = Sidelines(kernel, TAIL_MAX)
        self._log = LogTail(kernel, self.sidelines.deeds)
        self._seconds: deque[Worth] = deque(maxlen=EQUITY_MAX)
        self._minutes: deque[Worth] = deque(maxlen=EQUITY_MINUTES_MAX)
        self._takers: dict[type, tuple[Taker, ...]] = {
            **{kind: (take,) for kind, take in beside.items()},
            Fill: (self.fills.append, self.hops.filled),
            RoundTrip: (self.round_trips.append,),
            FsmTransition: (self.transitions.append,),
            OrderSubmitted: (self.hops.submitted,),
            OrderChanged: (self.hops.changed,),
            Timer: (self._beat,),
        }

    def follow(self, events: Sequence[Record | Input]) -> None:
        """Take what one turn decided, in order."""
        self.sidelines.follow(events)
        self._log.follow(events)
        takers = self._takers
        for event in events:
            for take in takers.get(type(event), ()):
                take(event)

    def recall(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Take the lines of the journal that a resume passes over, and pass them on."""
        for line in lines:
            if line.type == HEARTBEAT:
                worth = msgspec.json.decode(line.data, type=_Worth)
                self._seconds.append((line.ts_ns, worth.equity, None))
            elif (kind := REMEMBERED.get(line.type)) is not None:
                event: Record | Input = event_of(line, kind)
                self._log.follow((event,))
                for take in self._takers.get(kind, ()):
                    take(event)
            yield line

    def equity(self) -> tuple[Worth, ...]:
        """Return what the account was worth, oldest first: by minutes, then by seconds."""
        first_ns = self._seconds[0][0] if self._seconds else 0
        return (*(worth for worth in self._minutes if worth[0] < first_ns), *self._seconds)

    def log(self) -> tuple[LogLine, ...]:
        """Return the newest lines, in words."""
        return self._log.lines()

    def _beat(self, timer: Timer) -> None:
        ts_ns = timer.ts_ns
        self.prints.beat(ts_ns)
        if ts_ns % SECOND_NS == 0:
            portfolio = self._kernel.portfolio
            worth = (ts_ns, portfolio.equity, portfolio.exposure()[1])
            self._seconds.append(worth)
            if ts_ns % MINUTE_NS == 0:
                self._minutes.append(worth)
