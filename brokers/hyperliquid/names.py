"""What orders are called: our id, the venue's 128 bits, and numbers that change. Pure.

Rule 1: an order is known by our id. Its number is news that may be old.
Rule 2: an amended order has a new number, and its old one is canceled, in either order. Neither the
        cancel nor what the old number had filled is the order's end: both are folded into it.

Source: the Hyperliquid sheet, section 4 (amend).
"""

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, TypeVar

from brokers.hyperliquid.cloid import client_id_of, cloid_of
from brokers.link.account import OrderReport
from engine.model.money import ZERO
from engine.model.venue_events import Standing

REMEMBERED_MAX: Final = 20_000
"""Orders; the oldest are forgotten."""

K = TypeVar("K")
V = TypeVar("V")


class Names:
    """Our ids by the venue's."""

    def __init__(self) -> None:
        self._by_cloid: dict[str, str] = {}
        self._by_number: dict[str, str] = {}
        self._numbers: dict[str, str] = {}
        """The newest by our id."""

    def cloid(self, client_id: str) -> str:
        """Return what the venue is told, and remember whose it is."""
        cloid = cloid_of(client_id)
        if client_id_of(cloid) is None:
            _remember(self._by_cloid, cloid, client_id)
        return cloid

    def learn(self, number: str, client_id: str) -> None:
        """Remember what a number's order is called."""
        if client_id and number:
            _remember(self._by_number, number, client_id)
            _remember(self._numbers, client_id, number)

    def is_another(self, number: int, client_id: str) -> bool:
        """Whether an order of our id is known already, under another number."""
        return self._numbers.get(client_id, str(number)) != str(number)

    def of(self, number: int, cloid: str | None) -> str:
        """Return our id; a stranger's own name, and nothing for one that has none."""
        if cloid is None:
            return self._by_number.get(str(number), "")
        cloid = cloid.lower()
        return self._by_cloid.get(cloid) or client_id_of(cloid) or cloid


@dataclass(slots=True)
class _Line:
    """The numbers of one amended order."""

    current: str
    is_amending: bool = False
    filled: Decimal = ZERO
    """By the current number."""
    past: dict[str, Decimal] = field(default_factory=dict)
    """What each number before had filled."""
    held: OrderReport | None = None
    """A cancel of the current number that may be the amendment's own."""

    @property
    def carried(self) -> Decimal:
        """Filled before the current number."""
        return sum(self.past.values(), ZERO)

    def succeed(self, number: str) -> None:
        """Take another number on."""
        filled = self.filled if self.held is None else self.held.filled_qty
        self.past[self.current] = filled
        self.current, self.filled, self.held, self.is_amending = number, ZERO, None, False


class Succession:
    """Follows the numbers of the orders that were amended here."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def begin(self, client_id: str, number: str) -> None:
        """An amendment leaves."""
        line = self._lines.get(client_id) or _Line(number)
        line.is_amending = True
        _remember(self._lines, client_id, line)

    def amended(self, client_id: str, number: str) -> Decimal:
        """The venue has amended it; return what had filled before."""
        line = self._lines[client_id]
        if number and number != line.current:
            line.succeed(number)
        return line.carried

    def failed(self, client_id: str) -> OrderReport | None:
        """The venue has not amended it; return a cancel that was kept back, which is real then."""
        line = self._lines[client_id]
        line.is_amending, held = False, line.held
        line.held = None
        return held

    def hear(self, report: OrderReport) -> OrderReport | None:
        """Return a report as it concerns the order; None where it only concerns an old number."""
        line = self._lines.get(report.client_id)
        if line is None:
            return report
        number = report.venue_order_id
        if number in line.past:
            line.past[number] = max(line.past[number], report.filled_qty)
            return None
        is_new = number != line.current
        if is_new:
            line.succeed(number)
        elif line.is_amending and report.standing is Standing.CANCELED:
            line.held = report
            return None
        line.filled = report.filled_qty
        return _whole(report, line.carried)._replace(
            is_amendment=is_new and report.standing is Standing.WORKING
        )

    def asked(self, report: OrderReport) -> OrderReport | None:
        """Return an answer as `hear` does; it settles an amendment of which nothing was known."""
        line = self._lines.get(report.client_id)
        if line is not None and report.venue_order_id == line.current:
            line.is_amending, line.held = False, None
        return self.hear(report)


def _whole(report: OrderReport, carried: Decimal) -> OrderReport:
    """Count what the order's earlier numbers had filled."""
    return report._replace(qty=report.qty + carried, filled_qty=report.filled_qty + carried)


def _remember(kept: MutableMapping[K, V], key: K, item: V) -> None:
    kept[key] = item
    while len(kept) > REMEMBERED_MAX:
        del kept[next(iter(kept))]
