"""Orders that one turn of a session places or cancels: what leaves together, and in which order."""

import pytest
from msgspec.structs import replace

from brokers.link.account import Accepted, Refused, Unclear
from engine.model.commands import AmendOrder, CancelOrder, Command, QueryAccount, QueryOrder
from engine.model.orders import Approved
from engine.model.venue_events import RejectReason, Standing
from tests.brokers.link.desk import CAN, START_NS, Desk, client, placing, report, settle
from tests.engine.factories import BTC, ETH, D, intent

SEVERAL = replace(CAN, places_per_request=3, cancels_per_request=2)
FINE = Accepted()


@pytest.fixture
async def desk():
    async with Desk(can=SEVERAL) as desk:
        yield desk


def places(*numbers: int, **changes: object) -> list[Command]:
    return [placing(intent(number, **changes)) for number in numbers]


def cancels(*numbers: int) -> list[Command]:
    return [CancelOrder(START_NS, f"a-{number}", BTC) for number in numbers]


def place(desk: Desk, *numbers: int) -> None:
    desk.broker.submit(places(*numbers))


def cancel(desk: Desk, *numbers: int) -> None:
    desk.broker.submit(cancels(*numbers))


def asked(desk: Desk) -> list[tuple[str, str]]:
    """What left, in order, each with the numbers of the orders in it."""
    told = []
    for name, about in desk.account.asked:
        orders = about if isinstance(about, list) else [about]
        told.append((name, " ".join(order.client_id.rpartition("-")[2] for order in orders)))
    desk.account.asked.clear()
    return told


async def working(desk: Desk, *numbers: int) -> None:
    for number in numbers:
        desk.script("place", Accepted(f"v{number}"))
        await desk.place(number)
    asked(desk)


async def test_orders_of_one_turn_leave_in_one_request(desk: Desk) -> None:
    """And each is told what became of it."""
    crosses = Refused(RejectReason.POST_ONLY_WOULD_CROSS)
    desk.script("place_many", [Accepted("v1"), crosses, Unclear("half an answer")])
    place(desk, 1, 2, 3)
    told = await desk.words()
    assert ["accepted a-1", "rejected a-2 post_only_would_cross", "unknown a-3"] == told
    assert [("place_many", "1 2 3")] == asked(desk)


async def test_one_order_leaves_alone_and_at_once(desk: Desk) -> None:
    """The loop need not come round."""
    place(desk, 1)
    assert [("place", "1")] == asked(desk)
    await desk.words()
    cancel(desk, 1)
    assert [("cancel", "1")] == asked(desk)


async def test_orders_of_different_turns_do_not_wait_for_each_other(desk: Desk) -> None:
    place(desk, 1)
    place(desk, 2)
    assert [("place", "1"), ("place", "2")] == asked(desk)


async def test_only_what_is_alike_leaves_together(desk: Desk) -> None:
    """One instrument; what reduces has room of its own; what may only rest goes apart."""
    desk.script("place_many", [FINE, FINE], [FINE, FINE])
    desk.broker.submit([
        *places(1), *places(2, symbol=ETH), *places(3, reduce_only=True),
        *places(4, post_only=True), *places(5), *places(6, reduce_only=True),
    ])  # fmt: skip
    assert [
        ("place_many", "1 5"), ("place", "2"), ("place_many", "3 6"), ("place", "4"),
    ] == asked(desk)  # fmt: skip


async def test_no_request_has_more_than_the_venue_takes(desk: Desk) -> None:
    desk.script("place_many", [FINE] * 3)
    place(desk, 1, 2, 3, 4)
    await settle()
    assert [("place_many", "1 2 3"), ("place", "4")] == asked(desk)
    desk.script("cancel_many", [FINE] * 2, [FINE] * 2)
    cancel(desk, 1, 2, 3, 4)
    await settle()
    assert [("cancel_many", "1 2"), ("cancel_many", "3 4")] == asked(desk)


async def test_where_a_venue_takes_one_each_leaves_alone() -> None:
    async with Desk() as desk:
        place(desk, 1, 2)
        await settle()
        cancel(desk, 1, 2)
        await settle()
        assert ["place", "place", "cancel", "cancel"] == [name for name, _ in asked(desk)]


async def test_cancels_leave_before_placements(desk: Desk) -> None:
    """Whichever was asked for first."""
    await working(desk, 1, 2)
    desk.script("place_many", [FINE] * 2)
    desk.script("cancel_many", [FINE] * 2)
    desk.broker.submit([*places(3, 4), *cancels(1, 2)])
    assert [("cancel_many", "1 2"), ("place_many", "3 4")] == asked(desk)


async def test_amendments_leave_between_cancels_and_placements(desk: Desk) -> None:
    """One request each, in their order."""
    await working(desk, 1, 2, 3)
    desk.script("amend", FINE, FINE)
    wish = Approved(intent(1))
    amends = [AmendOrder(START_NS, f"a-{one}", D("1000.0"), D(2), wish) for one in (3, 1)]
    desk.broker.submit([*places(4), *amends, *cancels(2)])
    assert ["cancel", "amend", "amend", "place"] == desk.account.names()
    refs = [about[0] for name, about in desk.account.asked if name == "amend"]
    assert [client("a-3"), client("a-1")] == [ref.client_id for ref in refs]


async def test_an_order_amended_and_canceled_in_one_turn_lets_nothing_pass(desk: Desk) -> None:
    """Its cancel comes behind its amendment; placements wait for the other cancels as ever."""
    await working(desk, 1, 2)
    coming = desk.later("amend")
    amend = AmendOrder(START_NS, "a-1", D("1000.0"), D(2), Approved(intent(1)))
    desk.broker.submit([*places(4), amend, *cancels(1, 2)])
    await settle()
    assert ["amend", "cancel", "place"] == desk.account.names()
    coming.set_result(FINE)
    await settle()
    assert ["amend", "cancel", "place", "cancel"] == desk.account.names()


async def test_what_is_placed_and_canceled_in_one_turn_is_placed_first(desk: Desk) -> None:
    """A cancel that left before its order would find none, and the order would stay."""
    desk.script("place_many", [Accepted("v1"), Accepted("v2")])
    desk.broker.submit([*places(1, 2), *cancels(2)])
    await settle()
    assert [("place_many", "1 2"), ("cancel", "2")] == asked(desk)


async def test_a_refused_cancel_does_not_touch_the_others(desk: Desk) -> None:
    await working(desk, 1, 2)
    canceled = report(standing=Standing.CANCELED)
    gone = Refused(RejectReason.ORDER_NOT_FOUND)
    desk.script("cancel_many", [gone, Accepted("v2", canceled._replace(client_id=client("a-2")))])
    cancel(desk, 1, 2)
    assert ["cancelrejected a-1 order_not_found", "canceled a-2"] == await desk.words()


async def test_a_batch_without_an_answer_leaves_each_of_its_orders_unknown(desk: Desk) -> None:
    await working(desk, 8, 9)
    desk.script("place_many", [Unclear("time-out")] * 2)
    desk.script("cancel_many", [Unclear("time-out")] * 2)
    desk.broker.submit([*places(1, 2), *cancels(8, 9)])
    told = await desk.words()
    assert ["unknown a-8", "unknown a-9", "unknown a-1", "unknown a-2"] == told
    assert ["orderstatus a-1 not_found"] == await desk.ask(1), "and each is asked about by its name"


async def test_an_order_with_a_request_under_way_is_not_taken_along(desk: Desk) -> None:
    """Its cancel comes after that; those beside it do not wait."""
    coming = desk.later("place")
    await desk.place(1)
    await working(desk, 2, 3)
    desk.script("cancel_many", [FINE] * 2)
    cancel(desk, 1, 2, 3)
    await settle()
    assert [("cancel_many", "2 3")] == asked(desk)
    coming.set_result(Accepted("v1"))
    await settle()
    assert [("cancel", "1")] == asked(desk)


async def test_what_is_asked_of_a_batch_under_way_waits_for_it(desk: Desk) -> None:
    coming = desk.later("place_many")
    place(desk, 1, 2)
    await settle()
    cancel(desk, 2)
    await settle()
    assert [("place_many", "1 2")] == asked(desk)
    coming.set_result([Accepted("v1"), Accepted("v2")])
    await settle()
    ((name, ref),) = desk.account.asked
    assert ("cancel", "v2") == (name, ref.venue_order_id)


async def test_what_is_asked_about_an_order_leaves_behind_what_one_does_with_it(desk: Desk) -> None:
    """A question that overtook its order would be answered: there is none."""
    query = QueryOrder(START_NS, "a-1", BTC)
    desk.broker.submit([*places(1), query])
    await settle()
    assert [("place", "1"), ("order", "1")] == asked(desk)
    desk.broker.submit([*cancels(1), query])
    await settle()
    assert [("cancel", "1"), ("order", "1")] == asked(desk)
    desk.broker.submit([*places(2), QueryAccount(START_NS, 0)])
    assert ["place", "picture"] == desk.account.names()


async def test_what_is_placed_and_amended_in_one_turn_is_placed_first(desk: Desk) -> None:
    wish = Approved(intent())
    amend = AmendOrder(START_NS, "a-1", D("1000.0"), D(2), wish)
    desk.broker.submit([*places(1), amend])
    await settle()
    assert ["place", "amend"] == desk.account.names()
