"""The house: what the session itself does to orders and positions, always to reduce risk.

Its cancels are never throttled. Its flattening is an intent like any other and passes the gate; the
rules about appetite (size, spread, throttle) do not judge it, see `engine.risk.rules.Scope`.
"""

from collections.abc import Mapping
from typing import Final

from engine.agents.desk import Desk, IntentSequence
from engine.execution.order_flow import OrderFlow
from engine.kernel.dealing import Dealing
from engine.market.view import MarketView
from engine.model.orders import Side
from engine.portfolio.portfolio import HOUSE, Portfolio
from engine.risk.lifecycle import SESSION

FLATTEN: Final = "flatten"
"""The slot of a closing order: one at a time for each instrument."""


class House:
    """Cancels and flattens."""

    def __init__(
        self,
        views: Mapping[str, MarketView],
        portfolio: Portfolio,
        flow: OrderFlow,
        dealing: Dealing,
    ) -> None:
        self.sequence = IntentSequence(HOUSE)
        self._desks = {symbol: Desk(view, self.sequence) for symbol, view in views.items()}
        self._portfolio = portfolio
        self._flow = flow
        self._dealing = dealing

    def cancel_scope(self, scope: str, now_ns: int) -> None:
        """Cancel the orders of a symbol, or of the session, but those that only protect."""
        for order in list(self._flow.blotter.live.values()):
            if not order.is_exit and scope in (SESSION, order.symbol):
                self._flow.cancel(order, now_ns, "paused or degraded")
        self._dealing.forget(scope)

    def cancel_all(self, now_ns: int) -> None:
        """Cancel every order but the house's own, and forget every wish."""
        for order in list(self._flow.blotter.live.values()):
            if order.agent != HOUSE:
                self._flow.cancel(order, now_ns, "everything is canceled")
        self._dealing.forget(SESSION)

    def cancel_agent(self, agent: str, now_ns: int) -> None:
        """Cancel one agent's orders: it is paused or quarantined."""
        for order in list(self._flow.blotter.live.values()):
            if order.agent == agent:
                self._flow.cancel(order, now_ns, f"agent {agent} stopped")
        self._dealing.forget_agent(agent)

    def cancel_entries(self, agent: str, now_ns: int) -> None:
        """Cancel what one agent would open with: it is to trade in another size."""
        for order in list(self._flow.blotter.live.values()):
            if order.agent == agent and not order.is_exit:
                self._flow.cancel(order, now_ns, f"agent {agent} has another weight")
        self._dealing.forget_agent(agent)

    def cancel_order(self, order_id: str, now_ns: int) -> None:
        """Cancel one order, if it still works."""
        order = self._flow.blotter.find(order_id)
        if order is not None:
            self._flow.cancel(order, now_ns, "asked for by name")

    def flatten(self, now_ns: int) -> None:
        """Send a reduce-only market order for every net position that none closes yet."""
        for symbol, holding in self._portfolio.holdings.items():
            desk = self._desks[symbol]
            if not holding.qty or (HOUSE, symbol, FLATTEN) in self._flow.blotter.slots:
                continue
            desk.now_ns = now_ns
            side = Side.SELL if holding.qty > 0 else Side.BUY
            intent = desk.market_order(
                side,
                abs(holding.qty),
                slot=FLATTEN,
                reason="everything is closed",
                reduce_only=True,
            )
            self._dealing.consider((intent,), now_ns)
