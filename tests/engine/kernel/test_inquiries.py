"""Rows 23 to 27 and 37: what became of a request is asked, spaced, and never assumed."""

from typing import Any

import pytest

from engine.model.commands import QueryAccount, QueryOrder
from engine.model.venue_events import (
    RejectReason,
    Standing,
    VenueCancelRejected,
    VenueOrderStatus,
    VenueRejected,
    VenueSnapshot,
    VenueUnknown,
)
from tests.engine.kernel.rig import BUY, SECOND, D, Rig, Scripted, cancel, limit


def hand(**limits: Any) -> Rig:
    """An order of ours rests at a venue that the test plays."""
    rig = Rig(Scripted("a"), by_hand=True, limits=limits)
    rig.ask("a", limit(BUY, "0.1", "999"))
    return rig


def lost(rig: Rig) -> None:
    rig.answer(VenueUnknown(rig.now, "BTC", "a-1", "timeout"))


def says(rig: Rig, standing: Standing, filled: str = "0", **fields: Any) -> None:
    rig.answer(VenueOrderStatus(rig.now, "BTC", "a-1", standing, D(filled), **fields))


def asked(rig: Rig) -> list[float]:
    """Seconds from the first question after an order to each."""
    at = [one.ts_ns for one in rig.venue.asked if isinstance(one, QueryOrder)]
    return [(one - at[0]) / SECOND for one in at]


def states(rig: Rig) -> list[str]:
    names = [f"order_{name}" for name in ("accepted", "unknown", "rejected", "canceled", "expired")]
    return [line["line"].removeprefix("order_") for line in rig.lines(*names)]


def test_a_timeout_is_asked_after_at_most_every_two_seconds() -> None:
    """Spaced, by the client id, as long as it is lost."""
    rig = hand()
    lost(rig)
    rig.wait(7)

    assert [0.0, 2.0, 4.0, 6.0] == asked(rig)
    assert ["a-1"] == rig.live


def test_not_found_ends_an_order_after_three_answers_and_the_venues_lag() -> None:
    """Row 24: two are not enough; the placement never was, and is never sent again."""
    rig = hand()
    lost(rig)
    seen = []
    for _ in range(3):
        rig.wait(2)
        says(rig, Standing.NOT_FOUND)
        seen.append(list(rig.live))

    assert [["a-1"], ["a-1"], []] == seen
    assert ["unknown", "rejected"] == states(rig)
    assert "not found: asked 3 times in 6.0 s" == rig.lines("error")[-1]["detail"]
    assert ["a-1"] == rig.venue.placed()


def test_three_answers_in_a_hurry_are_not_an_age() -> None:
    """Before the venue's documented lag has passed, "not found" proves nothing."""
    rig = hand()
    lost(rig)
    rig.wait(0.5)
    for _ in range(5):
        says(rig, Standing.NOT_FOUND)

    assert ["a-1"] == rig.live


def test_a_failed_question_counts_for_nothing() -> None:
    """A9 for one order: no answer is not "not found"."""
    rig = hand()
    lost(rig)
    for _ in range(6):
        rig.wait(2)
        says(rig, Standing.UNANSWERED)

    assert ["a-1"] == rig.live


def test_a_fill_after_not_found_still_counts() -> None:
    """Row 25: accepted, reply lost, "not found" three times, then it fills."""
    rig = hand()
    lost(rig)
    for _ in range(3):
        rig.wait(2)
        says(rig, Standing.NOT_FOUND)
    rig.fill("a-1", "0.1")

    assert D("0.1") == rig.net()
    assert rig.lines("fill")[-1]["is_late"]


ANSWERS = [
    # standing,            filled, state after,  live
    (Standing.WORKING,     "0",    "accepted",   True),
    (Standing.CANCELED,    "0",    "canceled",   False),
    (Standing.EXPIRED,     "0",    "expired",    False),
    (Standing.REJECTED,    "0",    "rejected",   False),
    (Standing.FILLED,      "0.1",  "unknown",    True),
    (Standing.CANCELED,    "0.05", "unknown",    True),
    (Standing.NOT_FOUND,   "0",    "unknown",    True),
    (Standing.UNANSWERED,  "0",    "unknown",    True),
]  # fmt: skip


@pytest.mark.parametrize(("standing", "filled", "after", "is_live"), ANSWERS)
def test_each_answer(standing: Standing, filled: str, after: str, is_live: bool) -> None:
    """An end is taken once all its fills are booked; until then the account is asked."""
    rig = hand()
    lost(rig)
    rig.wait(1)
    before = len(rig.venue.asked)
    says(rig, standing, filled)

    assert after == states(rig)[-1]
    assert is_live is bool(rig.live)
    assert int(D(filled) > 0) == len(rig.venue.asked) - before


def test_an_end_is_taken_once_its_fills_are_booked() -> None:
    """The same answer as above, after the fill has come."""
    rig = hand()
    rig.accept("a-1")
    rig.ask("a", cancel())
    lost(rig)
    rig.wait(1)
    says(rig, Standing.CANCELED, "0.05")
    waits = list(rig.live)
    rig.fill("a-1", "0.05")
    lost(rig)
    rig.wait(2)
    says(rig, Standing.CANCELED, "0.05")

    assert ["a-1"] == waits
    assert [] == rig.live
    assert D("0.05") == rig.net()


def test_many_that_lack_fills_ask_for_one_picture() -> None:
    """Until it is there; who still lacks something then asks again."""
    rig = hand()
    rig.ask("a", limit(BUY, "0.1", "998", "exit"))
    for order_id in ("a-1", "a-2"):
        rig.answer(VenueUnknown(rig.now, "BTC", order_id, "timeout"))
    rig.wait(1)

    def pictures() -> int:
        for order_id in ("a-1", "a-2"):
            filled = VenueOrderStatus(rig.now, "BTC", order_id, Standing.FILLED, D("0.1"))
            rig.answer(filled)
        return len([one for one in rig.venue.asked if isinstance(one, QueryAccount)])

    first = pictures()
    assert first == pictures() == pictures(), "one is on its way"
    rig.answer(VenueSnapshot(rig.now, rig.now, rig.kernel.truth.state.asked_ns))
    assert first + 1 == pictures()


def test_a_cancel_that_finds_nothing_is_asked_after() -> None:
    """Row 37: neither gone nor working is assumed; it counts at full size meanwhile."""
    rig = hand()
    rig.accept("a-1")
    rig.ask("a", cancel())
    rig.answer(VenueCancelRejected(rig.now, "BTC", "a-1", RejectReason.ORDER_NOT_FOUND))
    rig.wait(1)

    assert "unknown" == states(rig)[-1]
    assert [0.0] == asked(rig)
    assert D("0.1") == rig.kernel.blotter.open["BTC"].buy_qty


def test_another_refusal_of_a_cancel_says_that_it_works() -> None:
    """Only "not found" tells nothing."""
    rig = hand()
    rig.accept("a-1")
    rig.ask("a", cancel())
    rig.answer(VenueCancelRejected(rig.now, "BTC", "a-1", RejectReason.RATE_LIMIT))

    assert "accepted" == states(rig)[-1]


def test_a_duplicate_id_is_proof_of_life() -> None:
    """Row 27: the venue has seen that id; the order is looked for, not written off."""
    rig = hand()
    rig.answer(VenueRejected(rig.now, "BTC", "a-1", RejectReason.DUPLICATE_CLIENT_ID))
    rig.wait(1)
    says(rig, Standing.WORKING, venue_order_id="v7")

    assert ["unknown", "accepted"] == states(rig)
    assert ["a-1"] == rig.live


def test_silence_of_five_seconds_is_a_loss() -> None:
    """Also where the adapter says nothing, as after a crash between send and answer."""
    rig = hand()
    rig.wait(5)
    before = states(rig)
    rig.wait(0.5)

    assert [] == before
    assert ["unknown"] == states(rig)
    assert [0.0] == asked(rig)


def test_a_lost_amend_takes_the_venues_word() -> None:
    """Row 38: price and quantity are what the venue says works."""
    rig = hand()
    rig.accept("a-1")
    rig.wait(2)
    rig.ask("a", limit(BUY, "0.1", "999.5"))
    lost(rig)
    rig.wait(1)
    says(rig, Standing.WORKING, qty=D("0.1"), price=D("999.5"))
    order = rig.kernel.blotter.live["a-1"]

    assert (D("999.5"), D("0.1")) == (order.price, order.qty)
    assert "ACCEPTED" == order.state


def test_an_order_is_whole_whose_amendment_nobody_told() -> None:
    """It was made smaller and dealt; the venue knows it as filled, with no more than we booked."""
    rig = hand()
    rig.accept("a-1")
    rig.wait(2)
    rig.ask("a", limit(BUY, "0.05", "999.5"))
    rig.fill("a-1", "0.05")
    lost(rig)
    rig.wait(1)
    is_open = list(rig.live)
    says(rig, Standing.FILLED, "0.05")

    assert ["a-1"] == is_open
    assert [] == rig.live
    assert "filled" == rig.lines("order_filled")[-1]["line"].removeprefix("order_")
    assert D("0.05") == rig.net()


def test_the_paper_venue_answers() -> None:
    """Working, ended and never heard of, over its wires and behind what it said before."""
    rig = Rig(Scripted("a"), paper={"submit_latency_ms": 20.0, "ack_latency_ms": 10.0})
    rig.ask("a", limit(BUY, "0.1", "999"))
    for order_id in ("a-1", "a-7"):
        rig.broker.submit([QueryOrder(rig.now, order_id, "BTC")])
    rig.wait(1)
    rig.ask("a", cancel())
    rig.wait(1)
    rig.broker.submit([QueryOrder(rig.now, "a-1", "BTC")])
    rig.wait(1)

    told = [(x["order_id"], x["standing"]) for x in rig.lines("venue_order_status")]
    assert [("a-7", "not_found"), ("a-1", "working"), ("a-1", "canceled")] == told
    accepted, answered = rig.lines("venue_accepted")[0], rig.lines("venue_order_status")[1]
    assert accepted["ts"] <= answered["ts"]


def test_at_most_ten_are_asked_after_at_once() -> None:
    """A venue that loses everything is not flooded."""
    rig = Rig(
        Scripted("a"), by_hand=True,
        limits={"max_open_orders": None, "max_open_orders_per_symbol": None},
    )  # fmt: skip
    for slot in range(15):
        rig.ask("a", limit(BUY, "0.01", "999", f"s{slot}"))
        rig.answer(VenueUnknown(rig.now, "BTC", f"a-{slot + 1}", "timeout"))
    rig.wait(0.25)
    first = len(rig.venue.asked)
    rig.wait(0.25)

    assert (10, 15) == (first, len(rig.venue.asked))
