"""Pushes of the private line as live clients saw them, and the clock that has only seconds."""

import json
from decimal import Decimal

import pytest

from brokers.bitunix.clock import SecondsClock
from brokers.bitunix.funding import FundingSeen
from brokers.bitunix.memory import Memory
from brokers.bitunix.user_stream import order_pushes
from brokers.bitunix.wire import Head, read_head
from brokers.link.offset import date_s
from engine.model.orders import Side
from engine.model.venue_events import Standing

S = 10**9
ORDER = {
    "event": "UPDATE", "orderId": "11", "clientId": "la-1", "symbol": "BTCUSDT",
    "positionType": "CROSS", "positionMode": "ONE_WAY", "side": "Buy", "type": "Limit",
    "effect": "LONG", "qty": "0.010", "price": "60000", "reductionOnly": False, "leverage": "20",
    "orderStatus": "NEW_", "averagePrice": "60000.5", "dealAmount": "0.004", "fee": "0.12",
    "ctime": "2023-11-14T22:13:20.5Z", "mtime": "2023-11-14T22:13:21.000000001Z",
}  # fmt: skip


def head(data: object, channel: str = "order") -> Head:
    return read_head(json.dumps({"ch": channel, "ts": 1_700_000_000_123, "data": data}).encode())


def test_an_order_as_live_clients_saw_it() -> None:
    """One object, `Buy`, `NEW_`, a direction for the time in force, no take-profit fields."""
    for data in (ORDER, [ORDER]):
        (push,) = order_pushes(head(data))
        assert ("la-1", "11", Side.BUY, Standing.WORKING, Decimal("0.004"), Decimal(60000)) == (
            push.report.client_id, push.report.venue_order_id, push.report.side,
            push.report.standing, push.report.filled_qty, push.report.price,
        )  # fmt: skip
        assert (Decimal("60000.5"), Decimal("0.12")) == (push.average, push.fee)
        assert 1_700_000_001 * S + 1 == push.report.at_ns
        assert 1_700_000_000 * S + S // 2 == push.created_ns


@pytest.mark.parametrize(
    "data",
    [
        None, [], {}, "x", 5, ORDER | {"orderStatus": "INIT"}, ORDER | {"orderStatus": "LOST"},
        ORDER | {"side": "?"}, ORDER | {"qty": None}, ORDER | {"orderId": None},
        ORDER | {"dealAmount": "NaN"}, ORDER | {"mtime": "then"}, [[[]]],
    ],
)  # fmt: skip
def test_what_is_no_proof_is_left_out(data: object) -> None:
    """What is not in the book yet, and what can't be read; questions will tell."""
    assert [] == order_pushes(head(data))


def test_one_bad_order_does_not_take_the_others_with_it() -> None:
    """Each is read alone; a fee that is none costs only the stand-in's."""
    bad, odd = ORDER | {"qty": "x"}, ORDER | {"fee": "x"}
    (push,) = order_pushes(head([bad, odd]))
    assert (None, Decimal(0)) == (push.average, push.fee)


def position(total: str | None, event: str = "UPDATE", name: str = "7") -> Head:
    told = {"event": event, "positionId": name, "symbol": "BTCUSDT", "side": "LONG", "qty": "1"}
    return head(told | {"funding": total}, "position")


def test_funding_is_what_a_total_changed_by() -> None:
    """From a position's opening, or from where it was first seen."""
    seen = FundingSeen()
    assert [] == seen.pushed(position("0", "OPEN"))
    (paid,) = seen.pushed(position("-0.5"))
    assert ("BTCUSDT", Decimal("-0.5"), 1_700_000_000_123_000_000) == paid
    assert [] == seen.pushed(position("-0.5"))
    (got,) = seen.pushed(position("-0.2", "CLOSE"))
    assert Decimal("0.3") == got.amount
    assert [] == seen.pushed(position("-0.2", "CLOSE")), "told before"
    assert [] == seen.pushed(position("-9", name="8")), "funded before we listened"
    (paid,) = seen.pushed(position("-10", name="8"))
    assert Decimal(-1) == paid.amount
    for odd in (position(None), position("x"), head(None, "position"), head([5], "position")):
        assert [] == seen.pushed(odd)


def test_seconds_narrow_an_offset() -> None:
    """Each says within a second; together they say more. No offset is made up without need."""
    clock, ahead = SecondsClock(), 3 * S + S // 4
    assert (0, False) == (clock.offset_ns, clock.is_known)
    for at_ns in range(1_000 * S, 1_010 * S, S // 3):
        told = (at_ns + ahead) // S
        clock.sample(told, asked_ns=at_ns, heard_ns=at_ns)
        assert abs(clock.offset_ns - ahead) <= S // 2
    assert abs(clock.offset_ns - ahead) < S // 4

    right = SecondsClock()
    for at_ns in range(1_000 * S, 1_010 * S, S // 3):
        right.sample(at_ns // S, asked_ns=at_ns, heard_ns=at_ns)
        assert 0 == right.offset_ns


def test_a_clock_that_is_set_is_noticed_at_once() -> None:
    """What contradicts all before begins anew."""
    clock = SecondsClock()
    clock.sample(1_000, asked_ns=1_000 * S, heard_ns=1_000 * S)
    clock.sample(1_060, asked_ns=1_001 * S, heard_ns=1_001 * S)
    assert abs(clock.offset_ns - 59 * S) <= S


def test_dates() -> None:
    """As HTTP writes them; anything else is none."""
    assert 784_111_777 == date_s("Sun, 06 Nov 1994 08:49:37 GMT")
    for odd in ("", "yesterday", "Sun, 99 Nov 1994 08:49:37 GMT"):
        assert date_s(odd) is None


def test_a_memory_is_bounded() -> None:
    """The oldest order is forgotten."""
    memory = Memory()
    for number in range(20_010):
        memory.learn(f"la-{number}", str(number))
    assert memory.client_of("5") is None
    assert "la-20009" == memory.client_of("20009")
