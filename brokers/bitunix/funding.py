"""What positions were funded: the venue tells a total of each, here it becomes single payments.

Pushes tell totals, and so does the list of positions, which is asked for whenever the line is up
again: what was paid while nobody listened is told by no push.

Rule 1: a payment is told once, over lost lines and over crashes: what an interrupted run was told
        since the position was opened is not told again.
Rule 2: what a position had got before the session began is not ours.

Source: sheet sections 5 and 7. That received funding is positive is not said there: unverified.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from brokers.bitunix import rows
from brokers.bitunix.answers import UNREADABLE
from brokers.bitunix.moments import MS_NS, moment_ns
from brokers.bitunix.rows import PositionRow, decimal_of, text_of
from brokers.bitunix.wire import Head
from brokers.link.account import FundingReport
from engine.model.money import ZERO

POSITIONS_MAX: Final = 1_000


class FundingSeen:
    """Turns what each position was funded in all into single payments."""

    def __init__(self) -> None:
        self._total: dict[str, Decimal] = {}
        """By position."""
        self._pushed: set[str] = set()
        """Positions of which a push came since the list was asked for."""
        self._since_ns: int | None = None
        self._told_before: Sequence[FundingReport] = ()

    def begin(self, since_ns: int, told: Sequence[FundingReport]) -> None:
        """State when the session began, and what an interrupted run of it was told."""
        self._since_ns, self._told_before = since_ns, told

    def pushed(self, head: Head) -> list[FundingReport]:
        """Return the payments that a push of positions tells."""
        try:
            told = rows.positions.all(head.data)
        except UNREADABLE:
            return []
        self._pushed.update(text_of(row.position_id) for row in told)
        return self._payments(told, head.ts * MS_NS)

    def ask(self) -> None:
        """Say that the list is asked for: what is pushed from now on is newer than it."""
        self._pushed.clear()

    def listed(self, told: Iterable[PositionRow], at_ns: int) -> list[FundingReport]:
        """Return the payments that the list of open positions tells."""
        fresh = [row for row in told if text_of(row.position_id) not in self._pushed]
        return self._payments(fresh, at_ns)

    def _payments(self, told: Iterable[PositionRow], at_ns: int) -> list[FundingReport]:
        payments = (self._payment(row, at_ns) for row in told)
        return [payment for payment in payments if payment is not None]

    def _payment(self, row: PositionRow, at_ns: int) -> FundingReport | None:
        try:
            total = decimal_of(row.funding)
        except UNREADABLE:
            return None
        name = text_of(row.position_id)
        if total is None or not name:
            return None
        before = self._total.get(name)
        if before is None:
            before = self._told_of(row, total)
        self._total[name] = total
        if len(self._total) > POSITIONS_MAX:
            self._total.pop(next(iter(self._total)))
        return FundingReport(row.symbol, total - before, at_ns) if total != before else None

    def _told_of(self, row: PositionRow, total: Decimal) -> Decimal:
        """Return how much of a total was told of a position that is seen for the first time."""
        if row.event.upper() == "OPEN":
            return ZERO
        try:
            opened_ns = moment_ns(row.created) if row.created else 0
        except UNREADABLE:
            return total
        if self._since_ns is None or opened_ns < self._since_ns:
            return total
        told = (p for p in self._told_before if p.symbol == row.symbol and p.at_ns >= opened_ns)
        return sum((payment.amount for payment in told), ZERO)
