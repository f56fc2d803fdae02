"""How a desk in an emergency tells of fills, whichever the venue.

Source: engine/venue.py `EmergencyDesk`.
"""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, TypeVar

from msgspec import UNSET, UnsetType

from brokers.link.account import FillReport
from engine.model.account import OtherFee
from engine.model.money import ROUNDED, ZERO
from engine.model.venue_events import VenueFill

SENTINEL: Final = "sentinel"
"""What the names of its own closings begin with."""
LOOKUPS_MAX: Final = 20
"""Orders whose names are asked for; older fills are left to whoever reads the account in peace."""
TRIES: Final = 10
PAUSE_S: Final = 0.1
"""How long a venue may take to tell what it has just done: a second."""

T = TypeVar("T")


def patiently(ask: Callable[[], T | None]) -> T | None:
    """Ask until there is an answer; None where none comes in time."""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE_S)
        if (told := ask()) is not None:
            return told
    return None


def all_of(fills: list[FillReport], qty: Decimal) -> list[FillReport] | None:
    """Return the fills of an order that has filled so much; None while some are missing."""
    return fills if sum((fill.qty for fill in fills), ZERO) == qty else None


def as_told(event_ns: int, order_id: str, told: FillReport) -> VenueFill:
    """Return one execution."""
    return VenueFill(
        event_ns,
        told.symbol,
        order_id,
        told.trade_id,
        told.side,
        told.price,
        told.qty,
        told.fee,
        told.liquidity,
        told.other_fee,
    )


def as_one(event_ns: int, order_id: str, fills: Sequence[FillReport]) -> VenueFill:
    """Return several executions of one order as one, at their average price, named by the last."""
    qty = sum((fill.qty for fill in fills), ZERO)
    worth = sum((fill.qty * fill.price for fill in fills), ZERO)
    price = fills[0].price if len(fills) == 1 else ROUNDED.divide(worth, qty)
    fee = sum((fill.fee for fill in fills), ZERO)
    whole = fills[-1]._replace(qty=qty, price=price, fee=fee, other_fee=_summed(fills))
    return as_told(event_ns, order_id, whole)


def _summed(fills: Sequence[FillReport]) -> OtherFee | UnsetType:
    """Return what was paid in another asset, of which a venue has one; quote may be among them."""
    others = [fill.other_fee for fill in fills if fill.other_fee]
    if not others:
        return UNSET
    amount = sum((one.amount for one in others), ZERO)
    return OtherFee(others[-1].asset, amount, sum((one.worth or ZERO for one in others), ZERO))
