"""The last of everything that happened, for the tails of a view.

Fed with what every turn decided, attached or not: a screen that comes late sees how it came to
this. An event that is not kept costs one dictionary miss.
"""

from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from engine.kernel import Kernel
from engine.model.account import Fill, RoundTrip
from engine.model.events import Input, OperatorCommand, Timer, journal_type
from engine.model.records import Alert, BreakerTripped, ErrorRecord, FsmTransition, Record
from engine.session.control.sidelines import Sidelines
from engine.session.control.views import LogLine

TAIL_MAX: Final = 50
"""Fills, round trips and transitions kept: a screen's worth; the journal has them all."""
LOG_MAX: Final = 100
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
        self._log: deque[Record | Input] = deque(maxlen=LOG_MAX)
        self._tails: dict[type, tuple[deque[Any], ...]] = {
            Fill: (self.fills, self._log),
            RoundTrip: (self.round_trips, self._log),
            FsmTransition: (self.transitions, self._log),
            **dict.fromkeys((Alert, ErrorRecord, BreakerTripped, OperatorCommand), (self._log,)),
        }

    def follow(self, events: Sequence[Record | Input]) -> None:
        """Take what one turn decided, in order."""
        self.sidelines.follow(events)
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
