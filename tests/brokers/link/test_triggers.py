"""A trigger that waits here is met by the same quote as one at the simulated venue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.link.known import KnownOrder, KnownOrders
from brokers.link.triggers import is_released
from engine.model.orders import OrderType, Side
from tests.brokers.link.desk import CAN
from tests.brokers.paper.desk import Desk as PaperDesk
from tests.engine.factories import BTC, D, instrument, intent

STEPS = st.lists(st.integers(-40, 40), min_size=1, max_size=30)


def held(side: Side, kind: OrderType, **changes: object) -> KnownOrder:
    known = KnownOrders([instrument()], CAN.ids_of("run"))
    return known.add("a-1", intent(side=side, type=kind, price=None, **changes))


def at(ticks: int) -> D:
    return ticks * D("0.1")


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("kind", [OrderType.STOP, OrderType.TAKE_PROFIT, OrderType.TRAILING])
@given(steps=STEPS, away=st.integers(-60, 60), bps=st.integers(1, 777))
def test_the_release_is_that_of_the_simulated_venue(
    side: Side, kind: OrderType, steps: list[int], away: int, bps: int
) -> None:
    paper = PaperDesk()
    paper.quote(1_000, 1_002)
    known = held(side, kind, trigger_price=at(1_000 + away), trail_bps=D(bps))
    how = {"trail_bps": D(bps)} if kind is OrderType.TRAILING else {"trigger": 1_000 + away}
    said = paper.place(side, 1, type=kind, **how)
    is_met = is_released(known, at(1_000), at(1_002))
    bid = 1_000
    for step in steps:
        if is_met or "o1 triggered" in said:
            break
        bid += step
        said = paper.quote(bid, bid + 2)
        is_met = is_released(known, at(bid), at(bid + 2))
    assert is_met == ("o1 triggered" in said)


@pytest.mark.parametrize(("side", "trigger"), [(Side.SELL, 9_966), (Side.BUY, 10_034)])
def test_a_trailing_trigger_lies_on_the_tick_further_away(side: Side, trigger: int) -> None:
    known = held(side, OrderType.TRAILING, trail_bps=D("33.3"))
    nearer = 1 if side is Side.SELL else -1
    assert not is_released(known, at(10_000), at(10_000))
    assert not is_released(known, at(trigger + nearer), at(trigger + nearer))
    assert is_released(known, at(trigger), at(trigger))


def test_an_order_of_another_instrument_does_not_wait_for_this_one() -> None:
    known = KnownOrders([instrument()], CAN.ids_of("run"))
    known.add("a-1", intent(type=OrderType.STOP, price=None, trigger_price=D(1)))
    assert [] == known.held("ETH-USDT")
    assert ["a-1"] == [order.order_id for order in known.held(BTC)]
