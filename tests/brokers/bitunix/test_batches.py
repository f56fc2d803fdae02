"""What is said of each order of a list: found by either name, in whichever list it stands."""

import json
from typing import Any

import pytest
from msgspec import Raw

from brokers.bitunix.answers import Said
from brokers.bitunix.batches import MISSING, to_cancels, to_placements
from brokers.link.account import Accepted, OrderRef, Refused, Unclear
from engine.model.venue_events import RejectReason

BUSY = {"clientId": "b", "errorMsg": "Insufficient balance", "errorCode": 20003}


def said(told: Any, code: str = "0") -> Said:
    return Said(code, Raw(json.dumps(told).encode()), "said so")


def lists(done: Any = (), failed: Any = ()) -> Said:
    return said({"successList": done, "failureList": failed})


def refs(*named: tuple[str, str]) -> list[OrderRef]:
    return [OrderRef(client_id, number, None, "BTCUSDT") for client_id, number in named]


def test_placements_in_any_order() -> None:
    """Numbers are told as `id`; what is in neither list is unclear."""
    done = [{"id": "12", "clientId": "c"}, {"id": 11, "clientId": "a"}]
    assert [
        Accepted("11"),
        Refused(RejectReason.INSUFFICIENT_BALANCE, "20003 Insufficient balance"),
        Accepted("12"),
        MISSING,
    ] == to_placements(lists(done, [BUSY]), ["a", "b", "c", "d"])


def test_cancels_are_found_by_the_name_they_were_asked_by() -> None:
    """The venue's number where both sides know it, else ours."""
    done = [{"orderId": "1", "clientId": ""}, {"orderId": "", "clientId": "b"}, {"orderId": "3"}]
    failed = [{"orderId": "4", "clientId": "d", "errorMsg": "Order not found", "errorCode": ""}]
    told = to_cancels(
        lists(done, failed), refs(("a", "1"), ("b", ""), ("c", "3"), ("d", "4"), ("e", "5"))
    )
    assert [Accepted("1"), Accepted(), Accepted("3")] == told[:3]
    assert RejectReason.ORDER_NOT_FOUND is told[3].reason
    assert MISSING is told[4]


def test_an_order_in_both_lists_is_unclear() -> None:
    """So is a failure whose code nobody has described."""
    both = lists([{"id": "1", "clientId": "b"}], [BUSY])
    odd = lists([], [{"clientId": "b", "errorCode": 5, "errorMsg": "?\x1b[2J"}])
    for answer in (both, odd):
        (told,) = to_placements(answer, ["b"])
        assert isinstance(told, Unclear)
        assert told.cause.isprintable()


@pytest.mark.parametrize("told", [None, [], {}, 5, "x", {"successList": 5}, [None]])
def test_what_can_not_be_read_says_nothing_of_any(told: Any) -> None:
    assert {Unclear} == {type(one) for one in to_placements(said(told), ["a", "b"])}


def test_a_refusal_of_the_whole_is_one_of_each() -> None:
    assert [RejectReason.RATE_LIMIT] * 2 == [
        one.reason for one in to_placements(said(None, "10006"), ["a", "b"])
    ]
    assert [Unclear] * 2 == [type(one) for one in to_placements(said(None, "10001"), ["a", "b"])]
