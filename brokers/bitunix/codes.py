"""What the venue's refusals mean: one row for each code of the sheet. Pure.

Source: sheet section 8. A code that is not here says nothing about what was done: it is unclear.
"""

from collections.abc import Mapping
from typing import Final

from engine.model.venue_events import RejectReason as R

OK: Final = "0"
DUPLICATE: Final = "30042"
FINAL: Final = "10013"
"""In a refused cancel: the order has ended already."""
UNKNOWN_OUTCOME: Final = frozenset({"10001"})
"""A network error inside the venue: it may have been done."""
SIGNATURE: Final = frozenset({"10007", "10002"})
"""What a clock that was set looks like."""
THROTTLED: Final = frozenset({"10005", "10006", "429"})
BAD_KEY: Final = frozenset({"10003", "10004", "10007", "20013", "20014", "403", "401"})

REASONS: Final[Mapping[str, R]] = {
    **dict.fromkeys(("10003", "10004", "10007", "20011", "20013", "20014", "403", "401"), R.AUTH),
    **dict.fromkeys(THROTTLED, R.RATE_LIMIT),
    **dict.fromkeys(("20002", "20003", "20008"), R.INSUFFICIENT_BALANCE),
    **dict.fromkeys(("10002", "10008", "20001", "20005", "20006", "20009"), R.INVALID_ORDER),
    **dict.fromkeys(("20012", "20015"), R.INVALID_ORDER),
    **dict.fromkeys(("30001", "30002", "30003", "30013", "30039"), R.INVALID_ORDER),
    **dict.fromkeys(("30014", "30015", "30016", "30017"), R.INVALID_ORDER),
    **dict.fromkeys(("20007", FINAL), R.ORDER_NOT_FOUND),
    **dict.fromkeys(("30018", "30019", "30004"), R.REDUCE_ONLY_REJECTED),
    DUPLICATE: R.DUPLICATE_CLIENT_ID,
    "30040": R.VENUE_UNAVAILABLE,
}

NOT_FOUND_TEXT: Final = "order not found"
"""A refused cancel may say so in words alone."""


def reason_of(code: str, text: str = "") -> R | None:
    """Return why something was refused; None where the code is not known."""
    if NOT_FOUND_TEXT in text.lower():
        return R.ORDER_NOT_FOUND
    return REASONS.get(code)
