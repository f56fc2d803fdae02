"""Executions of our orders: the line says how much was dealt, a question says at what price. Pure.

Rule 1: an order's end is told after its executions, so that none looks late.
Rule 2: an execution is told once, by the venue's id for it. Where the venue does not find it in
        time, what is missing is told as one, named by order and dealt quantity, at the price that
        makes the average right; the real ones that it stands for are then kept back.

Source: sheet sections 5 and 7; venues/README.md section 1 (5).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from brokers.link.account import FillReport, OrderReport, Report
from engine.model.account import Liquidity
from engine.model.money import ROUNDED, ZERO
from engine.model.recent import Recent
from engine.model.venue_events import Standing

TOLD_MAX: Final = 50_000
FIRST_S: Final = 0.05
SLOWEST_S: Final = 2.0
"""Between two questions about one order."""
PATIENCE_S: Final = 20.0
"""How long the venue may not find what it has dealt."""


@dataclass(slots=True)
class Deal:
    """An order with executions that were not told yet."""

    report: OrderReport
    """As last pushed."""
    since_s: float
    next_s: float
    average: Decimal | None = None
    fee: Decimal = ZERO
    """Of all executions."""
    tries: int = 0
    told_qty: Decimal = ZERO
    told_cost: Decimal = ZERO
    told_fee: Decimal = ZERO


class StoodFor(NamedTuple):
    """What of an order was told without its executions."""

    qty: Decimal
    until_ns: int
    """Later executions were not meant."""


class Deals:
    """What was dealt and what was told of it; times are monotonic seconds."""

    def __init__(self) -> None:
        self._open: dict[str, Deal] = {}
        """By the venue's order id."""
        self._told = Recent(TOLD_MAX)
        self._stood_for: dict[str, StoodFor] = {}
        """By the venue's order id."""

    def pushed(
        self, report: OrderReport, average: Decimal | None, fee: Decimal, now_s: float
    ) -> list[Report]:
        """Take how an order stands; return what can be told at once."""
        deal = self._open.get(report.venue_order_id)
        if not report.filled_qty and deal is None:
            return [report]
        if deal is None:
            deal = self._open[report.venue_order_id] = Deal(report, now_s, now_s)
        elif report.filled_qty < deal.report.filled_qty or _has_ended(deal.report):
            return []  # an older picture of it
        elif report.filled_qty > deal.report.filled_qty:
            deal.since_s, deal.next_s, deal.tries = now_s, now_s, 0
        deal.report, deal.average, deal.fee = report, average, fee
        told: list[Report] = [] if _has_ended(report) else [report]
        return told + self._settled(deal)

    def due(self, now_s: float) -> list[OrderReport]:
        """Return the orders whose executions are to be asked for now."""
        return [
            deal.report for deal in self._open.values() if _is_short(deal) and deal.next_s <= now_s
        ]

    def next_s(self) -> float | None:
        """Return when something is due; None if nothing is."""
        return min((d.next_s for d in self._open.values() if _is_short(d)), default=None)

    def answered(
        self, venue_order_id: str, fills: Sequence[FillReport] | None, now_s: float
    ) -> list[Report]:
        """Take all executions of one order so far; None where nobody answered."""
        deal = self._open.get(venue_order_id)
        if deal is None:
            return []
        told: list[Report] = list(self._fresh(fills or ()))
        listed_qty = sum((fill.qty for fill in fills or ()), ZERO)
        if fills and listed_qty > deal.told_qty:
            deal.told_qty = listed_qty
            deal.told_cost = sum((fill.qty * fill.price for fill in fills), ZERO)
            deal.told_fee = sum((fill.fee for fill in fills), ZERO)
        deal.tries += 1
        deal.next_s = now_s + min(SLOWEST_S, FIRST_S * 2 ** min(deal.tries, 10))
        if _is_short(deal) and deal.average is not None and now_s - deal.since_s > PATIENCE_S:
            told.append(self._stand_in(deal, deal.average))
        return told + self._settled(deal)

    def known(self, fills: Iterable[FillReport]) -> list[FillReport]:
        """Leave out what a stand-in has told, for a picture; nothing counts as told by it."""
        left = {order_id: stood.qty for order_id, stood in self._stood_for.items()}
        return [fill for fill in fills if not self._is_covered(fill, left)]

    def _fresh(self, fills: Iterable[FillReport]) -> list[FillReport]:
        return [fill for fill in self.known(fills) if self._told.add(fill.trade_id)]

    def _is_covered(self, fill: FillReport, left: dict[str, Decimal]) -> bool:
        """Whether a stand-in was told for it; counts it off."""
        stood = self._stood_for.get(fill.venue_order_id)
        if stood is None or fill.trade_id in self._told or fill.at_ns > stood.until_ns:
            return False
        open_qty = left[fill.venue_order_id]
        left[fill.venue_order_id] = max(ZERO, open_qty - fill.qty)
        return fill.qty <= open_qty

    def _stand_in(self, deal: Deal, average: Decimal) -> FillReport:
        report, order_id = deal.report, deal.report.venue_order_id
        qty = report.filled_qty - deal.told_qty
        cost = average * report.filled_qty - deal.told_cost
        fee = deal.fee - deal.told_fee
        before = self._stood_for.get(order_id, StoodFor(ZERO, 0))
        self._stood_for[order_id] = StoodFor(before.qty + qty, report.at_ns)
        deal.told_qty, deal.told_cost = report.filled_qty, average * report.filled_qty
        deal.told_fee = deal.fee
        name = f"{order_id}@{report.filled_qty:f}"
        self._told.add(name)
        return FillReport(
            report.client_id, order_id, report.symbol, name, report.side,
            ROUNDED.divide(cost, qty), qty, fee, Liquidity.TAKER, report.at_ns,
        )  # fmt: skip

    def _settled(self, deal: Deal) -> list[Report]:
        """Tell the end of an order whose executions are all told, and forget it."""
        if _is_short(deal) or not _has_ended(deal.report):
            return []
        del self._open[deal.report.venue_order_id]
        return [deal.report]


def _has_ended(report: OrderReport) -> bool:
    return report.standing is not Standing.WORKING


def _is_short(deal: Deal) -> bool:
    return deal.told_qty < deal.report.filled_qty
