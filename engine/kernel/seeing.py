"""What the market says, on its way through books, breakers and watches to the agents.

Rule: what the quality filter refuses goes no further.
"""

from collections.abc import Callable
from typing import Final

from engine.agents.roster import Roster
from engine.execution.fitting import coarser
from engine.kernel.asking import Asking
from engine.kernel.conduct import Conduct
from engine.kernel.dealing import Dealing
from engine.kernel.watch import Watch
from engine.market.market import Market
from engine.model.effects import Outbox
from engine.model.market import Bar, BarHistory, FeedStatus, Quote, RulesChanged, Trade
from engine.model.records import Alert
from engine.portfolio.portfolio import Portfolio
from engine.risk.lifecycle import FsmEvent

OTHER_RULES: Final = (
    "{symbol}: the venue has other rules than this session works with: {detail}; no new risk is"
    " taken there, and a new session reads the new rules"
)


class Seeing:
    """One handler for each kind of market event that can lead to a decision."""

    def __init__(
        self,
        *,
        market: Market,
        portfolio: Portfolio,
        roster: Roster,
        conduct: Conduct,
        watch: Watch,
        asking: Asking,
        dealing: Dealing,
        out: Outbox,
        start: Callable[[int], None],
    ) -> None:
        """Take over the parts; `start` is called where an instrument got its first price."""
        self._market = market
        self._portfolio = portfolio
        self._roster = roster
        self._conduct = conduct
        self._watch = watch
        self._asking = asking
        self._dealing = dealing
        self._out = out
        self._start = start
        self.unpriced = dict.fromkeys(market.views)
        """Instruments without a price so far."""

    def on_quote(self, quote: Quote, now_ns: int) -> None:
        """Value the books by it, watch its pace, ask the agents."""
        market = self._market
        if not market.quote(quote):
            return
        symbol, portfolio = quote.symbol, self._portfolio
        if portfolio.holdings[symbol].cycles:
            self._value(symbol, quote.bid_ticks + quote.ask_ticks, now_ns)
        if self.unpriced:
            self._priced(symbol, now_ns)
        if self._watch.stale:
            self._watch.heard(symbol, now_ns)
        if self._conduct.calls_agents:
            wishes = self._roster.on_quote(symbol, now_ns)
            if wishes:
                self._asking.decide(symbol, wishes, now_ns)
        if market.closed:
            self._asking.on_bars(now_ns)
        if self._roster.failures:
            self._asking.quarantine(now_ns)

    def on_trade(self, trade: Trade, now_ns: int) -> None:
        """Show it to the agents, and the bars it closed."""
        if self._market.trade(trade):
            if self._conduct.calls_agents:
                wishes = self._roster.on_trade(trade, now_ns)
                self._asking.decide(trade.symbol, wishes, now_ns)
            self._asking.on_bars(now_ns)
            self._asking.quarantine(now_ns)

    def on_bar(self, bar: Bar, now_ns: int) -> None:
        """Do with the close of a ready-made bar what is done with a quote."""
        if not self._market.bar(bar):
            return
        symbol, view = bar.symbol, self._market.views[bar.symbol]
        if self._portfolio.holdings[symbol].cycles and view.mid2_ticks:
            self._value(symbol, view.mid2_ticks, now_ns)
        if self.unpriced and view.is_priced:
            self._priced(symbol, now_ns)
        if self._watch.stale:
            self._watch.heard(symbol, now_ns)
        if self._market.closed:
            self._asking.on_bars(now_ns)
        if self._roster.failures:
            self._asking.quarantine(now_ns)

    def on_history(self, history: BarHistory, now_ns: int) -> None:
        """Know the bars of before the session; where there are none, say so and start cold."""
        if history.failure:
            message = f"no past bars, features start cold: {history.failure}"
            self._out.emit(Alert(now_ns, "history_failed", "warning", message))
        else:
            self._market.history(history)

    def on_feed_status(self, status: FeedStatus, now_ns: int) -> None:
        """Doubt what a lost line would have said; once it is back, numbers may count anew."""
        if status.is_connected:
            self._conduct.clear(FsmEvent.FEED_DISCONNECTED, status.source, now_ns)
            for symbol in self._market.views:
                self._market.reconnected(symbol)
        else:
            self._conduct.raise_event(FsmEvent.FEED_DISCONNECTED, status.source, now_ns)

    def on_rules(self, change: RulesChanged, now_ns: int) -> None:
        """Take no new risk on terms the venue has given up; say once what they have become.

        Prices and sizes are counted in ticks and lots for as long as a session lasts, so it can
        only stand aside, and fit what it still sends to steps that have become coarser.
        """
        conduct, symbol = self._conduct, change.symbol
        self._dealing.steps.pop(symbol, None)
        if not change.is_changed:
            conduct.clear(FsmEvent.RULES_CHANGED, symbol, now_ns)
            return
        steps = coarser(self._market.views[symbol].instrument, change)
        if steps is not None or change.tick_size is None:
            self._dealing.steps[symbol] = steps
        before = conduct.lifecycle
        conduct.raise_event(FsmEvent.RULES_CHANGED, symbol, now_ns)
        if conduct.lifecycle is not before:
            message = OTHER_RULES.format(symbol=symbol, detail=change.detail)
            self._out.emit(Alert(now_ns, "other_rules", "warning", message))

    def _value(self, symbol: str, mid2_ticks: int, now_ns: int) -> None:
        self._portfolio.mark(symbol, mid2_ticks)
        trips = self._conduct.breakers.on_equity(self._portfolio.equity, now_ns)
        if trips:
            self._conduct.trip(trips, now_ns)

    def _priced(self, symbol: str, now_ns: int) -> None:
        self.unpriced.pop(symbol, None)
        self._start(now_ns)
