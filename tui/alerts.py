"""What is wrong right now, since when, how often it came, and whether a person has seen it.

Rule 1: a condition is read off the view each time; nothing here decides what is wrong.
Rule 2: an acknowledgement is of this screen and of this occurrence: what comes again is new. It
        changes nothing in the session and lifts no bar.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from engine.model.orders import OrderState
from engine.session.control.views import View
from tui import format as fmt

TEXT_MAX: Final = 160
SEEN_MAX: Final = 500
"""Conditions whose count is remembered; the oldest are forgotten first."""
GRAVITY: Final = ("danger", "warn")
"""Tokens of a condition, the gravest first."""


class Condition(NamedTuple):
    """Something that is wrong in a view."""

    key: str
    token: str
    text: str
    pane: str
    """Where to look."""
    since_ns: int = 0
    """0 where a view does not say."""


@dataclass
class Alert:
    """An open condition."""

    condition: Condition
    since_ns: int
    is_older: bool
    """It was there before this screen was: since then at the latest."""
    count: int
    is_acknowledged: bool = False


def conditions(view: View) -> Iterator[Condition]:
    """Yield everything that is wrong."""
    if view.health.journal_failure:
        yield Condition("journal", "danger", f"journal: {view.health.journal_failure}", "health")
    if view.lifecycle.needs_reset:
        text = "EMERGENCY, flat, waits for laptop-agents reset"
        yield Condition("reset", "danger", text, "fsm")
    for order in view.orders:
        if order.state is OrderState.UNKNOWN:
            text = f"order {order.order_id} {order.symbol}: nobody knows whether the venue has it"
            yield Condition(f"order {order.order_id}", "danger", text, "orders", order.changed_ns)
    for breaker in view.breakers:
        if breaker.is_tripped:
            text = f"limit {breaker.name} tripped: {breaker.reading:f} of {breaker.limit:f}"
            yield Condition(f"limit {breaker.name}", "danger", text, "risk")
    for agent in view.agents:
        if agent.quarantine:
            text = f"agent {agent.name} at fault: {agent.quarantine}"
            yield Condition(f"agent {agent.name}", "warn", text, "agents")
    for reason in view.lifecycle.reasons:
        yield Condition(f"reason {reason}", "warn", reason, "fsm", _since(view, reason))


def _since(view: View, reason: str) -> int:
    """Return when a reason was first among those of the transitions that led here."""
    since_ns = 0
    for transition in reversed(view.transitions):
        if reason not in transition.reasons:
            break
        since_ns = transition.ts_ns
    return since_ns


class Alerts:
    """The open conditions of one session, as one screen has met them."""

    def __init__(self) -> None:
        self._open: dict[str, Alert] = {}
        self._counts: dict[str, int] = {}
        self._is_first = True

    def note(self, view: View) -> None:
        """Take a view: what is new opens, what is gone closes."""
        found = {condition.key: condition for condition in conditions(view)}
        now_ns = view.session.ts_ns
        for key in self._open.keys() - found.keys():
            del self._open[key]
        for key, condition in found.items():
            if key in self._open:
                self._open[key].condition = condition
            else:
                self._open[key] = self._opened(condition, now_ns)
        self._is_first = False

    def _opened(self, condition: Condition, now_ns: int) -> Alert:
        count = self._counts.pop(condition.key, 0) + 1
        self._counts[condition.key] = count
        while len(self._counts) > SEEN_MAX:
            del self._counts[next(iter(self._counts))]
        is_older = self._is_first and not condition.since_ns
        return Alert(condition, condition.since_ns or now_ns, is_older, count)

    def open(self) -> list[Alert]:
        """Return what is open: unseen before acknowledged, grave before slight, old before new."""
        return sorted(
            self._open.values(),
            key=lambda a: (a.is_acknowledged, GRAVITY.index(a.condition.token), a.since_ns),
        )

    def unseen(self) -> list[Alert]:
        """Return the open ones that nobody has acknowledged."""
        return [alert for alert in self.open() if not alert.is_acknowledged]

    def acknowledge(self, key: str) -> None:
        """Take note that a person knows; what is gone meanwhile needs none."""
        if key in self._open:
            self._open[key].is_acknowledged = True


def line(alert: Alert) -> str:
    """Return an open condition as a row: mark, since when, how often, what."""
    mark = "  " if alert.is_acknowledged else "! " if alert.condition.token == "warn" else "!!"  # noqa: S105
    since = f"{'<' if alert.is_older else ' '}{fmt.clock(alert.since_ns)}"
    seen = "seen" if alert.is_acknowledged else "open"
    return (
        f"{mark} {since:<10} x{alert.count:<3} {seen}  {fmt.text(alert.condition.text, TEXT_MAX)}"
    )
