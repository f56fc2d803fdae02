"""The row a person stands on, from one view to the next: it is a thing, not a place in a list.

Rows come and go four times a second; a key must act on what was chosen, not on what slid under it.
"""

from collections.abc import Callable
from typing import Final

from engine.model.account import Fill, RoundTrip
from engine.session.control.views import (
    AgentFace,
    BreakerFace,
    MarketFace,
    OrderFace,
    PositionFace,
)

IDENTITY: Final[dict[type, tuple[str, ...]]] = {
    MarketFace: ("symbol",),
    PositionFace: ("symbol",),
    OrderFace: ("order_id",),
    Fill: ("order_id", "trade_id"),
    RoundTrip: ("symbol", "agent", "opened_ns"),
    AgentFace: ("name",),
    BreakerFace: ("name",),
}
"""The fields by which a row is the same in the next view; rows of other kinds have none."""


def identity(record: object) -> tuple[object, ...] | None:
    """Return what stays of a row; None where nothing is known to."""
    fields = IDENTITY.get(type(record))
    return None if fields is None else tuple(getattr(record, field) for field in fields)


def followed(
    wanted: tuple[object, ...], at: int, count: int, record: Callable[[int], object]
) -> int:
    """Return where a row stands now; the same place, or the last, where it is gone.

    Args:
        wanted: The identity of the row.
        at: Where it stood.
        count: How many rows there are now.
        record: The row at a place.
    """
    for place in sorted(range(count), key=lambda place: abs(place - at)):
        if identity(record(place)) == wanted:
            return place
    return max(0, min(at, count - 1))
