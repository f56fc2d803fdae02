"""How old a figure is, and what that looks like (section 7 of the screen's specification). Pure."""

from typing import Final

from engine.session.control.views import MarketFace, View
from tui.format import age, between
from tui.pane import Cell

PRICE_AGE_MAX_S: Final = 2.0
"""The default of `risk.max_quote_age_ms`, where no view says the session's own."""


def limit_s(view: View) -> float:
    """Return the age from which on the session itself holds a price for stale."""
    return view.health.quote_age_max_s


def price_age(view: View, market: MarketFace | None) -> float | None:
    """Return the seconds since a market's last good price, in the session's own time."""
    return None if market is None else between(market.priced_ns, view.session.ts_ns)


def is_stale(seconds: float | None, most_s: float = PRICE_AGE_MAX_S) -> bool:
    """Say whether a price is too old to trade by; one that was never seen is."""
    return seconds is None or seconds > most_s


def aged(seconds: float | None, most_s: float = PRICE_AGE_MAX_S) -> Cell:
    """Return an age with its mark: dim while young, plain, then `!`."""
    if seconds is None:
        return Cell(age(None), "stale")
    if is_stale(seconds, most_s):
        return Cell(f"! {age(seconds)}", "warn")
    return Cell(age(seconds), "dim" if seconds < most_s / 2 else "text")


def derived(text: str, token: str, seconds: float | None, most_s: float = PRICE_AGE_MAX_S) -> Cell:
    """Return a figure made from a price, with `!` after it once that price is stale."""
    is_old = is_stale(seconds, most_s)
    return Cell(f"{text} !", "stale") if is_old else Cell(f"{text}  ", token)
