"""What an agent's exit means where several agents share an instrument.

An exit (`reduce_only`) closes its agent's own position. With one agent that is the net position and
the venue holds the order to it. With several the net may be smaller or of the other sign, so:

- an exit is cut to the agent's own position before it is judged;
- it goes out reduce-only if it trades at once and the net is large enough, else as a plain order;
- a resting plain exit follows its agent's position down: it is made smaller, or withdrawn.
"""

from decimal import Decimal

from msgspec.structs import replace

from engine.agents.roster import Roster
from engine.execution.blotter import Blotter, is_working
from engine.model.money import ZERO
from engine.model.operators import OPERATOR
from engine.model.orders import Order, OrderIntent, OrderType, Side
from engine.portfolio.portfolio import HOUSE, Portfolio


class Exits:
    """Fits exits to the position they close."""

    def __init__(self, portfolio: Portfolio, roster: Roster, blotter: Blotter) -> None:
        self._portfolio = portfolio
        self._roster = roster
        self._blotter = blotter

    def on_wire(self, intent: OrderIntent) -> OrderIntent | None:
        """Return the exit as the venue may see it; None where there is nothing to exit."""
        is_alone = intent.agent != OPERATOR and not self._roster.is_shared()
        if intent.agent == HOUSE or is_alone:
            return intent
        holding = self._portfolio.holdings[intent.symbol]
        ledger = holding.ledgers.get(intent.agent)
        if ledger is None or not ledger.qty or (ledger.qty > 0) is (intent.side is Side.BUY):
            return None
        qty = min(intent.qty, abs(ledger.qty))
        net = holding.qty if intent.side is Side.SELL else -holding.qty
        is_covered = intent.type is OrderType.MARKET and net >= qty
        return replace(intent, reduce_only=is_covered, qty=qty)

    def obsolete(self, agent: str, symbol: str) -> list[Order]:
        """Return the agent's exits that have nothing left to close."""
        ledger = self._portfolio.holdings[symbol].ledgers.get(agent)
        own = ledger.qty if ledger else ZERO
        return [
            order
            for order in self._blotter.of_agent(agent, symbol)
            if order.is_exit and (not own or (own > 0) is (order.side is Side.BUY))
        ]

    def too_large(self, agent: str, symbol: str, now_ns: int) -> list[OrderIntent]:
        """Return smaller wishes for resting exits that could close more than there is."""
        ledger = self._portfolio.holdings[symbol].ledgers.get(agent)
        desk = self._roster.desk(agent, symbol)
        is_alone = not self._roster.is_shared()
        if is_alone or ledger is None or not ledger.qty or desk is None:
            return []
        return [
            _smaller(order, desk.sequence.next_id(), abs(ledger.qty), now_ns)
            for order in self._blotter.of_agent(agent, symbol)
            if order.is_exit
            and not order.reduce_only
            and order.leaves_qty > abs(ledger.qty)
            and is_working(order)
        ]


def _smaller(order: Order, intent_id: str, qty: Decimal, now_ns: int) -> OrderIntent:
    return OrderIntent(
        ts_ns=now_ns,
        intent_id=intent_id,
        agent=order.agent,
        symbol=order.symbol,
        slot=order.slot,
        side=order.side,
        qty=qty,
        type=order.type,
        price=order.price,
        trigger_price=order.trigger_price,
        trail_bps=order.trail_bps,
        tif=order.tif,
        post_only=order.post_only,
        reduce_only=True,
        reason="the position it closes is smaller now",
    )
