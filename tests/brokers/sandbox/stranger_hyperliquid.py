"""What ccxt does on a Hyperliquid sandbox, as a program of its own: no line of ours is imported.

Run by the interpreter of `.venv/oracle`, with the sandbox's address, a wallet's key and the address
it trades for; nothing of ccxt is changed but the host it asks. Prints what it got as one JSON object.
"""

import json
import sys
from typing import Any

import ccxt

SYMBOL = "BTC/USDC:USDC"


def refusal(act: Any, *words: Any) -> str:
    """Return what ccxt makes of the error that a call ends in."""
    try:
        act(*words)
    except ccxt.BaseError as error:
        return type(error).__name__
    return ""


def traded(base: str, key: str, address: str) -> dict[str, Any]:
    """Place, amend, cancel, read orders, balances, positions and the book."""
    venue = ccxt.hyperliquid({"walletAddress": address, "privateKey": key})
    venue.urls["api"] = {"public": base, "private": base}
    got: dict[str, Any] = {"markets": sorted(venue.load_markets())}
    got["precision"] = venue.market(SYMBOL)["precision"]["amount"]
    book = venue.fetch_order_book(SYMBOL)
    bid, ask = book["bids"][0][0], book["asks"][0][0]
    got["book"] = [len(book["bids"]) > 3, bid < ask]
    got["before"] = venue.fetch_balance()["USDC"]["total"]

    low, name = int(bid * 0.97), "0x" + "5" * 32
    named = {"clientOrderId": name, "postOnly": True}
    placed = venue.create_order(SYMBOL, "limit", "buy", 0.01, low, named)
    shown = venue.fetch_order(placed["id"], SYMBOL)
    got["placed"] = [shown[key] for key in ("status", "clientOrderId", "amount", "side")]
    got["price"] = shown["price"] == low
    changed = venue.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.02, low - 1)
    got["is_same"] = placed["id"] == changed["id"]
    (still,) = venue.fetch_open_orders(SYMBOL)
    got["changed"] = [still["amount"], still["price"] == low - 1, still["id"] == changed["id"]]
    venue.cancel_order(still["id"], SYMBOL)
    got["canceled"] = venue.fetch_order(still["id"], SYMBOL)["status"]

    bought = venue.create_order(SYMBOL, "market", "buy", 0.005, ask)
    got["bought"] = venue.fetch_order(bought["id"], SYMBOL)["status"]
    held = venue.fetch_positions([SYMBOL])
    got["held"] = [[one["side"], one["contracts"]] for one in held]
    trades = venue.fetch_my_trades(SYMBOL)
    got["trades"] = [[one["side"], one["takerOrMaker"]] for one in trades]
    got["amount"] = sum(one["amount"] for one in trades)
    venue.create_order(SYMBOL, "market", "sell", 0.005, bid, {"reduceOnly": True})
    got["flat"] = [one for one in venue.fetch_positions([SYMBOL]) if one["contracts"]]
    trades = venue.fetch_my_trades(SYMBOL)
    paid = sum(one["fee"]["cost"] for one in trades)
    spent = sum(one["cost"] * (1 if one["side"] == "buy" else -1) for one in trades)
    got["difference"] = got["before"] - paid - spent - venue.fetch_balance()["USDC"]["total"]

    crossing = {"postOnly": True}
    got["crossing"] = refusal(venue.create_order, SYMBOL, "limit", "buy", 0.01, ask + 50, crossing)
    got["poor"] = refusal(venue.create_order, SYMBOL, "limit", "buy", 90, low)
    got["unknown"] = refusal(venue.cancel_order, "12345", SYMBOL)
    venue.privateKey = "0x" + "11" * 32
    got["stranger"] = refusal(venue.create_order, SYMBOL, "limit", "buy", 0.01, low)
    return got


if __name__ == "__main__":
    sys.stdout.write(json.dumps(traded(*sys.argv[1:4])))
