"""Orders, fills, positions and money of a sandbox as Binance writes them. Pure.

Numbers are strings, times milliseconds. Keys of later versions of the API are there too, because
clients must bear with them. Source: the Binance sheet, sections 5 to 7.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from brokers.sandbox.fee_burn import BNB, FeeBurn
from brokers.sandbox.orders import (
    BalanceRecord,
    FillRecord,
    Kind,
    OrderRecord,
    OrderTold,
    PositionRecord,
    State,
)
from engine.model.instrument import Instrument
from engine.model.money import ROUNDED, ZERO
from engine.model.orders import OrderType, Side

MS_NS: Final = 1_000_000
USDT: Final = "USDT"
MONEY: Final = Decimal("0.00000001")
"""Binance tells money with eight decimals; the core keeps it whole."""

STATUS: Final[Mapping[State, str]] = {
    State.NEW: "NEW",
    State.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    State.FILLED: "FILLED",
    State.CANCELED: "CANCELED",
    State.EXPIRED: "EXPIRED",
    State.REJECTED: "REJECTED",
}
EXECUTION: Final[Mapping[Kind, str]] = {
    Kind.NEW: "NEW",
    Kind.AMENDED: "AMENDMENT",
    Kind.FILLED: "TRADE",
    Kind.CANCELED: "CANCELED",
    Kind.EXPIRED: "EXPIRED",
}
"""Of what the user stream tells; the rest is told to nobody."""


def plain(number: Decimal) -> str:
    """Return a number without exponent and without zeros behind it, at least `0`."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def money(amount: Decimal) -> str:
    """Return an amount with eight decimals."""
    return f"{ROUNDED.quantize(amount, MONEY):f}"


def average(order: OrderRecord) -> Decimal:
    """Return the average price of what has filled, 0 for nothing."""
    if not order.filled_qty:
        return ZERO
    return ROUNDED.divide(order.cost, order.filled_qty).quantize(MONEY, context=ROUNDED)


def tif(order: OrderRecord) -> str:
    """Return the time in force: post-only is one, here."""
    return "GTX" if order.ticket.is_post_only else order.ticket.tif.value


def order_row(order: OrderRecord) -> dict[str, Any]:
    """Return an order as REST answers it."""
    ticket = order.ticket
    return {
        "orderId": order.order_id, "symbol": order.symbol, "status": STATUS[order.state],
        "clientOrderId": order.client_id, "price": plain(order.price or ZERO),
        "avgPrice": plain(average(order)), "origQty": plain(order.qty),
        "executedQty": plain(order.filled_qty), "cumQty": plain(order.filled_qty),
        "cumQuote": plain(order.cost), "timeInForce": tif(order), "type": ticket.type.value,
        "reduceOnly": ticket.is_reduce_only, "closePosition": False, "side": ticket.side.value,
        "positionSide": "BOTH", "stopPrice": "0", "workingType": "CONTRACT_PRICE",
        "priceProtect": False, "origType": ticket.type.value, "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER", "goodTillDate": 0,
        "time": order.created_ns // MS_NS, "updateTime": order.updated_ns // MS_NS,
    }  # fmt: skip


def trade_row(fill: FillRecord) -> dict[str, Any]:
    """Return an execution as `userTrades` lists it."""
    return {
        "symbol": fill.symbol, "id": fill.trade_id, "orderId": fill.order_id,
        "side": fill.side.value, "price": plain(fill.price), "qty": plain(fill.qty),
        "realizedPnl": money(fill.realized_pnl), "quoteQty": plain(fill.price * fill.qty),
        "commission": money(fill.fee), "commissionAsset": fill.fee_asset or USDT,
        "time": fill.at_ns // MS_NS, "positionSide": "BOTH", "buyer": fill.side is Side.BUY,
        "maker": fill.is_maker,
    }  # fmt: skip


def balance_row(balance: BalanceRecord) -> dict[str, Any]:
    """Return the account's one asset as `balance` lists it."""
    return {
        "accountAlias": "sandbox", "asset": USDT, "balance": money(balance.wallet),
        "crossWalletBalance": money(balance.wallet),
        "crossUnPnl": money(balance.unrealized_pnl),
        "availableBalance": money(balance.available),
        "maxWithdrawAmount": money(min(balance.available, max(ZERO, balance.wallet))),
        "marginAvailable": True, "updateTime": balance.updated_ns // MS_NS,
    }  # fmt: skip


def burn_row(burn: FeeBurn) -> dict[str, Any]:
    """Return the wallet that fees may be paid from as `balance` lists it."""
    amount = money(burn.balance)
    return {
        "accountAlias": "sandbox", "asset": BNB, "balance": amount, "crossWalletBalance": amount,
        "crossUnPnl": "0", "availableBalance": amount, "maxWithdrawAmount": amount,
        "marginAvailable": False, "updateTime": 0,
    }  # fmt: skip


def asset_row(balance: BalanceRecord) -> dict[str, Any]:
    """Return the account's one asset as `account` lists it."""
    return {
        "asset": USDT, "walletBalance": money(balance.wallet),
        "unrealizedProfit": money(balance.unrealized_pnl),
        "marginBalance": money(balance.equity), "maintMargin": "0",
        "initialMargin": money(balance.margin), "positionInitialMargin": money(balance.margin),
        "openOrderInitialMargin": "0", "crossWalletBalance": money(balance.wallet),
        "crossUnPnl": money(balance.unrealized_pnl),
        "availableBalance": money(balance.available),
        "maxWithdrawAmount": money(min(balance.available, max(ZERO, balance.wallet))),
        "marginAvailable": True, "updateTime": balance.updated_ns // MS_NS,
    }  # fmt: skip


def totals(balance: BalanceRecord) -> dict[str, Any]:
    """Return what `account` says of the whole."""
    row = asset_row(balance)
    return {
        "totalInitialMargin": row["initialMargin"], "totalMaintMargin": row["maintMargin"],
        "totalWalletBalance": row["walletBalance"],
        "totalUnrealizedProfit": row["unrealizedProfit"],
        "totalMarginBalance": row["marginBalance"],
        "totalPositionInitialMargin": row["positionInitialMargin"],
        "totalOpenOrderInitialMargin": row["openOrderInitialMargin"],
        "totalCrossWalletBalance": row["crossWalletBalance"],
        "totalCrossUnPnl": row["crossUnPnl"], "availableBalance": row["availableBalance"],
        "maxWithdrawAmount": row["maxWithdrawAmount"],
    }  # fmt: skip


def position_row(position: PositionRecord, instrument: Instrument) -> dict[str, Any]:
    """Return a position as `positionRisk` lists it, with the older version's keys."""
    notional = position.qty * position.mark_price * instrument.multiplier
    initial = ROUNDED.divide(abs(notional), Decimal(position.leverage))
    return {
        "symbol": position.symbol, "positionSide": "BOTH", "positionAmt": plain(position.qty),
        "entryPrice": plain(position.entry_price), "breakEvenPrice": plain(position.entry_price),
        "markPrice": plain(position.mark_price),
        "unRealizedProfit": money(position.unrealized_pnl),
        "liquidationPrice": money(position.liquidation_price), "isolatedMargin": "0",
        "notional": money(notional), "marginAsset": USDT, "isolatedWallet": "0",
        "initialMargin": money(initial), "positionInitialMargin": money(initial),
        "maintMargin": money(abs(notional) * instrument.maintenance_margin),
        "openOrderInitialMargin": "0", "adl": 0, "bidNotional": "0", "askNotional": "0",
        "updateTime": position.updated_ns // MS_NS,
    }  # fmt: skip


def order_update(told: OrderTold, at_ms: int) -> dict[str, Any] | None:
    """Return `ORDER_TRADE_UPDATE`; None for what the venue tells nobody."""
    order, ticket, fill = told.order, told.order.ticket, told.fill
    execution = EXECUTION.get(told.kind)
    if execution is None:
        return None
    if order.is_forced and told.kind is Kind.FILLED:
        execution = "CALCULATED"
    change = {
        "s": order.symbol, "c": order.client_id, "S": ticket.side.value, "o": ticket.type.value,
        "f": tif(order), "q": plain(order.qty), "p": plain(order.price or ZERO),
        "ap": plain(average(order)), "sp": "0", "x": execution, "X": STATUS[order.state],
        "i": order.order_id, "l": plain(fill.qty) if fill else "0",
        "z": plain(order.filled_qty), "L": plain(fill.price) if fill else "0",
        "n": money(fill.fee) if fill else "0", "N": (fill and fill.fee_asset) or USDT,
        "T": told.at_ns // MS_NS,
        "t": fill.trade_id if fill else 0, "b": "0", "a": "0",
        "m": bool(fill and fill.is_maker), "R": ticket.is_reduce_only, "wt": "CONTRACT_PRICE",
        "ot": ticket.type.value, "ps": "BOTH", "cp": False,
        "rp": money(fill.realized_pnl) if fill else "0", "pP": False, "si": 0, "ss": 0,
        "V": "EXPIRE_MAKER", "pm": "NONE", "gtd": 0, "er": "0",
    }  # fmt: skip
    return {"e": "ORDER_TRADE_UPDATE", "E": at_ms, "T": told.at_ns // MS_NS, "o": change}


def trade_lite(fill: FillRecord, order: OrderRecord, at_ms: int) -> dict[str, Any]:
    """Return `TRADE_LITE`, the faster duplicate of a fill."""
    is_market = order.ticket.type is OrderType.MARKET
    return {
        "e": "TRADE_LITE", "E": at_ms, "T": fill.at_ns // MS_NS, "s": fill.symbol,
        "q": plain(order.qty), "p": "0" if is_market else plain(order.price or ZERO),
        "m": fill.is_maker, "c": fill.client_id, "S": fill.side.value, "L": plain(fill.price),
        "l": plain(fill.qty), "t": fill.trade_id, "i": fill.order_id,
    }  # fmt: skip


def account_update(
    cause: str, at_ns: int, at_ms: int, money_row: dict[str, Any], positions: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return `ACCOUNT_UPDATE` with the rows that changed."""
    change = {"m": cause, "B": [money_row], "P": positions}
    return {"e": "ACCOUNT_UPDATE", "E": at_ms, "T": at_ns // MS_NS, "a": change}


def changed_money(balance: BalanceRecord, change: Decimal) -> dict[str, Any]:
    """Return a row of `B`; `bc` is a change that is neither profit nor fee."""
    wallet = money(balance.wallet)
    return {"a": USDT, "wb": wallet, "cw": wallet, "bc": money(change)}


def changed_position(position: PositionRecord, realized: Decimal) -> dict[str, Any]:
    """Return a row of `P`."""
    entry = plain(position.entry_price)
    return {
        "s": position.symbol, "pa": plain(position.qty), "ep": entry, "bep": entry,
        "cr": money(realized), "up": money(position.unrealized_pnl),
        "mt": "isolated" if position.is_isolated else "cross", "iw": "0",
        "ps": "BOTH",
    }  # fmt: skip
