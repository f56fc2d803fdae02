"""What the Hyperliquid sandbox answers about an account, and what it tells of it on its streams.

Rule: everything is asked for by the master's address. The agent's, and everybody else's, is an
account that has nothing: no error, as at the venue.

Source: the Hyperliquid sheet, sections 2 and 6.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from brokers.hyperliquid.rules import wire
from brokers.sandbox.exchange import Exchange
from brokers.sandbox.hyperliquid_blotter import Blotter, Row
from brokers.sandbox.hyperliquid_door import Door
from brokers.sandbox.hyperliquid_frames import MS_NS, money
from brokers.sandbox.orders import FundingTold, OrderTold, PositionRecord, Told
from engine.model.money import ROUNDED, ZERO

PAGE_MAX: Final = 2_000
"""Fills or orders in one answer."""
FUNDINGS_MAX: Final = 10_000
NO_OID: Final = {"status": "unknownOid"}
Question = Mapping[str, Any]
Tell = Callable[[str, str, object], None]
"""Kind of subscription, address, data."""


class AccountDesk:
    """The one account with money, and everybody else's without."""

    def __init__(
        self, exchange: Exchange, door: Door, tell: Tell, now_ms: Callable[[], int]
    ) -> None:
        self._exchange = exchange
        self._door = door
        self._tell = tell
        self._now_ms = now_ms
        self.blotter = Blotter(self._order_changed)
        self._fundings: list[dict[str, Any]] = []
        exchange.listen(self._hear)
        self.answers: dict[str, Callable[[Question], object]] = {
            "clearinghouseState": self._state,
            "spotClearinghouseState": lambda _: {"balances": []},
            "openOrders": lambda asked: self._open(asked, Row.shown),
            "frontendOpenOrders": lambda asked: self._open(asked, Row.in_full),
            "orderStatus": self._status,
            "historicalOrders": self._history,
            "userFills": lambda asked: self._fills(asked)[::-1][:PAGE_MAX],
            "userFillsByTime": self._fills_by_time,
            "userFunding": self._paid,
            "userFees": lambda _: self._fees(),
            "userRateLimit": lambda _: self._rate_limit(),
            "userRole": self._role,
            "activeAssetData": self._asset,
            "subAccounts": lambda _: None,
            "maxBuilderFee": lambda _: 0,
        }

    def snapshot(self, address: str) -> dict[str, Any]:
        """Return what the stream of an address's fills begins with."""
        fills = self.blotter.fills if address == self._door.master else []
        return {"user": address, "isSnapshot": True, "fills": fills[::-1][:PAGE_MAX]}

    # --- what happens --------------------------------------------------------------------------

    def _hear(self, told: Told) -> None:
        if isinstance(told, OrderTold):
            self.blotter.take(told)
            if told.fill is not None:
                self._filled(told)
        if isinstance(told, FundingTold):
            self._funded(told)

    def _order_changed(self, row: Row) -> None:
        update = {"order": row.shown(), "status": row.status, "statusTimestamp": row.at_ms}
        self._tell("orderUpdates", self._door.master, [update])

    def _filled(self, told: OrderTold) -> None:
        assert told.fill is not None, "asked of a fill"
        held = self._exchange.position(told.order.symbol).qty
        fill = self.blotter.keep(told.fill, self.blotter.row_of(told.order), held)
        self._door.budget.volume += told.fill.price * told.fill.qty
        master = self._door.master
        self._tell("userFills", master, {"user": master, "fills": [fill]})
        self._tell("userEvents", master, {"fills": [fill]})

    def _funded(self, told: FundingTold) -> None:
        paid = {
            "time": told.at_ns // MS_NS, "coin": told.symbol, "usdc": money(told.amount),
            "szi": wire(self._exchange.position(told.symbol).qty), "fundingRate": wire(told.rate),
        }  # fmt: skip
        self._fundings = [*self._fundings[-FUNDINGS_MAX:], paid]
        self._tell("userEvents", self._door.master, {"funding": paid})

    # --- answers -------------------------------------------------------------------------------

    def _is_ours(self, asked: Question) -> bool:
        return str(asked["user"]).lower() == self._door.master

    def _state(self, asked: Question) -> object:
        is_ours = self._is_ours(asked)
        held = [p for p in self._exchange.positions() if p.qty] if is_ours else []
        balance = self._exchange.balance()
        gains = [Decimal(money(p.unrealized_pnl)) for p in held]
        equity = balance.wallet + sum(gains, ZERO) if is_ours else ZERO
        margins = {p.symbol: _margin(p) for p in held}
        used = sum(margins.values(), ZERO)
        notional = sum((abs(p.qty) * p.mark_price for p in held), ZERO)
        summary = {
            "accountValue": money(equity), "totalNtlPos": money(notional),
            "totalRawUsd": money(equity - sum((p.qty * p.mark_price for p in held), ZERO)),
            "totalMarginUsed": money(used),
        }  # fmt: skip
        return {
            "marginSummary": summary, "crossMarginSummary": summary,
            "crossMaintenanceMarginUsed": money(used * Decimal("0.5")),
            "withdrawable": money(balance.available if is_ours else ZERO),
            "assetPositions": [
                {"type": "oneWay", "position": _position(p, margins[p.symbol])} for p in held
            ],
            "time": self._now_ms(),
        }  # fmt: skip

    def _open(self, asked: Question, show: Callable[[Row], dict[str, Any]]) -> object:
        if not self._is_ours(asked):
            return []
        return [show(self.blotter.row_of(record)) for record in self._exchange.open_orders()]

    def _status(self, asked: Question) -> object:
        row = self.blotter.row(asked["oid"]) if self._is_ours(asked) else None
        return NO_OID if row is None else {"status": "order", "order": _standing(row)}

    def _history(self, asked: Question) -> object:
        rows = list(self.blotter.history())[:PAGE_MAX] if self._is_ours(asked) else []
        return [_standing(row) for row in rows]

    def _fills(self, asked: Question) -> list[dict[str, Any]]:
        return self.blotter.fills if self._is_ours(asked) else []

    def _fills_by_time(self, asked: Question) -> object:
        """Return the oldest fills of a span: the first page of it."""
        start, end = int(asked["startTime"]), asked.get("endTime")
        until = self._now_ms() if end is None else int(end)
        return [one for one in self._fills(asked) if start <= one["time"] <= until][:PAGE_MAX]

    def _paid(self, asked: Question) -> object:
        start = int(asked["startTime"])
        paid = self._fundings if self._is_ours(asked) else []
        return [
            {
                "time": one["time"],
                "hash": f"0x{0:064x}",
                "delta": {k: v for k, v in one.items() if k != "time"} | {"type": "funding"},
            }
            for one in paid
            if one["time"] >= start
        ]

    def _fees(self) -> object:
        config = self._exchange.config
        return {
            "userCrossRate": wire(config.taker_fee_bps.scaleb(-4)),
            "userAddRate": wire(config.maker_fee_bps.scaleb(-4)),
        }

    def _rate_limit(self) -> object:
        budget = self._door.budget
        return {
            "cumVlm": f"{budget.volume:.2f}",
            "nRequestsUsed": budget.used,
            "nRequestsCap": budget.cap,
        }

    def _role(self, asked: Question) -> object:
        address = str(asked["user"]).lower()
        if address == self._door.agent:
            return {"role": "agent", "data": {"user": self._door.master}}
        return {"role": "user" if address == self._door.master else "missing"}

    def _asset(self, asked: Question) -> object:
        position = self._exchange.position(asked["coin"])
        return {
            "user": asked["user"], "coin": asked["coin"], "leverage": _leverage(position),
            "markPx": wire(position.mark_price),
        }  # fmt: skip


def _standing(row: Row) -> dict[str, Any]:
    return {"order": row.in_full(), "status": row.status, "statusTimestamp": row.at_ms}


def _leverage(position: PositionRecord) -> dict[str, Any]:
    kind = "isolated" if position.is_isolated else "cross"
    return {"type": kind, "value": position.leverage}


def _margin(position: PositionRecord) -> Decimal:
    notional = abs(position.qty) * position.mark_price
    return ROUNDED.divide(notional, Decimal(position.leverage))


def _position(position: PositionRecord, margin: Decimal) -> dict[str, Any]:
    liquidation = position.liquidation_price
    value = abs(position.qty) * position.mark_price
    gain = ROUNDED.divide(position.unrealized_pnl, margin) if margin else ZERO
    return {
        "coin": position.symbol, "szi": wire(position.qty),
        "leverage": _leverage(position),
        "entryPx": money(position.entry_price), "positionValue": money(value),
        "unrealizedPnl": money(position.unrealized_pnl), "returnOnEquity": money(gain),
        "liquidationPx": money(liquidation) if liquidation else None,
        "marginUsed": money(margin), "maxLeverage": position.leverage,
        "cumFunding": {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"},
    }  # fmt: skip
