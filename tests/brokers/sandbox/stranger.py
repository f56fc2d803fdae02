"""What ccxt does on a Binance sandbox, as a program of its own: no line of ours is imported.

Run by the interpreter of `.venv/oracle`, with the sandbox's address; nothing of ccxt is changed but
the hosts it asks. Prints what it got as one JSON object.
"""

import json
import sys
from typing import Any
from urllib.parse import urlsplit

import ccxt

SYMBOL = "BTC/USDT:USDT"


def moved(urls: Any, base: str) -> Any:
    """Return addresses with their host replaced; paths stay."""
    if isinstance(urls, dict):
        return {name: moved(url, base) for name, url in urls.items()}
    return base + urlsplit(urls).path if str(urls).startswith("http") else urls


def refusal(act: Any, *words: Any) -> str:
    """Return what ccxt makes of the error that a call ends in, and the venue's code."""
    try:
        act(*words)
    except ccxt.BaseError as error:
        code = str(error).partition('"code":')[2].partition(",")[0]
        return f"{type(error).__name__} {code}"
    return ""


def several(venue: Any) -> list[Any]:
    """Place three orders in one request, of which one would cross, and take the others out."""
    terms = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01}
    prices = (99.5, 100.1, 99.4)
    orders = [terms | {"price": price, "params": {"postOnly": True}} for price in prices]
    told = venue.create_orders(orders)
    resting = venue.fetch_open_orders(SYMBOL)
    venue.cancel_orders([order["id"] for order in resting], SYMBOL)
    left = venue.fetch_open_orders(SYMBOL)
    return [len(told), sorted(order["price"] for order in resting), left]


def traded(base: str) -> dict[str, Any]:
    """Place, amend, cancel, read orders, balances, positions and the book."""
    venue = ccxt.binanceusdm({"apiKey": "sandbox-key", "secret": "sandbox-secret"})
    venue.urls["api"] = moved(venue.urls["api"], base)
    got: dict[str, Any] = {"markets": sorted(venue.load_markets())}
    got["limits"] = venue.market(SYMBOL)["limits"]["cost"]["min"]
    got["book"] = [venue.fetch_order_book(SYMBOL, 5)[side][:1] for side in ("bids", "asks")]
    got["before"] = venue.fetch_balance()["USDT"]

    named = {"clientOrderId": "stranger-1", "postOnly": True}
    placed = venue.create_order(SYMBOL, "limit", "buy", 0.01, 99.5, named)
    got["placed"] = [placed[key] for key in ("status", "clientOrderId", "price", "postOnly")]
    changed = venue.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.02, 99.0)
    got["changed"] = [changed[key] for key in ("status", "amount", "price")]
    got["is_same"] = placed["id"] == changed["id"]
    got["open"] = [order["clientOrderId"] for order in venue.fetch_open_orders(SYMBOL)]
    venue.cancel_order(placed["id"], SYMBOL)
    got["canceled"] = venue.fetch_order(placed["id"], SYMBOL)["status"]

    got["batch"] = several(venue)
    venue.set_margin_mode("isolated", SYMBOL)
    got["leverage"] = venue.set_leverage(7, SYMBOL)["leverage"]
    (told,) = [one for one in venue.fapiprivate_get_symbolconfig() if one["symbol"] == "BTCUSDT"]
    got["margin"] = [told["marginType"], told["leverage"]]
    got["bars"] = [len(bar) for bar in venue.fetch_ohlcv(SYMBOL, "1m")]

    bought = venue.create_order(SYMBOL, "market", "buy", 0.005)
    got["bought"] = [bought[key] for key in ("status", "filled", "average")]
    held = venue.fetch_positions([SYMBOL])
    got["held"] = [[one["side"], one["contracts"], one["entryPrice"]] for one in held]
    got["trades"] = [
        [one["side"], one["amount"], one["price"], one["takerOrMaker"], one["fee"]["cost"]]
        for one in venue.fetch_my_trades(SYMBOL)
    ]
    venue.create_order(SYMBOL, "market", "sell", 0.005, None, {"reduceOnly": True})
    got["flat"] = [one for one in venue.fetch_positions([SYMBOL]) if one["contracts"]]
    got["after"] = venue.fetch_balance()["USDT"]["total"]

    got["crossing"] = refusal(venue.create_order, SYMBOL, "limit", "buy", 0.01, 100.1, named)
    got["poor"] = refusal(venue.create_order, SYMBOL, "limit", "buy", 900, 99.0)
    got["unknown"] = refusal(venue.cancel_order, "12345", SYMBOL)
    venue.secret = "wrong"  # noqa: S105 - the point
    got["stranger"] = refusal(venue.fetch_balance)
    return got


if __name__ == "__main__":
    sys.stdout.write(json.dumps(traded(sys.argv[1])))
