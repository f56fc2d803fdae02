"""What Binance's answers to a request mean for the order it was about. Pure.

Source: the Binance sheet, section 6; reliability.md A3, rows 27 and 37.
"""

from typing import Final

from brokers.binance.faults import Fault
from brokers.link.account import (
    Accepted,
    NewOrder,
    OrderRef,
    OrderReport,
    Outcome,
    Refused,
    Unclear,
)
from engine.model.money import ZERO
from engine.model.orders import OrderType, Side
from engine.model.venue_events import RejectReason, Standing

ENDED: Final = frozenset({Standing.CANCELED, Standing.EXPIRED})
GONE: Final = frozenset({Standing.FILLED, Standing.NOT_FOUND, Standing.REJECTED})


def placed(report: OrderReport) -> Outcome:
    """Say what an answer to a placement means."""
    if report.standing is Standing.UNANSWERED:
        return Unclear(report.detail)
    is_ended = report.standing in (Standing.REJECTED, Standing.EXPIRED)
    if is_ended and report.reason is not None:
        return Refused(report.reason, report.detail)
    return Accepted(report.venue_order_id, report)


def of_duplicate(order: NewOrder, report: OrderReport) -> Outcome:
    """Say whether the order that has our client id is ours."""
    is_same = (report.side, report.qty) == (order.side, order.qty) and (
        report.price == order.price or order.type is OrderType.MARKET
    )
    if not is_same:
        return Refused(RejectReason.DUPLICATE_CLIENT_ID, "another order has this client id")
    return Accepted(report.venue_order_id, report)


def ended(report: OrderReport, fault: Fault) -> Outcome:
    """Say what became of an order that the venue said it does not have."""
    if report.standing in ENDED:
        return Accepted(report.venue_order_id, report)
    if report.standing in GONE:
        return Refused(RejectReason.ORDER_NOT_FOUND, f"it is {report.standing}")
    return Unclear(f"it works on, and yet: {fault.detail}")


def failed(fault: Fault) -> Refused | Unclear:
    """Say what a refusal means that needs no second look."""
    if fault.reason is None:
        return Unclear(fault.detail)
    return Refused(fault.reason, fault.detail)


def not_found(ref: OrderRef) -> OrderReport:
    """Say of an order that the venue knows none of that name."""
    side = Side.BUY if ref.order is None else ref.order.side
    return OrderReport(
        ref.client_id, ref.venue_order_id, ref.symbol, side, Standing.NOT_FOUND, ZERO, ZERO, None, 0
    )
