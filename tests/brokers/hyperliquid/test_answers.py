"""Answers and account streams, read; hostile ones refused whole; what an answer means."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.hyperliquid import answers
from brokers.hyperliquid.answers import BROKEN, Done, Element, Failed, Filled
from brokers.hyperliquid.verdicts import gone, not_amendable, placed, same_as
from brokers.link.account import Accepted, NewOrder, Refused, Unanswered, Unclear
from engine.model.account import Liquidity, OtherFee
from engine.model.orders import OrderType, Side, TimeInForce
from engine.model.venue_events import RejectReason, Standing
from tests.brokers.hyperliquid.test_parse import rules

MS = 1_723_161_256_313
ROW = {
    "coin": "BTC", "side": "B", "limitPx": "61800.0", "sz": "0.3", "oid": 91490942, "timestamp": MS,
    "origSz": "0.5", "cloid": "0x" + "ab" * 16,
}  # fmt: skip
FILL = {
    "coin": "BTC", "px": "61801", "sz": "0.2", "side": "A", "time": MS, "startPosition": "0",
    "dir": "Open Short", "closedPnl": "0.0", "hash": "0x0", "oid": 5, "crossed": False,
    "fee": "-0.01", "feeToken": "USDC", "tid": 7, "cloid": None,
}  # fmt: skip
STATE = {
    "assetPositions": [
        {"type": "oneWay", "position": {"coin": "BTC", "szi": "-0.00785", "unrealizedPnl": "-2.5"}},
        {"type": "oneWay", "position": {"coin": "ETH", "szi": "0.0", "unrealizedPnl": "0.0"}},
    ],
    "marginSummary": {"accountValue": "997.5"},
    "time": MS,
}  # fmt: skip


def update(status: str, **row: Any) -> bytes:
    return json.dumps([{"order": ROW | row, "status": status, "statusTimestamp": MS}]).encode()


def told(status: str, **row: Any):
    (one,) = answers.order_updates(update(status, **row))
    return answers.update_report(one, "x")


def test_how_an_order_stands() -> None:
    """What is told is what is left; the total is what it was."""
    report = told("open")
    assert (Standing.WORKING, Decimal("0.5"), Decimal("0.2")) == (
        report.standing, report.qty, report.filled_qty,
    )  # fmt: skip
    assert (Side.BUY, Decimal(61800), MS * 10**6, "91490942") == (
        report.side, report.price, report.at_ns, report.venue_order_id,
    )  # fmt: skip
    assert Decimal("0.2") == told("canceled").filled_qty


def test_filled_is_filled_whole() -> None:
    """Whatever is said to be left."""
    assert Decimal("0.5") == told("filled").filled_qty


def test_a_fill() -> None:
    """A rebate is a negative fee; one in another token is none of USDC."""
    (row,) = answers.fill_rows(json.dumps([FILL]).encode())
    report = answers.fill_report(row, "x")
    assert (Side.SELL, Liquidity.MAKER, Decimal("-0.01"), "7") == (
        report.side, report.liquidity, report.fee, report.trade_id,
    )  # fmt: skip
    (row,) = answers.fill_rows(json.dumps([FILL | {"feeToken": "HYPE", "fee": "3"}]).encode())
    report = answers.fill_report(row, "x")
    assert (0, OtherFee("HYPE", Decimal(3), None)) == (report.fee, report.other_fee)


def test_a_state() -> None:
    """Flat positions are none; money is without what is not realised."""
    state = answers.state(json.dumps(STATE).encode())
    (held,) = state.holdings()
    assert ("BTC", Decimal("-0.00785")) == (held.symbol, held.qty)
    assert Decimal(1000) == state.balance()


def test_what_became_of_an_action() -> None:
    """Element by element, and as a whole."""
    statuses: list[Any] = [
        {"resting": {"oid": 1}},
        {"filled": {"oid": 2, "totalSz": "0.2", "avgPx": "5"}},
        {"error": "no"},
        "success",
        "waitingForTrigger",
        {"tomorrow": 5},
    ]
    body = {"status": "ok", "response": {"type": "order", "data": {"statuses": statuses}}}
    found = answers.done(json.dumps(body).encode())
    assert isinstance(found, Done)
    assert [1, 2] == [found.elements[0].resting.oid, found.elements[1].filled.oid]
    assert ("no", "success", Element()) == (
        found.elements[2].error, found.elements[3], found.elements[5],
    )  # fmt: skip
    assert Done() == answers.done(b'{"status":"ok","response":{"type":"default"}}')
    assert Failed("why") == answers.done(b'{"status":"err","response":"why"}')


BAD = [
    (answers.done, b""),
    (answers.done, b"null"),
    (answers.done, b'{"status":"ok"}'),
    (answers.done, b'{"status":"err","response":{}}'),
    (answers.done, b'{"status":"ok","response":{"type":"order","data":{"statuses":[5]}}}'),
    (answers.order_updates, b"{}"),
    (answers.order_updates, b"[" * 100_000),
    (answers.state, b'{"assetPositions":null}'),
    (answers.fill_rows, json.dumps([FILL | {"tid": -1}]).encode()),
    (answers.fill_rows, json.dumps([FILL | {"time": 2**63}]).encode()),
    (answers.order_rows, json.dumps([ROW | {"cloid": "x" * 999}]).encode()),
]


@pytest.mark.parametrize(("read", "body"), BAD, ids=range(len(BAD)))
def test_hostile_answer(read, body: bytes) -> None:
    """One kind of refusal, whatever is wrong."""
    with pytest.raises(BROKEN):
        read(body)


@pytest.mark.parametrize(
    "row",
    [{"side": "X"}, {"sz": "0.6"}, {"sz": "NaN"}, {"origSz": "-1"}, {"limitPx": "1e5"}, {"sz": ""}],
)
def test_hostile_order(row: dict[str, str]) -> None:
    """More left than there was, numbers that are none."""
    with pytest.raises(BROKEN):
        told("open", **row)


@pytest.mark.parametrize("row", [{"side": "X"}, {"px": "0"}, {"sz": "0"}, {"fee": "NaN"}])
def test_hostile_fill(row: dict[str, str]) -> None:
    """Nothing is booked of it."""
    (one,) = answers.fill_rows(json.dumps([FILL | row]).encode())
    with pytest.raises(BROKEN):
        answers.fill_report(one, "x")


@settings(deadline=None)
@given(st.sampled_from([update("open"), json.dumps([FILL]).encode()]), st.data())
def test_any_damage_is_read_or_refused(body: bytes, data: st.DataObject) -> None:
    """No other exception comes out."""
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    for read, report in (
        (answers.order_updates, answers.update_report), (answers.fill_rows, answers.fill_report),
    ):  # fmt: skip
        try:
            for row in read(bytes(damaged)):
                report(row, "x")
        except BROKEN:
            continue


def order(**changed: Any) -> NewOrder:
    plain = NewOrder(
        "x", rules(), Side.BUY, OrderType.LIMIT, Decimal("0.5"), Decimal(61800), None,
        TimeInForce.GTC, False, False,
    )  # fmt: skip
    return plain._replace(**changed)


FILLED = [
    # filled, changes of the order, how it stands
    ("0.5", {}, Standing.FILLED),
    ("0.2", {}, Standing.WORKING),
    ("0.2", {"tif": TimeInForce.IOC}, Standing.EXPIRED),
    ("0.2", {"type": OrderType.MARKET, "price": None}, Standing.EXPIRED),
    ("0.5", {"type": OrderType.MARKET, "price": None}, Standing.FILLED),
]


@pytest.mark.parametrize(("filled", "changed", "standing"), FILLED)
def test_filled_by_its_answer(filled: str, changed: dict, standing: Standing) -> None:
    """What is left of an immediate order has ended."""
    outcome = placed(order(**changed), Element(filled=Filled(3, filled, "61800")), 7)
    assert isinstance(outcome, Accepted)
    assert (standing, Decimal(filled)) == (outcome.report.standing, outcome.report.filled_qty)


def test_a_filled_size_that_is_none() -> None:
    """May be anything."""
    assert isinstance(placed(order(), Element(filled=Filled(3, "x", "1")), 7), Unclear)


def test_a_name_that_is_taken() -> None:
    """By itself, by another, by nobody knows."""
    mine = told("open")
    assert Accepted("91490942", mine) == same_as(order(), mine, "dup")
    other = same_as(order(qty=Decimal(9)), mine, "dup")
    assert RejectReason.DUPLICATE_CLIENT_ID is other.reason
    assert isinstance(same_as(order(), Unanswered("x"), "dup"), Unclear)


@pytest.mark.parametrize(
    ("word", "kind"),
    [("canceled", Accepted), ("filled", Refused), ("open", Unclear), ("tickRejected", Refused)],
)
def test_an_order_the_venue_does_not_have(word: str, kind: type) -> None:
    """Canceled before is canceled; one that works on is a riddle."""
    assert kind is type(gone(told(word), "never placed"))
    assert isinstance(gone(Unanswered("x"), "never placed"), Unclear)


def test_what_can_be_amended() -> None:
    """What works and has not filled."""
    assert not_amendable(told("open", sz="0.5")) is None
    assert RejectReason.INVALID_ORDER is not_amendable(told("open")).reason
    assert RejectReason.ORDER_NOT_FOUND is not_amendable(told("canceled", sz="0.5")).reason
    assert RejectReason.VENUE_UNAVAILABLE is not_amendable(Unanswered("x")).reason
