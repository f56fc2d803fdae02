"""What the private line pushes, as our words; any bytes in, never an exception out. Pure.

An order's push tells how much of it was dealt in all, and neither number nor price of an execution.
A position's push tells all funding it has paid or got so far. `data` is documented as a list and
comes as one object.

Source: sheet section 7. That received funding is positive is not said there: unverified.
"""

from decimal import Decimal
from typing import Final, NamedTuple

from brokers.bitunix import rows
from brokers.bitunix.answers import UNREADABLE, order_report
from brokers.bitunix.moments import MS_NS, moment_ns
from brokers.bitunix.rows import OrderRow, PositionRow, decimal_of, text_of
from brokers.bitunix.wire import Head
from brokers.link.account import FundingReport, OrderReport, Unanswered
from engine.model.money import ZERO

ORDER: Final = "order"
POSITION: Final = "position"
CHANNELS: Final = (ORDER, POSITION, "balance", "tpsl")
POSITIONS_MAX: Final = 1_000


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


class FundingSeen:
    """Turns what each position was funded in all into single payments."""

    def __init__(self) -> None:
        self._total: dict[str, Decimal] = {}
        """By position."""

    def pushed(self, head: Head) -> list[FundingReport]:
        """Return the payments that a push of positions tells."""
        try:
            told = rows.positions.all(head.data)
        except UNREADABLE:
            return []
        payments = (self._payment(row, head.ts * MS_NS) for row in told)
        return [payment for payment in payments if payment is not None]

    def _payment(self, row: PositionRow, at_ns: int) -> FundingReport | None:
        try:
            total = decimal_of(row.funding)
        except UNREADABLE:
            return None
        name, event = text_of(row.position_id), row.event.upper()
        if total is None or not name:
            return None
        # A position that was not seen from its beginning may have been funded before.
        before = self._total.get(name, ZERO if event == "OPEN" else total)
        if event == "CLOSE":
            self._total.pop(name, None)
        else:
            self._total[name] = total
            if len(self._total) > POSITIONS_MAX:
                self._total.pop(next(iter(self._total)))
        return FundingReport(row.symbol, total - before, at_ns) if total != before else None
