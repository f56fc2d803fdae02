"""Why a ticket can't be sent now, in words; the order of the rows is the order of weight. Pure."""

from decimal import Decimal
from typing import Final, NamedTuple

from engine.model.events import Operator
from engine.model.money import BPS
from engine.model.prospect import Prospect, QuoteSeen
from engine.session.control.words import Foretold
from tui.format import text
from tui.lines import FROZEN_S
from tui.link import Glance
from tui.readonly import WATCHES
from tui.readonly import barred as withheld

ANSWER_AGE_MAX_S: Final = 2.0
"""An answer older than this says nothing about now."""
WORDS_MAX: Final = 160


class Told(NamedTuple):
    """The session's newest look ahead, and when it came."""

    foretold: Foretold
    at_s: float


class Frozen(NamedTuple):
    """What stood on the ticket when its confirmation was opened."""

    argument: str
    mid: Decimal
    state: str


def barred(glance: Glance) -> str:
    """Say why this screen may send no order at all; empty where it may."""
    view, welcome = glance.view, glance.welcome
    if view is None or welcome is None:
        return "there is no session to send to"
    if glance.mode == "REPLAY":
        return "a replay sends nothing"
    if why := WATCHES if welcome.is_watch_only else withheld(glance.client, Operator.PLACE_ORDER):
        return why
    if view.controls not in ("", welcome.you):
        return f"the controls are with {text(view.controls, 60)}: C takes them over"
    if glance.age_s > FROZEN_S:
        return "the screen is frozen: its figures are old"
    return ""


def objection(
    glance: Glance, argument: str, told: Told | None, now_s: float, frozen: Frozen | None = None
) -> str:
    """Say why an order can't be sent; empty where it can.

    Args:
        frozen: The order as it was when its confirmation was opened; None while it is typed.
    """
    if why := barred(glance):
        return why
    if told is None or told.foretold.argument != argument:
        return "waiting for the engine's verdict"
    if now_s - told.at_s > ANSWER_AGE_MAX_S:
        return f"the engine has not answered for {now_s - told.at_s:.0f} s"
    prospect = told.foretold.prospect
    if prospect is None:
        return text(told.foretold.flaw, WORDS_MAX)
    return _of_prospect(prospect) or (_of_change(prospect, frozen) if frozen else "")


def _of_prospect(prospect: Prospect) -> str:
    quote, verdict = prospect.quote, prospect.verdict
    if quote.age_ms is None or quote.age_ms > quote.max_age_ms:
        age = "never came" if quote.age_ms is None else f"is {quote.age_ms / 1_000:.1f} s old"
        return f"STALE: the quote {age}, limit {quote.max_age_ms / 1_000:.1f} s"
    if not verdict.is_approved:
        setting = f" {verdict.setting}" if verdict.setting else ""
        words = f"{verdict.rule}:{setting} limit {verdict.limit}, reading {verdict.reading}"
        return text(f"the gate refuses by {words}", WORDS_MAX)
    if "NOOP" in verdict.route:
        return f"it would change nothing: {verdict.route}"
    return ""


def _of_change(prospect: Prospect, frozen: Frozen) -> str:
    if prospect.state != frozen.state:
        return f"the state changed from {frozen.state} to {prospect.state}"
    now, limit = mid_of(prospect.quote), prospect.quote.max_deviation_bps
    if now is None or limit is None or not frozen.mid:
        return "" if now is not None else "there is no price any more"
    if abs(now - frozen.mid) * BPS > limit * frozen.mid:
        return f"the price moved from {frozen.mid:f} to {now:f}, more than {limit:f} bps"
    return ""


def mid_of(quote: QuoteSeen) -> Decimal | None:
    """Return half way between bid and ask."""
    return None if quote.bid is None or quote.ask is None else (quote.bid + quote.ask) / 2
