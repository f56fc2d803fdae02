"""What is said of each order of a batch: by place, and of all where the whole makes no sense."""

import json

import pytest

from brokers.binance import answers
from brokers.binance.batches import split
from brokers.binance.faults import Fault
from engine.model.venue_events import RejectReason
from tests.brokers.binance.payloads import answer

GOOD = json.loads(answer())
BAD = {"code": -2022, "msg": "ReduceOnly Order is rejected.\x1b[31m"}


def test_each_item_is_read_by_itself() -> None:
    """An order, a complaint; a code nobody has described, an outcome nobody knows."""
    odd, lost = {"code": -9999, "msg": "?"}, {"code": -1007, "msg": "Timeout"}
    told = split(json.dumps([GOOD, BAD, GOOD, odd, lost]).encode(), 5)
    for place in (0, 2):
        assert "run1-quoter-7" == answers.report(told[place]).client_id
    assert [RejectReason.REDUCE_ONLY_REJECTED, RejectReason.INVALID_ORDER, None] == [
        told[place].reason for place in (1, 3, 4)
    ]
    assert "-2022: ReduceOnly Order is rejected." in told[1].detail
    assert told[1].detail.isprintable()


@pytest.mark.parametrize(
    "told",
    [b"", b"[]", b"{}", b"null", b"[1", b"\xff", b"[" * 5_000, json.dumps([GOOD] * 3).encode()],
)
def test_an_answer_with_other_items_than_asked_for_says_nothing(told: bytes) -> None:
    """Fewer, more, or none that can be read: unclear, every one."""
    assert [None, None] == [one.reason for one in split(told, 2)]


def test_what_ails_the_whole_ails_each() -> None:
    fault = Fault(RejectReason.RATE_LIMIT, "too many", -1003, 429)
    assert [fault] * 3 == split(fault, 3)
