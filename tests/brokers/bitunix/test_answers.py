"""What answers mean: every code of the sheet, and what says nothing."""

import json
from decimal import Decimal

import pytest
from msgspec import Raw

from brokers.bitunix import rows
from brokers.bitunix.answers import (
    Said,
    fill_report,
    holding,
    order_report,
    read,
    refusal,
    said,
    to_cancel,
    to_placement,
    wallet,
)
from brokers.bitunix.codes import reason_of
from brokers.link.account import Accepted, Refused, Unanswered, Unclear
from brokers.link.rest import Reply, Unknown
from engine.model.account import Liquidity
from engine.model.orders import Side
from engine.model.venue_events import RejectReason as R
from engine.model.venue_events import Standing

AT = 1_700_000_000_000_000_000
CLASSES = {
    R.AUTH: (10003, 10004, 10007, 20011, 20013, 20014, 403),
    R.RATE_LIMIT: (10005, 10006),
    R.INSUFFICIENT_BALANCE: (20003, 20008, 20002),
    R.INVALID_ORDER: (10002, 10008, 20001, 20005, 20012, 20015, 30001, 30002, 30003, 30013, 30039,
                      30014, 30015, 30016, 30017),
    R.ORDER_NOT_FOUND: (20007, 10013),
    R.REDUCE_ONLY_REJECTED: (30018, 30019, 30004),
    R.DUPLICATE_CLIENT_ID: (30042,),
    R.VENUE_UNAVAILABLE: (30040,),
}  # fmt: skip


def reply(told: object, status: int = 200) -> Reply:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return Reply(status, {}, body, 0, 0)


def data(told: object) -> Raw:
    return Raw(json.dumps(told).encode())


@pytest.mark.parametrize(
    ("code", "reason"), [(code, reason) for reason, codes in CLASSES.items() for code in codes]
)
@pytest.mark.parametrize("kind", [int, str])
def test_every_code_of_the_sheet(code: int, reason: R, kind: type) -> None:
    """As a number or a text; the venue's words go with it, harmless."""
    answer = said(reply({"code": kind(code), "data": None, "msg": "no\x1b[2J"}))
    refused = refusal(answer)
    assert (Refused, reason) == (type(refused), refused.reason)
    assert f"{code} no" in refused.detail
    assert "\x1b" not in refused.detail


@pytest.mark.parametrize(
    "outcome",
    [
        Unknown("ServerDisconnectedError"),
        reply({"code": 0}, 500),
        reply({"code": 0}, 502),
        reply({"code": 0}, 302),
        reply(b"<html>"),
        reply(b"[]"),
        reply(b'{"code":null}'),
        reply(b"[" * 100_000),
        reply({"code": 10001, "msg": "network"}),
        reply({"code": 77777, "msg": "new"}),
    ],
)
def test_what_may_have_had_an_effect(outcome: object) -> None:
    """Is unclear, never refused."""
    answer = said(outcome)
    told = answer if isinstance(answer, Unclear) else to_placement(answer)
    assert isinstance(told, Unclear)


@pytest.mark.parametrize(("status", "reason"), [(403, R.AUTH), (401, R.AUTH), (429, R.RATE_LIMIT)])
def test_the_door(status: int, reason: R) -> None:
    """What was turned away by HTTP had no effect."""
    assert reason is refusal(said(reply(b"", status))).reason


def test_an_acknowledgement() -> None:
    """Has the venue's id, or none."""
    good = {"orderId": "11", "clientId": "la-1"}
    assert Accepted("11") == to_placement(Said("0", data(good), ""))
    assert Accepted("11") == to_placement(Said("0", data([good]), ""))
    assert Accepted("12") == to_placement(Said("0", data({"orderId": 12}), ""))
    assert Accepted() == to_placement(Said("0", data(None), ""))


FAILED = [
    ({"errorMsg": "Order not found", "errorCode": "20007"}, R.ORDER_NOT_FOUND),
    ({"errorMsg": "Order not found", "errorCode": 12345}, R.ORDER_NOT_FOUND),
    ({"errorMsg": "Order status error", "errorCode": 10013}, R.ORDER_NOT_FOUND),
    ({"errorMsg": "busy", "errorCode": 10006}, R.RATE_LIMIT),
]


@pytest.mark.parametrize(("failure", "reason"), FAILED)
def test_a_failure_inside_a_success(failure: dict, reason: R) -> None:
    """Code 0 with a list of failures is one."""
    told = to_cancel(Said("0", data({"successList": [], "failureList": [failure]}), ""))
    assert reason is told.reason


def test_a_cancel_that_says_nothing() -> None:
    """Neither done nor refused, or with a code nobody knows."""
    done = {"successList": [{"orderId": "1", "clientId": "a"}], "failureList": []}
    assert Accepted() == to_cancel(Said("0", data(done), ""))
    for told in (None, {}, {"successList": [], "failureList": None}, "x",
                 {"failureList": [{"errorCode": 5, "errorMsg": "?"}]}):  # fmt: skip
        assert isinstance(to_cancel(Said("0", data(told), "")), Unclear)


ORDER_ROW = {
    "orderId": "11", "clientId": "la-1", "symbol": "BTCUSDT", "marginCoin": None,
    "qty": "0.010", "tradeQty": "0.004", "price": "60000", "avgPrice": "60000.5",
    "side": "BUY", "orderType": "LIMIT", "effect": "GTC", "reduceOnly": False,
    "status": "PART_FILLED", "ctime": "1700000000000", "mtime": "1700000000500",
}  # fmt: skip


def order_row(**fields: object) -> rows.OrderRow:
    return rows.orders.all(data(ORDER_ROW | fields))[0]


STATUSES = [
    ("INIT", Standing.WORKING), ("NEW", Standing.WORKING), ("NEW_", Standing.WORKING),
    (" new ", Standing.WORKING), ("PART_FILLED", Standing.WORKING), ("FILLED", Standing.FILLED),
    ("CANCELED", Standing.CANCELED), ("PART_FILLED_CANCELED", Standing.CANCELED),
    ("SYSTEM_CANCELED", Standing.CANCELED), ("EXPIRED", Standing.EXPIRED),
]  # fmt: skip


@pytest.mark.parametrize(("status", "standing"), STATUSES)
def test_statuses(status: str, standing: Standing) -> None:
    """With or without an underscore; the dealt quantity is kept."""
    report = order_report(order_row(status=status), AT)
    assert (standing, Decimal("0.004"), Decimal("0.010")) == (
        report.standing, report.filled_qty, report.qty,
    )  # fmt: skip
    assert 1_700_000_000_500_000_000 == report.at_ns


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "FROZEN"}, {"status": None}, {"side": "UP"}, {"qty": None}, {"qty": "-1"},
        {"qty": "NaN"}, {"qty": "1e400"}, {"qty": "9" * 50}, {"tradeQty": "x"}, {"mtime": "soon"},
        {"price": {}},
    ],
)  # fmt: skip
def test_orders_that_can_not_be_read(fields: dict) -> None:
    """Are no answer: never half an order, never an exception."""
    assert isinstance(order_report(order_row(**fields), AT), Unanswered)


def test_a_market_order() -> None:
    """Its price is 0, null or missing; numbers may be numbers, exactly."""
    for price in ("0", None, "", 0):
        assert order_report(order_row(price=price), AT).price is None
    raw = Raw(
        b'{"orderId":1,"side":"sell","status":"NEW","qty":0.1234567890123456789,"price":1.10}'
    )
    report = order_report(rows.orders.all(raw)[0], AT)
    assert (Decimal("0.1234567890123456789"), Decimal("1.10"), Side.SELL, AT, "1") == (
        report.qty, report.price, report.side, report.at_ns, report.venue_order_id,
    )  # fmt: skip


def test_an_execution() -> None:
    """Fee positive when paid; an unknown role is a taker's."""
    row = {
        "tradeId": 5, "orderId": "11", "symbol": "BTCUSDT", "qty": "0.004", "price": "60000.5",
        "side": "SELL", "fee": "0.12", "roleType": "MAKER", "ctime": 1_700_000_000_001,
    }  # fmt: skip
    fill = fill_report(rows.trade_pages.all(data({"tradeList": [row]}))[0].rows[0], "la-1")
    assert ("la-1", "11", "5", Side.SELL, Decimal("60000.5"), Decimal("0.12"), Liquidity.MAKER) == (
        fill.client_id, fill.venue_order_id, fill.trade_id, fill.side, fill.price, fill.fee,
        fill.liquidity,
    )  # fmt: skip
    assert 1_700_000_000_001_000_000 == fill.at_ns
    for broken in ({"qty": None}, {"side": ""}, {"price": "inf"}, {"ctime": None}):
        page = rows.trade_pages.all(data({"tradeList": [row | broken]}))[0]
        assert isinstance(fill_report(page.rows[0], ""), Unanswered)


@pytest.mark.parametrize(
    ("side", "qty"), [("BUY", "1.5"), ("LONG", "1.5"), ("SELL", "-1.5"), ("Short", "-1.5")]
)
def test_a_position(side: str, qty: str) -> None:
    """By whichever word; its quantity has no sign of its own."""
    (row,) = rows.positions.all(data([{"symbol": "BTCUSDT", "side": side, "qty": "1.5"}]))
    assert Decimal(qty) == holding(row).qty


def test_money() -> None:
    """One object or a list of one; what is tied up belongs to it."""
    row = {"available": "100.5", "frozen": "20", "margin": "3.25", "positionMode": "ONE_WAY"}
    for told in (row, [row]):
        assert Decimal("123.75") == wallet(rows.accounts.all(data(told))[0])
    nothing = row | {"margin": f"0.{'0' * 33}", "frozen": "0"}
    assert Decimal("100.5") == wallet(rows.accounts.all(data(nothing))[0])
    for broken in (None, "1e19", "1e-19", "-1"):
        told = rows.accounts.all(data({"available": broken}))[0]
        assert isinstance(wallet(told), Unanswered)


@pytest.mark.parametrize("told", [None, {}, {"orderList": None}, "x", 5, [{}]])
def test_no_page_is_not_an_empty_page(told: object) -> None:
    """What is not there could stand for anything."""
    assert isinstance(read(Said("0", data(told), ""), rows.order_pages.all), Unanswered)
    assert isinstance(read(Said("0", data(None), ""), rows.positions.all), Unanswered)


def test_not_found_in_words() -> None:
    """Whatever the number; and no reason for a number nobody knows."""
    assert R.ORDER_NOT_FOUND is reason_of("1", "ORDER NOT FOUND!")
    assert reason_of("1", "fine") is None
