"""How the Bitunix sandbox shows its account: rows of REST and pushes, as clients found them. Pure.

Source: the Bitunix sheet, sections 5 and 7, live quirks included: `NEW_`, sides of positions as
BUY and SELL, one object where a list is documented, `effect` of a push that names a direction.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from brokers.sandbox.bitunix_frames import MS_NS, iso
from brokers.sandbox.orders import BalanceRecord, FillRecord, OrderRecord, PositionRecord, State
from engine.model.money import ROUNDED, ZERO
from engine.model.orders import OrderType, Side

STATUSES: Final[Mapping[State, str]] = {
    State.NEW: "NEW",
    State.PARTIALLY_FILLED: "PART_FILLED",
    State.FILLED: "FILLED",
    State.CANCELED: "CANCELED",
    State.EXPIRED: "CANCELED",
    State.REJECTED: "CANCELED",
}
COIN: Final = "USDT"
MODES: Final = ("CROSS", "ISOLATION")
"""By whether a symbol is isolated."""


def mode(is_isolated: bool) -> str:  # noqa: FBT001 - it is what is named
    """Return a margin mode."""
    return MODES[is_isolated]


def status(record: OrderRecord) -> str:
    """Return an order's status; one that was dealt in part before its end says so."""
    word = STATUSES[record.state]
    return "PART_FILLED_CANCELED" if word == "CANCELED" and record.filled_qty else word


def effect(record: OrderRecord) -> str:
    """Return an order's time in force."""
    return "POST_ONLY" if record.ticket.is_post_only else record.ticket.tif.value


def order_row(record: OrderRecord, fee: Decimal, leverage: int) -> dict[str, Any]:
    """Return an order as REST shows it."""
    ticket = record.ticket
    return {
        "orderId": str(record.order_id), "clientId": record.client_id, "symbol": record.symbol,
        "marginCoin": None, "qty": _text(record.qty), "tradeQty": _text(record.filled_qty),
        "price": _text(record.price) if record.price is not None else "0",
        "avgPrice": _text(_average(record)) if record.filled_qty else None,
        "side": ticket.side.value, "orderType": ticket.type.value, "effect": effect(record),
        "reduceOnly": ticket.is_reduce_only, "status": status(record), "fee": _text(fee),
        "realizedPNL": "0", "leverage": leverage, "marginMode": "CROSS",
        "positionMode": "ONE_WAY", "ctime": str(record.created_ns // MS_NS),
        "mtime": str(record.updated_ns // MS_NS),
    }  # fmt: skip


def order_push(
    record: OrderRecord, fee: Decimal, event: str, *, is_init: bool = False
) -> dict[str, Any]:
    """Return an order as the private line tells it."""
    ticket, word = record.ticket, "INIT" if is_init else status(record)
    is_limit = ticket.type is OrderType.LIMIT
    return {
        "event": event, "orderId": str(record.order_id), "clientId": record.client_id,
        "symbol": record.symbol, "positionType": "CROSS", "positionMode": "ONE_WAY",
        "side": "Buy" if ticket.side is Side.BUY else "Sell",
        "type": "Limit" if is_limit else "Market",
        "effect": "LONG" if ticket.side is Side.BUY else "SHORT",
        "qty": _text(record.qty), "price": _text(record.price or ZERO),
        "reductionOnly": ticket.is_reduce_only, "leverage": "5",
        "orderStatus": "NEW_" if word == "NEW" else word,
        "averagePrice": _text(_average(record)), "dealAmount": _text(record.filled_qty),
        "fee": _text(fee), "ctime": iso(record.created_ns), "mtime": iso(record.updated_ns),
    }  # fmt: skip


def trade_row(fill: FillRecord, order: OrderRecord | None, leverage: int) -> dict[str, Any]:
    """Return one execution."""
    kind = order.ticket.type.value if order else OrderType.MARKET.value
    return {
        "tradeId": str(fill.trade_id), "orderId": str(fill.order_id), "symbol": fill.symbol,
        "qty": _text(fill.qty), "price": _text(fill.price), "side": fill.side.value,
        "orderType": kind, "positionMode": "ONE_WAY", "marginMode": "CROSS",
        "leverage": leverage, "fee": _text(fill.fee), "realizedPNL": _text(fill.realized_pnl),
        "roleType": "MAKER" if fill.is_maker else "TAKER", "ctime": fill.at_ns // MS_NS,
    }  # fmt: skip


class Opened(NamedTuple):
    """What a position has from its opening on."""

    position_id: str
    at_ns: int
    funding: Decimal
    """In all."""


def position_row(held: PositionRecord, opened: Opened) -> dict[str, Any]:
    """Return an open position as REST shows it."""
    qty = abs(held.qty)
    return {
        "positionId": opened.position_id, "symbol": held.symbol, "qty": _text(qty),
        "entryValue": _text(qty * held.entry_price), "side": "BUY" if held.qty > 0 else "SELL",
        "positionMode": "ONE_WAY", "marginMode": mode(held.is_isolated),
        "leverage": held.leverage, "fee": "0",
        "funding": _text(opened.funding), "realizedPNL": "0",
        "margin": _text(ROUNDED.divide(qty * held.entry_price, Decimal(held.leverage))),
        "unrealizedPNL": _text(held.unrealized_pnl), "liqPrice": _text(held.liquidation_price),
        "marginRate": "0", "avgOpenPrice": _text(held.entry_price),
        "ctime": str(opened.at_ns // MS_NS), "mtime": str(held.updated_ns // MS_NS),
    }  # fmt: skip


def position_push(held: PositionRecord, opened: Opened, event: str) -> dict[str, Any]:
    """Return a position as the private line tells it."""
    qty = abs(held.qty)
    return {
        "event": event, "positionId": opened.position_id, "marginMode": mode(held.is_isolated),
        "positionMode": "ONE_WAY", "side": "LONG" if held.qty >= 0 else "SHORT",
        "leverage": str(held.leverage), "margin": "0", "ctime": iso(opened.at_ns),
        "qty": _text(qty), "entryValue": _text(qty * held.entry_price), "symbol": held.symbol,
        "realizedPNL": "0", "unrealizedPNL": _text(held.unrealized_pnl),
        "funding": _text(opened.funding), "fee": "0",
    }  # fmt: skip


def account_row(money: BalanceRecord) -> dict[str, Any]:
    """Return the money; available, frozen and margin add up to the wallet."""
    available = max(ZERO, money.wallet - money.margin)
    return {
        "marginCoin": COIN, "available": _text(available), "frozen": "0",
        "margin": _text(money.wallet - available), "transfer": _text(available),
        "positionMode": "ONE_WAY", "crossUnrealizedPNL": _text(money.unrealized_pnl),
        "isolationUnrealizedPNL": "0", "bonus": "0",
    }  # fmt: skip


def balance_push(money: BalanceRecord) -> dict[str, Any]:
    """Return the money as the private line tells it."""
    row = account_row(money)
    return {
        "coin": COIN, "available": row["available"], "frozen": "0", "isolationFrozen": "0",
        "crossFrozen": "0", "margin": row["margin"], "isolationMargin": "0",
        "crossMargin": row["margin"], "expMoney": "0",
    }  # fmt: skip


def _average(record: OrderRecord) -> Decimal:
    return ROUNDED.divide(record.cost, record.filled_qty) if record.filled_qty else ZERO


def _text(number: Decimal) -> str:
    return f"{number:f}"
