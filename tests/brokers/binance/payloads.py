"""Answers and events as Binance writes them (sheet sections 5 and 7), to be changed by tests."""

import json
from typing import Any

ORDER: dict[str, Any] = {
    "orderId": 283194212, "symbol": "BTCUSDT", "status": "NEW", "clientOrderId": "run1-quoter-7",
    "price": "60000.0", "avgPrice": "0.00", "origQty": "0.010", "executedQty": "0",
    "cumQuote": "0", "timeInForce": "GTC", "type": "LIMIT", "reduceOnly": False,
    "closePosition": False, "side": "BUY", "positionSide": "BOTH", "stopPrice": "0",
    "workingType": "CONTRACT_PRICE", "priceProtect": False, "origType": "LIMIT",
    "priceMatch": "NONE", "selfTradePreventionMode": "EXPIRE_MAKER", "goodTillDate": 0,
    "updateTime": 1_700_000_000_123,
}  # fmt: skip
TRADE: dict[str, Any] = {
    "symbol": "BTCUSDT", "id": 698759, "orderId": 283194212, "side": "SELL", "price": "60000.1",
    "qty": "0.002", "realizedPnl": "-0.91539999", "quoteQty": "120.0002", "commission": "0.024",
    "commissionAsset": "USDT", "time": 1_700_000_000_500, "positionSide": "BOTH", "buyer": False,
    "maker": True,
}  # fmt: skip
UPDATE: dict[str, Any] = {
    "s": "BTCUSDT", "c": "run1-quoter-7", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.010",
    "p": "60000.0", "ap": "0", "sp": "0", "x": "NEW", "X": "NEW", "i": 283194212, "l": "0",
    "z": "0", "L": "0", "n": "0", "N": None, "T": 1_700_000_000_123, "t": 0, "b": "0", "a": "0",
    "m": False, "R": False, "wt": "CONTRACT_PRICE", "ot": "LIMIT", "ps": "BOTH", "cp": False,
    "rp": "0", "pP": False, "si": 0, "ss": 0, "V": "EXPIRE_MAKER", "pm": "NONE", "gtd": 0,
    "er": "0",
}  # fmt: skip


def answer(**changes: object) -> bytes:
    """Return an order as an answer has it."""
    return json.dumps(ORDER | changes).encode()


def trade(**changes: object) -> dict[str, Any]:
    """Return a fill as `userTrades` has it."""
    return TRADE | changes


def event(kind: str = "ORDER_TRADE_UPDATE", /, **changes: object) -> bytes:
    """Return an order event of the account's stream."""
    told = {"e": kind, "E": 1_700_000_000_130, "T": 1_700_000_000_123, "st": 1}
    return json.dumps(told | {"o": UPDATE | changes}).encode()


def funding(symbols: tuple[str, ...] = (), amount: str = "-0.5", asset: str = "USDT") -> bytes:
    """Return a funding payment; cross margin names no instrument."""
    positions = [{"s": symbol, "pa": "1", "ep": "2", "ps": "BOTH"} for symbol in symbols]
    wallets = [{"a": asset, "wb": "100", "cw": "100", "bc": amount}]
    account = {"m": "FUNDING_FEE", "B": wallets} | ({"P": positions} if symbols else {})
    return json.dumps({"e": "ACCOUNT_UPDATE", "E": 3, "T": 2, "a": account}).encode()
