"""How old a figure is, and what that looks like (section 7 of the screen's specification). Pure."""

from typing import Final

from engine.session.control.views import MarketFace, View
from tui.format import age, between
from tui.pane import Cell

PRICE_AGE_MAX_S: Final = 2.0
"""The default of `risk.max_quote_age_ms`; a view does not carry the session's own limit."""


def price_age(view: View, market: MarketFace | None) -> float | None:
    """Return the seconds since a market's last good price, in the session's own time."""
    return None if market is None else between(market.priced_ns, view.session.ts_ns)


def is_stale(seconds: float | None) -> bool:
    """Say whether a price is too old to trade by; one that was never seen is."""
    return seconds is None or seconds > PRICE_AGE_MAX_S


def aged(seconds: float | None) -> Cell:
    """Return an age with its mark: dim while young, plain, then `!`."""
    if seconds is None:
        return Cell(age(None), "stale")
    if is_stale(seconds):
        return Cell(f"! {age(seconds)}", "warn")
    return Cell(age(seconds), "dim" if seconds < PRICE_AGE_MAX_S / 2 else "text")


def derived(text: str, token: str, seconds: float | None) -> Cell:
    """Return a figure made from a price, with `!` after it once that price is stale."""
    return Cell(f"{text} !", "stale") if is_stale(seconds) else Cell(f"{text}  ", token)
