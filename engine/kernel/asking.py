"""Asks the agents what they wish, and has carried out what comes of it."""

from collections.abc import Sequence

from engine.agents.roster import Roster
from engine.agents.supervisor import resolve
from engine.kernel.booking import Booking
from engine.kernel.conduct import Conduct
from engine.kernel.config import KernelConfig
from engine.kernel.dealing import Dealing
from engine.kernel.house import House
from engine.market.market import Market
from engine.model.account import Fill
from engine.model.effects import Outbox
from engine.model.orders import Intent
from engine.model.records import Alert


class Asking:
    """Calls agents in the states that call them, settles their wishes, puts failing ones away."""

    def __init__(
        self,
        config: KernelConfig,
        *,
        market: Market,
        roster: Roster,
        conduct: Conduct,
        dealing: Dealing,
        house: House,
        booking: Booking,
        out: Outbox,
    ) -> None:
        self._policy, self._priorities = config.policy, config.priorities
        self._market = market
        self._roster = roster
        self._conduct = conduct
        self._dealing = dealing
        self._house = house
        self._booking = booking
        self._out = out

    def decide(self, symbol: str, wishes: Sequence[Intent], now_ns: int) -> None:
        """Settle one round of wishes for one instrument, and act on the outcome.

        While a person has the instrument closed, wishes would only be in the way.
        """
        if not wishes or symbol in self._house.closing:
            return
        chosen, decision = resolve(wishes, self._policy, self._priorities, now_ns, symbol)
        if decision is not None:
            self._out.emit(decision)
        self._dealing.consider(chosen, now_ns)

    def on_bars(self, now_ns: int) -> None:
        """Show agents the bars that closed; what they do may close further ones."""
        closed = self._market.closed
        while closed:
            bars = closed.copy()
            closed.clear()
            for bar in bars:
                if self._conduct.calls_agents:
                    self.decide(bar.symbol, self._roster.on_bar(bar, now_ns), now_ns)

    def on_fill(self, fill: Fill, now_ns: int) -> None:
        """Show a fill to the agent it belongs to."""
        if self._conduct.calls_agents:
            self.decide(fill.symbol, self._roster.on_fill(fill, now_ns), now_ns)
            if self._roster.failures:
                self.quarantine(now_ns)

    def on_time(self, now_ns: int) -> None:
        """Call the agents whose timers are due."""
        if self._conduct.calls_agents:
            for symbol in self._market.views:
                self.decide(symbol, self._roster.on_timer(symbol, now_ns), now_ns)
            self._roster.end_timers(now_ns)

    def quarantine(self, now_ns: int) -> None:
        """Cancel what agents that failed have at work, and say so; they are not called again."""
        while self._roster.failures:
            agent, detail = self._roster.failures.pop(0)
            self._booking.error("agent_quarantined", agent, detail, now_ns)
            message = f"agent {agent} is quarantined: {detail}"
            self._out.emit(Alert(now_ns, "agent_quarantined", "critical", message))
            self._house.cancel_agent(agent, now_ns)
