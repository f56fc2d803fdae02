"""What positions are made with at the venue, for people. Pure; decides nothing.

Leverage in the gate is our notional over our equity (`engine.risk.rules.leverage`), whatever the
venue's setting is. That one decides what the venue refuses, and when it closes what is isolated.
"""

from engine.model.account import MarginMode
from engine.model.records import Alert
from engine.model.venue_events import VenueMargin


def margin_changed(told: VenueMargin, now_ns: int) -> Alert:
    """Tell a person from what to what."""
    message = (
        f"{told.symbol}: positions are made with {_terms(told.leverage, told.mode)}, at the venue"
        f" now; it was {_terms(told.was_leverage, told.was_mode)}; another hand changed it"
    )
    return Alert(now_ns, "venue_margin", "warning", message)


def _terms(leverage: int, mode: MarginMode | None) -> str:
    return f"{leverage}x, {mode or 'of an unknown margin mode'}"
