"""An account at Binance in the sentinel's hands: no loop, no session, one request after another.

Rule 1: it starts fast and depends on little: the standard library's HTTP and TLS, no proxy, no
        redirect, and the host's address looked up before there is an emergency.
Rule 2: each request has a deadline for all of it; what fails is an `OSError` that names no key.
Rule 3: only what this run placed, on this run's instruments, is touched: client ids begin with its
        prefix. A position is closed reduce-only, so that it can't turn.

Source: engine/venue.py `EmergencyDesk`; reliability.md section 0.2, D1; the Binance sheet.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from brokers.binance import answers, requests
from brokers.binance.answers import BROKEN, MS_NS, Trade
from brokers.binance.config import BinanceConfig
from brokers.binance.faults import LATE, NO_SUCH_ORDER, Fault, fault_in
from brokers.binance.fees import BNB, Fees
from brokers.binance.requests import Call, written
from brokers.binance.terms import mark_price, server_time_ms
from brokers.link.account import FillReport, OrderReport
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
from engine.model.orders import Side
from engine.model.venue_events import Standing, VenueCanceled, VenueFill
from engine.venue import Holding, WorkingOrder

FILLS_MAX: Final = 200
"""Newest fills of each instrument that are told: what the engine can have missed."""
RECV_WINDOW_MS: Final = 10_000
"""Wide: a clock that is off must not keep a position open."""

T = TypeVar("T")


class BinanceDesk:
    """An `EmergencyDesk` over one account."""

    def __init__(
        self,
        credentials: Credentials,
        line: EmergencyLine,
        symbols: Sequence[str],
        quote: str,
        ids: ClientIds,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            credentials: Of the account.
            line: To the venue.
            symbols: The run's instruments.
            quote: Asset their profit is paid in.
            ids: This run's names for its orders.

        """
        self._credentials = credentials
        self._line = line
        self._symbols = tuple(symbols)
        self._ids = ids
        self._fees = Fees(quote)
        self._has_asked = False
        """For the price of what fees are paid in."""
        self._offset_ms = 0
        self._order_ids: dict[str, str | None] = {}
        """By venue order number; None of one that is not ours."""
        self._closings = 0

    # --- orders --------------------------------------------------------------------------------

    def working(self) -> Sequence[WorkingOrder]:
        """Return this run's working orders, those that add risk first.

        Raises:
            OSError: The venue can't be asked.

        """
        found = [
            WorkingOrder(order_id, report.symbol, is_reducing)
            for symbol in self._symbols
            for report, is_reducing in self._read(requests.open_orders(symbol), answers.restraints)
            if (order_id := self._ours(report)) is not None
        ]
        return sorted(found, key=lambda order: order.is_reducing)

    def cancel(self, order: WorkingOrder, event_ns: int) -> VenueCanceled | None:
        """Take an order out; None where that is not confirmed.

        Raises:
            OSError: The venue can't be reached.

        """
        told = self._ask(requests.cancel(order.symbol, self._ids.of(order.order_id)))
        if isinstance(told, Fault):
            return None
        report = _parsed(told, answers.report)
        is_out = report.standing is Standing.CANCELED
        return VenueCanceled(event_ns, order.symbol, order.order_id) if is_out else None

    # --- positions -----------------------------------------------------------------------------

    def holdings(self) -> Sequence[Holding]:
        """Return the open positions of this run's instruments.

        Raises:
            OSError: The venue can't be asked.

        """
        told = self._read(requests.positions(), answers.holdings)
        return [Holding(one.symbol, one.qty) for one in told if one.symbol in self._symbols]

    def latest_fills(self, event_ns: int) -> Sequence[VenueFill]:
        """Return the newest fills of this run's orders, oldest first.

        Raises:
            OSError: The venue can't be asked.

        """
        trades: list[Trade] = []
        for symbol in self._symbols:
            trades += self._read(requests.latest_trades(symbol), answers.trades)[-FILLS_MAX:]
        trades.sort(key=lambda trade: (trade.time, trade.id))
        self._look_up(trades)
        ours = [trade for trade in trades if self._order_ids.get(_number(trade)) is not None]
        fills = self._told(ours)
        return [
            as_told(event_ns, self._order_ids[_number(trade)] or "", fill)
            for trade, fill in zip(ours, fills, strict=True)
        ]

    def flatten(self, holding: Holding, event_ns: int) -> VenueFill | None:
        """Close a position, reduce-only; None where the venue did not.

        A closing that took several trades is told as one: their sum, at their average price.

        Raises:
            OSError: The venue can't be reached.

        """
        self._closings += 1
        side = Side.SELL if holding.qty > 0 else Side.BUY
        order_id = f"{SENTINEL}-{self._closings}"
        call = requests.close(holding.symbol, side, abs(holding.qty), self._ids.of(order_id))
        told = self._ask(call)
        if isinstance(told, Fault):
            if told.reason is None:
                raise OSError(f"closing {holding.symbol}: {told.detail}")
            return None
        report = _parsed(told, answers.report)
        fills = self._fills_of(report)
        return as_one(event_ns, order_id, fills) if fills else None

    def _fills_of(self, report: OrderReport) -> list[FillReport]:
        """Return every fill of an order that has just traded; the venue may tell them late.

        Raises:
            OSError: It does not tell them all.

        """

        def newest() -> list[FillReport] | None:
            told = self._read(requests.latest_trades(report.symbol), answers.trades)
            trades = [trade for trade in told if _number(trade) == _key(report)]
            return all_of(self._told(trades), report.filled_qty)

        fills = patiently(newest)
        if fills is None:
            raise OSError(f"binance closed {report.filled_qty} and does not tell at what price")
        return fills

    def _told(self, trades: Sequence[Trade]) -> list[FillReport]:
        """Return executions; what BNB is worth is asked once, and nothing depends on it.

        Raises:
            OSError: One of them makes no sense.

        """
        if not self._has_asked and any(trade.commission_asset == BNB for trade in trades):
            self._has_asked = True
            with suppress(OSError):
                price = self._read(requests.mark_price(self._fees.symbol(BNB)), mark_price)
                self._fees.learn(BNB, price)
        try:
            return [answers.fill(trade, "", self._fees.of) for trade in trades]
        except BROKEN:
            raise OSError("binance: a fill that can't be read") from None

    # --- names ---------------------------------------------------------------------------------

    def _ours(self, report: OrderReport) -> str | None:
        """Return what the engine calls an order; None where it is not this run's."""
        order_id = self._ids.order_id(report.client_id)
        self._order_ids[_key(report)] = order_id
        return order_id

    def _look_up(self, trades: Sequence[Trade]) -> None:
        """Ask what the newest orders are called that no answer has named yet."""
        unnamed = {_number(one): one for one in trades if _number(one) not in self._order_ids}
        for trade in list(unnamed.values())[-LOOKUPS_MAX:]:
            told = self._ask(requests.order_numbered(trade.symbol, str(trade.order_id)))
            if isinstance(told, Fault):
                if told.code != NO_SUCH_ORDER:
                    raise OSError(told.detail)
                self._order_ids[_number(trade)] = None
            else:
                self._ours(_parsed(told, answers.report))

    # --- asking --------------------------------------------------------------------------------

    def _read(self, call: Call, parse: Callable[[bytes], T]) -> T:
        told = self._ask(call)
        if isinstance(told, Fault):
            raise OSError(f"binance: {told.detail}")
        return _parsed(told, parse)

    def _ask(self, call: Call) -> bytes | Fault:
        """Send one request; once more where only our clock was wrong."""
        told = self._send(call)
        if isinstance(told, Fault) and told.code in LATE:
            clock = self._send(requests.clock())
            if not isinstance(clock, Fault):
                venue_ms = _parsed(clock, server_time_ms)
                self._offset_ms = venue_ms - time.time_ns() // MS_NS
                told = self._send(call)
        return told

    def _send(self, call: Call) -> bytes | Fault:
        at_ms = time.time_ns() // MS_NS + self._offset_ms
        sent = written(call, self._credentials, at_ms, RECV_WINDOW_MS)
        status, body = self._line.ask(sent)
        return fault_in(status, body) or body


def _number(trade: Trade) -> str:
    return f"{trade.symbol}/{trade.order_id}"


def _key(report: OrderReport) -> str:
    return f"{report.symbol}/{report.venue_order_id}"


def _parsed(body: bytes, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(body)
    except BROKEN:
        raise OSError("binance: an answer that can't be read") from None


def open_desk(
    credentials: Credentials, config: BinanceConfig, instruments: Sequence[Instrument], run_id: str
) -> BinanceDesk:
    """Return the desk of a run.

    Raises:
        OSError: The venue's host is not known.
    """
    return BinanceDesk(
        credentials,
        EmergencyLine(config.rest_url, tls=trusted("binance", config)),
        [item.symbol for item in instruments],
        instruments[0].settlement,
        requests.CAPABILITIES.ids_of(run_id),
    )
