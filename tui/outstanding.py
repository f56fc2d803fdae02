"""Commands whose outcome nobody knows: they stay on the alert line until the session shows it.

What an answer did not say, later views may: each command has its own sign that it took effect. What
has no such sign stays until a person finds out, for as long as the screen is open.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from engine.model.events import Operator
from engine.model.orders import OrderState
from engine.session.control.views import View
from tui.link import Answer
from tui.pane import Cell, Row

OPEN_MAX: Final = 8
"""Unknown outcomes that are kept; an older one is in the session's log."""

Sign = Callable[[View, Answer], bool]


class _Open(NamedTuple):
    answer: Answer
    text: str


class Outstanding:
    """The open doubts of one screen, the newest shown."""

    def __init__(self) -> None:
        self._open: deque[_Open] = deque(maxlen=OPEN_MAX)

    def add(self, answer: Answer, text: str) -> None:
        """Remember an outcome that is not known."""
        self._open.append(_Open(answer, text))

    def settle(self, view: View | None) -> None:
        """Drop what the session shows to have happened."""
        if view is not None and self._open:
            kept = [o for o in self._open if not is_settled(view, o.answer)]
            self._open = deque(kept, OPEN_MAX)

    def row(self) -> Row:
        """Return the newest doubt, and how many more there are."""
        if not self._open:
            return ()
        more = f" (and {len(self._open) - 1} more)" if len(self._open) > 1 else ""
        return (Cell(f" {self._open[-1].text}{more}", "danger bold"),)


def is_settled(view: View, answer: Answer) -> bool:
    """Say whether a view shows that a command took effect."""
    sign = SIGNS.get(answer.command)
    return sign is not None and sign(view, answer)


def _is_flat(view: View) -> bool:
    return not view.session.open_orders and not any(p.qty for p in view.positions)


def _is_due_to(reason: str) -> Sign:
    return lambda view, _: any(why.startswith(reason) for why in view.lifecycle.reasons)


def _is_gone(view: View, answer: Answer) -> bool:
    is_whole = view.session.open_orders == len(view.orders)
    return is_whole and all(order.order_id != answer.argument for order in view.orders)


def _is_answered(view: View, answer: Answer) -> bool:
    """Whether the order that an answer names, if it names one, has an answer by now."""
    named = answer.outcome.detail.split(" ")[0] if answer.outcome else ""
    waits = (OrderState.SUBMITTED, OrderState.UNKNOWN, OrderState.PENDING_UPDATE)
    return any(o.order_id == named and o.state not in waits for o in view.orders)


SIGNS: Final[Mapping[Operator, Sign]] = {
    Operator.PAUSE: _is_due_to("OPERATOR_PAUSE"),
    Operator.REDUCE_ONLY: _is_due_to("OPERATOR_REDUCE_ONLY"),
    Operator.RESUME: lambda view, _: view.lifecycle.state in ("ACTIVE", "THROTTLED"),
    Operator.RESET: lambda view, _: view.lifecycle.state == "READY",
    Operator.FLATTEN: lambda view, _: _is_flat(view) and not view.lifecycle.is_flattening,
    Operator.KILL: lambda view, _: view.lifecycle.state == "EMERGENCY" and _is_flat(view),
    Operator.CANCEL_ALL: lambda view, _: not view.session.open_orders,
    Operator.CANCEL_ORDER: _is_gone,
    Operator.CANCEL_SYMBOL: lambda view, a: all(o.symbol != a.argument for o in view.orders),
    Operator.FLATTEN_SYMBOL: lambda view, a: all(
        not p.qty for p in view.positions if p.symbol == a.argument
    ),
    Operator.PLACE_ORDER: _is_answered,
    Operator.AMEND_ORDER: _is_answered,
    Operator.PAUSE_AGENT: lambda view, a: any(
        agent.is_paused for agent in view.agents if agent.name == a.argument
    ),
    Operator.RESUME_AGENT: lambda view, a: any(
        not agent.is_paused for agent in view.agents if agent.name == a.argument
    ),
    Operator.WEIGH_AGENT: lambda view, a: any(
        f"{agent.name}={agent.weight:f}" == a.argument for agent in view.agents
    ),
}
"""By what a view shows that a command took effect; STOP is shown by the session's end."""
