"""Every request as it leaves: method, path, query, headers, body."""

from decimal import Decimal

import pytest

from brokers.bitunix import requests
from brokers.bitunix.requests import Scribe, cancellation, placement, placements
from brokers.link.account import NewOrder, OrderRef
from engine.model.orders import OrderType, Side, TimeInForce
from tests.brokers.bitunix.test_parse import BTC
from tests.brokers.bitunix.test_sign import AT, BODY, KEY, NONCE

SCRIBE = Scribe(KEY, lambda: int(AT), lambda: NONCE)


def placed(**fields: object) -> NewOrder:
    words: dict = {
        "client_id": "la-1", "instrument": BTC, "side": Side.BUY, "type": OrderType.LIMIT,
        "qty": Decimal("0.001"), "price": Decimal(60000), "trigger_price": None,
        "tif": TimeInForce.GTC, "is_post_only": False, "is_reduce_only": False,
    }  # fmt: skip
    return NewOrder(**{**words, **fields})


def test_a_placement_is_the_sheets_example() -> None:
    """To the byte, signature included."""
    request = SCRIBE.post(requests.PLACE, placement(placed(is_post_only=True)))
    assert ("POST", "/api/v1/futures/trade/place_order", BODY) == (
        request.method, request.path_and_query, request.body,
    )  # fmt: skip
    assert {
        "api-key": "demo_api_key_0001",
        "sign": "ed239b284969dbb88797d0a3909ee85611119033a3435fe3b359dc9c3bb76f87",
        "nonce": NONCE,
        "timestamp": AT,
        "language": "en-US",
        "Content-Type": "application/json",
    } == request.headers


def test_a_question_is_the_sheets_example() -> None:
    """Sorted and signed without separators, sent with them."""
    request = SCRIBE.get(requests.PENDING, {"symbol": "BTCUSDT", "limit": "10", "skip": ""})
    assert "/api/v1/futures/trade/get_pending_orders?limit=10&symbol=BTCUSDT" == (
        request.path_and_query
    )
    assert b"" == request.body
    assert (
        "04dbfc2015883bfb9923d66f96dd06ef6b7fabbb7e41aef3fd393f9be43fcf50"
        == (request.headers["sign"])
    )
    odd = SCRIBE.get(requests.DETAIL, {"clientId": "a b&c"})
    assert "/api/v1/futures/trade/get_order_detail?clientId=a%20b%26c" == odd.path_and_query
    assert "/api/v1/futures/account" == SCRIBE.get(requests.ACCOUNT, {}).path_and_query


BODIES = [
    ({"tif": TimeInForce.GTC}, {"price": "60000", "effect": "GTC"}),
    ({"tif": TimeInForce.IOC}, {"price": "60000", "effect": "IOC"}),
    ({"tif": TimeInForce.FOK}, {"price": "60000", "effect": "FOK"}),
    ({"price": Decimal("1E+5"), "qty": Decimal("1E-7")},
     {"price": "100000", "effect": "GTC", "qty": "0.0000001"}),
    ({"type": OrderType.MARKET, "price": None}, {"orderType": "MARKET"}),
    ({"is_reduce_only": True}, {"price": "60000", "effect": "GTC", "reduceOnly": True}),
    ({"side": Side.SELL}, {"side": "SELL", "price": "60000", "effect": "GTC"}),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), BODIES)
def test_bodies(fields: dict, expected: dict) -> None:
    """One-way: no `tradeSide`; a market order has neither price nor effect."""
    base = {
        "symbol": "BTCUSDT", "side": "BUY", "orderType": "LIMIT", "qty": "0.001",
        "clientId": "la-1",
    }  # fmt: skip
    assert base | expected == placement(placed(**fields))


def test_orders_are_named_by_the_venues_id_where_it_is_known() -> None:
    """Else by ours; never by both."""
    ours, theirs = OrderRef("la-1", "", None, "BTCUSDT"), OrderRef("la-1", "9", None, "BTCUSDT")
    assert {"symbol": "BTCUSDT", "orderList": [{"clientId": "la-1"}]} == cancellation(ours)
    assert {"symbol": "BTCUSDT", "orderList": [{"orderId": "9"}]} == cancellation(theirs)


def test_several_orders_name_their_instrument_once() -> None:
    """Each item is a placement's body without it; a cancel may mix names."""
    several = [placed(), placed(client_id="la-2", side=Side.SELL)]
    body = placements(several)
    assert ["symbol", "orderList"] == list(body)
    assert [placement(one) for one in several] == [
        {"symbol": body["symbol"]} | item for item in body["orderList"]
    ]
    assert not any("symbol" in item for item in body["orderList"])
    ours, theirs = OrderRef("la-1", "", None, "BTCUSDT"), OrderRef("la-2", "9", None, "BTCUSDT")
    assert {
        "symbol": "BTCUSDT", "orderList": [{"clientId": "la-1"}, {"orderId": "9"}],
    } == cancellation(ours, theirs)  # fmt: skip
