"""What the venue's answers say, in the words of `brokers.link.account`. Pure; never raises.

Rule 1: what certainly had no effect is `Refused`. A code that nobody has described, an answer that
        is none, a server error: `Unclear`, or `Unanswered` to a question.
Rule 2: code 0 is no proof: to a placement it means "taken in for processing", and a cancel with a
        list of failures is one.

Source: sheet sections 5, 6 and 8.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar

import msgspec
from msgspec import Raw

from brokers.bitunix import rows
from brokers.bitunix.codes import OK, THROTTLED, UNKNOWN_OUTCOME, reason_of
from brokers.bitunix.moments import moment_ns
from brokers.bitunix.rows import Failure, OrderRow, TradeRow, decimal_of, needed, text_of
from brokers.bitunix.wire import NOTHING
from brokers.link.account import (
    Accepted,
    FillReport,
    OrderReport,
    Refused,
    Unanswered,
    Unclear,
)
from brokers.link.exchanged import Outcome, Reply
from brokers.link.grid import Refused as Unreadable
from engine.model.account import Liquidity
from engine.model.money import ZERO
from engine.model.text import sanitize
from engine.model.venue_events import RejectReason, Standing, VenueHolding

SAID_MAX: Final = 120
HTTP_OK: Final = 200
NOT_DONE: Final = frozenset({400, 401, 403, 404, 405, 429})
"""Statuses of what was turned away at the door."""
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Unreadable)
T = TypeVar("T")


class Said(NamedTuple):
    """A whole answer."""

    code: str
    """`0` is good."""
    data: Raw
    message: str
    """Harmless."""


def said(outcome: Outcome) -> Said | Unclear:
    """Return what was answered; statuses of the door count as codes."""
    if not isinstance(outcome, Reply):
        return Unclear(outcome.cause)
    if outcome.status in NOT_DONE:
        return Said(str(outcome.status), NOTHING, f"HTTP {outcome.status}")
    if outcome.status != HTTP_OK:
        return Unclear(f"HTTP {outcome.status}")
    try:
        answer = rows.read_answer(outcome.body)
    except UNREADABLE:
        return Unclear("an answer that can't be read")
    return Said(str(answer.code), answer.data, sanitize(answer.msg or "", SAID_MAX))


def refusal(answer: Said) -> Refused | Unclear:
    """Return what an error means for something that was to be done."""
    detail = sanitize(f"{answer.code} {answer.message}".strip(), SAID_MAX)
    if answer.code in UNKNOWN_OUTCOME:
        return Unclear(detail)
    reason = reason_of(answer.code)
    return Unclear(f"unknown code {detail}") if reason is None else Refused(reason, detail)


def to_placement(answer: Said) -> Accepted | Refused | Unclear:
    """Read the answer to `place_order`; it is no proof."""
    if answer.code != OK:
        return refusal(answer)
    try:
        told = rows.placed.all(answer.data)
    except UNREADABLE:
        return Accepted()
    return Accepted(text_of(told[0].order_id) if told else "")


def to_cancel(answer: Said) -> Accepted | Refused | Unclear:
    """Read the answer to `cancel_orders` of one order."""
    if answer.code != OK:
        return refusal(answer)
    try:
        told = rows.batches.all(answer.data)
    except UNREADABLE:
        return Unclear("a cancel's answer that can't be read")
    failed = [one for batch in told for one in batch.failed or ()]
    if failed:
        return failure(failed[0])
    if any(batch.done for batch in told):
        return Accepted()
    return Unclear("a cancel that was neither done nor refused")


def failure(told: Failure) -> Refused | Unclear:
    """Return what it means that one order of a list is among those that failed."""
    code, message = sanitize(text_of(told.code), SAID_MAX), sanitize(told.message or "", SAID_MAX)
    reason = reason_of(code, message)
    detail = f"{code} {message}".strip()
    return Unclear(f"unknown code {detail}") if reason is None else Refused(reason, detail)


def is_throttled(answer: Said | Unclear) -> bool:
    """Whether the venue wants fewer requests."""
    return isinstance(answer, Said) and answer.code in THROTTLED


def read(answer: Said | Unclear, read_data: Callable[[Raw], list[T]]) -> list[T] | Unanswered:
    """Return the rows of an answer to a question."""
    if isinstance(answer, Unclear):
        return Unanswered(answer.cause)
    if answer.code != OK:
        said = f"{answer.code} {answer.message}".strip()
        return Unanswered(said, is_denied=reason_of(answer.code) is RejectReason.AUTH)
    try:
        return read_data(answer.data)
    except UNREADABLE as error:
        return Unanswered(sanitize(f"rows that can't be read: {error}", SAID_MAX))


# --- rows ----------------------------------------------------------------------------------------


def order_report(row: OrderRow, at_ns: int) -> OrderReport | Unanswered:
    """Return how an order stands; a status nobody knows is no answer.

    Args:
        row: As asked for, or as pushed.
        at_ns: When it was told, where the row does not say when it changed.

    """
    status = rows.status_of(row)
    standing = rows.STANDINGS.get(status)
    if standing is None:
        return Unanswered(f"an order of status {sanitize(status, 30)!r}")
    try:
        return OrderReport(
            client_id=text_of(row.client_id),
            venue_order_id=text_of(row.order_id),
            symbol=row.symbol,
            side=rows.side_of(row.side),
            standing=standing,
            qty=needed(row.qty),
            filled_qty=filled_of(row),
            price=price_of(row),
            at_ns=moment_ns(row.changed) if row.changed else at_ns,
            detail=status if standing in (Standing.CANCELED, Standing.EXPIRED) else "",
        )
    except UNREADABLE as error:
        return Unanswered(sanitize(f"an order that can't be read: {error}", SAID_MAX))


def filled_of(row: OrderRow) -> Decimal:
    """Return what of an order has been dealt, under either name."""
    traded = decimal_of(row.traded)
    if traded is None:
        traded = decimal_of(row.dealt)
    return traded or ZERO


def price_of(row: OrderRow) -> Decimal | None:
    """Return the limit; a market order has none, or 0."""
    return decimal_of(row.price) or None


def fill_report(row: TradeRow, client_id: str) -> FillReport | Unanswered:
    """Return one execution.

    Args:
        row: It; the venue names our order by its own id only.
        client_id: Ours, if known.

    """
    try:
        return FillReport(
            client_id=client_id,
            venue_order_id=text_of(row.order_id),
            symbol=row.symbol,
            trade_id=text_of(row.trade_id),
            side=rows.side_of(row.side),
            price=needed(row.price),
            qty=needed(row.qty),
            fee=decimal_of(row.fee) or ZERO,
            liquidity=rows.ROLES.get(row.role.upper(), Liquidity.TAKER),
            at_ns=moment_ns(row.at if row.at is not None else ""),
        )
    except UNREADABLE as error:
        return Unanswered(sanitize(f"a fill that can't be read: {error}", SAID_MAX))


def holding(row: rows.PositionRow) -> VenueHolding | Unanswered:
    """Return a position; the side gives its sign."""
    try:
        return VenueHolding(row.symbol, needed(row.qty) * rows.side_of(row.side).sign)
    except UNREADABLE as error:
        return Unanswered(sanitize(f"a position that can't be read: {error}", SAID_MAX))


def wallet(row: rows.AccountRow) -> Decimal | Unanswered:
    """Return the balance without unrealised profit."""
    try:
        tied = (decimal_of(row.frozen) or ZERO) + (decimal_of(row.margin) or ZERO)
        return needed(row.available) + tied
    except UNREADABLE as error:
        return Unanswered(sanitize(f"a balance that can't be read: {error}", SAID_MAX))


def is_unknown_order(answer: Said) -> bool:
    """Whether the venue says that it knows no such order."""
    return reason_of(answer.code, answer.message) is RejectReason.ORDER_NOT_FOUND
