"""What every account at every venue must do with several orders in one request."""

from collections.abc import Sequence

import pytest

from brokers.link.account import Accepted, NewOrder, Refused, Unclear
from engine.model.venue_events import RejectReason, Standing
from tests.brokers.conformance.ground import ASK, SELL, Ground

ANSWERS_LOST = ["accept_then_timeout", "error_5xx_after", "html_200", "truncated_json"]


def several(ground: Ground, count: int = 3) -> list[NewOrder]:
    return [ground.limit(ticks=990 - number) for number in range(count)]


async def resting(ground: Ground, count: int = 3) -> Sequence[NewOrder]:
    """Rest some and wait until the stream has told each."""
    orders = several(ground, count)
    assert [Accepted] * count == [type(one) for one in await ground.account.place_many(orders)]
    for order in orders:
        await ground.stood(order, Standing.WORKING)
    return orders


def ids(ground: Ground, orders: Sequence[NewOrder]) -> list[str]:
    return sorted(ground.id_of(order.client_id) for order in orders)


class Batches:
    """Part of the suite."""

    async def test_as_many_as_the_venue_takes_at_once(self, ground: Ground) -> None:
        """As many as its abilities say are placed, and canceled, with one request each."""
        can = ground.account.capabilities
        assert min(can.places_per_request, can.cancels_per_request) > 1
        orders = await resting(ground, can.places_per_request)
        assert ids(ground, orders) == sorted(ground.open_ids())

        gone = orders[: can.cancels_per_request]
        told = await ground.account.cancel_many([ground.ref(order) for order in gone])

        assert {Accepted} == {type(one) for one in told}
        for order in gone:
            await ground.stood(order, Standing.CANCELED)
        assert ids(ground, orders[len(gone) :]) == sorted(ground.open_ids())

    async def test_one_that_is_refused_leaves_the_others(self, ground: Ground) -> None:
        """Between two ticks, of a size nobody can pay, under a name that is taken."""
        taken, *_ = await resting(ground, 1)
        odd = ground.limit(price=ground.price(990) + ground.instrument.tick_size / 10)
        huge = ground.limit(qty=ground.limit().qty * 20_000)
        other = taken._replace(qty=taken.qty * 2)
        fine = several(ground, 2)

        told = await ground.account.place_many([fine[0], odd, huge, other, fine[1]])

        kinds = [one.reason if isinstance(one, Refused) else type(one) for one in told]
        assert [
            Accepted, RejectReason.INVALID_ORDER, RejectReason.INSUFFICIENT_BALANCE,
            RejectReason.DUPLICATE_CLIENT_ID, Accepted,
        ] == kinds  # fmt: skip
        assert ids(ground, [taken, *fine]) == sorted(ground.open_ids())
        for order in fine:
            await ground.stood(order, Standing.WORKING)

    async def test_the_same_orders_twice_are_there_once(self, ground: Ground) -> None:
        """Row 27: each name that is taken by the very same order is proof of life."""
        orders = await resting(ground)
        told = await ground.account.place_many([*orders, more := ground.limit(ticks=980)])
        assert {Accepted} == {type(one) for one in told}
        assert ids(ground, [*orders, more]) == sorted(ground.open_ids())

    async def test_one_that_crosses_does_not_keep_the_others(self, ground: Ground) -> None:
        """Of orders that may only rest."""
        crossing = ground.limit(ticks=ASK, is_post_only=True)
        fine = ground.limit(is_post_only=True)
        told = await ground.account.place_many([crossing, fine])
        assert isinstance(told[1], Accepted)
        await ground.stood(fine, Standing.WORKING)
        assert (ids(ground, [fine]), 0) == (ground.open_ids(), ground.position())

    async def test_one_that_is_gone_leaves_the_other_cancels(self, ground: Ground) -> None:
        """Rows 27, 37: never placed, or filled before; the rest is taken out."""
        filled, orders = ground.limit(), [ground.limit(ticks=ticks) for ticks in (900, 899)]
        await ground.account.place_many([filled, *orders])
        ground.trade(SELL, 980, filled.qty)
        await ground.stood(filled, Standing.FILLED)
        nobody = ground.limit()
        some = [orders[0], nobody, filled, orders[1]]

        told = await ground.account.cancel_many([ground.ref(order) for order in some])

        gone = RejectReason.ORDER_NOT_FOUND
        kinds = [one.reason if isinstance(one, Refused) else type(one) for one in told]
        assert [Accepted, gone, gone, Accepted] == kinds
        assert [] == ground.open_ids()

    @pytest.mark.parametrize("fault", ANSWERS_LOST)
    async def test_placements_whose_answer_is_lost(self, ground: Ground, fault: str) -> None:
        """Rows 23, 29: each is unclear, found by its id, sent once, told by the stream."""
        ground.fault(fault, path=ground.batch_path or ground.place_path, method="POST")
        orders = several(ground)

        told = await ground.account.place_many(orders)

        assert [Unclear] * 3 == [type(one) for one in told]
        for order in orders:
            assert Standing.WORKING is (await ground.account.order(ground.ref(order))).standing
            await ground.stood(order, Standing.WORKING)
        assert ids(ground, orders) == sorted(ground.open_ids())

    async def test_placements_that_never_arrived(self, ground: Ground) -> None:
        """Row 24: nobody here can know that, and nothing is sent again."""
        ground.fault("drop", path=ground.batch_path or ground.place_path, method="POST")
        orders = several(ground)

        assert {Unclear} == {type(one) for one in await ground.account.place_many(orders)}
        assert Standing.NOT_FOUND is (await ground.account.order(ground.ref(orders[2]))).standing
        assert [] == ground.open_ids()

    async def test_cancels_whose_answer_is_lost(self, ground: Ground) -> None:
        """Each is unclear, and done."""
        orders = await resting(ground)
        ground.fault("html_200", path=ground.cancel_path or ground.place_path)

        told = await ground.account.cancel_many([ground.ref(order) for order in orders])

        assert [Unclear] * 3 == [type(one) for one in told]
        for order in orders:
            await ground.stood(order, Standing.CANCELED)
        assert [] == ground.open_ids()

    async def test_a_venue_that_wants_peace_refuses_all(self, ground: Ground) -> None:
        """Row 30: what was turned away at the door was not done."""
        path = ground.batch_path or ground.place_path
        ground.fault("rate_limit", path=path, method="POST", seconds=2.0)
        told = await ground.account.place_many(several(ground))
        assert [RejectReason.RATE_LIMIT] * 3 == [one.reason for one in told]
        assert [] == ground.open_ids()
