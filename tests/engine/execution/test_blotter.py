"""What the blotter remembers, for how long, and what a restart leaves of it."""

import pytest

from engine.execution.blotter import CLOSED_MAX, SEEN_FILLS_MAX, Blotter, is_working
from engine.execution.orders import OrderEvent
from engine.model.orders import OrderState
from tests.engine.execution.desk import ANSWERS, Desk, working
from tests.engine.factories import BTC, ETH, SELL, D, order

S, E = OrderState, OrderEvent


def test_closed_orders_are_bounded() -> None:
    """The newest CLOSED_MAX are found again, older ones are forgotten."""
    desk = Desk()
    for number in range(1, CLOSED_MAX + 3):
        desk.submit(number)
        desk.answer(ANSWERS[E.CANCELED](f"a-{number}"))

    assert desk.blotter.find("a-2") is None
    assert desk.blotter.find("a-3") is not None
    assert {} == desk.blotter.live


def test_a_restored_blotter_holds_what_the_snapshot_held() -> None:
    """Whatever it held before: slots, orders and sums are those of the snapshot."""
    before, desk = working(slot="ask"), Desk()
    desk.submit(2, slot="bid", side=SELL)
    desk.blotter.restore(before.blotter.snapshot())

    assert [("a", BTC, "ask")] == list(desk.blotter.slots)
    assert ["a-1"] == list(desk.blotter.open[BTC].orders)
    assert D(0) == desk.blotter.open[BTC].sell_qty


@pytest.mark.parametrize("state", OrderState)
def test_working_means_known_and_left_alone(state: OrderState) -> None:
    """Only what the venue holds and nobody is changing may be amended."""
    assert (state in (S.ACCEPTED, S.PARTIALLY_FILLED)) is is_working(order(state=state))


def test_seen_fills_are_bounded_for_each_instrument() -> None:
    """The newest SEEN_FILLS_MAX trade ids are duplicates, also after a restart."""
    blotter = Blotter([BTC, ETH])
    for number in range(SEEN_FILLS_MAX + 1):
        assert blotter.is_new_fill(BTC, str(number))
    twin = Blotter([BTC, ETH])
    twin.restore(blotter.snapshot())

    assert not twin.is_new_fill(BTC, "1")
    assert twin.is_new_fill(ETH, "1")
    assert twin.is_new_fill(BTC, "0")


def test_both_sides_are_counted_apart() -> None:
    desk = working("10")
    desk.submit(2, side=SELL, qty=D(4))

    assert (D(10), D(4)) == (desk.blotter.open[BTC].buy_qty, desk.blotter.open[BTC].sell_qty)


def test_a_slot_belongs_to_the_newest_order_in_it() -> None:
    """The end of an older one does not free what its successor holds."""
    desk = working(slot="bid")
    desk.submit(2, slot="bid")
    desk.answer(ANSWERS[E.CANCELED]("a-1"))

    assert ["a-2"] == [o.order_id for o in desk.blotter.slots.values()]
