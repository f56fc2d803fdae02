"""Single orders through the live broker: what is told, in which order, and how often."""

import pytest

from brokers.link.account import Accepted, LineDown, LineUp, Refused, Unanswered, Unclear
from engine.model.orders import OrderType, TimeInForce
from engine.model.venue_events import RejectReason, Standing
from tests.brokers.link.desk import START_NS, STOP, Desk, client, done, report, settle
from tests.engine.factories import D

CANCELED, FILLED = Standing.CANCELED, Standing.FILLED
CROSS = {"reason": RejectReason.POST_ONLY_WOULD_CROSS}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Accepted("v1"), ["accepted a-1"]),
        (Accepted(), ["accepted a-1"]),
        (Accepted("v1", report(standing=FILLED)), ["accepted a-1"]),
        (Accepted("v1", report(standing=CANCELED)), ["accepted a-1", "canceled a-1"]),
        (Refused(RejectReason.NO_LIQUIDITY), ["rejected a-1 no_liquidity"]),
        (Refused(RejectReason.DUPLICATE_CLIENT_ID), ["unknown a-1"]),
        (Unclear("time-out"), ["unknown a-1"]),
    ],
)
async def test_a_placement_is_sent_once_and_answered_once(answer: object, told: list[str]) -> None:
    async with Desk() as desk:
        desk.script("place", answer)
        assert told == await desk.place()
        ((name, order),) = desk.account.asked
        assert ("place", client(), D("1000.0")) == (name, order.client_id, order.price)
        assert desk.wakes == len(told)


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        ([report()], ["accepted a-1"]),
        ([report(), report()], ["accepted a-1"]),
        ([done()], ["accepted a-1", "fill a-1 1000.0 1"]),
        ([done(), report(standing=FILLED)], ["accepted a-1", "fill a-1 1000.0 1"]),
        ([report(standing=FILLED), done()], ["accepted a-1", "fill a-1 1000.0 1"]),
        ([report(standing=CANCELED)] * 2, ["accepted a-1", "canceled a-1"]),
        ([report(standing=Standing.REJECTED)] * 2, ["rejected a-1 invalid_order"]),
        ([report(standing=CANCELED, **CROSS)], ["rejected a-1 post_only_would_cross"]),
        (
            [report(), report(standing=CANCELED, **CROSS)],
            ["accepted a-1", "expired a-1 post_only_would_cross"],
        ),
        ([report(standing=Standing.NOT_FOUND)], []),
    ],
)
@pytest.mark.parametrize("answer", [Accepted("v1"), Unclear("time-out")])
async def test_the_stream_may_be_faster_than_the_answer(
    heard: list, told: list[str], answer: object
) -> None:
    """What the stream has told, the answer neither repeats nor doubts."""
    async with Desk() as desk:
        coming = desk.later("place")
        assert [] == await desk.place()
        assert told == await desk.hear(*heard)
        coming.set_result(answer)
        late = [] if told else ["accepted a-1" if answer == Accepted("v1") else "unknown a-1"]
        assert late == await desk.words()


async def test_the_stream_after_the_answer_tells_nothing_twice() -> None:
    async with Desk() as desk:
        await desk.place()
        assert [] == await desk.hear(report(), report(), LineUp())
        assert ["canceled a-1"] == await desk.hear(report(standing=CANCELED))
        assert [] == await desk.hear(report(), report(standing=CANCELED), report(standing=FILLED))
        assert [] == await desk.hear(report(price=D("999.0"), is_amendment=True))
        assert ["fill a-1 1000.0 1"] == await desk.hear(done()), "late, and real money"


async def test_a_refusal_of_what_the_venue_has_numbered_is_asked_about() -> None:
    """Its later reports still count: an order the venue works on is never taken for ended."""
    async with Desk() as desk:
        coming = desk.later("place")
        await desk.place()
        assert ["accepted a-1"] == await desk.hear(report())
        coming.set_result(Refused(RejectReason.RATE_LIMIT))
        assert [] == await desk.words()
        assert ["canceled a-1"] == await desk.hear(report(standing=CANCELED))


async def test_a_fill_that_names_only_the_venues_number_waits_for_the_answer() -> None:
    async with Desk() as desk:
        coming = desk.later("place")
        await desk.place()
        assert [] == await desk.hear(done(client_id=""), done(client_id="", venue_order_id="v9"))
        coming.set_result(Accepted("v1"))
        assert ["accepted a-1", "fill a-1 1000.0 1"] == await desk.words()
        assert ["fill a-1 1000.0 1"] == await desk.hear(done(client_id="", trade_id="t2"))


# --- amend -----------------------------------------------------------------------------------


async def test_an_amendment_is_told_once_whoever_tells_it() -> None:
    changed = report(price=D("999.0"), qty=D(2), is_amendment=True)
    async with Desk() as desk:
        await desk.place()
        assert ["amended a-1 999.0 2"] == await desk.amend("999.0", "2")
        assert [] == await desk.hear(changed)
        coming = desk.later("amend")
        assert [] == await desk.amend("998.0", "2")
        assert [] == await desk.hear(changed), "the one before does not answer this one"
        changed = changed._replace(price=D("998.0"))
        assert ["amended a-1 998.0 2"] == await desk.hear(changed)
        coming.set_result(Accepted("v1", changed))
        assert [] == await desk.words()
        assert ["amended a-1 998.0 2"] == await desk.amend("998.0", "2"), "asked again, told again"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Refused(RejectReason.INVALID_ORDER), ["amendrejected a-1 invalid_order"]),
        (Unclear("time-out"), ["unknown a-1"]),
        (Accepted("v1", report(standing=CANCELED)), ["canceled a-1"]),
        (Accepted("v1", report(standing=FILLED)), []),
    ],
)
async def test_an_amendment_that_fails(answer: object, told: list[str]) -> None:
    async with Desk() as desk:
        await desk.place()
        desk.script("amend", answer)
        assert told == await desk.amend("999.0", "2")


async def test_an_amendment_that_is_dealt_at_once_is_told_before_its_fill() -> None:
    """The answer shows the order filled; what the stream then says of the amendment is late."""
    async with Desk() as desk:
        await desk.place()
        filled = report(standing=Standing.FILLED, qty=D("0.5"), filled_qty=D("0.5"))
        desk.script("amend", Accepted("v1", filled))
        assert ["amended a-1 1001.0 0.5"] == await desk.amend("1001.0", "0.5")
        late = report(price=D("1001.0"), qty=D("0.5"), is_amendment=True)
        assert ["fill a-1 1000.0 0.5"] == await desk.hear(late, done(qty="0.5"), filled)


async def test_an_order_that_is_filled_before_its_amendment_was_not_amended() -> None:
    async with Desk() as desk:
        await desk.place()
        coming = desk.later("amend")
        assert [] == await desk.amend("1001.0", "0.5")
        filled = report(standing=Standing.FILLED, filled_qty=D(1))
        assert ["fill a-1 1000.0 1"] == await desk.hear(done(), filled)
        coming.set_result(Refused(RejectReason.ORDER_NOT_FOUND))
        assert ["amendrejected a-1 order_not_found"] == await desk.words()


async def test_a_stranger_is_not_amended() -> None:
    async with Desk() as desk:
        assert ["amendrejected a-1 order_not_found"] == await desk.amend("999.0", "2")
        assert [] == desk.account.names()


async def test_an_order_that_grows_does_not_end_with_its_old_quantity() -> None:
    async with Desk() as desk:
        await desk.place()
        coming = desk.later("amend")
        await desk.amend("1000.0", "2")
        assert ["fill a-1 1000.0 1"] == await desk.hear(done())
        coming.set_result(Accepted())
        assert ["amended a-1 1000.0 2"] == await desk.words()
        assert ["canceled a-1"] == await desk.hear(report(standing=CANCELED))


# --- cancel, ask -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Accepted(), []),
        (Accepted("v1", report(standing=CANCELED)), ["canceled a-1"]),
        (Refused(RejectReason.ORDER_NOT_FOUND), ["cancelrejected a-1 order_not_found"]),
        (Unclear("time-out"), ["unknown a-1"]),
    ],
)
async def test_cancel(answer: object, told: list[str]) -> None:
    async with Desk() as desk:
        await desk.place()
        desk.script("cancel", answer)
        assert told == await desk.cancel()
        assert "v1" == desk.account.asked[-1][1].venue_order_id


async def test_a_cancel_that_loses_against_a_fill() -> None:
    async with Desk() as desk:
        await desk.place()
        coming = desk.later("cancel")
        assert [] == await desk.cancel()
        assert ["fill a-1 1000.0 1"] == await desk.hear(done(), report(standing=FILLED))
        coming.set_result(Refused(RejectReason.ORDER_NOT_FOUND))
        assert ["cancelrejected a-1 order_not_found"] == await desk.words()


async def test_a_cancel_of_what_was_refused_is_no_riddle() -> None:
    """It crossed the refusal, and nobody answered it: there is nothing to find out."""
    async with Desk() as desk:
        desk.script("place", Refused(RejectReason.RATE_LIMIT))
        desk.script("cancel", Unclear("no room"))
        await desk.place()
        assert ["cancelrejected a-1 order_not_found"] == await desk.cancel()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (report(), "orderstatus a-1 1000.0 1 working"),
        (report(standing=CANCELED), "orderstatus a-1 canceled"),
        (Unanswered("down"), "orderstatus a-1 unanswered"),
    ],
)
async def test_ask(answer: object, told: str) -> None:
    async with Desk() as desk:
        desk.script("order", answer)
        assert [told] == await desk.ask(), "also of one that an earlier process placed"
        assert client() == desk.account.asked[-1][1].client_id


async def test_requests_of_one_order_leave_one_after_the_other() -> None:
    async with Desk() as desk:
        coming = desk.later("place")
        await desk.place()
        await desk.amend("999.0", "1")
        await desk.cancel()
        await desk.place(2)
        assert ["place", "place"] == desk.account.names(), "another order does not wait"
        coming.set_result(Accepted("v7"))
        await settle()
        assert ["amend", "cancel"] == desk.account.names()[2:]
        assert "v7" == desk.account.asked[-1][1].venue_order_id


# --- held here -------------------------------------------------------------------------------


async def test_a_stop_waits_here_and_leaves_as_a_market_order() -> None:
    async with Desk() as desk:
        assert ["accepted a-1"] == await desk.place(**STOP, trigger_price=D("1010.0"))
        assert [] == await desk.quote(10_000, 10_099)
        assert [] == await desk.quote(10_000, 10_100, "ETH-USDT")
        assert [] == desk.account.names()
        assert ["triggered a-1"] == await desk.quote(10_000, 10_100)
        ((_, order),) = desk.account.asked
        assert (OrderType.MARKET, TimeInForce.IOC) == (order.type, order.tif)
        assert (None, None, client()) == (order.price, order.trigger_price, order.client_id)
        assert [] == await desk.quote(10_000, 10_200), "once"
        assert ["fill a-1 1000.0 1"] == await desk.hear(done())


async def test_what_waits_here_can_be_asked_about_amended_and_canceled() -> None:
    async with Desk() as desk:
        await desk.place(**STOP, trigger_price=D("1010.0"))
        assert ["orderstatus a-1 1 working"] == await desk.ask()
        assert ["amended a-1 1010.0 3"] == await desk.amend("1010.0", "3")
        await desk.look()
        assert [("a-1", D(3), False)] == [
            (order.order_id, order.qty, order.is_foreign) for order in desk.told[-1].orders
        ]
        assert ["canceled a-1"] == await desk.cancel()
        assert ["orderstatus a-1 canceled"] == await desk.ask()
        assert ["cancelrejected a-1 order_not_found"] == await desk.cancel()
        assert ["amendrejected a-1 order_not_found"] == await desk.amend("1010.0", "1")
        assert [] == await desk.quote(10_000, 10_200)
        await desk.look()
        assert () == desk.told[-1].orders
        assert ["picture", "picture"] == desk.account.names()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Refused(RejectReason.REDUCE_ONLY_REJECTED), "rejected a-1 reduce_only_rejected"),
        (Unclear("time-out"), "unknown a-1"),
    ],
)
async def test_a_release_that_fails(answer: object, told: str) -> None:
    async with Desk() as desk:
        await desk.place(**STOP, trigger_price=D("1010.0"))
        desk.script("place", answer)
        assert ["triggered a-1", told] == await desk.quote(10_000, 10_100)


async def test_a_release_and_its_cancel_leave_in_order() -> None:
    async with Desk() as desk:
        await desk.place(**STOP, trigger_price=D("1010.0"))
        coming = desk.later("place")
        await desk.quote(10_000, 10_100)
        await desk.cancel()
        assert ["place"] == desk.account.names()
        coming.set_result(Accepted("v1"))
        await settle()
        assert ["place", "cancel"] == desk.account.names()


# --- the line --------------------------------------------------------------------------------


async def test_a_line_is_told_when_it_changes() -> None:
    async with Desk() as desk:
        assert [] == await desk.hear(LineUp())
        assert ["status cut"] == await desk.hear(LineDown("cut"), LineDown("again"))
        assert ["status"] == await desk.hear(LineUp(), LineUp())
        assert [False, True] == [event.is_up for event in desk.told]


async def test_time_never_goes_back() -> None:
    """A clock that jumps back: what is told later is not told earlier."""
    async with Desk() as desk:
        desk.now_ns = START_NS + 5_000
        await desk.place()
        desk.now_ns = START_NS
        await desk.place(2)
        assert [START_NS + 5_000] == [event.ts_ns for event in desk.told]
        assert START_NS + 5_000 == desk.broker.next_due_ns()
        desk.broker.advance(START_NS + 5_000)
        assert [START_NS + 5_000] * 2 == [event.ts_ns for event in desk.told]
        assert None is desk.broker.next_due_ns()
