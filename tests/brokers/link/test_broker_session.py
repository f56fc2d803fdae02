"""The live broker through a session's life: rerun, going live, beats, bugs, the end."""

import asyncio

import pytest

from brokers.link.account import (
    Accepted,
    FundingReport,
    LineUp,
    Picture,
    Unanswered,
)
from engine.model.account import Liquidity
from engine.model.commands import AmendOrder, CancelOrder, QueryAccount, QueryOrder
from engine.model.orders import Approved, OrderType, Side
from engine.model.venue_events import (
    RejectReason,
    Standing,
    VenueAccepted,
    VenueAmended,
    VenueCanceled,
    VenueEvent,
    VenueExpired,
    VenueFill,
    VenueHolding,
    VenueRejected,
    VenueStatus,
    VenueTriggered,
)
from tests.brokers.link.desk import (
    START_NS,
    STOP,
    Account,
    Desk,
    client,
    done,
    placing,
    report,
    settle,
)
from tests.engine.factories import BTC, D, intent

S = 1_000_000_000
WAITS = {**STOP, "trigger_price": D("1010.0")}
SELL = {"side": Side.SELL, "price": None}


# --- pictures --------------------------------------------------------------------------------


async def test_a_picture_marks_what_is_foreign_and_names_what_is_ours() -> None:
    found = Picture(
        START_NS,
        (VenueHolding(BTC, D(3)),),
        (
            report("a-7"),
            report(client_id="", venue_order_id="v1"),
            report(client_id="", venue_order_id="v8"),
            report(client_id="20260101-000000-zzzz-a-1", venue_order_id="v9"),
        ),
        (done("a-7"), done(client_id="", venue_order_id="v8", trade_id="t2")),
        D(100),
    )
    async with Desk() as desk:
        await desk.place()
        desk.script("picture", found)
        await desk.look()
    told = desk.told[-1]
    orders = [(order.order_id, order.is_foreign) for order in told.orders]
    assert [("a-7", False), ("a-1", False), ("v8", True), ("v9", True)] == orders
    assert ["a-7", "v8"] == [fill.order_id for fill in told.fills]
    assert (D(100), (VenueHolding(BTC, D(3)),)) == (told.balance, told.positions)


async def test_a_picture_that_failed_shows_nothing() -> None:
    async with Desk() as desk:
        desk.script("picture", Unanswered("down"))
        await desk.look()
    assert ("down", (), None) == (
        desk.told[-1].failure, desk.told[-1].positions, desk.told[-1].balance,
    )  # fmt: skip


async def test_nothing_before_the_session_is_asked_for() -> None:
    async with Desk() as desk:
        await desk.look(since_ns=5)
        await desk.look(since_ns=START_NS + 9)
    assert [("picture", START_NS), ("picture", START_NS + 9)] == desk.account.asked


async def test_an_order_of_another_run_is_not_spoken_of() -> None:
    """Two sessions on one account: each hears both, and tells of its own."""
    other = client("a-1", run="20260101-000000-zzzz")
    async with Desk() as desk:
        await desk.place()
        heard = [report(client_id=other), done(client_id=other), done(client_id="by hand")]
        assert [] == await desk.hear(*heard)
        assert [] == await desk.hear(report(client_id=other, standing=Standing.CANCELED))
        assert ["canceled a-1"] == await desk.hear(report(standing=Standing.CANCELED))


async def test_a_liquidation_and_a_forgotten_order_of_ours_are_told() -> None:
    async with Desk() as desk:
        forced = done(client_id="liquidation-1", trade_id="t8")
        assert ["fill liquidation-1 1000.0 1", "fill a-9 1000.0 1"] == await desk.hear(
            forced, done("a-9")
        )
        paid = FundingReport(BTC, D("-0.5"), START_NS + 7)
        assert ["funding"] == await desk.hear(paid)
        assert (D("-0.5"), START_NS + 7) == (desk.told[-1].amount, desk.told[-1].funding_ns)


# --- before it goes live ---------------------------------------------------------------------


async def test_nothing_is_sent_before_it_goes_live() -> None:
    desk = Desk(dead_man_s=3)
    async with desk.broker as broker:
        wish = intent()
        broker.submit([placing(wish)])
        broker.submit([placing(intent(2, **WAITS))])
        broker.submit([AmendOrder(START_NS, "a-1", D(1), D(1), Approved(wish))])
        broker.submit([CancelOrder(START_NS, "a-1", BTC)])
        broker.submit([QueryOrder(START_NS, "a-1", BTC)])
        broker.submit([QueryAccount(START_NS, 0)])
        broker.beat(START_NS)
        assert [] == await desk.quote(10_200, 10_201)
        assert desk.account.is_open
        assert None is desk.account.tell
        assert [] == desk.account.asked
    assert not desk.account.is_open


FILL = VenueFill(1, BTC, "a-1", "t1", Side.BUY, D(1), D(1), D(0), Liquidity.TAKER)


@pytest.mark.parametrize(
    ("event", "heard"),
    [
        (VenueAccepted(1, BTC, "a-1", "v1"), ["canceled a-1"]),
        (VenueTriggered(1, BTC, "a-1"), ["accepted a-1", "canceled a-1"]),
        (VenueCanceled(1, BTC, "a-1"), []),
        (VenueExpired(1, BTC, "a-1", "ioc"), []),
        (VenueRejected(1, BTC, "a-1", RejectReason.AUTH), []),
        (FILL, []),
        (VenueStatus(1, "scripted", is_up=True), ["accepted a-1", "canceled a-1"]),
        (VenueCanceled(1, BTC, "a-9"), ["accepted a-1", "canceled a-1"]),
    ],
)
async def test_what_an_interrupted_run_was_told_is_not_told_again(
    event: VenueEvent, heard: list[str]
) -> None:
    desk = Desk()
    desk.broker.submit([placing(intent())])
    desk.broker.recall(event)
    async with desk:
        assert heard == await desk.hear(report(standing=Standing.CANCELED))


@pytest.mark.parametrize(("was_up", "told"), [(True, 0), (False, 1), (None, 1)])
async def test_a_stream_that_was_down_when_the_process_died_is_told_to_be_up_again(
    was_up: bool | None, told: int
) -> None:
    """Else the resumed session doubts its venue for ever; behind a checkpoint nobody knows."""
    desk = Desk()
    if was_up is None:
        desk.broker.restore(Desk().broker.snapshot())
    else:
        desk.broker.recall(VenueStatus(1, "scripted", is_up=was_up))
    async with desk:
        for _ in range(2):
            await desk.hear(LineUp())
        states = [event.is_up for event in desk.told if isinstance(event, VenueStatus)]
        assert [True] * told == states


async def test_a_recalled_amendment_is_the_order() -> None:
    desk = Desk()
    desk.broker.submit([placing(intent(1, **WAITS))])
    desk.broker.recall(VenueAmended(1, BTC, "a-1", D("1010.0"), D(4)))
    async with desk:
        assert ["orderstatus a-1 1010.0 4 working"] == await desk.ask()
        await desk.quote(10_100, 10_101)
    assert D(4) == desk.account.asked[-1][1].qty


async def test_a_recalled_release_waits_no_more() -> None:
    desk = Desk()
    desk.broker.submit([placing(intent(1, **WAITS))])
    desk.broker.recall(VenueTriggered(1, BTC, "a-1"))
    async with desk:
        assert [] == await desk.quote(10_200, 10_201)
        await desk.cancel()
    assert OrderType.MARKET is desk.account.asked[-1][1].order.type


@pytest.mark.parametrize(
    ("answer", "asked", "told"),
    [
        (report(standing=Standing.NOT_FOUND), ["order", "place"], []),
        (report(standing=Standing.FILLED), ["order"], ["unknown a-1"]),
        (Unanswered("down"), ["order"], ["unknown a-1"]),
    ],
)
async def test_what_a_dead_process_may_have_sent_is_asked_about_before_it_is_sent(
    answer: object, asked: list[str], told: list[str]
) -> None:
    """It died between the release and its journal line: the venue alone knows."""
    desk = Desk()
    desk.broker.submit([placing(intent(1, **WAITS))])
    desk.broker.recall(VenueAccepted(1, BTC, "a-1", ""))
    async with desk:
        desk.script("order", answer)
        assert ["triggered a-1", *told] == await desk.quote(10_100, 10_101)
        assert asked == desk.account.names()


async def test_what_a_dead_process_released_is_not_released_again() -> None:
    desk = Desk()
    desk.broker.submit([placing(intent(1, **WAITS))])
    desk.broker.recall(VenueAccepted(1, BTC, "a-1", ""))
    async with desk:
        desk.script("picture", Picture(START_NS, (), (), (done(),), D(1)))
        await desk.look()
        assert [] == await desk.quote(10_100, 10_101)
        assert ["picture"] == desk.account.names()


# --- snapshots -------------------------------------------------------------------------------


async def test_a_snapshot_is_the_whole_state() -> None:
    """What works and what waits is known again; what ended is not."""
    async with Desk() as desk:
        await desk.place()
        await desk.place(2, **STOP, trigger_price=D("1010.0"))
        await desk.place(3, type=OrderType.TRAILING, trail_bps=D(100), **SELL)
        await desk.place(4)
        await desk.quote(10_000, 10_001)
        await desk.hear(done(qty="0.25"), report("a-4", standing=Standing.CANCELED))
        kept = desk.broker.snapshot()
    again = Desk()
    again.broker.restore(kept)
    assert kept == again.broker.snapshot()
    async with again:
        assert ["fill a-1 1000.0 0.25"] == await again.hear(done(qty="0.25"))
        assert ["fill a-1 1000.0 0.75"] == await again.hear(done(qty="0.75", trade_id="t2"))
        assert [] == await again.hear(report(standing=Standing.FILLED), report())
        assert ["triggered a-3"] == await again.quote(9_900, 9_901)
        assert ["triggered a-2"] == await again.quote(10_099, 10_100)
        assert b"a-4" not in kept
        assert b"a-1" not in again.broker.snapshot()


async def test_an_account_learns_what_funding_earlier_processes_were_told() -> None:
    """From a checkpoint and from the lines behind it, each once, before it is listened to."""
    one, two = FundingReport(BTC, D("-0.5"), START_NS), FundingReport(BTC, D("0.2"), START_NS + 1)
    async with Desk() as desk:
        await desk.hear(one)
        kept = desk.broker.snapshot()
        await desk.hear(two)
        lines = list(desk.told)
    again = Desk()
    again.broker.restore(kept)
    for line in lines:
        again.broker.recall(line)
    async with again:
        assert (START_NS, (one, two)) == again.account.begun


async def test_a_rerun_follows_the_best_price_without_releasing() -> None:
    desk = Desk()
    desk.broker.submit([placing(intent(1, type=OrderType.TRAILING, trail_bps=D(100), **SELL))])
    await desk.quote(10_000, 10_001)
    await desk.quote(9_000, 9_001)
    assert [] == desk.told
    async with desk:
        assert "triggered a-1" in await desk.quote(9_900, 9_901)


# --- beats, bugs, the end --------------------------------------------------------------------


async def test_the_dead_man_switch_is_asked_for_before_the_first_order_and_then_in_thirds() -> None:
    desk = Desk(dead_man_s=30)
    coming = desk.later("renew")
    async with desk:
        await desk.place()
        assert [("renew", 30)] == desk.account.asked, "the order waits"
        coming.set_result(True)
        assert ["accepted a-1"] == await desk.words()
        for quarter in range(4 * 60):
            desk.broker.beat(START_NS + quarter * S // 4)
            await settle()
        assert 1 + 60 // 10 == desk.account.names().count("renew")


def statuses(desk: Desk) -> list[tuple[str, bool, str]]:
    return [(e.venue, e.is_up, e.reason) for e in desk.told if isinstance(e, VenueStatus)]


async def test_a_dead_man_switch_that_is_lost_takes_the_trading_side_down() -> None:
    """It may have fired: nothing is sent until it is set again and both sides were compared."""
    desk = Desk(dead_man_s=30)
    answers = [True, True, False, True, False, False, False, True, True]
    desk.script("renew", *answers)
    async with desk:
        for third in range(1, len(answers)):
            desk.broker.beat(START_NS + third * 10 * S)
            await settle()
        desk.broker.advance(desk.now_ns)
        name = "scripted dead-man switch"
        assert [(name, False, "not renewed 2 times"), (name, True, "")] == statuses(desk)


async def test_a_venue_without_a_switch_is_traded_on_without() -> None:
    desk = Desk(dead_man_s=30)
    desk.script("renew", *[False] * 6)
    async with desk:
        for third in range(6):
            desk.broker.beat(START_NS + third * 10 * S)
            await settle()
        assert ["accepted a-1"] == await desk.place()
        assert [] == statuses(desk)


@pytest.mark.parametrize("standing", [Standing.WORKING, Standing.CANCELED])
async def test_the_switch_is_taken_back_once_nothing_works(standing: Standing) -> None:
    """Else it would take out a person's orders later; while ours works it must be able to fire."""
    desk = Desk(dead_man_s=30)
    async with desk:
        desk.broker.beat(START_NS)
        await desk.place()
        await desk.hear(report(standing=standing))
    is_taken_back = desk.account.asked[-1] == ("renew", 0.0)
    assert is_taken_back == (standing is Standing.CANCELED)


async def test_no_dead_man_switch_is_asked_for_where_none_is_wanted() -> None:
    async with Desk() as desk:
        desk.broker.beat(START_NS)
        await settle()
        assert [] == desk.account.asked


async def test_a_bug_ends_the_session_and_nothing_more_is_sent() -> None:
    async with Desk() as desk:
        desk.broker.beat(START_NS)
        desk.script("place", ZeroDivisionError("a bug"))
        assert [] == await desk.place()
        await desk.place(2)
        assert ["place"] == desk.account.names()
        with pytest.raises(ZeroDivisionError, match="a bug"):
            desk.broker.beat(START_NS)


async def test_a_session_that_takes_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is dropped, and nothing grows for ever."""
    monkeypatch.setattr("brokers.link.mail.WAITING_MAX", 3)
    async with Desk() as desk:
        for number in range(1, 5):
            desk.broker.submit([placing(intent(number))])
        await settle()
        with pytest.raises(RuntimeError, match="3 answers of the venue wait"):
            desk.broker.beat(START_NS)
        assert ["accepted a-1", "accepted a-2", "accepted a-3"] == await desk.words()


async def test_a_stream_that_ends_by_itself_ends_the_session() -> None:
    async with Desk() as desk:
        desk.account.ends_listening.set()
        await settle()
        with pytest.raises(RuntimeError, match="stream has ended"):
            desk.broker.beat(START_NS)


async def test_an_answer_after_the_end_is_awaited_and_then_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The session has left: what is under way may end, what hangs is left behind, nobody waits."""
    monkeypatch.setattr("brokers.link.broker.LEAVE_S", 0.05)
    desk = Desk()
    async with desk:
        soon, never = desk.later("place"), desk.later("place")
        await desk.place()
        await desk.place(2)
        await desk.cancel(2)
        asyncio.get_running_loop().call_later(0.01, soon.set_result, Accepted("v1"))
    assert ["accepted a-1"] == await desk.words()
    assert never.cancelled()
    assert ["place", "place"] == desk.account.names()
    assert not desk.account.is_open
    assert 1 == len(asyncio.all_tasks())


def test_the_script_is_an_account() -> None:
    """A method that the contract has and the script has not would never be asked."""
    from brokers.link.account import VenueAccount  # noqa: PLC0415 - for its names only

    contract = {name for name in vars(VenueAccount) if not name.startswith("_")} - {"facts"}
    assert contract <= set(dir(Account))
