"""What the private line pushes, as our words; any bytes in, never an exception out. Pure.

An order's push tells how much of it was dealt in all, and neither number nor price of an execution.
What the pushes of positions tell is in `funding`. `data` is documented as a list and comes as one
object.

Source: sheet section 7.
"""

from decimal import Decimal
from typing import Final, NamedTuple

from brokers.bitunix import rows
from brokers.bitunix.answers import UNREADABLE, order_report
from brokers.bitunix.moments import MS_NS, moment_ns
from brokers.bitunix.rows import OrderRow, decimal_of
from brokers.bitunix.wire import Head
from brokers.link.account import OrderReport, Unanswered
from engine.model.money import ZERO

ORDER: Final = "order"
POSITION: Final = "position"
CHANNELS: Final = (ORDER, POSITION, "balance", "tpsl")


class OrderPush(NamedTuple):
    """How an order stands."""

    report: OrderReport
    average: Decimal | None
    """Price of all its executions."""
    fee: Decimal
    """Of all its executions."""
    created_ns: int


def order_pushes(head: Head) -> list[OrderPush]:
    """Return the orders of a push; what can't be read, or is not in the book yet, is left out."""
    try:
        told = rows.orders.all(head.data)
    except UNREADABLE:
        return []
    pushes = (_order_push(row, head.ts * MS_NS) for row in told if _is_proof(row))
    return [push for push in pushes if push is not None]


def _is_proof(row: OrderRow) -> bool:
    return rows.status_of(row) != rows.INIT


def _order_push(row: OrderRow, at_ns: int) -> OrderPush | None:
    try:
        average = decimal_of(row.pushed_average) or decimal_of(row.average)
        fee = decimal_of(row.fee) or ZERO
        created_ns = moment_ns(row.created) if row.created else 0
    except UNREADABLE:
        average, fee, created_ns = None, ZERO, 0
    report = order_report(row, at_ns)
    if isinstance(report, Unanswered) or not report.venue_order_id:
        return None
    return OrderPush(report, average, fee, created_ns)
