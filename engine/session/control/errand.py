"""Orders by hand on their way: what of them could never be, and what venue and gate made of them.

Rule 1: a refusal of the gate is told as it stands in the journal: rule, limit, reading.
Rule 2: an order is done when the venue has answered: one that rests when it rests, one that does
        not when it has ended. A fate nobody knows is no answer.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from engine.kernel import Kernel
from engine.kernel.manual import why_not_amend
from engine.model.events import Input, Operator
from engine.model.operators import AMEND_WORDS, OPERATOR, ORDER_WORDS, parsed_amend, parsed_order
from engine.model.orders import OrderIntent, OrderState, TimeInForce
from engine.model.records import GateVerdict, OrderChanged, Record, RouterDecision
from engine.model.venue_events import VenueAmendRejected
from engine.session.control.words import Ruling

BY_HAND: Final = frozenset({Operator.PLACE_ORDER, Operator.AMEND_ORDER})
"""Commands that an `Errand` follows."""

RULED: Final[Mapping[OrderState, Ruling]] = {
    OrderState.FILLED: Ruling.DONE,
    OrderState.CANCELED: Ruling.DONE,
    OrderState.EXPIRED: Ruling.DONE,
    OrderState.REJECTED: Ruling.REFUSED,
}
"""How an order ended, as an answer to whoever gave it."""
RESTING: Final = frozenset({OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED})


class Errand:
    """Follows one order or amendment from its intent to the venue's answer."""

    def __init__(self) -> None:
        self._intent_id = ""
        self._awaited = ""
        """The order whose answer is waited for; an amend's is the order it changes."""
        self._rests = False
        self._is_amend_refused = False
        self.ruling: Ruling | None = None
        self.detail = ""

    @property
    def standing(self) -> str:
        """Where it stands while nobody has answered."""
        return f"{self._awaited} has no answer of the venue yet" if self._awaited else ""

    def begin(self, decided: Sequence[Record | Input]) -> None:
        """Take what the turn decided after the command; nothing decided is a refusal."""
        for event in decided:
            self.see(event)
        if not self._intent_id:
            self._rule(Ruling.REFUSED, "nothing was ordered: its symbol is being closed")

    def see(self, event: Record | Input) -> None:
        """Take one thing that was decided or heard."""
        if self.ruling is not None:
            return
        match event:
            case OrderIntent(agent=agent) if agent == OPERATOR and not self._intent_id:
                self._intent_id = self._awaited = event.intent_id
                self._rests = event.tif is TimeInForce.GTC
            case GateVerdict() if event.intent_id == self._intent_id:
                self._judged(event)
            case RouterDecision() if event.intent_id == self._intent_id:
                self._routed(event)
            case VenueAmendRejected() if event.order_id == self._awaited:
                self._is_amend_refused = True
            case OrderChanged() if event.order_id == self._awaited:
                self._changed(event)
            case _:
                pass

    def _judged(self, verdict: GateVerdict) -> None:
        if not (verdict.is_approved or verdict.is_waiting):
            self._rule(Ruling.REFUSED, f"{self._intent_id}: {refusal(verdict)}")

    def _routed(self, route: RouterDecision) -> None:
        match route.decision:
            case "NOOP":
                self._rule(Ruling.UNCHANGED, f"{route.working_order_id}: {route.reason}")
            case "AMEND":
                self._awaited = route.working_order_id

    def _changed(self, change: OrderChanged) -> None:
        head = f"{change.order_id} {change.state}"
        words = f"{head}: {change.reason}" if change.reason else head
        if self._is_amend_refused:
            self._rule(Ruling.REFUSED, f"{change.order_id} stays as it was: {change.reason}")
        elif change.state in RULED:
            self._rule(RULED[change.state], words)
        elif change.state in RESTING and self._rests:
            self._rule(Ruling.DONE, head)

    def _rule(self, ruling: Ruling, detail: str) -> None:
        self.ruling, self.detail = ruling, detail


def refusal(verdict: GateVerdict) -> str:
    """Return a refusal of the gate in one line."""
    setting = f" {verdict.setting}" if verdict.setting else ""
    return f"refused by {verdict.rule}:{setting} limit {verdict.limit}, reading {verdict.reading}"


def flaw(kernel: Kernel, command: Operator, argument: str) -> str | None:
    """Say what of a command about orders could never be carried out."""
    find = FLAWS.get(command)
    return find(kernel, argument) if find else None


def _of_order(kernel: Kernel, argument: str) -> str | None:
    asked = parsed_order(argument)
    if asked is None:
        return f"an order reads {ORDER_WORDS}"
    return _of_symbol(kernel, asked.symbol)


def _of_amend(kernel: Kernel, argument: str) -> str | None:
    asked = parsed_amend(argument)
    if asked is None:
        return f"a change of an order reads {AMEND_WORDS}"
    order = kernel.blotter.live.get(asked.order_id)
    return f"no order {asked.order_id} works" if order is None else why_not_amend(order)


def _of_symbol(kernel: Kernel, symbol: str) -> str | None:
    known = kernel.market.views
    return None if symbol in known else f"no {symbol!r} in this session: it has {', '.join(known)}"


def _of_cancel(kernel: Kernel, order_id: str) -> str | None:
    return None if order_id in kernel.blotter.live else f"no order {order_id!r} works"


FLAWS: Final[Mapping[Operator, Callable[[Kernel, str], str | None]]] = {
    Operator.PLACE_ORDER: _of_order,
    Operator.AMEND_ORDER: _of_amend,
    Operator.CANCEL_ORDER: _of_cancel,
    Operator.CANCEL_SYMBOL: _of_symbol,
    Operator.FLATTEN_SYMBOL: _of_symbol,
}
