"""Position and order truth: one picture of the venue's account held against ours. Pure.

Rule 1: `compare` names every difference and judges none. Answers travel, so one picture proves
        nothing: what is found in two pictures in a row, by the same amount, is a difference.
Rule 2: requests in flight are not compared; `engine.kernel.inquiries` asks after those.
Rule 3: a picture that contradicts itself, or is older than the last, is not compared at all.

Source: domain.md section 6; reliability.md A5, A6, A9.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from engine.execution.orders import IN_FLIGHT
from engine.model.money import ZERO
from engine.model.orders import Order
from engine.model.venue_events import VenueFill, VenueSnapshot
from engine.model.words import Word

SESSION: Final = "session"
"""Scope of what concerns no single instrument."""


class MismatchKind(Word):
    """How two accounts can differ."""

    MISSING_FILL = "missing_fill"
    POSITION_DRIFT = "position_drift"
    ORPHAN_ORDER = "orphan_order"
    """One of ours works there, and we don't know that it does."""
    GHOST_ORDER = "ghost_order"
    """It works here and not there."""
    NEGATIVE_QTY = "negative_qty"
    DUPLICATE_KEY = "duplicate_key"
    TS_REGRESSION = "ts_regression"
    BALANCE_DRIFT = "balance_drift"
    FOREIGN_ORDER = "foreign_order"
    FOREIGN_POSITION = "foreign_position"
    """On an instrument that this session does not trade."""


FOREIGN: Final = frozenset({MismatchKind.FOREIGN_ORDER, MismatchKind.FOREIGN_POSITION})
"""Reported and left alone: somebody else's business on the same account."""


class Mismatch(msgspec.Struct, frozen=True, order=True):
    """One difference. Equal ones are the same difference, seen twice."""

    kind: MismatchKind
    scope: str
    """Symbol, or `SESSION`."""
    key: str
    """Order id, trade id or symbol."""
    gap: str
    """By how much, or what the venue has."""

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {self.gap}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OurAccount:
    """What we believe, read off the books."""

    positions: Mapping[str, Decimal]
    """Signed, of every instrument of the session."""
    lot_sizes: Mapping[str, Decimal]
    orders: Mapping[str, Order]
    """Live ones, by id."""
    is_booked: Callable[[str, str], bool]
    """Whether a (symbol, trade id) has been booked."""
    cash: Decimal
    """By cash flow: all that was paid and received. Flat, it is the balance, whoever of several
    agents it was realised by."""


def compare(
    theirs: VenueSnapshot,
    ours: OurAccount,
    *,
    last_taken_ns: int,
    mismatch_tolerance: Decimal,
    balance_tolerance: Decimal,
) -> tuple[Mismatch, ...]:
    """Return every difference, sorted.

    Args:
        last_taken_ns: Venue time of the picture before this one. An empty account may be older:
            venues stamp it with nothing.
        mismatch_tolerance: In lots.
        balance_tolerance: Quote currency.
    """
    unsound = sorted(_unsound(theirs, last_taken_ns))
    if unsound:
        return tuple(unsound)
    missing = missing_fills(theirs, ours)
    found = [
        *(_missing(fill) for fill in missing),
        *_drifts(theirs, ours, missing, mismatch_tolerance),
        *_strangers(theirs, ours),
        *_ghosts(theirs, ours, missing),
        *_balance(theirs, ours, missing, balance_tolerance),
    ]
    return tuple(sorted(found))


def missing_fills(theirs: VenueSnapshot, ours: OurAccount) -> Sequence[VenueFill]:
    """Return the executions we have not booked, oldest first."""
    return [
        fill
        for fill in theirs.fills
        if fill.symbol in ours.positions and not ours.is_booked(fill.symbol, fill.trade_id)
    ]


def digest(theirs: VenueSnapshot) -> str:
    """Return the SHA-256 of what the account is, whatever order the venue tells it in."""
    canonical = (
        sorted((one.symbol, str(one.qty.normalize())) for one in theirs.positions),
        sorted((o.order_id, str(o.qty), str(o.filled_qty)) for o in theirs.orders),
        None if theirs.balance is None else str(theirs.balance.normalize()),
    )
    return hashlib.sha256(msgspec.json.encode(canonical)).hexdigest()


def _unsound(theirs: VenueSnapshot, last_taken_ns: int) -> Iterator[Mismatch]:
    is_empty = not (theirs.positions or theirs.orders)
    if theirs.taken_ns < last_taken_ns and not is_empty:
        back_ms = (last_taken_ns - theirs.taken_ns) // 1_000_000
        yield Mismatch(MismatchKind.TS_REGRESSION, SESSION, "snapshot", f"{back_ms} ms back")
    for key in _repeated(one.symbol for one in theirs.positions):
        yield Mismatch(MismatchKind.DUPLICATE_KEY, SESSION, key, "position told twice")
    for key in _repeated(order.order_id for order in theirs.orders):
        yield Mismatch(MismatchKind.DUPLICATE_KEY, SESSION, key, "order told twice")
    for order in theirs.orders:
        if not ZERO <= order.filled_qty <= order.qty or not order.qty:
            told = f"{order.filled_qty} of {order.qty}"
            yield Mismatch(MismatchKind.NEGATIVE_QTY, SESSION, order.order_id, told)


def _repeated(keys: Iterable[str]) -> Sequence[str]:
    seen: dict[str, int] = {}
    for key in keys:
        seen[key] = seen.get(key, 0) + 1
    return [key for key, times in seen.items() if times > 1]


def _missing(fill: VenueFill) -> Mismatch:
    told = f"{fill.side} {fill.qty} at {fill.price} of {fill.order_id}"
    return Mismatch(MismatchKind.MISSING_FILL, fill.symbol, fill.trade_id, told)


def _drifts(
    theirs: VenueSnapshot, ours: OurAccount, missing: Sequence[VenueFill], lots: Decimal
) -> Iterator[Mismatch]:
    """Yield what of a position no fill explains."""
    there = {one.symbol: one.qty for one in theirs.positions}
    for symbol, qty in there.items():
        if symbol not in ours.positions and qty:
            yield Mismatch(MismatchKind.FOREIGN_POSITION, symbol, symbol, f"{qty:+}")
    for symbol, qty in ours.positions.items():
        told = sum((f.side.sign * f.qty for f in missing if f.symbol == symbol), ZERO)
        gap = there.get(symbol, ZERO) - qty - told
        if abs(gap) > lots * ours.lot_sizes[symbol]:
            yield Mismatch(MismatchKind.POSITION_DRIFT, symbol, symbol, f"{gap:+}")


def _strangers(theirs: VenueSnapshot, ours: OurAccount) -> Iterator[Mismatch]:
    for order in theirs.orders:
        told = f"{order.side} {order.qty}"
        if order.is_foreign:
            yield Mismatch(MismatchKind.FOREIGN_ORDER, order.symbol, order.order_id, told)
        elif order.order_id not in ours.orders:
            yield Mismatch(MismatchKind.ORPHAN_ORDER, order.symbol, order.order_id, told)


def _ghosts(
    theirs: VenueSnapshot, ours: OurAccount, missing: Sequence[VenueFill]
) -> Iterator[Mismatch]:
    """Yield orders of ours that neither work there nor have filled without our knowing."""
    working = {order.order_id for order in theirs.orders} | {fill.order_id for fill in missing}
    for order in ours.orders.values():
        if order.state not in IN_FLIGHT and order.order_id not in working:
            told = f"{order.state} here"
            yield Mismatch(MismatchKind.GHOST_ORDER, order.symbol, order.order_id, told)


def _balance(
    theirs: VenueSnapshot, ours: OurAccount, missing: Sequence[VenueFill], tolerance: Decimal
) -> Iterator[Mismatch]:
    """Compare money where it means the same on both sides: with nothing held and nothing missing.

    A venue books profit when it realises it by its own average; flat, there is one answer.
    """
    is_held = any(one.qty for one in theirs.positions) or any(ours.positions.values())
    if theirs.balance is None or is_held or missing:
        return
    gap = theirs.balance - ours.cash
    if abs(gap) > tolerance:
        yield Mismatch(MismatchKind.BALANCE_DRIFT, SESSION, "balance", f"{gap:+}")
