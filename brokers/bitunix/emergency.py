"""An account at Bitunix in the sentinel's hands: no loop, no session, one request after another.

Rule 1: each request has a deadline for all of it; what fails is an `OSError` that names no key.
Rule 2: only what this run placed, on this run's instruments, is touched. An order whose id was too
        long for the venue goes by its digest.
Rule 3: an acknowledgement is no proof: a cancel counts when the order says that it has ended.

Source: engine/venue.py `EmergencyDesk`; reliability.md section 0.2, D1; the Bitunix sheet.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from brokers.bitunix import requests
from brokers.bitunix.answers import (
    fill_report,
    holding,
    order_report,
    to_cancel,
    to_placement,
)
from brokers.bitunix.asker import Asker
from brokers.bitunix.config import BitunixConfig
from brokers.bitunix.rows import OrderRow, TradeRow, text_of
from brokers.link.account import Accepted, FillReport, Unanswered
from brokers.link.emergency_fills import (
    LOOKUPS_MAX,
    SENTINEL,
    all_of,
    as_one,
    as_told,
    patiently,
)
from brokers.link.emergency_line import EmergencyLine
from brokers.link.secret import Credentials
from brokers.link.trust import trusted
from engine.model.client_ids import ClientIds
from engine.model.instrument import Instrument
from engine.model.orders import OrderType, Side
from engine.model.venue_events import Standing, VenueCanceled, VenueFill
from engine.venue import Holding, WorkingOrder

T = TypeVar("T")


class BitunixDesk:
    """An `EmergencyDesk` over one account."""

    def __init__(
        self, credentials: Credentials, line: EmergencyLine, symbols: Sequence[str], ids: ClientIds
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            credentials: Of the account.
            line: To the venue.
            symbols: The run's instruments.
            ids: This run's names for its orders.

        """
        self._asker = Asker(credentials, line)
        self._symbols = tuple(symbols)
        self._ids = ids
        self._order_ids: dict[str, str | None] = {}
        """By the venue's id; None of one that is not ours."""
        self._venue_ids: dict[str, str] = {}
        self._closings = 0

    # --- orders --------------------------------------------------------------------------------

    def working(self) -> Sequence[WorkingOrder]:
        """Return this run's working orders, those that add risk first.

        Raises:
            OSError: The venue can't be asked.

        """
        found = [
            WorkingOrder(order_id, row.symbol, bool(row.reduce_only))
            for row in self._asker.pending()
            if row.symbol in self._symbols and (order_id := self._ours(row)) is not None
        ]
        return sorted(found, key=lambda order: order.is_reducing)

    def cancel(self, order: WorkingOrder, event_ns: int) -> VenueCanceled | None:
        """Take an order out; None where that is not confirmed.

        Raises:
            OSError: The venue can't be reached.

        """
        named = self._named(order.order_id)
        body = {"symbol": order.symbol, "orderList": [named]}
        told = to_cancel(self._asker.do(requests.CANCEL, body))
        if not isinstance(told, Accepted):
            return None

        def ended() -> VenueCanceled | None:
            is_out = self._standing(named) in (Standing.CANCELED, Standing.EXPIRED)
            return VenueCanceled(event_ns, order.symbol, order.order_id) if is_out else None

        return patiently(ended)

    def _named(self, order_id: str) -> dict[str, str]:
        venue_id = self._venue_ids.get(order_id)
        return {"orderId": venue_id} if venue_id else {"clientId": self._ids.of(order_id)}

    def _standing(self, named: Mapping[str, str]) -> Standing | None:
        row = self._asker.detail(named)
        report = None if row is None else order_report(row, 0)
        return None if report is None or isinstance(report, Unanswered) else report.standing

    # --- positions -----------------------------------------------------------------------------

    def holdings(self) -> Sequence[Holding]:
        """Return the open positions of this run's instruments.

        Raises:
            OSError: The venue can't be asked.

        """
        told = self._asker.positions()
        held = [_surely(holding(row)) for row in told if row.symbol in self._symbols]
        return [Holding(one.symbol, one.qty) for one in held if one.qty]

    def latest_fills(self, event_ns: int) -> Sequence[VenueFill]:
        """Return the newest fills of this run's orders, oldest first.

        Raises:
            OSError: The venue can't be asked.

        """
        trades: list[TradeRow] = []
        for symbol in self._symbols:
            trades += self._asker.trades({"symbol": symbol})
        fills = sorted((_surely(fill_report(row, "")) for row in trades), key=_when)
        self._look_up(fills)
        return [
            as_told(event_ns, order_id, fill)
            for fill in fills
            if (order_id := self._order_ids.get(fill.venue_order_id)) is not None
        ]

    def flatten(self, holding: Holding, event_ns: int) -> VenueFill | None:
        """Close a position, reduce-only; None where the venue did not.

        A closing that took several trades is told as one: their sum, at their average price.

        Raises:
            OSError: The venue can't be reached, or does not tell what came of it.

        """
        self._closings += 1
        side = Side.SELL if holding.qty > 0 else Side.BUY
        order_id = f"{SENTINEL}-{self._closings}"
        body: dict[str, Any] = {
            "symbol": holding.symbol, "side": side.value, "orderType": OrderType.MARKET.value,
            "qty": f"{abs(holding.qty):f}", "reduceOnly": True,
            "clientId": self._ids.of(order_id),
        }  # fmt: skip
        answer = self._asker.do(requests.PLACE, body)
        if not isinstance(to_placement(answer), Accepted):
            return None
        fills = self._fills_of(order_id)
        return as_one(event_ns, order_id, fills) if fills else None

    def _fills_of(self, order_id: str) -> list[FillReport]:
        """Return every fill of an order that should have ended; the venue may tell them late.

        Raises:
            OSError: It does not tell them all.

        """

        def newest() -> list[FillReport] | None:
            row = self._asker.detail({"clientId": self._ids.of(order_id)})
            report = None if row is None else _surely(order_report(row, 0))
            if row is None or report is None or report.standing is Standing.WORKING:
                return None
            venue_id = report.venue_order_id
            trades = self._asker.trades({"symbol": row.symbol, "orderId": venue_id})
            told = [_surely(fill_report(trade, "")) for trade in trades]
            mine = [fill for fill in told if fill.venue_order_id == venue_id]
            return all_of(mine, report.filled_qty)

        fills = patiently(newest)
        if fills is None:
            raise OSError("bitunix closed a position and does not tell at what price")
        return sorted(fills, key=_when)

    # --- names ---------------------------------------------------------------------------------

    def _ours(self, row: OrderRow) -> str | None:
        """Return what the engine calls an order; None where it is not this run's."""
        client_id, venue_id = text_of(row.client_id), text_of(row.order_id)
        order_id = self._ids.order_id(client_id)
        self._order_ids[venue_id] = order_id
        if order_id is not None:
            self._venue_ids[order_id] = venue_id
        return order_id

    def _look_up(self, fills: Sequence[FillReport]) -> None:
        """Ask what the newest orders are called that no answer has named yet."""
        named = self._order_ids
        unnamed = dict.fromkeys(f.venue_order_id for f in fills if f.venue_order_id not in named)
        for venue_id in list(unnamed)[-LOOKUPS_MAX:]:
            row = self._asker.detail({"orderId": venue_id})
            if row is None:
                named[venue_id] = None
            else:
                self._ours(row)


def open_desk(
    credentials: Credentials, config: BitunixConfig, instruments: Sequence[Instrument], run_id: str
) -> BitunixDesk:
    """Return the desk of a run.

    Raises:
        OSError: The venue's host is not known.
    """
    symbols = [item.symbol for item in instruments]
    line = EmergencyLine(config.rest_url, tls=trusted("bitunix", config))
    return BitunixDesk(credentials, line, symbols, requests.CAPABILITIES.ids_of(run_id))


def _surely(told: T | Unanswered) -> T:
    if isinstance(told, Unanswered):
        raise OSError(f"bitunix: {told.cause}")
    return told


def _when(fill: FillReport) -> tuple[int, int, str]:
    return fill.at_ns, len(fill.trade_id), fill.trade_id
