"""The last of everything that happened, for the tails of a view.

Fed with what every turn decided, attached or not: a screen that comes late sees how it came to
this. An event that is not kept costs one dictionary miss.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from engine.kernel import Kernel
from engine.model.account import Fill, RoundTrip
from engine.model.events import (
    INPUT_TYPES,
    RECORD_TYPES,
    Input,
    OperatorCommand,
    Timer,
    journal_type,
)
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
from engine.session.control.prints import Prints
from engine.session.control.views import LogLine, Worth
from engine.session.fold import HEARTBEAT
from engine.session.journal_reader import Line, event_of

TAIL_MAX: Final = 50
"""Fills, round trips and transitions kept: a screen's worth; the journal has them all."""
LOG_MAX: Final = 100
EQUITY_MAX: Final = 300
"""Seconds."""
EQUITY_MINUTES_MAX: Final = 240
"""Minutes before them."""
SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS


KINDS: Final = INPUT_TYPES | RECORD_TYPES
"""Class of each type of line."""


class _Worth(msgspec.Struct, frozen=True, gc=False):
    """What the equity's tail takes from a heartbeat, written in the same second as a timer's."""

    equity: Decimal


class Chronicle:
    """Bounded tails of a session."""

    def __init__(self, kernel: Kernel) -> None:
        self._portfolio = kernel.portfolio
        self.fills: deque[Fill] = deque(maxlen=TAIL_MAX)
        self.round_trips: deque[RoundTrip] = deque(maxlen=TAIL_MAX)
        self.transitions: deque[FsmTransition] = deque(maxlen=TAIL_MAX)
        self.hops = Hops()
        self.prints = Prints(kernel.market, self.hops)
        self._seconds: deque[Worth] = deque(maxlen=EQUITY_MAX)
        self._minutes: deque[Worth] = deque(maxlen=EQUITY_MINUTES_MAX)
        self._log: deque[Record | Input] = deque(maxlen=LOG_MAX)
        told = self._log.append
        self._takers: dict[type, tuple[Callable[[Any], None], ...]] = {
            Fill: (self.fills.append, told, self.hops.filled),
            RoundTrip: (self.round_trips.append, told),
            FsmTransition: (self.transitions.append, told),
            OrderSubmitted: (self.hops.submitted,),
            OrderChanged: (self.hops.changed,),
            Timer: (self._beat,),
            **dict.fromkeys((Alert, ErrorRecord, BreakerTripped, OperatorCommand), (told,)),
        }

    def follow(self, events: Sequence[Record | Input]) -> None:
        """Take what one turn decided, in order."""
        takers = self._takers
        for event in events:
            for take in takers.get(type(event), ()):
                take(event)

    def equity(self) -> tuple[Worth, ...]:
        """Return what the account was worth, oldest first: by minutes, then by seconds."""
        first_ns = self._seconds[0][0] if self._seconds else 0
        return (*(worth for worth in self._minutes if worth[0] < first_ns), *self._seconds)

    def _beat(self, timer: Timer) -> None:
        ts_ns = timer.ts_ns
        self.prints.beat(ts_ns)
        if ts_ns % SECOND_NS == 0:
            portfolio = self._portfolio
            worth = (ts_ns, portfolio.equity, portfolio.exposure()[1])
            self._seconds.append(worth)
            if ts_ns % MINUTE_NS == 0:
                self._minutes.append(worth)

    def recall(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Take the lines of the journal that a resume passes over, and pass them on."""
        known = {name: kind for name, kind in KINDS.items() if kind in self._takers}
        for line in lines:
            kind = known.get(line.type)
            if kind is not None and kind is not Timer:
                event: msgspec.Struct = event_of(line, kind)
                for take in self._takers[kind]:
                    take(event)
            elif line.type == HEARTBEAT:
                worth = msgspec.json.decode(line.data, type=_Worth)
                self._seconds.append((line.ts_ns, worth.equity, None))
            yield line

    def log(self) -> tuple[LogLine, ...]:
        """Put the last records into words."""
        return tuple(map(_line, self._log))


def _line(event: Record | Input) -> LogLine:
    match event:
        case Alert():
            return LogLine(event.ts_ns, event.kind, event.severity, event.message)
        case FsmTransition():
            why = ", ".join(event.reasons)
            text = f"{event.from_state} -> {event.to_state} by {event.event} ({event.scope}) {why}"
            return LogLine(event.ts_ns, "fsm_transition", "warning", text.rstrip())
        case _:
            fields = msgspec.to_builtins(event)
            text = " ".join(f"{key}={value}" for key, value in _told(fields))
            severity = "critical" if isinstance(event, ErrorRecord) else "info"
            return LogLine(event.ts_ns, journal_type(event), severity, text)


def _told(fields: dict[str, object]) -> list[tuple[str, object]]:
    return [(k, v) for k, v in fields.items() if k != "ts_ns" and v not in ("", None, ())]
