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
        self.closing: dict[str, None] = {}
        """Symbols a person wants flat, in the order they were asked for."""

    def cancel_scope(self, scope: str, now_ns: int) -> None:
        """Cancel the orders of a symbol, or of the session, but those that only protect."""
        for order in list(self._flow.blotter.live.values()):
            if not order.is_exit and scope in (SESSION, order.symbol):
                self._flow.cancel(order, now_ns, "paused or degraded")
        self._dealing.forget(scope)

    def cancel_all(self, now_ns: int) -> int:
        """Cancel every order but the house's own, forget every wish; return how many shall go."""
        others = [o for o in list(self._flow.blotter.live.values()) if o.agent != HOUSE]
        self._dealing.forget(SESSION)
        return sum(self._flow.cancel(order, now_ns, "everything is canceled") for order in others)

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

    def cancel_symbol(self, symbol: str, now_ns: int) -> int:
        """Cancel every order of a symbol but the house's own; return how many were asked to go."""
        live = list(self._flow.blotter.live.values())
        own = [order for order in live if order.symbol == symbol and order.agent != HOUSE]
        self._dealing.forget(symbol)
        return sum(self._flow.cancel(order, now_ns, "all of its symbol") for order in own)

    def flatten(self, now_ns: int) -> None:
        """Send a reduce-only market order for every net position that none closes yet."""
        for symbol in self._portfolio.holdings:
            self._close(symbol, "everything is closed", now_ns)

    def _close(self, symbol: str, reason: str, now_ns: int) -> None:
        holding, desk = self._portfolio.holdings[symbol], self._desks[symbol]
        if not holding.qty or (HOUSE, symbol, FLATTEN) in self._flow.blotter.slots:
            return
        desk.now_ns = now_ns
        side = Side.SELL if holding.qty > 0 else Side.BUY
        intent = desk.market_order(
            side, abs(holding.qty), slot=FLATTEN, reason=reason, reduce_only=True
        )
        self._dealing.consider((intent,), now_ns)

    # --- one symbol, because a person asked ------------------------------------------------------

    def begin_closing(self, symbol: str, now_ns: int) -> bool:
        """Cancel and close one symbol; False where there is nothing of it."""
        if symbol in self.closing or not self._is_open(symbol):
            return False
        self.closing[symbol] = None
        self._press_on(symbol, now_ns)
        return True

    def go_on_closing(self, now_ns: int) -> list[str]:
        """Try again what is not flat yet; return the symbols that are now."""
        for symbol in self.closing:
            self._press_on(symbol, now_ns)
        done = [symbol for symbol in self.closing if not self._is_open(symbol)]
        for symbol in done:
            del self.closing[symbol]
        return done

    def _press_on(self, symbol: str, now_ns: int) -> None:
        self.cancel_symbol(symbol, now_ns)
        self._close(symbol, f"{symbol} is closed by hand", now_ns)

    def _is_open(self, symbol: str) -> bool:
        book = self._flow.blotter.open[symbol].orders
        return bool(self._portfolio.holdings[symbol].qty or book)
