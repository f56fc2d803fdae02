"""What Bitunix answers to somebody who only looks at an account. Pure; never raises.

The venue tells no mark price with a position, but what the position has gained at it. It lists no
payments: funding and transfers move the balance and are told by nobody.

Source: sheet section 5.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, TypeVar

from brokers.bitunix import rows
from brokers.bitunix.answers import UNREADABLE, fill_report
from brokers.bitunix.rows import AccountRow, PositionRow, TradeRow, decimal_of, needed
from brokers.link.account import Unanswered
from engine.model.money import ROUNDED, ZERO
from engine.model.sightings import PaymentKind, SeenFill, SeenPosition
from engine.model.text import sanitize

NAME_MAX: Final = 64
UNTOLD: Final = tuple(PaymentKind)
R = TypeVar("R")
T = TypeVar("T")


def positions(found: Sequence[PositionRow]) -> tuple[SeenPosition, ...] | Unanswered:
    """Return the open positions, by symbol."""
    told = _each(found, _position, "a position")
    if isinstance(told, Unanswered):
        return told
    return tuple(sorted((one for one in told if one.qty), key=lambda one: (one.symbol, one.qty)))


def _position(row: PositionRow) -> SeenPosition:
    qty = needed(row.qty) * rows.side_of(row.side).sign
    gain = decimal_of(row.unrealised)
    if gain is None:
        raise ValueError("no profit told")
    # What it cost and what it gained is what it is worth.
    worth = needed(row.entry_value) * (1 if qty > 0 else -1) + gain
    mark = ROUNDED.divide(worth, qty) if qty else ZERO
    return SeenPosition(sanitize(row.symbol, NAME_MAX), qty, mark, gain)


def fills(found: Sequence[TradeRow]) -> tuple[SeenFill, ...] | Unanswered:
    """Return executions, oldest first."""
    told = []
    for row in found:
        one = fill_report(row, "")
        if isinstance(one, Unanswered):
            return one
        told.append(
            SeenFill(one.symbol, one.trade_id, one.side, one.price, one.qty, one.fee, one.at_ns)
        )
    return tuple(sorted(told, key=lambda one: (one.at_ns, len(one.trade_id), one.trade_id)))


def free(row: AccountRow) -> Decimal | Unanswered:
    """Return what is left for new positions."""
    told = _each((row,), _free, "a balance")
    return told if isinstance(told, Unanswered) else told[0]


def _free(row: AccountRow) -> Decimal:
    return needed(row.available) + (decimal_of(row.cross_unrealised) or ZERO)


def _each(found: Sequence[R], read: Callable[[R], T], what: str) -> list[T] | Unanswered:
    try:
        return [read(row) for row in found]
    except (*UNREADABLE, ValueError):
        return Unanswered(f"{what} that can't be read")
