"""Orders are forgotten when they have ended and many came after, and no sooner."""

import pytest

from brokers.link.known import KnownOrders
from engine.model.orders import OrderType
from tests.brokers.link.desk import CAN, RUN, client
from tests.engine.factories import D, instrument, intent


def test_the_oldest_ended_order_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brokers.link.known.ENDED_MAX", 3)
    known = KnownOrders([instrument()], CAN.ids_of(RUN))
    for number in range(1, 6):
        order = known.add(f"a-{number}", intent(number))
        known.number(order, f"v{number}")
        if number == 2:
            order.note_fill("t1", D("0.5"))
            order.note_fill("t1", D("0.5"))
            assert not order.is_ended, "told twice, filled once"
        if number == 3:
            order.note_fill("t2", D(1))
    left = [number for number in range(1, 6) if known.get(f"a-{number}")]
    assert [1, 2, 4, 5] == left, "what has not ended stays"
    assert None is known.named("", "v3")
    assert None is known.named(client("a-3"), "")
    assert known.get("a-2") is known.named("", "v2")
    assert "a-3" == known.order_id(client("a-3")), "ours, though forgotten"
    assert None is known.order_id("")
    assert None is known.order_id(client("a-3", run="another"))


def test_quotes_look_at_what_waits_only() -> None:
    known = KnownOrders([instrument()], CAN.ids_of(RUN))
    for number in range(1, 200):
        known.add(f"a-{number}", intent(number))
    stop = known.add("a-200", intent(200, type=OrderType.STOP, price=None, trigger_price=D(1)))
    assert [stop] == known.all_held()
    stop.is_ended = True
    assert [] == known.all_held()
    assert {} == known._waiting
