"""Screens that may not do everything: one only watches, one sends only what lowers risk.

A command that is not allowed never leaves this process: it is answered here, as refused, in the
words and colors of a refusal by the session.

Source: tui-expectations sections 6 (classes of actions) and 11 (browser).
"""

from decimal import Decimal
from typing import Final

from engine.model.events import Operator
from engine.session.control.words import Outcome, Ruling
from tui.link import Answer, Done, Glance, Source
from tui.lookahead import Question

LOWERS_RISK: Final = frozenset(
    {
        Operator.PAUSE,
        Operator.REDUCE_ONLY,
        Operator.FLATTEN,
        Operator.STOP,
        Operator.KILL,
        Operator.PAUSE_AGENT,
        Operator.CANCEL_ORDER,
        Operator.CANCEL_SYMBOL,
        Operator.CANCEL_ALL,
        Operator.FLATTEN_SYMBOL,
    }
)
"""Classes 1 and 2. What is not named here is refused, also what comes later."""
WATCHES: Final = "this screen only watches"
LOWERS: Final = "this screen only lowers risk: use a terminal of the owner's"


class Limited:
    """Shows what another source shows and passes on no command but those named."""

    def __init__(self, source: Source, allowed: frozenset[Operator], reason: str) -> None:
        self._source = source
        self._allowed = allowed
        self._reason = reason

    def glance(self) -> Glance:
        """Return what is known now."""
        return self._source.glance()

    def ask(self, command: Operator, argument: str, done: Done) -> bool:
        """Give an allowed command; answer any other at once, on this thread."""
        if command in self._allowed:
            return self._source.ask(command, argument, done)
        done(Answer(command, argument, self._refusal(command, argument)))
        return True

    def consider(self, question: Question) -> None:
        """Look ahead at an order: that sends nothing."""
        self._source.consider(question)

    def _refusal(self, command: Operator, argument: str) -> Outcome:
        view = self._source.glance().view
        return Outcome(
            ask_id=0,
            command=command,
            argument=argument,
            ruling=Ruling.REFUSED,
            seconds=0.0,
            ts_ns=0,
            state="" if view is None else view.lifecycle.state,
            reasons=(),
            orders_canceled=0,
            fills=0,
            open_orders=0 if view is None else len(view.orders),
            positions={},
            equity=Decimal(0) if view is None else view.session.equity,
            detail=self._reason,
        )


def read_only(source: Source) -> Limited:
    """Return a source that sends nothing."""
    return Limited(source, frozenset(), WATCHES)


def lowering_risk(source: Source) -> Limited:
    """Return a source that sends only what lowers risk."""
    return Limited(source, LOWERS_RISK, LOWERS)
