"""Messages take time: what is matched when, and in which order we hear of it."""

import itertools

from engine.model.venue_events import VenueAccepted, VenueFill
from tests.brokers.paper.desk import BUY, MS, SELL, START_NS, Desk

SLOW = {
    "submit_latency_ms": 20.0,
    "amend_latency_ms": 25.0,
    "cancel_latency_ms": 30.0,
    "ack_latency_ms": 10.0,
    "fill_latency_ms": 5.0,
    "latency_jitter": 0.0,
}


def test_an_order_meets_the_book_of_its_arrival() -> None:
    """Sent at 0, matched at 20 against the quote of 15, known at 30: fill not before acceptance."""
    desk = Desk(**SLOW)
    desk.quote()
    assert [] == desk.place(BUY, 5)
    assert START_NS + 20 * MS == desk.venue.next_due_ns()
    desk.wait(15)
    desk.quote(1006, 1007)
    desk.wait(4.999)
    desk.wait(0.001)
    desk.quote(1016, 1017)

    assert [] == desk.events
    assert START_NS + 30 * MS == desk.venue.next_due_ns()
    assert ["o1 accepted", "o1 fill 5@1007 taker"] == desk.wait(10)
    assert [START_NS + 30 * MS] * 2 == [event.ts_ns for event in desk.events]
    assert desk.venue.next_due_ns() is None


def test_a_cancel_can_lose_the_race() -> None:
    """The order filled while the cancel traveled: the fill stands, the cancel is refused."""
    desk = Desk(**SLOW)
    desk.quote()
    desk.place(BUY, 5, 1000)
    desk.wait(40)
    desk.cancel("o1")
    desk.wait(29)
    desk.trade(SELL, 999, 5)
    words = desk.wait(60)

    assert ["o1 fill 5@1000 maker", "o1 cancel rejected order_not_found"] == words


def test_a_cancel_can_win_the_race() -> None:
    """It arrived before the print: no fill, however late we hear of it."""
    desk = Desk(**SLOW)
    desk.quote()
    desk.place(BUY, 5, 1000)
    desk.wait(40)
    desk.cancel("o1")
    desk.wait(30)
    desk.trade(SELL, 999, 5)

    assert ["o1 canceled"] == desk.wait(60)


def test_a_cancel_never_overtakes_its_order() -> None:
    """Requests for one order travel on one connection."""
    desk = Desk(**{**SLOW, "cancel_latency_ms": 1.0})
    desk.quote()
    desk.place(BUY, 5, 1000)
    desk.cancel("o1")

    assert ["o1 accepted", "o1 canceled"] == desk.wait(100)


def test_an_amend_travels_too() -> None:
    """Prints before its arrival still meet the old order."""
    desk = Desk(**SLOW)
    desk.quote()
    desk.place(BUY, 5, 1000)
    desk.wait(40)
    desk.amend("o1", 990, 5)
    desk.wait(24)
    desk.trade(SELL, 1000, 12)

    assert ["o1 fill 2@1000 maker", "o1 amended 5@990"] == desk.wait(60)


def test_ties_happen_in_the_order_of_submission() -> None:
    """The touch has 10 lots: who asked first gets them."""
    desk = Desk(**SLOW)
    desk.quote()
    desk.depth(((1000, 10),), ((1001, 10), (1002, 10)), is_snapshot=True, last_seq=1)
    desk.place(BUY, 10, order_id="first")
    desk.place(BUY, 10, order_id="second")
    words = desk.wait(100)

    assert "first fill 10@1001 taker" in words
    assert "second fill 10@1002 taker" in words


def test_whatever_is_drawn_answers_are_causal() -> None:
    """Under heavy jitter: delivery never goes back, fills follow their acceptance."""
    desk = Desk(**{**SLOW, "latency_jitter": 1.5, "ack_latency_ms": 40.0})
    desk.quote()
    for step in range(300):
        desk.place(BUY if step % 2 else SELL, 3, 1000 if step % 3 else 0)
        desk.cancel(f"o{step - 2}")
        desk.wait(3)
        desk.quote(1000 + step % 5, 1002 + step % 5)
        desk.trade(SELL, 1000, 4)
    desk.wait(60_000)
    accepted = [event.order_id for event in desk.events if isinstance(event, VenueAccepted)]
    fills = [event for event in desk.events if isinstance(event, VenueFill)]
    known: set[str] = set()
    for event in desk.events:
        if isinstance(event, VenueAccepted):
            known.add(event.order_id)
        elif isinstance(event, VenueFill):
            assert event.order_id in known

    assert all(a.ts_ns <= b.ts_ns for a, b in itertools.pairwise(desk.events))
    assert len(accepted) == len(set(accepted)) == 300
    assert len(fills) > 50
    assert desk.venue.next_due_ns() is None


def test_zero_latency_answers_inside_submit() -> None:
    """Nothing is ever pending."""
    desk = Desk()
    desk.quote()

    assert ["o1 accepted", "o1 fill 5@1001 taker"] == desk.place(BUY, 5)
    assert desk.venue.next_due_ns() is None
    assert [START_NS] * 2 == [event.ts_ns for event in desk.events]
