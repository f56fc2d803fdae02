"""What a venue reports of an account, in the engine's words.

Rule 1: what an answer and the account's stream both tell is told once.
Rule 2: an order that has ended is not accepted, amended or ended again; its fills still count.
Rule 3: an order of somebody else is not spoken of; pictures show it as foreign.
"""

from collections import deque
from decimal import Decimal
from typing import Final

from brokers.link.account import (
    FillReport,
    FundingReport,
    LineDown,
    LineUp,
    OrderReport,
    Picture,
    Report,
)
from brokers.link.known import KnownOrder, KnownOrders
from brokers.link.mail import Mail
from brokers.link.telling import ended, held, status_of, working
from engine.model.money import ZERO
from engine.model.venue_events import (
    RejectReason,
    Standing,
    VenueAccepted,
    VenueAmended,
    VenueEvent,
    VenueFill,
    VenueFunding,
    VenueOrderStatus,
    VenueSnapshot,
    VenueStatus,
)

FORCED: Final = "liquidation-"
UNCLAIMED_MAX: Final = 1_000
"""Fills kept whose order is not known yet: the answer that numbers it may still be on its way."""
OVER: Final = frozenset({Standing.CANCELED, Standing.EXPIRED})
DONE: Final = frozenset({*OVER, Standing.FILLED, Standing.REJECTED})


class Reports:
    """From one account to the session's mail."""

    def __init__(self, venue: str, known: KnownOrders, mail: Mail) -> None:
        self._venue = venue
        self._known = known
        self._mail = mail
        self._cut: dict[str, bool] = {}
        """Whether each part of the trading side was last told to be down."""
        self._cut_else: bool | None = False
        """The same of the others; None where an earlier process may have told."""
        self._unclaimed: deque[FillReport] = deque(maxlen=UNCLAIMED_MAX)

    def hear(self, report: Report) -> None:
        """Take what the account's stream tells."""
        match report:
            case OrderReport():
                self.order(report)
            case FillReport():
                self._filled(report)
            case FundingReport(symbol, amount, at_ns):
                self._mail.post(VenueFunding(0, symbol, ZERO, ZERO, ZERO, amount, at_ns))
            case LineUp():
                self.part("", "")
            case LineDown(cause=cause):
                self.part("", cause or "cut")

    def part(self, name: str, cause: str) -> None:
        """Tell, once, that a part of the trading side is down, or with no cause up again."""
        is_cut = bool(cause)
        if self._cut.get(name, self._cut_else) is not is_cut:
            self._cut[name] = is_cut
            self._mail.post(VenueStatus(0, f"{self._venue} {name}".rstrip(), not is_cut, cause))

    def recall(self, status: VenueStatus) -> None:
        """Learn what an interrupted run was told of a part."""
        self._cut[status.venue.removeprefix(self._venue).strip()] = not status.is_up

    def forget_parts(self) -> None:
        """Know of no part what was told: whatever its next word is, it is told."""
        self._cut_else = None

    def order(self, report: OrderReport) -> None:
        """Take how an order stands; one that is not of this run is left out."""
        known = self._known.named(report.client_id, report.venue_order_id)
        if known is None or known.is_ended:
            return
        if known.is_held:
            known.release()  # by a process that died then
        crosses = report.reason is RejectReason.POST_ONLY_WOULD_CROSS
        if report.standing is Standing.REJECTED or (
            report.standing in OVER and crosses and not known.is_accepted
        ):
            self.end(known, ended(report, known, is_accepted=known.is_accepted))
        elif report.standing in DONE or report.standing is Standing.WORKING:
            self.accept(known, report.venue_order_id)
            self._went_on(known, report)

    def _went_on(self, known: KnownOrder, report: OrderReport) -> None:
        if report.standing in OVER:
            self.end(known, ended(report, known, is_accepted=True))
        elif report.standing is Standing.FILLED:
            if known.asked is not None and known.asked[1] == report.qty != known.placed.qty:
                self._amended(known, *known.asked)  # and dealt at once: nothing else tells it
            known.is_ended = True  # its fills tell it
        elif report.is_amendment and report.price is not None:
            self._amended(known, report.price, report.qty)

    def accept(self, known: KnownOrder, venue_order_id: str) -> None:
        """Tell, once, that the venue has an order."""
        if venue_order_id:
            self._known.number(known, venue_order_id)
        if not (known.is_accepted or known.is_ended):
            known.is_accepted = True
            symbol = known.placed.instrument.symbol
            self._mail.post(VenueAccepted(0, symbol, known.order_id, known.venue_order_id))
        if venue_order_id and self._unclaimed:
            self._claim(venue_order_id)

    def _claim(self, venue_order_id: str) -> None:
        waiting = list(self._unclaimed)
        self._unclaimed.clear()
        for fill in waiting:
            if fill.venue_order_id == venue_order_id:
                self._filled(fill)
            else:
                self._unclaimed.append(fill)

    def end(self, known: KnownOrder, event: VenueEvent) -> None:
        """Tell, once, that an order has ended."""
        if not known.is_ended:
            known.is_ended = True
            self._mail.post(event)

    def amended(self, known: KnownOrder, price: Decimal, qty: Decimal) -> None:
        """Take the answer to the amendment under way; the stream may have told it already."""
        if known.asked is not None and not known.is_ended:
            self._amended(known, price, qty)

    def _amended(self, known: KnownOrder, price: Decimal, qty: Decimal) -> None:
        if known.asked is None and known.amended == (price, qty):
            return
        if known.asked != (price, qty) and known.amended == (price, qty):
            return  # the one before, late: it does not answer the one under way
        known.asked, known.amended = None, (price, qty)
        known.placed = known.placed._replace(price=price, qty=qty)
        symbol = known.placed.instrument.symbol
        self._mail.post(VenueAmended(0, symbol, known.order_id, price, qty))

    def _filled(self, report: FillReport) -> None:
        known = self._known.named(report.client_id, report.venue_order_id)
        if known is not None:
            self.accept(known, report.venue_order_id)
        elif not report.client_id:
            self._unclaimed.append(report)
            return
        elif not self._is_ours(report.client_id):
            return  # somebody else's: the next picture shows it
        self._mail.post(self._fill(report))

    def _is_ours(self, client_id: str) -> bool:
        return client_id.startswith(FORCED) or self._known.order_id(client_id) is not None

    def _fill(self, report: FillReport) -> VenueFill:
        known = self._known.named(report.client_id, report.venue_order_id)
        if known is not None:
            known.note_fill(report.trade_id, report.qty)
            order_id = known.order_id
        else:
            order_id = self._known.order_id(report.client_id) or report.client_id
        return VenueFill(
            0, report.symbol, order_id or report.venue_order_id, report.trade_id, report.side,
            report.price, report.qty, report.fee, report.liquidity, report.other_fee,
        )  # fmt: skip

    def status(self, report: OrderReport, symbol: str, order_id: str) -> VenueOrderStatus:
        """Return the answer to a question about an order; the engine need not act on it."""
        known = self._known.get(order_id)
        if known is not None and report.venue_order_id:
            self._known.number(known, report.venue_order_id)
        return status_of(report, symbol, order_id)

    def picture(self, found: Picture, asked_ns: int) -> VenueSnapshot:
        """Return the whole account; what waits here for its trigger works, too."""
        fills = [self._fill(report) for report in found.fills]
        orders = [working(report, self._order_id(report)) for report in found.orders]
        orders += map(held, self._known.all_held())
        return VenueSnapshot(
            0, found.taken_ns, asked_ns, found.positions, tuple(orders), tuple(fills), found.balance
        )  # fmt: skip

    def _order_id(self, report: OrderReport) -> str | None:
        known = self._known.named(report.client_id, report.venue_order_id)
        return self._known.order_id(report.client_id) if known is None else known.order_id
