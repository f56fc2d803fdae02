"""What every account at every venue must do, against an exchange on real sockets.

Use it by deriving a class named `Test...` that has a fixture `ground`, see `ground.Ground`. What a
venue may do in several ways (an order that would cross is refused, or accepted and ended) is tested
for what it comes to.
"""

import asyncio
import time
from collections import Counter
from decimal import Decimal

import pytest

from brokers.link.account import (
    Accepted,
    LineDown,
    LineUp,
    Picture,
    Refused,
    Unanswered,
    Unclear,
)
from brokers.link.rest import RestConfig
from engine.model.account import Liquidity
from engine.model.money import ZERO
from engine.model.orders import TimeInForce
from engine.model.venue_events import RejectReason, Standing
from tests.brokers.conformance.batches import Batches
from tests.brokers.conformance.ground import ASK, BID, BUY, QTY, SELL, Ground, until
from tests.brokers.conformance.margins import Margins

ENDED = (Standing.CANCELED, Standing.EXPIRED, Standing.REJECTED, Standing.FILLED)
HALF = QTY / 2
CONNECTIONS = RestConfig(base_url="").connections_max
TRIES = 3
"""A fault strikes one request, and not always one of the look it is meant for."""


async def placed(ground: Ground, **changes: object):
    """Rest an order and wait until the stream has told it."""
    order = ground.limit(**changes)
    assert isinstance(await ground.account.place(order), Accepted)
    await ground.stood(order, Standing.WORKING)
    return order


async def bought(ground: Ground):
    """Buy at the market and wait until the stream has told the fill."""
    order = ground.market()
    assert isinstance(await ground.account.place(order), Accepted)
    await until(lambda: sum(fill.qty for fill in ground.fills()) == QTY)
    return order


class Conformance(Batches, Margins):
    """The suite."""

    # --- one order -----------------------------------------------------------------------------

    async def test_an_order_rests_and_is_canceled(self, ground: Ground) -> None:
        """Answer, stream, question, picture and exchange say the same at each step."""
        order = await placed(ground)
        report = await ground.account.order(ground.ref(order))
        assert (Standing.WORKING, QTY, ZERO, order.price, BUY) == (
            report.standing, report.qty, report.filled_qty, report.price, report.side,
        )  # fmt: skip
        assert order.client_id == report.client_id
        assert [order.client_id] == [one.client_id for one in (await ground.picture()).orders]
        assert [ground.id_of(order.client_id)] == ground.open_ids()

        assert isinstance(await ground.account.cancel(ground.ref(order)), Accepted)
        await ground.stood(order, Standing.CANCELED)
        assert [] == ground.open_ids()
        report = await ground.account.order(ground.ref(order))
        assert report.standing in (Standing.CANCELED, Standing.NOT_FOUND)
        assert () == (await ground.picture()).orders

    async def test_a_market_order_fills(self, ground: Ground) -> None:
        """With price, size, fee and side of the book; the picture has the same fills."""
        order = await bought(ground)

        told = {fill.trade_id: fill for fill in ground.fills()}
        for fill in told.values():
            assert (order.client_id, BUY, Liquidity.TAKER) == (
                fill.client_id, fill.side, fill.liquidity,
            )  # fmt: skip
            assert ground.price(ASK) == fill.price
            assert fill.fee > 0
        assert Standing.FILLED is (await ground.account.order(ground.ref(order))).standing
        picture = await ground.picture()
        assert told == {fill.trade_id: fill for fill in picture.fills}
        assert [(ground.symbol, QTY)] == [(one.symbol, one.qty) for one in picture.positions]

    async def test_a_partial_fill_leaves_the_rest(self, ground: Ground) -> None:
        """As maker; what is left works on, and is canceled."""
        order = await placed(ground)
        ground.meet(990, HALF)
        await until(lambda: sum(fill.qty for fill in ground.fills()) == HALF)

        assert {Liquidity.MAKER} == {fill.liquidity for fill in ground.fills()}
        report = await ground.account.order(ground.ref(order))
        assert (Standing.WORKING, QTY, HALF) == (report.standing, report.qty, report.filled_qty)
        (seen,) = (await ground.picture()).orders
        assert (QTY, HALF) == (seen.qty, seen.filled_qty)
        assert isinstance(await ground.account.cancel(ground.ref(order)), Accepted)
        report = await ground.stood(order, Standing.CANCELED)
        assert HALF == report.filled_qty == ground.position()

    @pytest.mark.parametrize("is_remembered", [True, False])
    async def test_an_amend_changes_price_and_total(
        self, ground: Ground, is_remembered: bool
    ) -> None:
        """Of our order or one an earlier process placed; what has filled stays filled."""
        if not ground.account.capabilities.can_amend_price:
            pytest.skip("this venue can't: the router cancels and places anew")
        order = await placed(ground)
        ground.meet(990, HALF)
        await until(ground.fills)
        ref = ground.ref(order, is_remembered=is_remembered)

        outcome = await ground.account.amend(ref, ground.price(985), QTY * 2)

        assert isinstance(outcome, Accepted)
        await until(lambda: any(report.is_amendment for report in ground.told(order)))
        told = next(report for report in ground.told(order) if report.is_amendment)
        asked = await ground.account.order(ground.ref(order))
        for report in (told, asked):
            assert (ground.price(985), QTY * 2, HALF) == (
                report.price, report.qty, report.filled_qty,
            )  # fmt: skip
        assert 1 == len(ground.open_ids())

    # --- orders that are refused, or end by themselves -----------------------------------------

    async def ended(self, ground: Ground, order) -> RejectReason | None:
        """Place an order that can't live; return why it ended. Nothing of it stays."""
        outcome = await ground.account.place(order)
        assert isinstance(outcome, Refused | Accepted), outcome
        reason = outcome.reason if isinstance(outcome, Refused) else None
        if isinstance(outcome, Accepted):
            await until(lambda: any(one.standing in ENDED for one in ground.told(order)))
            reason = next(one.reason for one in ground.told(order) if one.standing in ENDED)
        assert [] == ground.open_ids()
        return reason

    async def test_a_post_only_order_that_would_cross_does_not_trade(self, ground: Ground) -> None:
        """Refused, or ended; either way the same word."""
        order = ground.limit(ticks=ASK, is_post_only=True)
        assert RejectReason.POST_ONLY_WOULD_CROSS is await self.ended(ground, order)
        assert ZERO == ground.position()

    async def test_a_post_only_order_rests(self, ground: Ground) -> None:
        """Where it does not cross."""
        await placed(ground, ticks=BID, is_post_only=True)

    async def test_reduce_only_never_opens(self, ground: Ground) -> None:
        """Flat there is nothing to reduce; long it closes no more than there is."""
        reason = await self.ended(ground, ground.market(SELL, is_reduce_only=True))
        assert reason in (None, RejectReason.REDUCE_ONLY_REJECTED)
        assert ZERO == ground.position()
        await bought(ground)
        closing = ground.market(SELL, is_reduce_only=True)
        assert isinstance(await ground.account.place(closing), Accepted)
        await until(lambda: ground.position() == 0)
        assert () == (await ground.picture()).positions

    @pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
    async def test_what_must_fill_at_once_and_can_not_ends(
        self, ground: Ground, tif: TimeInForce
    ) -> None:
        """Refused or expired, and never resting."""
        outcome = await self.ended(ground, ground.limit(tif=tif))
        assert outcome in (None, RejectReason.NO_LIQUIDITY, RejectReason.INVALID_ORDER)
        assert [] == ground.fills()

    async def test_what_the_rules_forbid_is_refused(self, ground: Ground) -> None:
        """Between two ticks, and more than the money is good for; neither is unclear."""
        odd = ground.limit(price=ground.price(990) + ground.instrument.tick_size / 10)
        outcome = await ground.account.place(odd)
        assert isinstance(outcome, Refused)
        assert RejectReason.INVALID_ORDER is outcome.reason
        outcome = await ground.account.place(ground.limit(qty=Decimal(10_000)))
        assert isinstance(outcome, Refused)
        assert RejectReason.INSUFFICIENT_BALANCE is outcome.reason
        assert outcome.detail.isprintable()
        assert [] == ground.open_ids()

    # --- races and repetitions -----------------------------------------------------------------

    async def test_an_order_nobody_placed(self, ground: Ground) -> None:
        """Is not found, and can't be canceled."""
        ref = ground.ref(ground.limit())
        assert Standing.NOT_FOUND is (await ground.account.order(ref)).standing
        outcome = await ground.account.cancel(ref)
        assert isinstance(outcome, Refused)
        assert RejectReason.ORDER_NOT_FOUND is outcome.reason

    async def test_the_same_order_twice_is_one(self, ground: Ground) -> None:
        """Row 27: an id that is taken by the very same order is proof of life."""
        order = await placed(ground)
        assert isinstance(await ground.account.place(order), Accepted)
        other = await ground.account.place(order._replace(qty=QTY * 2))
        assert isinstance(other, Refused)
        assert RejectReason.DUPLICATE_CLIENT_ID is other.reason
        assert [ground.id_of(order.client_id)] == ground.open_ids()
        assert QTY == ground.truth(order).qty

    async def test_a_cancel_that_comes_too_late(self, ground: Ground) -> None:
        """Row 37: the order has filled; that is no success, and the fill counts."""
        order = await placed(ground)
        ground.trade(SELL, 980, QTY)
        await ground.stood(order, Standing.FILLED)

        outcome = await ground.account.cancel(ground.ref(order))

        assert isinstance(outcome, Refused)
        assert RejectReason.ORDER_NOT_FOUND is outcome.reason
        assert QTY == ground.position()

    async def test_a_cancel_twice(self, ground: Ground) -> None:
        """The second finds it canceled, or nothing; it is not unclear."""
        order = await placed(ground)
        assert isinstance(await ground.account.cancel(ground.ref(order)), Accepted)
        outcome = await ground.account.cancel(ground.ref(order))
        assert isinstance(outcome, Accepted | Refused)

    async def test_many_orders_at_once(self, ground: Ground) -> None:
        """Each is told once as working, in one picture, and taken out."""
        orders = [ground.limit(ticks=900 + number, qty=HALF) for number in range(ground.burst)]
        outcomes = await asyncio.gather(*(ground.account.place(order) for order in orders))
        assert {Accepted} == {type(outcome) for outcome in outcomes}
        ids = {order.client_id for order in orders}
        assert ids == {one.client_id for one in (await ground.picture()).orders}
        await asyncio.gather(*(ground.account.cancel(ground.ref(order)) for order in orders))
        for order in orders:
            await ground.stood(order, Standing.CANCELED)
        assert [] == ground.open_ids()

    async def test_at_the_cap_of_open_orders_a_cancel_makes_room_to_close(
        self, ground: Ground
    ) -> None:
        """Row 121: the next order is refused, a closing one too; cancels first, then it fits."""
        await bought(ground)
        resting = [await placed(ground, ticks=ticks) for ticks in (980, 970)]
        ground.cap_open_orders(len(resting))
        closing = [ground.market(SELL, is_reduce_only=True) for _ in range(2)]

        for order in (ground.limit(), closing[0]):
            outcome = await ground.account.place(order)
            assert isinstance(outcome, Refused)
            assert RejectReason.INVALID_ORDER is outcome.reason
        assert QTY == ground.position()
        assert isinstance(await ground.account.cancel(ground.ref(resting[0])), Accepted)
        assert isinstance(await ground.account.place(closing[1]), Accepted)
        await until(lambda: ground.position() == 0)
        assert [ground.id_of(resting[1].client_id)] == ground.open_ids()

    # --- outcomes nobody knows -----------------------------------------------------------------

    @pytest.mark.parametrize(
        ("fault", "terms"),
        [
            ("accept_then_timeout", {}),
            ("error_5xx_after", {}),
            ("html_200", {}),
            ("truncated_json", {}),
        ],
    )
    async def test_an_order_whose_answer_is_lost(
        self, ground: Ground, fault: str, terms: dict
    ) -> None:
        """Rows 23, 29: unclear, found by its id, sent once, told by the stream."""
        ground.fault_placing(fault, **terms)
        order = ground.limit()

        assert isinstance(await ground.account.place(order), Unclear)
        assert Standing.WORKING is (await ground.account.order(ground.ref(order))).standing
        await ground.stood(order, Standing.WORKING)
        assert [ground.id_of(order.client_id)] == ground.open_ids()

    async def test_an_order_that_never_arrived(self, ground: Ground) -> None:
        """Row 24: the connection was cut before anything was done; nobody here can know that."""
        ground.fault_placing("drop")
        order = ground.limit()

        assert isinstance(await ground.account.place(order), Unclear)
        assert Standing.NOT_FOUND is (await ground.account.order(ground.ref(order))).standing
        assert [] == ground.open_ids()

    async def test_a_venue_that_wants_peace_gets_it(self, ground: Ground) -> None:
        """Row 30: refused, not sent, and cancels go on."""
        order = await placed(ground)
        ground.fault_placing("rate_limit", seconds=2.0)

        for _ in range(3):
            outcome = await ground.account.place(ground.limit())
            assert isinstance(outcome, Refused)
            assert RejectReason.RATE_LIMIT is outcome.reason
        assert isinstance(await ground.account.cancel(ground.ref(order)), Accepted)
        assert [] == ground.open_ids()

    async def test_a_key_that_is_revoked_is_refused_whatever_is_asked(self, ground: Ground) -> None:
        """Row 42: each answer says that it is the key; taken again, everything is as it was."""
        order = await placed(ground)
        ground.fault("revoke_key")
        account, ref = ground.account, ground.ref(order)

        for outcome in (await account.place(ground.limit()), await account.cancel(ref)):
            assert isinstance(outcome, Refused), outcome
            assert RejectReason.AUTH is outcome.reason
        told = await account.picture(ground.began_ns)
        assert isinstance(told, Picture) or told.is_denied  # some let anyone look
        ground.faults.mend()
        assert isinstance(await account.cancel(ref), Accepted)
        assert [] == ground.open_ids()

    async def test_a_cancel_waits_behind_no_order(self, ground: Ground) -> None:
        """B5: whatever connections hang with orders on them."""
        if ground.burst <= CONNECTIONS:
            pytest.skip("this venue's limits allow too few at once to fill every connection")
        order = await placed(ground)
        ground.fault_placing("delay", times=CONNECTIONS, seconds=2.0)
        hanging = [
            asyncio.create_task(ground.account.place(ground.limit(ticks=900 + number)))
            for number in range(CONNECTIONS + 4)
        ]
        await until(lambda: not ground.faults.listing()["armed"])

        assert isinstance(await ground.account.cancel(ground.ref(order)), Accepted)
        assert CONNECTIONS <= sum(not task.done() for task in hanging)
        await asyncio.gather(*hanging)

    # --- the whole account ---------------------------------------------------------------------

    async def test_a_picture_is_the_account(self, ground: Ground) -> None:
        """Positions, orders, fills and money as the exchange has them."""
        await bought(ground)
        resting = [await placed(ground, ticks=ticks) for ticks in (980, 970)]

        picture = await ground.picture()

        exchange = ground.stage.exchange
        assert [(ground.symbol, ground.position())] == [
            (one.symbol, one.qty) for one in picture.positions
        ]
        assert {(order.client_id, order.price, QTY, ZERO) for order in resting} == {
            (one.client_id, one.price, one.qty, one.filled_qty) for one in picture.orders
        }
        assert sum(fill.qty for fill in exchange.fills()) == sum(f.qty for f in picture.fills)
        assert sum(fill.fee for fill in exchange.fills()) == sum(f.fee for f in picture.fills)
        assert exchange.balance().wallet == picture.balance
        assert abs(picture.taken_ns - time.time_ns()) < 60 * 10**9

    async def test_the_stream_tells_the_same_fills_as_the_picture(self, ground: Ground) -> None:
        """Whatever comes twice or late on the stream: under one number, with one content."""
        ground.fault("duplicate_fills", times=3)
        ground.fault("reordered_fills", times=2, seconds=0.05)
        for _ in range(3):
            for side in (BUY, SELL):
                order = ground.market(side, qty=HALF)
                assert isinstance(await ground.account.place(order), Accepted)
        await until(lambda: len({fill.trade_id for fill in ground.fills()}) == 6)

        picture = await ground.picture()

        assert {fill.trade_id: fill for fill in ground.fills()} == {
            fill.trade_id: fill for fill in picture.fills
        }
        assert sorted(fill.at_ns for fill in picture.fills) == [f.at_ns for f in picture.fills]
        assert 1 == max(Counter(fill.trade_id for fill in picture.fills).values())

    async def test_half_a_picture_is_none(self, ground: Ground) -> None:
        """A9: one of its questions fails; what was under way beside it may be struck in its place."""
        for fault in ("html_200", "truncated_json", "error_5xx_after"):
            for _ in range(TRIES):
                ground.fault(fault)
                seen = await ground.account.picture(ground.began_ns)
                if isinstance(seen, Unanswered):
                    break
            assert isinstance(seen, Unanswered), fault
        ground.faults.mend()
        await ground.picture()

    async def test_facts(self, ground: Ground) -> None:
        """As the exchange has them; a key that may trade and not withdraw."""
        await bought(ground)
        await placed(ground)
        facts = await ground.account.facts()
        assert (ground.stage.exchange.balance().wallet, 1) == (facts.balance, facts.open_orders)
        assert [QTY] == [one.qty for one in facts.positions]
        assert facts.can_trade
        assert facts.can_withdraw in (None, False)
        assert facts.is_one_way
        assert abs(facts.clock_offset_ns) < 2 * 10**9
        assert 1 <= len(facts.tail) <= 8

    # --- the stream breaks ---------------------------------------------------------------------

    async def test_a_line_that_breaks_comes_back(self, ground: Ground) -> None:
        """Rows 2, 49: told; what happened meanwhile is in the picture, what comes after is told."""
        order = await placed(ground)
        before = len(ground.of(LineUp))
        ground.fault("kill_streams")
        await until(lambda: ground.of(LineDown))
        ground.meet(990, HALF)
        await until(lambda: len(ground.of(LineUp)) > before)

        picture = await ground.picture()
        assert HALF == sum(fill.qty for fill in picture.fills)
        assert {order.client_id} == {fill.client_id for fill in picture.fills}
        second = await placed(ground)
        ground.trade(SELL, 970, QTY * 2)
        await ground.stood(second, Standing.FILLED)

    async def test_everything_breaks_in_the_middle_of_an_order(self, ground: Ground) -> None:
        """The answer lost, the line cut, the order filled meanwhile: it is all found again."""
        before = len(ground.of(LineUp))
        ground.fault_placing("accept_then_timeout")
        order = ground.limit()
        placing = asyncio.create_task(ground.account.place(order))
        await until(ground.open_ids)
        ground.fault("kill_streams")
        await until(lambda: ground.of(LineDown))
        ground.trade(SELL, 980, QTY)

        assert isinstance(await placing, Unclear)
        await until(lambda: len(ground.of(LineUp)) > before)
        assert Standing.FILLED is (await ground.account.order(ground.ref(order))).standing
        fills = (await ground.picture()).fills
        assert (QTY, {order.client_id}) == (
            sum(fill.qty for fill in fills), {fill.client_id for fill in fills},
        )  # fmt: skip

    async def test_down_comes_before_up(self, ground: Ground) -> None:
        """Through several breaks, each told once, in turn."""
        for breaks in range(1, 4):
            ground.fault("kill_streams")
            await until(lambda breaks=breaks: len(ground.of(LineUp)) > breaks)
        words = [type(one) for one in ground.heard if isinstance(one, LineUp | LineDown)]
        assert [LineUp, LineDown] * 3 + [LineUp] == words

    async def test_the_dead_man_fires(self, ground: Ground) -> None:
        """Row 46: what it canceled is told."""
        order = await placed(ground)
        if not await ground.account.renew(30.0):
            pytest.skip("this venue has no such switch")
        ground.fault("dead_man")
        await ground.stood(order, Standing.CANCELED)
        assert [] == ground.open_ids()
