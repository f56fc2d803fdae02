"""Carries actions out at the Hyperliquid sandbox, and says of each what became of it.

Rule: an action that was let in is answered element by element; one that fails leaves the others.

Source: the Hyperliquid sheet, section 4.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from brokers.hyperliquid.rules import is_price, wire
from brokers.sandbox import hyperliquid_actions as actions
from brokers.sandbox.exchange import Exchange
from brokers.sandbox.hyperliquid_blotter import UNMATCHED, Blotter, Row, average, worded
from brokers.sandbox.hyperliquid_door import DAY_MS, Denied
from brokers.sandbox.hyperliquid_frames import asset_of, decimals_of
from brokers.sandbox.orders import OrderRecord, Refusal, Ticket, Why
from brokers.sandbox.trading_rules import TradingRules
from engine.model.instrument import Instrument
from engine.model.orders import OrderType, Side, TimeInForce

RULES: Final = TradingRules(price_band=Decimal("0.8"), open_orders_max=1_000)
AHEAD_MIN_MS: Final = 5_000
"""The dead-man switch is set for later than this."""
FIRINGS_MAX: Final = 10
"""Times a day it may fire."""
DEFAULT: Final = {"type": "default"}
IMMEDIATE: Final = frozenset({"Ioc", "FrontendMarket"})
STOPS: Final = {"sl": OrderType.STOP, "tp": OrderType.TAKE_PROFIT}
Status = str | dict[str, Any]


class Desk:
    """Acts for the one account."""

    def __init__(self, exchange: Exchange, blotter: Blotter, now_ms: Callable[[], int]) -> None:
        self._exchange = exchange
        self._blotter = blotter
        self._now_ms = now_ms
        self._assets: Mapping[int, Instrument] = asset_of(exchange.instruments.values())
        self.cancel_at_ms: int | None = None
        self._firings: list[int] = []

    def act(self, action: actions.Action) -> dict[str, Any]:
        """Carry an action out and return what is answered.

        Raises:
            Denied: It is refused as a whole.

        """
        match action:
            case actions.Place(orders=orders):
                return _statuses("order", [self._place(order) for order in orders])
            case actions.Cancel(cancels=some):
                return _statuses("cancel", [self._cancel(one.a, one.o) for one in some])
            case actions.CancelByCloid(cancels=named):
                return _statuses("cancel", [self._cancel(one.asset, one.cloid) for one in named])
            case actions.BatchModify(modifies=modifies):
                return _statuses("order", [self._modify(one.oid, one.order) for one in modifies])
            case actions.Modify(oid=oid, order=order):
                status = self._modify(oid, order)
                if isinstance(status, dict) and "error" in status:
                    raise Denied(status["error"])
            case actions.UpdateLeverage():
                self._set_leverage(action)
            case actions.ScheduleCancel(time=at_ms):
                self._schedule(at_ms)
            case actions.Noop():
                pass
        return DEFAULT

    def watch(self) -> None:
        """Fire the dead-man switch where it is due."""
        if self.cancel_at_ms is not None and self._now_ms() >= self.cancel_at_ms:
            self.fire()

    def fire(self) -> None:
        """Cancel everything if the dead-man switch is set."""
        if self.cancel_at_ms is None:
            return
        self.cancel_at_ms = None
        self._firings.append(self._now_ms())
        self._blotter.cause = "scheduledCancel"
        self._exchange.cancel_all()
        self._blotter.cause = "canceled"

    # --- orders --------------------------------------------------------------------------------

    def _place(self, order: actions.Order) -> Status:
        ticket = self._ticket(order)
        if isinstance(ticket, Refusal):
            return self._refused(ticket, order.a)
        placed = self._exchange.place(ticket)
        return (
            self._refused(placed, order.a)
            if isinstance(placed, Refusal)
            else self._status(self._blotter.row_of(placed), order.a)
        )

    def _ticket(self, order: actions.Order) -> Ticket | Refusal:
        instrument = self._assets.get(order.a)
        if instrument is None:
            return Refusal(Why.UNKNOWN_SYMBOL)
        price, qty = Decimal(order.p), Decimal(order.s)
        if not qty:
            return Refusal(Why.TOO_SMALL)
        if not is_price(price, decimals_of(instrument.lot_size)):
            return Refusal(Why.OFF_TICK)
        side = Side.BUY if order.b else Side.SELL
        cloid = (order.c or "").lower()
        stop, limit = order.t.trigger, order.t.limit
        if stop is not None:
            kind, trigger = STOPS[stop.tpsl], Decimal(stop.trigger_px)
            return Ticket(
                instrument.symbol, side, kind, qty, None, cloid,
                is_reduce_only=order.r, trigger_price=trigger,
            )  # fmt: skip
        assert limit is not None, "checked when it was read"
        tif = TimeInForce.IOC if limit.tif in IMMEDIATE else TimeInForce.GTC
        return Ticket(
            instrument.symbol, side, OrderType.LIMIT, qty, price, cloid, tif,
            is_post_only=limit.tif == "Alo", is_reduce_only=order.r,
        )  # fmt: skip

    def _status(self, row: Row, asset: int) -> Status:
        record = row.record
        if record.is_open:
            return {"resting": {"oid": row.oid} | _name(row)}
        if record.filled_qty:
            done = {"totalSz": wire(record.filled_qty), "avgPx": wire(average(record))}
            return {"filled": done | {"oid": row.oid} | _name(row)}
        return {"error": UNMATCHED.format(asset=asset)}

    def _refused(self, refusal: Refusal, asset: int) -> Status:
        instrument = self._assets.get(asset)
        touch = None if instrument is None else self._exchange.touch(instrument.symbol)
        return {"error": worded(refusal, asset, touch)}

    def _find(self, asset: int, name: int | str) -> OrderRecord | None:
        """Find an open order; one is not found under a number it no longer has."""
        row, instrument = self._blotter.row(name), self._assets.get(asset)
        if row is None or instrument is None or row.record.symbol != instrument.symbol:
            return None
        is_current = row.record.is_open and self._blotter.row_of(row.record) is row
        return row.record if is_current else None

    def _cancel(self, asset: int, name: int | str) -> Status:
        record = self._find(asset, name)
        refusal = Refusal(Why.NOT_FOUND) if record is None else self._exchange.cancel(record)
        return "success" if refusal is None else self._refused(refusal, asset)

    def _modify(self, name: int | str, order: actions.Order) -> Status:
        record, ticket = self._find(order.a, name), self._ticket(order)
        if record is None:
            return self._refused(Refusal(Why.NOT_AMENDABLE), order.a)
        if isinstance(ticket, Refusal) or ticket.side is not record.ticket.side:
            bad = ticket if isinstance(ticket, Refusal) else Refusal(Why.INVALID)
            return self._refused(bad, order.a)
        assert ticket.price is not None or ticket.trigger_price is not None
        price = ticket.price or ticket.trigger_price or Decimal(0)
        refusal = self._exchange.amend(record, price, record.filled_qty + ticket.qty)
        if refusal is not None:
            return self._refused(refusal, order.a)
        return self._status(self._blotter.row_of(record), order.a)

    # --- the rest ------------------------------------------------------------------------------

    def _set_leverage(self, action: actions.UpdateLeverage) -> None:
        instrument = self._assets.get(action.asset)
        if instrument is None or not 1 <= action.leverage <= instrument.max_leverage:
            raise Denied(worded(Refusal(Why.LEVERAGE), action.asset, None))
        coin, is_isolated = instrument.symbol, not action.is_cross
        refusal = self._exchange.set_margin_mode(coin, is_isolated=is_isolated)
        if refusal is None or refusal.why is Why.SET_ALREADY:
            refusal = self._exchange.set_leverage(coin, action.leverage)
        if refusal is not None:
            raise Denied(worded(refusal, action.asset, None))

    def _schedule(self, at_ms: int | None) -> None:
        now_ms = self._now_ms()
        if at_ms is None:
            self.cancel_at_ms = None
            return
        if at_ms < now_ms + AHEAD_MIN_MS:
            raise Denied("Scheduled cancel time too early, must be at least 5 seconds from now.")
        today = [fired for fired in self._firings if fired // DAY_MS == now_ms // DAY_MS]
        if len(today) >= FIRINGS_MAX:
            raise Denied("Too many scheduled cancels triggered today.")
        self.cancel_at_ms = at_ms


def _statuses(kind: str, statuses: list[Status]) -> dict[str, Any]:
    return {"type": kind, "data": {"statuses": statuses}}


def _name(row: Row) -> dict[str, str]:
    return {} if row.cloid is None else {"cloid": row.cloid}
