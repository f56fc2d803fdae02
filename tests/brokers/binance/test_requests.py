"""Every request as it leaves: method, path, query, headers, body."""

import hashlib
import hmac
from decimal import Decimal

import pytest

from brokers.binance import batches, requests
from brokers.binance.requests import Call, written
from brokers.link.account import NewOrder
from brokers.link.budget import Lane
from brokers.link.secret import Credentials, Secret
from engine.model.instrument import Instrument
from engine.model.orders import OrderType, Side, TimeInForce

KEYS = Credentials("demo_api_key_0001", Secret("demo_secret_key_0001"))
AT_MS = 1_700_000_000_000
BTC = Instrument(
    symbol="BTCUSDT", base="BTC", quote="USDT", settlement="USDT",
    tick_size=Decimal("0.1"), lot_size=Decimal("0.001"), min_qty=Decimal("0.001"),
)  # fmt: skip
LIMIT = NewOrder(
    "la-1", BTC, Side.BUY, OrderType.LIMIT, Decimal("0.001"), Decimal("6E+4"), None,
    TimeInForce.GTC, True, False,
)  # fmt: skip
MARKET = LIMIT._replace(
    type=OrderType.MARKET, price=None, side=Side.SELL, is_post_only=False, is_reduce_only=True
)
ORDER = "/fapi/v1/order"
NAMED = "symbol=BTCUSDT&origClientOrderId=la-1"

CALLS = [
    (
        requests.place(LIMIT), "POST", ORDER,
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTX&quantity=0.001&price=60000"
        "&newClientOrderId=la-1&newOrderRespType=RESULT",
    ),
    (
        requests.place(LIMIT._replace(is_post_only=False)), "POST", ORDER,
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=60000"
        "&newClientOrderId=la-1&newOrderRespType=RESULT",
    ),
    (
        requests.place(LIMIT._replace(is_post_only=False, tif=TimeInForce.IOC)), "POST", ORDER,
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.001&price=60000"
        "&newClientOrderId=la-1&newOrderRespType=RESULT",
    ),
    (
        requests.place(LIMIT._replace(is_post_only=False, tif=TimeInForce.FOK)), "POST", ORDER,
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=FOK&quantity=0.001&price=60000"
        "&newClientOrderId=la-1&newOrderRespType=RESULT",
    ),
    (
        requests.place(MARKET), "POST", ORDER,
        "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.001&reduceOnly=true"
        "&newClientOrderId=la-1&newOrderRespType=RESULT",
    ),
    (
        batches.place_many([LIMIT, MARKET._replace(client_id="la-2")]),
        "POST", "/fapi/v1/batchOrders",
        "batchOrders=%5B%7B%22symbol%22%3A%22BTCUSDT%22%2C%22side%22%3A%22BUY%22%2C%22type%22%3A"
        "%22LIMIT%22%2C%22timeInForce%22%3A%22GTX%22%2C%22quantity%22%3A%220.001%22%2C%22price%22"
        "%3A%2260000%22%2C%22newClientOrderId%22%3A%22la-1%22%2C%22newOrderRespType%22%3A"
        "%22RESULT%22%7D%2C%7B%22symbol%22%3A%22BTCUSDT%22%2C%22side%22%3A%22SELL%22%2C%22type%22"
        "%3A%22MARKET%22%2C%22quantity%22%3A%220.001%22%2C%22reduceOnly%22%3A%22true%22%2C"
        "%22newClientOrderId%22%3A%22la-2%22%2C%22newOrderRespType%22%3A%22RESULT%22%7D%5D",
    ),
    (
        batches.cancel_many("BTCUSDT", ["la-1", "la-2"]), "DELETE", "/fapi/v1/batchOrders",
        "symbol=BTCUSDT&origClientOrderIdList=%5B%22la-1%22%2C%22la-2%22%5D",
    ),
    (
        requests.close("BTCUSDT", Side.SELL, Decimal("1E-3"), "la-sentinel-1"), "POST", ORDER,
        "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.001&reduceOnly=true"
        "&newClientOrderId=la-sentinel-1&newOrderRespType=RESULT",
    ),
    (
        requests.amend("BTCUSDT", "la-1", Side.BUY, Decimal("59999.9"), Decimal("0.002")),
        "PUT", ORDER,
        f"{NAMED}&side=BUY&quantity=0.002&price=59999.9",
    ),
    (requests.cancel("BTCUSDT", "la-1"), "DELETE", ORDER, NAMED),
    (requests.order("BTCUSDT", "la-1"), "GET", ORDER, NAMED),
    (requests.order_numbered("BTCUSDT", "77"), "GET", ORDER, "symbol=BTCUSDT&orderId=77"),
    (requests.open_orders(), "GET", "/fapi/v1/openOrders", ""),
    (requests.open_orders("BTCUSDT"), "GET", "/fapi/v1/openOrders", "symbol=BTCUSDT"),
    (requests.positions(), "GET", "/fapi/v3/positionRisk", ""),
    (requests.balances(), "GET", "/fapi/v3/balance", ""),
    (
        requests.trades_since("BTCUSDT", 5, None), "GET", "/fapi/v1/userTrades",
        "symbol=BTCUSDT&startTime=5&limit=1000",
    ),
    (
        requests.trades_since("BTCUSDT", 5, 9), "GET", "/fapi/v1/userTrades",
        "symbol=BTCUSDT&startTime=5&endTime=9&limit=1000",
    ),
    (
        requests.trades_from("BTCUSDT", 8), "GET", "/fapi/v1/userTrades",
        "symbol=BTCUSDT&fromId=8&limit=1000",
    ),
    (
        requests.count_down("BTCUSDT", 120_000), "POST", "/fapi/v1/countdownCancelAll",
        "symbol=BTCUSDT&countdownTime=120000",
    ),
    (
        requests.funding(5), "GET", "/fapi/v1/income",
        "incomeType=FUNDING_FEE&startTime=5&limit=1000",
    ),
    (requests.commission("BTCUSDT"), "GET", "/fapi/v1/commissionRate", "symbol=BTCUSDT"),
    (requests.symbol_settings(), "GET", "/fapi/v1/symbolConfig", ""),
    (requests.position_mode(), "GET", "/fapi/v1/positionSide/dual", ""),
    (requests.permissions(), "GET", "/sapi/v1/account/apiRestrictions", ""),
]  # fmt: skip


@pytest.mark.parametrize(("call", "method", "path", "params"), CALLS)
def test_signed_requests(call: Call, method: str, path: str, params: str) -> None:
    """Byte for byte; what changes something in the body, the rest in the URL."""
    sent = written(call, KEYS, AT_MS, 5_000)

    text = f"{params}&" * bool(params) + f"recvWindow=5000&timestamp={AT_MS}"
    digest = hmac.new(b"demo_secret_key_0001", text.encode(), hashlib.sha256).hexdigest()
    text = f"{text}&signature={digest}"
    headers = {"X-MBX-APIKEY": "demo_api_key_0001"}
    if method in ("POST", "PUT"):
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        assert (method, path, headers, text.encode()) == sent
    else:
        assert (method, f"{path}?{text}", headers, b"") == sent


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (requests.clock(), ("GET", "/fapi/v1/time", {}, b"")),
        (requests.listing(), ("GET", "/fapi/v1/exchangeInfo", {}, b"")),
        (
            requests.listen_key("POST"),
            ("POST", "/fapi/v1/listenKey", {"X-MBX-APIKEY": "demo_api_key_0001"}, b""),
        ),
        (
            requests.listen_key("PUT"),
            ("PUT", "/fapi/v1/listenKey", {"X-MBX-APIKEY": "demo_api_key_0001"}, b""),
        ),
    ],
)
def test_what_needs_no_signature_has_none(call: Call, expected: tuple) -> None:
    """Public requests show no key either."""
    assert expected == written(call, KEYS, AT_MS, 5_000)


def test_only_a_placement_is_not_to_be_repeated() -> None:
    """And cancels, closings and the dead-man switch use the reserved share."""
    placements = [requests.place(LIMIT), CALLS[5][0]]
    assert placements == [call for call, *_ in CALLS[:1] + CALLS[5:] if not call.is_repeatable]
    assert {
        "DELETE /fapi/v1/order", "DELETE /fapi/v1/batchOrders", "POST /fapi/v1/countdownCancelAll",
        "POST /fapi/v1/order",
    } == {f"{call.method} {call.path}" for call, *_ in CALLS if call.lane is Lane.CANCEL}  # fmt: skip
    assert [Lane.PLACE] * 2 == [placement.lane for placement in placements]
    assert [1, 5] == [placement.orders for placement in placements]
