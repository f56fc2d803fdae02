"""The engine's commands about single orders, asked of a venue's account; its answers told.

Rule 1: a placement is sent at most once. What is not known to have failed is `VenueUnknown`, and
        the engine asks; nothing is tried again here.
Rule 2: every command is answered, also one about an order that waits here or has ended.
Rule 3: no order leaves before the dead-man switch, where one is wanted, was asked for
        (reliability.md D6).
Rule 4: orders of one instrument that one turn places or cancels leave in one request where the
        venue takes several; cancels leave before amendments, and those before placements.
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from brokers.link.account import (
    Accepted,
    OrderReport,
    Outcome,
    Refused,
    Unanswered,
    Unclear,
    VenueAccount,
)
from brokers.link.errands import Errands
from brokers.link.known import KnownOrder, KnownOrders
from brokers.link.mail import Mail
from brokers.link.reports import Reports
from brokers.link.telling import held_status
from brokers.link.together import Together
from engine.model.venue_events import (
    RejectReason,
    Standing,
    VenueAmended,
    VenueAmendRejected,
    VenueCanceled,
    VenueCancelRejected,
    VenueOrderStatus,
    VenueRejected,
    VenueTriggered,
    VenueUnknown,
)

GONE = RejectReason.ORDER_NOT_FOUND


class Amendment(NamedTuple):
    """What an order is to become."""

    known: KnownOrder
    price: Decimal
    qty: Decimal


class Orders:
    """From the engine to one account."""

    def __init__(
        self,
        account: VenueAccount,
        known: KnownOrders,
        mail: Mail,
        reports: Reports,
        errands: Errands,
    ) -> None:
        self._account = account
        self._known = known
        self._mail = mail
        self._reports = reports
        self._errands = errands
        can = account.capabilities
        self._placements = Together(errands, can.places_per_request, self._place)
        self._amendments = Together(errands, 1, self._amend)
        self._cancels = Together(errands, can.cancels_per_request, self._cancel)
        self.switch: asyncio.Future[None] | None = None
        """The first request for the venue's dead-man switch."""

    def leave(self) -> None:
        """Send what a turn has asked for: what takes risk away first."""
        self._cancels.leave()
        self._amendments.leave()
        self._placements.leave()

    # --- place -----------------------------------------------------------------------------------

    def place(self, known: KnownOrder) -> None:
        """Send an order, or keep it until its trigger is met."""
        if known.is_held:
            self._reports.accept(known, "")
        else:
            self._send(known)

    def release(self, known: KnownOrder) -> None:
        """Send what waited, as a market order under its own name."""
        known.release()
        self._mail.post(VenueTriggered(0, known.placed.instrument.symbol, known.order_id))
        if known.is_in_doubt:
            self._errands.run(lambda: self._place_unsent(known), known)
        else:
            self._send(known)

    def _send(self, known: KnownOrder) -> None:
        """Place an order with its like: those that reduce have room that others have not.

        Those that may only rest go apart: Hyperliquid takes requests of nothing else first.
        """
        order = known.placed
        like = order.instrument.symbol, order.is_reduce_only, order.is_post_only
        self._placements.add(like, known, known)

    async def _place_unsent(self, known: KnownOrder) -> None:
        if await self._is_unsent(known):
            await self._place([known])
        else:
            symbol, cause = known.placed.instrument.symbol, "sent before the crash, perhaps"
            self._mail.post(VenueUnknown(0, symbol, known.order_id, cause))

    async def _place(self, some: Sequence[KnownOrder]) -> None:
        if self.switch is not None and not self.switch.done():
            await asyncio.wait({self.switch})
        if len(some) == 1:
            self._placed(some[0], await self._account.place(some[0].placed))
            return
        outcomes = await self._account.place_many([known.placed for known in some])
        for known, outcome in zip(some, outcomes, strict=True):
            self._placed(known, outcome)

    def _placed(self, known: KnownOrder, outcome: Outcome) -> None:
        symbol, order_id = known.placed.instrument.symbol, known.order_id
        match outcome:
            case Accepted(venue_order_id, report):
                self._reports.accept(known, venue_order_id)
                if report is not None:
                    self._reports.order(report)
            case Refused(reason, detail) if _is_sure(known, reason):
                self._reports.end(known, VenueRejected(0, symbol, order_id, reason, detail))
            case Refused(_, cause) | Unclear(cause):
                if not known.is_ended and not known.venue_order_id:
                    self._mail.post(VenueUnknown(0, symbol, order_id, cause))

    async def _is_unsent(self, known: KnownOrder) -> bool:
        """Ask whether the process that kept this order sent it before it died."""
        found = await self._account.order(known.ref)
        known.is_in_doubt = False
        return isinstance(found, OrderReport) and found.standing is Standing.NOT_FOUND

    # --- amend, cancel ---------------------------------------------------------------------------

    def amend(self, order_id: str, symbol: str, price: Decimal, qty: Decimal) -> None:
        """Change price and total quantity."""
        known = self._known.get(order_id)
        if known is None or (known.is_held and known.is_ended):
            detail = "not of this session" if known is None else "canceled before"
            self._mail.post(VenueAmendRejected(0, symbol, order_id, GONE, detail))
        elif known.is_held:
            known.placed = known.placed._replace(qty=qty)
            self._mail.post(VenueAmended(0, symbol, order_id, price, qty))
        else:
            self._let_leave(known)
            self._amendments.add(order_id, Amendment(known, price, qty), known)

    async def _amend(self, some: Sequence[Amendment]) -> None:
        ((known, price, qty),) = some
        symbol, order_id = known.placed.instrument.symbol, known.order_id
        known.asked = (price, qty)
        match await self._account.amend(known.ref, price, qty):
            case Accepted(_, report):
                if report is not None:
                    self._reports.order(report)
                if report is None or report.is_amendment:
                    self._reports.amended(known, price, qty)
            case Refused(reason, detail):
                known.asked = None
                self._mail.post(VenueAmendRejected(0, symbol, order_id, reason, detail))
            case Unclear(cause):
                self._mail.post(VenueUnknown(0, symbol, order_id, cause))

    def cancel(self, order_id: str, symbol: str) -> None:
        """Take an order out, here or at the venue."""
        known = self._known.get(order_id)
        if known is None or not known.is_held:
            self._let_leave(known)
            self._cancels.add(symbol, (order_id, symbol), known)
        elif known.is_ended:
            self._mail.post(VenueCancelRejected(0, symbol, order_id, GONE))
        else:
            self._reports.end(known, VenueCanceled(0, symbol, order_id))

    def _let_leave(self, known: KnownOrder | None) -> None:
        """Send what was asked about an order before, where that has not left."""
        if known is not None and known.is_gathered:
            self._amendments.leave()  # placements need not pass other cancels for it
        if known is not None and known.is_gathered:
            self.leave()

    async def _cancel(self, some: Sequence[tuple[str, str]]) -> None:
        refs = [self._known.ref(*named) for named in some]
        if len(refs) == 1:
            self._canceled(*some[0], await self._account.cancel(refs[0]))
            return
        outcomes = await self._account.cancel_many(refs)
        for named, outcome in zip(some, outcomes, strict=True):
            self._canceled(*named, outcome)

    def _canceled(self, order_id: str, symbol: str, outcome: Outcome) -> None:
        match outcome:
            case Accepted(_, report):
                if report is not None:
                    self._reports.order(report)
            case Refused(reason, _):
                self._mail.post(VenueCancelRejected(0, symbol, order_id, reason))
            case Unclear() if self._has_ended(order_id):
                self._mail.post(VenueCancelRejected(0, symbol, order_id, GONE))
            case Unclear(cause):
                self._mail.post(VenueUnknown(0, symbol, order_id, cause))

    def _has_ended(self, order_id: str) -> bool:
        known = self._known.get(order_id)
        return known is not None and known.is_ended

    # --- ask -------------------------------------------------------------------------------------

    def ask(self, order_id: str, symbol: str) -> None:
        """Find out how an order stands."""
        known = self._known.get(order_id)
        if known is not None and known.is_held:
            self._mail.post(held_status(known))
        else:
            self._let_leave(known)
            self._errands.run(lambda: self._asked(order_id, symbol), known)

    async def _asked(self, order_id: str, symbol: str) -> None:
        match await self._account.order(self._known.ref(order_id, symbol)):
            case Unanswered(cause):
                standing = Standing.UNANSWERED
                self._mail.post(VenueOrderStatus(0, symbol, order_id, standing, detail=cause))
            case OrderReport() as report:
                self._mail.post(self._reports.status(report, symbol, order_id))


def _is_sure(known: KnownOrder, reason: RejectReason) -> bool:
    """Whether a refusal means that there is no such order."""
    return reason is not RejectReason.DUPLICATE_CLIENT_ID and not known.venue_order_id
