"""What a session keeps beside an account that it only looks at. Pure; decides nothing."""

from collections.abc import Mapping

from engine.market.view import MarketView
from engine.model.records import Alert
from engine.model.sightings import AccountUnseen, SimulatedBooks, SimulatedHolding
from engine.portfolio.portfolio import Portfolio


def books_beside(
    portfolio: Portfolio, views: Mapping[str, MarketView], now_ns: int
) -> SimulatedBooks:
    """Return our books as they are at the instant of a look at the account."""
    return SimulatedBooks(
        now_ns,
        portfolio.equity,
        tuple(_holding(portfolio, view) for view in views.values()),
    )


def _holding(portfolio: Portfolio, view: MarketView) -> SimulatedHolding:
    instrument = view.instrument
    held = portfolio.holdings[instrument.symbol]
    mid2 = held.mid2_ticks if held.qty else view.mid2_ticks
    return SimulatedHolding(
        instrument.symbol,
        held.qty * instrument.multiplier,
        mid2 * instrument.tick_size / 2 if mid2 else None,
        held.realised + held.unrealised,
        held.fees,
        held.funding,
    )


def lost_sight(lost: AccountUnseen, now_ns: int) -> Alert:
    """Tell a person that one side of the comparison is missing."""
    message = f"the account can't be seen: {lost.cause}; the session goes on"
    return Alert(now_ns, "account_unseen", "warning", message)
