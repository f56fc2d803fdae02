"""What a person orders by hand: wishes of the agent `operator`, by the one way in.

They pass consensus, gate and router like any agent's, and what they fill is the operator's own
position (ADR 3). The person who asked stands in the reason of each intent.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from engine.agents.desk import Desk
from engine.agents.roster import Roster
from engine.execution.blotter import Blotter
from engine.model.events import Operator, OperatorCommand
from engine.model.operators import OPERATOR, TRIGGERED, parsed_amend, parsed_order
from engine.model.orders import Intent, Order, OrderIntent, OrderState, OrderType

Decide = Callable[[str, Sequence[Intent], int], None]
"""Settles a round of wishes for one symbol and acts on the outcome."""


class Manual:
    """Turns a person's words into intents."""

    def __init__(self, roster: Roster, blotter: Blotter, decide: Decide) -> None:
        self._desks: Mapping[str, Desk] = roster.seat
        self.sequence = roster.seat_sequence
        self._blotter = blotter
        self._decide = decide

    def obey(self, event: OperatorCommand, now_ns: int) -> None:
        """Wish for what the words say; words that say nothing wish for nothing."""
        intent = self.wish(event.command, event.argument, event.by, now_ns)
        if intent is not None:
            self.sequence.next_id()
            self._decide(intent.symbol, (intent,), now_ns)

    def wish(self, command: Operator, argument: str, by: str, now_ns: int) -> OrderIntent | None:
        """Return the intent a command means, under the id it would get; changes nothing."""
        if command is Operator.AMEND_ORDER:
            return self._amended(argument, by, now_ns)
        return self._new(argument, by, now_ns)

    def _new(self, argument: str, by: str, now_ns: int) -> OrderIntent | None:
        asked = parsed_order(argument)
        if asked is None or asked.symbol not in self._desks:
            return None
        is_trigger, number = asked.type in TRIGGERED, self.sequence.last + 1
        return OrderIntent(
            ts_ns=now_ns,
            intent_id=f"{OPERATOR}-{number}",
            agent=OPERATOR,
            symbol=asked.symbol,
            slot=f"ticket-{number}",
            side=asked.side,
            qty=asked.qty,
            type=asked.type,
            price=None if is_trigger else asked.price,
            trigger_price=asked.price if is_trigger else None,
            tif=asked.tif,
            post_only=asked.post_only,
            reduce_only=asked.reduce_only,
            reason=f"ordered by {by}",
        )

    def _amended(self, argument: str, by: str, now_ns: int) -> OrderIntent | None:
        asked = parsed_amend(argument)
        order = self._blotter.live.get(asked.order_id) if asked else None
        if asked is None or order is None or (why_not_amend(order) is not None):
            return None
        is_trigger = order.type in TRIGGERED
        return OrderIntent(
            ts_ns=now_ns,
            intent_id=f"{OPERATOR}-{self.sequence.last + 1}",
            agent=OPERATOR,
            symbol=order.symbol,
            slot=order.slot,
            side=order.side,
            qty=asked.qty,
            type=order.type,
            price=None if is_trigger else asked.price,
            trigger_price=asked.price if is_trigger else None,
            tif=order.tif,
            post_only=order.post_only,
            reduce_only=order.is_exit,
            reason=f"amended by {by}",
        )


UNAMENDABLE: Final = (OrderState.PENDING_CANCEL, OrderState.PENDING_UPDATE, OrderState.UNKNOWN)


def why_not_amend(order: Order) -> str | None:
    """Say why a person can't change a live order; None where they can."""
    if order.agent != OPERATOR:
        return f"{order.order_id} belongs to {order.agent}, which would change it back"
    if order.type is OrderType.MARKET:
        return f"{order.order_id} is at market: there is nothing to change"
    if order.state in UNAMENDABLE:
        return f"{order.order_id} is {order.state}: its last request is not answered yet"
    return None
