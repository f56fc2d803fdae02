"""The newest lines of a session's log, for views: what is bulk cannot push out what is rare.

Rule 1: lines of level `debug` have room of their own; all lines are numbered in one sequence, so
        that a screen knows what it has and how many it missed.
Rule 2: what repeats itself is told once in `QUIET_NS`; the next line of its kind says how many were
        left out. Fills, trips, transitions and commands are always told.
Rule 3: nothing is put into words before somebody watches, and then once.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from heapq import merge
from typing import Any, Final

from engine.kernel import Kernel
from engine.model.account import Fill, RoundTrip
from engine.model.events import Input, OperatorCommand, Timer
from engine.model.orders import Intent
from engine.model.records import (
    Alert,
    BreakerTripped,
    ErrorRecord,
    FsmTransition,
    GateVerdict,
    MetaDecision,
    OrderChanged,
    Record,
    RouterDecision,
)
from engine.session.control.deeds import Deeds
from engine.session.control.log_words import DOUBTFUL, Pulse, Tellable, say
from engine.session.control.views import LogLine

LOG_MAX: Final = 100
BULK_MAX: Final = 50
QUIET_NS: Final = 10_000_000_000
KEYS_MAX: Final = 256
"""Things that repeat themselves, remembered: their names come from rules, symbols and agents."""
PULSE_NS: Final = 60_000_000_000

Key = tuple[str, ...]


class _Entry:
    """An event, and its line once somebody asked for it."""

    __slots__ = ("event", "intent", "line", "number", "suppressed")

    def __init__(
        self, number: int, event: Tellable, intent: Intent | None, suppressed: int
    ) -> None:
        self.number = number
        self.event = event
        self.intent = intent
        self.suppressed = suppressed
        self.line: LogLine | None = None

    def told(self) -> LogLine:
        """Return the line."""
        if self.line is None:
            kind, severity, text = say(self.event, self.intent)
            more = f"(+{self.suppressed} alike) " if self.suppressed else ""
            self.line = LogLine(self.event.ts_ns, kind, severity, more + text, self.number)
        return self.line


class LogTail:
    """Bounded tails of what is worth a line."""

    def __init__(self, kernel: Kernel, deeds: Deeds) -> None:
        self._kernel = kernel
        self._deeds = deeds
        self._number = 0
        self._lines: deque[_Entry] = deque(maxlen=LOG_MAX)
        self._bulk: deque[_Entry] = deque(maxlen=BULK_MAX)
        self._quiet: dict[Key, list[int]] = {}
        """When each was told last, and how many were not since."""
        self._rows: Mapping[type, Callable[[Any], None]] = {
            **dict.fromkeys((Fill, RoundTrip, FsmTransition, OperatorCommand), self._tell),
            BreakerTripped: self._tell,
            Alert: self._alerted,
            ErrorRecord: self._erred,
            GateVerdict: self._judged,
            RouterDecision: self._routed,
            MetaDecision: self._settled,
            OrderChanged: self._changed,
            Timer: self._beat,
        }

    def follow(self, events: Sequence[Record | Input]) -> None:
        """Take what one turn decided, in order."""
        rows = self._rows
        for event in events:
            row = rows.get(type(event))
            if row is not None:
                row(event)

    def lines(self) -> tuple[LogLine, ...]:
        """Return the newest lines, oldest first."""
        entries = merge(self._lines, self._bulk, key=lambda entry: entry.number)
        return tuple(entry.told() for entry in entries)

    def _alerted(self, alert: Alert) -> None:
        self._tell_once((alert.kind, alert.message), alert)

    def _erred(self, error: ErrorRecord) -> None:
        self._tell_once((error.kind, error.scope), error)

    def _settled(self, decision: MetaDecision) -> None:
        self._tell_once(("meta", decision.symbol), decision, self._bulk)

    def _judged(self, verdict: GateVerdict) -> None:
        if not verdict.is_approved:
            agent = verdict.intent_id.rpartition("-")[0]
            key = ("gate", verdict.rule, agent, verdict.symbol)
            self._tell_once(key, verdict, intent=self._deeds.intent(verdict.intent_id))

    def _routed(self, decided: RouterDecision) -> None:
        key = ("router", decided.decision, decided.reason, decided.symbol)
        self._tell_once(key, decided, self._bulk, self._deeds.intent(decided.intent_id))

    def _changed(self, change: OrderChanged) -> None:
        if change.state in DOUBTFUL:
            self._tell_once(("order", change.state, change.symbol), change)

    def _beat(self, timer: Timer) -> None:
        if timer.ts_ns % PULSE_NS == 0:
            portfolio = self._kernel.portfolio
            self._tell(
                Pulse(
                    timer.ts_ns,
                    portfolio.equity,
                    portfolio.equity - portfolio.books.starting_balance,
                    len(self._kernel.blotter.live),
                    portfolio.books.fills,
                )
            )

    def _tell_once(
        self,
        key: Key,
        event: Tellable,
        tail: deque[_Entry] | None = None,
        intent: Intent | None = None,
    ) -> None:
        """Tell of something unless it was told of a moment ago."""
        quiet = self._quiet.pop(key, None)
        if quiet is not None and event.ts_ns - quiet[0] < QUIET_NS:
            quiet[1] += 1
            self._quiet[key] = quiet
            return
        self._quiet[key] = [event.ts_ns, 0]
        if len(self._quiet) > KEYS_MAX:
            del self._quiet[next(iter(self._quiet))]
        self._tell(event, tail, intent, quiet[1] if quiet else 0)

    def _tell(
        self,
        event: Tellable,
        tail: deque[_Entry] | None = None,
        intent: Intent | None = None,
        suppressed: int = 0,
    ) -> None:
        self._number += 1
        into = self._lines if tail is None else tail
        into.append(_Entry(self._number, event, intent, suppressed))
