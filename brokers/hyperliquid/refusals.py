"""What Hyperliquid refuses with: texts, not codes, and words that orders end with. Pure.

A text nobody has seen yet is a plain refusal all the same: the venue says that it did not act. A
status word nobody has seen yet is read by how it ends.

Source: the Hyperliquid sheet, sections 6 and 8.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from engine.model.text import sanitize
from engine.model.venue_events import RejectReason as R
from engine.model.venue_events import Standing

DETAIL_MAX: Final = 120

TEXTS: Final = (
    # part of the text in small letters, what it means
    ("does not exist", R.AUTH),
    ("must deposit before", R.AUTH),
    ("not authorized", R.AUTH),
    ("invalid nonce", R.CLOCK_SKEW),
    ("nonce too", R.CLOCK_SKEW),
    ("duplicate nonce", R.CLOCK_SKEW),
    ("expiresafter", R.CLOCK_SKEW),
    ("expired", R.CLOCK_SKEW),
    ("too many cumulative requests", R.RATE_LIMIT),
    ("too many open orders", R.INVALID_ORDER),
    ("too many", R.RATE_LIMIT),
    ("insufficient margin", R.INSUFFICIENT_BALANCE),
    ("insufficient spot balance", R.INSUFFICIENT_BALANCE),
    ("post only order would have immediately matched", R.POST_ONLY_WOULD_CROSS),
    ("could not immediately match", R.NO_LIQUIDITY),
    ("no liquidity available", R.NO_LIQUIDITY),
    ("reduce only order would increase", R.REDUCE_ONLY_REJECTED),
    ("never placed, already canceled, or filled", R.ORDER_NOT_FOUND),
    ("cannot modify canceled or filled order", R.ORDER_NOT_FOUND),
    ("cloid", R.DUPLICATE_CLIENT_ID),
    ("divisible by tick size", R.INVALID_ORDER),
    ("minimum value of", R.INVALID_ORDER),
    ("invalid size", R.INVALID_ORDER),
    ("zero size", R.INVALID_ORDER),
    ("invalid price", R.INVALID_ORDER),
    ("away from the reference price", R.INVALID_ORDER),
    ("more than 80% away", R.INVALID_ORDER),
    ("invalid tp/sl price", R.INVALID_ORDER),
    ("open interest", R.INVALID_ORDER),
    ("asset is delisted", R.MARKET_CLOSED),
    ("trading is halted", R.MARKET_CLOSED),
)
"""The first that fits counts."""

UNMATCHED: Final = "could not immediately match"
"""Of an immediate order that found nobody: it came in and ended, as an immediate order may."""


class Ending(NamedTuple):
    """What a status word says."""

    standing: Standing
    reason: R | None = None


WORDS: Final[Mapping[str, Ending]] = {
    "open": Ending(Standing.WORKING),
    "triggered": Ending(Standing.WORKING),
    "filled": Ending(Standing.FILLED),
    "canceled": Ending(Standing.CANCELED),
    "scheduledCancel": Ending(Standing.CANCELED),
    "reduceOnlyCanceled": Ending(Standing.EXPIRED),
    "rejected": Ending(Standing.REJECTED, R.INVALID_ORDER),
    "badAloPxRejected": Ending(Standing.REJECTED, R.POST_ONLY_WOULD_CROSS),
    "iocCancelRejected": Ending(Standing.EXPIRED),
    "marketOrderNoLiquidityRejected": Ending(Standing.EXPIRED),
    "perpMarginRejected": Ending(Standing.REJECTED, R.INSUFFICIENT_BALANCE),
    "insufficientSpotBalanceRejected": Ending(Standing.REJECTED, R.INSUFFICIENT_BALANCE),
    "reduceOnlyRejected": Ending(Standing.REJECTED, R.REDUCE_ONLY_REJECTED),
}
SUFFIXES: Final = (
    ("rejected", Ending(Standing.REJECTED, R.INVALID_ORDER)),
    ("canceled", Ending(Standing.EXPIRED)),
    ("cancel", Ending(Standing.EXPIRED)),
)
"""Of words that are not in the table: the venue ended the order, or never let it in."""
UNHEARD: Final = Ending(Standing.UNANSWERED)
"""Nothing is concluded from a word nobody knows."""


def reason_of(text: str) -> R:
    """Return what a refusal's text means."""
    small = text.lower()
    return next((reason for part, reason in TEXTS if part in small), R.INVALID_ORDER)


def ending_of(word: str) -> Ending:
    """Return what a status word means."""
    if word in WORDS:
        return WORDS[word]
    small = word.lower()
    return next((ending for suffix, ending in SUFFIXES if small.endswith(suffix)), UNHEARD)


def harmless(text: str) -> str:
    """Return the venue's words as they may be shown."""
    return sanitize(text, DETAIL_MAX)
