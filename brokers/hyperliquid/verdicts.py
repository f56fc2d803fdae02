"""What an answer of Hyperliquid's means for an order. Pure.

Source: the Hyperliquid sheet, section 4 (answer) and 8; reliability.md A3, rows 23-29.
"""

from decimal import Decimal
from typing import Final

from brokers.hyperliquid import answers
from brokers.hyperliquid.answers import BROKEN, Element
from brokers.hyperliquid.caller import Fault
from brokers.hyperliquid.refusals import harmless
from brokers.link.account import (
    Accepted,
    NewOrder,
    OrderRef,
    OrderReport,
    Outcome,
    Refused,
    Unanswered,
    Unclear,
)
from engine.model.money import ZERO
from engine.model.orders import OrderType, Side, TimeInForce
from engine.model.venue_events import RejectReason, Standing

UNREADABLE: Final = "an answer that can't be read"
ENDED: Final = frozenset({Standing.CANCELED, Standing.EXPIRED})
GONE: Final = frozenset({Standing.FILLED, Standing.NOT_FOUND, Standing.REJECTED})


def failed(fault: Fault) -> Refused | Unclear:
    """Return what a request that did not do what it should means."""
    if fault.reason is None:
        return Unclear(fault.detail)
    return Refused(fault.reason, fault.detail)


def number_of(element: Element) -> str:
    """Return the venue's number in an answer; empty where it names none."""
    told = element.resting or element.filled
    return "" if told is None else str(told.oid)


def placed(order: NewOrder, element: Element, at_ns: int) -> Outcome:
    """Return what became of an order that was not refused.

    That it rests says nothing of what has filled; the stream does.
    """
    number = number_of(element)
    if element.filled is None:
        return Accepted(number)
    try:
        filled = answers.number(element.filled.total_sz)
    except BROKEN:
        return Unclear(UNREADABLE)
    is_immediate = order.type is OrderType.MARKET or order.tif is TimeInForce.IOC
    rest = Standing.EXPIRED if is_immediate else Standing.WORKING
    return Accepted(number, as_answered(order, number, filled, rest, at_ns))


def unmatched(order: NewOrder, at_ns: int) -> Accepted:
    """Return what an immediate order comes to that met nobody: it came in, and ended."""
    return Accepted("", as_answered(order, "", ZERO, Standing.EXPIRED, at_ns))


def as_answered(
    order: NewOrder, number: str, filled: Decimal, rest: Standing, at_ns: int
) -> OrderReport:
    """Return how an order stands; `rest` is how where it has not filled whole."""
    return OrderReport(
        order.client_id,
        number,
        order.instrument.symbol,
        order.side,
        Standing.FILLED if filled >= order.qty else rest,
        order.qty,
        min(filled, order.qty),
        order.price,
        at_ns,
    )


def same_as(order: NewOrder, found: OrderReport | Unanswered, text: str) -> Outcome:
    """Say what became of an order whose name is taken: by itself, most likely (row 27)."""
    if isinstance(found, Unanswered) or found.standing is Standing.NOT_FOUND:
        return Unclear("its client id is taken, and the order can't be read")
    is_same = (found.side, found.qty) == (order.side, order.qty) and (
        found.price == order.price or order.type is OrderType.MARKET
    )
    if not is_same:
        return Refused(RejectReason.DUPLICATE_CLIENT_ID, harmless(text))
    return Accepted(found.venue_order_id, found)


def gone(found: OrderReport | Unanswered, text: str) -> Outcome:
    """Say what became of an order that the venue says it does not have."""
    if isinstance(found, Unanswered):
        return Unclear(found.cause)
    if found.standing in ENDED:
        return Accepted(found.venue_order_id, found)
    if found.standing in GONE:
        return Refused(RejectReason.ORDER_NOT_FOUND, f"it is {found.standing}")
    return Unclear(harmless(f"it works on, and yet: {text}"))


def not_amendable(found: OrderReport | Unanswered) -> Refused | None:
    """Return why an order can't be amended now."""
    if isinstance(found, Unanswered):
        return Refused(RejectReason.VENUE_UNAVAILABLE, found.cause)
    if found.standing is not Standing.WORKING:
        return Refused(RejectReason.ORDER_NOT_FOUND, f"it is {found.standing}")
    if found.filled_qty:
        return Refused(RejectReason.INVALID_ORDER, "it has filled in part: cancel it instead")
    return None


def unknown(ref: OrderRef) -> OrderReport:
    """Return that the venue knows no such order."""
    side = Side.BUY if ref.order is None else ref.order.side
    return OrderReport(
        ref.client_id, ref.venue_order_id, ref.symbol, side, Standing.NOT_FOUND, ZERO, ZERO, None, 0
    )
