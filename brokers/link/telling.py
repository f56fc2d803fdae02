"""A venue's words about orders in the engine's words. Pure."""

from brokers.link.account import OrderReport
from brokers.link.known import KnownOrder
from engine.model.money import ZERO
from engine.model.venue_events import (
    RejectReason,
    Standing,
    VenueCanceled,
    VenueEvent,
    VenueExpired,
    VenueOrderStatus,
    VenueRejected,
    VenueWorkingOrder,
)


def ended(report: OrderReport, known: KnownOrder, *, is_accepted: bool) -> VenueEvent:
    """Return how an order ended; one that never worked was rejected."""
    symbol, order_id = report.symbol, known.order_id
    would_cross = report.reason is RejectReason.POST_ONLY_WOULD_CROSS
    if report.standing is Standing.REJECTED or (would_cross and not is_accepted):
        reason = report.reason or RejectReason.INVALID_ORDER
        return VenueRejected(0, symbol, order_id, reason, report.detail)
    if report.standing is Standing.CANCELED and not would_cross:
        return VenueCanceled(0, symbol, order_id)
    why = report.reason or report.detail or "expired"
    return VenueExpired(0, symbol, order_id, str(why))


def status_of(report: OrderReport, symbol: str, order_id: str) -> VenueOrderStatus:
    """Return what was found out about an order."""
    is_working = report.standing is Standing.WORKING
    return VenueOrderStatus(
        0,
        symbol,
        order_id,
        report.standing,
        report.filled_qty,
        report.qty if is_working else None,
        report.price if is_working else None,
        report.venue_order_id,
        report.detail,
    )


def held_status(known: KnownOrder) -> VenueOrderStatus:
    """Return that an order waits here for its trigger, or did until it was canceled."""
    symbol = known.placed.instrument.symbol
    if known.is_ended:
        return VenueOrderStatus(0, symbol, known.order_id, Standing.CANCELED)
    return VenueOrderStatus(
        0, symbol, known.order_id, Standing.WORKING, ZERO, known.placed.qty, known.placed.price
    )


def working(report: OrderReport, order_id: str | None) -> VenueWorkingOrder:
    """Return an order of a picture; one that is not of this run is foreign."""
    return VenueWorkingOrder(
        order_id or report.venue_order_id,
        report.symbol,
        report.side,
        report.qty,
        report.filled_qty,
        is_foreign=order_id is None,
    )


def held(known: KnownOrder) -> VenueWorkingOrder:
    """Return an order that waits here as one that works: it is ours to fill or cancel."""
    placed = known.placed
    return VenueWorkingOrder(
        known.order_id, placed.instrument.symbol, placed.side, placed.qty, ZERO
    )
