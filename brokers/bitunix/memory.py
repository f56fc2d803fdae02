"""What the account remembers of its orders, to say what the venue leaves unsaid. Pure.

- Executions name an order by the venue's id alone.
- A post-only order that would have crossed is taken in and then silently canceled; so is what is
  left of an immediate one. An order that nobody asked to cancel, and that ended at once without a
  fill, was refused for crossing; one that may not rest has expired.

Source: sheet sections 6 and 8 (post_only_would_cross).
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from brokers.bitunix.requests import POST_ONLY
from brokers.link.account import NewOrder, OrderReport
from engine.model.orders import OrderType, TimeInForce
from engine.model.venue_events import RejectReason, Standing

ORDERS_MAX: Final = 20_000
AT_ONCE_NS: Final = 10_000_000_000
"""What ended later than this after it was placed, somebody canceled by hand."""
EFFECTS_THAT_END: Final = ("IOC", "FOK")


@dataclass(slots=True)
class Kept:
    """One order."""

    client_id: str
    order: NewOrder | None = None
    placed_ns: int = 0
    is_cancel_asked: bool = False


class Memory:
    """The orders of this process, the oldest forgotten first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._clients: OrderedDict[str, str] = OrderedDict()
        """Our id by the venue's; empty for an order that has none of ours."""

    def place(self, order: NewOrder, at_ns: int) -> None:
        """Remember what is about to be placed."""
        kept = self._of(order.client_id)
        kept.order, kept.placed_ns = order, at_ns

    def learn(self, client_id: str, venue_order_id: str) -> None:
        """Remember that both name one order."""
        if venue_order_id:
            self._clients[venue_order_id] = client_id
            _bound(self._clients)

    def ask_cancel(self, client_id: str) -> None:
        """Remember that we want it canceled."""
        self._of(client_id).is_cancel_asked = True

    def order(self, client_id: str) -> NewOrder | None:
        """Return what was placed under an id."""
        kept = self._kept.get(client_id)
        return kept.order if kept else None

    def client_of(self, venue_order_id: str) -> str | None:
        """Return our id of an order; None while nobody has told."""
        return self._clients.get(venue_order_id)

    def judge(self, report: OrderReport, effect: str = "", created_ns: int = 0) -> OrderReport:
        """Say why an order ended where the venue only says that it did.

        Args:
            report: As the venue tells it.
            effect: Its time in force as the venue tells it; a push tells something else there.
            created_ns: When it was made, as the venue tells it.

        """
        kept = self._kept.get(report.client_id) or Kept(report.client_id)
        if report.standing is not Standing.CANCELED or kept.is_cancel_asked:
            return report
        order, since_ns = kept.order, created_ns or kept.placed_ns
        is_post_only = order.is_post_only if order else effect == POST_ONLY
        is_at_once = since_ns and report.at_ns - since_ns <= AT_ONCE_NS
        if is_post_only and is_at_once and not report.filled_qty:
            reason = RejectReason.POST_ONLY_WOULD_CROSS
            return report._replace(standing=Standing.EXPIRED, reason=reason)
        if _may_not_rest(order) if order else effect in EFFECTS_THAT_END:
            return report._replace(standing=Standing.EXPIRED)
        return report

    def _of(self, client_id: str) -> Kept:
        kept = self._kept.setdefault(client_id, Kept(client_id))
        _bound(self._kept)
        return kept


def _may_not_rest(order: NewOrder) -> bool:
    return order.type is OrderType.MARKET or order.tif is not TimeInForce.GTC


def _bound(remembered: OrderedDict[str, Kept] | OrderedDict[str, str]) -> None:
    if len(remembered) > ORDERS_MAX:
        remembered.popitem(last=False)
