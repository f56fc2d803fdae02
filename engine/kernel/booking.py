"""What we have, kept up to date: fills and funding enter the books, and all concerned hear of it.

The order is fixed: the fill, the position it leaves, the round trips it closes, the breakers, the
agent's desk, then whoever waited for the order to end, then the alarms.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from engine.agents.roster import Roster
from engine.execution.order_flow import OrderFlow
from engine.execution.orders import LIVE
from engine.kernel.conduct import Conduct
from engine.kernel.dealing import Dealing
from engine.market.view import MarketView
from engine.model.account import Fill
from engine.model.effects import Outbox
from engine.model.money import ZERO
from engine.model.records import Alert, ErrorRecord
from engine.model.venue_events import VenueFill, VenueFunding
from engine.portfolio.portfolio import Portfolio
from engine.risk.breakers import Trip
from engine.risk.lifecycle import SESSION, FsmEvent

LIQUIDATION: Final = "liquidation-"
"""How the order ids of a venue's own closing orders begin."""


class Booking:
    """Books what the venue did, and tells breakers, desks and people."""

    def __init__(
        self,
        *,
        views: Mapping[str, MarketView],
        portfolio: Portfolio,
        flow: OrderFlow,
        roster: Roster,
        dealing: Dealing,
        conduct: Conduct,
        out: Outbox,
    ) -> None:
        self._views = views
        self._portfolio = portfolio
        self._flow = flow
        self._roster = roster
        self._dealing = dealing
        self._conduct = conduct
        self._emit = out.emit

    def fill(self, event: VenueFill, now_ns: int) -> Fill | None:
        """Book an execution; None when it does not count, or is of an instrument we don't know."""
        if event.symbol not in self._views:
            self._stranger(event, now_ns)
            return None
        booked = self._flow.book(event)
        self.count_refusals(now_ns)
        if booked is None:
            return None
        fill, order, is_overfill = booked
        if fill.other_fee and fill.other_fee.worth is None:
            paid = f"{fill.other_fee.amount} {fill.other_fee.asset}"
            self._emit(ErrorRecord(now_ns, "fee_unpriced", fill.order_id, paid))
        self._enter(fill, now_ns)
        self._tell_desk(fill, now_ns)
        if order is not None and order.state not in LIVE:
            self._dealing.ended(order, now_ns)
        if is_overfill:
            self._alarm("overfill", fill, now_ns)
            self._conduct.raise_event(FsmEvent.POSITION_MISMATCH, fill.symbol, now_ns)
        elif fill.is_late:
            self._alarm("late_fill", fill, now_ns)
        elif order is None:
            is_liquidation = fill.order_id.startswith(LIQUIDATION)
            self._alarm("liquidation" if is_liquidation else "foreign_fill", fill, now_ns)
            if not is_liquidation:
                self._conduct.raise_event(FsmEvent.POSITION_MISMATCH, fill.symbol, now_ns)
            self.settle(fill.symbol, fill.price, now_ns)
        return fill

    def _stranger(self, event: VenueFill, now_ns: int) -> None:
        """Tell of a fill that no book of ours can hold."""
        detail = f"{event.side} {event.qty} {event.symbol} at {event.price}"
        self.error("foreign_fill", event.order_id, detail, now_ns)
        message = f"foreign fill of {event.order_id}: {detail}"
        self._emit(Alert(now_ns, "foreign_fill", "critical", message))
        self._conduct.raise_event(FsmEvent.POSITION_MISMATCH, SESSION, now_ns)

    def _enter(self, fill: Fill, now_ns: int) -> None:
        emit, breakers = self._emit, self._conduct.breakers
        emit(fill)
        mid2 = self._views[fill.symbol].mid2_ticks
        position, trips = self._portfolio.book(fill, mid2)
        emit(position)
        for trip in trips:
            emit(trip)
            self.trip(breakers.on_round_trip(trip.net_pnl, now_ns), now_ns)
        self.trip(breakers.on_fill(now_ns), now_ns)
        self.check_equity(now_ns)

    def _tell_desk(self, fill: Fill, now_ns: int) -> None:
        desk = self._roster.desk(fill.agent, fill.symbol)
        if desk is None:
            return
        ledger = self._portfolio.holdings[fill.symbol].ledgers[fill.agent]
        desk.position = ledger.qty
        desk.entry_price = ledger.entry_price(desk.instrument.multiplier)
        if self._flow.blotter.open[fill.symbol].orders:
            self._dealing.fit_exits(fill.agent, fill.symbol, now_ns)

    def fund(self, event: VenueFunding, now_ns: int) -> None:
        """Book a funding payment."""
        if event.symbol not in self._views:
            self.error("foreign_funding", event.symbol, str(event.amount), now_ns)
        elif self._portfolio.fund(event):
            self.check_equity(now_ns)
        else:
            detail = f"{event.amount} of {event.funding_ns}"
            self._emit(ErrorRecord(now_ns, "duplicate_funding", event.symbol, detail))

    def settle(self, symbol: str, price: Decimal, now_ns: int) -> None:
        """Once the net position is closed, close the agents' shares of it too."""
        holding = self._portfolio.holdings[symbol]
        if holding.qty or not any(ledger.qty for ledger in holding.ledgers.values()):
            return
        for trip in self._portfolio.settle_house(symbol, now_ns, price):
            self._emit(trip)
        self._emit(self._portfolio.position(symbol, now_ns))
        for agent in holding.ledgers:
            desk = self._roster.desk(agent, symbol)
            if desk is not None:
                desk.position, desk.entry_price = ZERO, None

    def check_equity(self, now_ns: int) -> None:
        """Show the breakers what the account is worth."""
        self.trip(self._conduct.breakers.on_equity(self._portfolio.equity, now_ns), now_ns)

    def trip(self, trips: Sequence[Trip], now_ns: int) -> None:
        """Pass on what the breakers found, if anything."""
        if trips:
            self._conduct.trip(trips, now_ns)

    def count_refusals(self, now_ns: int) -> None:
        """Count answers that made no sense as errors."""
        while self._flow.refusals:
            self._flow.refusals -= 1
            self.trip(self._conduct.breakers.on_error(now_ns), now_ns)

    def error(self, kind: str, scope: str, detail: str, now_ns: int) -> None:
        """Write down a failure the session survives."""
        self._emit(ErrorRecord(now_ns, kind, scope, detail))
        self.trip(self._conduct.breakers.on_error(now_ns), now_ns)

    def _alarm(self, kind: str, fill: Fill, now_ns: int) -> None:
        self.error(kind, fill.order_id, f"{fill.qty} at {fill.price}", now_ns)
        message = f"{kind.replace('_', ' ')} of {fill.order_id}: {fill.qty} {fill.symbol}"
        self._emit(Alert(now_ns, kind, "critical", message))
