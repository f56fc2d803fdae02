"""An account on the sandbox: what is placed, what the line tells, what a picture shows."""

import asyncio
import time
from decimal import Decimal

import pytest
from aiohttp import web

from brokers.bitunix.account import open_account
from brokers.bitunix.config import BitunixConfig
from brokers.link.account import (
    Accepted,
    FillReport,
    FundingReport,
    LineDown,
    LineUp,
    Picture,
    Refused,
    Unanswered,
    Unclear,
)
from brokers.sandbox.orders import Ticket
from engine.model.account import Liquidity
from engine.model.errors import CredentialsRefused, DataUnavailable, UsageError
from engine.model.orders import OrderType, TimeInForce
from engine.model.venue_events import RejectReason, Standing, VenueHolding
from tests.brokers.bitunix.venue import (
    BUY,
    KEY,
    LOT,
    READ_ONLY,
    SELL,
    TICK,
    WRONG,
    account,
    order,
    ref,
    told,
    venue,
)

POSITIONS = "/position/get_pending_positions"
IOC, FOK = TimeInForce.IOC, TimeInForce.FOK


async def test_an_order_rests_is_dealt_in_parts_and_ends() -> None:
    """Acknowledged, told, asked for; executions with price, fee and side, before the end."""
    async with venue() as at, told(at) as hearing:
        placed = order("la-1", BUY, 5, 1000)
        accepted = await hearing.account.place(placed)
        assert isinstance(accepted, Accepted)
        assert accepted.venue_order_id
        await hearing.until(lambda: hearing.orders("la-1"))
        first = hearing.orders("la-1")[0]
        assert (Standing.WORKING, 5 * LOT, Decimal(0), 1000 * TICK, BUY) == (
            first.standing, first.qty, first.filled_qty, first.price, first.side,
        )  # fmt: skip
        at.trade(SELL, 1000, 12)
        await hearing.until(lambda: hearing.fills("la-1"))
        at.trade(SELL, 1000, 3)
        await hearing.until(lambda: hearing.orders("la-1")[-1].standing is Standing.FILLED)

        one, two = hearing.fills("la-1")
        assert [2 * LOT, 3 * LOT] == [one.qty, two.qty]
        assert (1000 * TICK, BUY, Liquidity.MAKER) == (one.price, one.side, one.liquidity)
        assert 1000 * TICK * 2 * LOT * Decimal("0.0002") == one.fee
        assert accepted.venue_order_id == one.venue_order_id
        assert isinstance(hearing.reports[-1], type(first)), "its end comes last"
        assert abs(time.time_ns() - one.at_ns) < 10**10
        known = await hearing.account.order(ref(placed))
        assert (Standing.FILLED, 5 * LOT) == (known.standing, known.filled_qty)


async def test_a_cancel() -> None:
    """By either name; once more, and it is gone."""
    async with venue() as at, told(at) as hearing:
        first, second = order("la-1", BUY, 5, 990), order("la-2", BUY, 5, 990)
        accepted = await hearing.account.place(first)
        await hearing.account.place(second)
        assert isinstance(await hearing.account.cancel(ref(first)), Accepted)
        await hearing.until(lambda: hearing.orders("la-1")[-1].standing is Standing.CANCELED)
        assert hearing.orders("la-1")[-1].reason is None
        again = await hearing.account.cancel(ref(first, accepted.venue_order_id))
        assert (Refused, RejectReason.ORDER_NOT_FOUND) == (type(again), again.reason)
        never = await hearing.account.cancel(ref(order("la-9", BUY, 5, 990)))
        assert RejectReason.ORDER_NOT_FOUND is never.reason


async def test_a_post_only_order_that_would_cross_ends_without_a_word() -> None:
    """Acknowledged like any other; the reason is ours."""
    async with venue() as at, told(at) as hearing:
        placed = order("la-1", BUY, 5, 1001, is_post_only=True)
        assert isinstance(await hearing.account.place(placed), Accepted)
        await hearing.until(lambda: hearing.orders("la-1"))
        (report,) = hearing.orders("la-1")
        assert (Standing.EXPIRED, RejectReason.POST_ONLY_WOULD_CROSS, Decimal(0)) == (
            report.standing, report.reason, report.filled_qty,
        )  # fmt: skip
        asked = await hearing.account.order(ref(placed))
        assert RejectReason.POST_ONLY_WOULD_CROSS is asked.reason

        resting = order("la-2", BUY, 5, 1000, is_post_only=True)
        await hearing.account.place(resting)
        await hearing.account.cancel(ref(resting))
        await hearing.until(lambda: hearing.orders("la-2")[-1].standing is Standing.CANCELED)
        assert hearing.orders("la-2")[-1].reason is None, "we asked for it"


async def test_what_an_earlier_process_placed_is_explained_too() -> None:
    """From what the venue tells of the order itself."""
    async with venue() as at:
        placed = order("la-1", BUY, 5, 1001, is_post_only=True)
        async with account(at) as before:
            await before.place(placed)
        async with account(at) as after:
            report = await after.order(ref(placed)._replace(order=None))
    assert RejectReason.POST_ONLY_WOULD_CROSS is report.reason


@pytest.mark.parametrize(("tif", "dealt"), [(IOC, 10), (FOK, 0)])
async def test_what_may_not_rest_expires(tif: TimeInForce, dealt: int) -> None:
    """With what it got."""
    async with venue() as at, told(at) as hearing:
        at.depth(((1000, 10),), ((1001, 10),))
        await hearing.account.place(order("la-1", BUY, 15, 1001, tif=tif))
        await hearing.until(
            lambda: (
                hearing.orders("la-1")[-1:]
                and hearing.orders("la-1")[-1].standing is Standing.EXPIRED
            )
        )
        last = hearing.orders("la-1")[-1]
        assert (dealt * LOT, None) == (last.filled_qty, last.reason)
        assert dealt * LOT == sum((fill.qty for fill in hearing.fills("la-1")), Decimal(0))


async def test_a_market_order_and_one_that_only_reduces() -> None:
    """There, and back to nothing; against nothing it is refused."""
    async with venue() as at, told(at) as hearing:
        await hearing.account.place(order("la-1", BUY, 5))
        await hearing.until(lambda: hearing.fills("la-1"))
        assert 1001 * TICK == hearing.fills("la-1")[0].price
        assert Liquidity.TAKER is hearing.fills("la-1")[0].liquidity
        await hearing.account.place(order("la-2", SELL, 5, is_reduce_only=True))
        await hearing.until(lambda: hearing.fills("la-2"))
        refused = await hearing.account.place(order("la-3", SELL, 5, is_reduce_only=True))
        assert RejectReason.REDUCE_ONLY_REJECTED is refused.reason
        assert "30018" in refused.detail


REFUSED = [
    (order("la-1", BUY, 5, 1200), RejectReason.INVALID_ORDER),
    (order("la-1", BUY, 800_000, 1000), RejectReason.INSUFFICIENT_BALANCE),
    (order("la-1", BUY, 5, 1000, kind=OrderType.STOP), RejectReason.INVALID_ORDER),
]


@pytest.mark.parametrize(("placed", "reason"), REFUSED)
async def test_refusals(placed: object, reason: RejectReason) -> None:
    """Are values, and nothing is at the venue after them."""
    async with venue() as at, account(at) as opened:
        at.quote()
        refused = await opened.place(placed)
        assert (Refused, reason) == (type(refused), refused.reason)
        assert Standing.NOT_FOUND is (await opened.order(ref(placed))).standing


async def test_a_name_that_is_taken() -> None:
    """By the same order is a success, by another one is not."""
    async with venue() as at, account(at) as opened:
        placed = order("la-1", BUY, 5, 990)
        first = await opened.place(placed)
        again = await opened.place(placed)
        assert (Accepted, first.venue_order_id) == (type(again), again.venue_order_id)
        assert again.report.standing is Standing.WORKING
        other = await opened.place(order("la-1", BUY, 6, 990))
        assert RejectReason.DUPLICATE_CLIENT_ID is other.reason
        assert 1 == len(at.exchange.open_orders())


async def test_a_picture_is_what_was_done() -> None:
    """Positions, working orders, executions since, money; also to a process that did none of it."""
    async with venue() as at:
        async with account(at) as before:
            await before.place(order("la-1", BUY, 5))
            await before.place(order("la-2", SELL, 4, 1010))
            await before.place(order("eth", SELL, 6, symbol="ETHUSDT"))
        async with account(at) as after:
            shown = await after.picture(time.time_ns() - 10**10)
            late = await after.picture(time.time_ns() + 10**9)
    assert isinstance(shown, Picture)
    assert (VenueHolding("BTCUSDT", 5 * LOT), VenueHolding("ETHUSDT", -6 * LOT)) == shown.positions
    (working,) = shown.orders
    assert ("la-2", SELL, 1010 * TICK) == (working.client_id, working.side, working.price)
    assert [("la-1", 5 * LOT), ("eth", 6 * LOT)] == [(f.client_id, f.qty) for f in shown.fills]
    fees = sum(fill.fee for fill in shown.fills)
    assert Decimal(10_000) - fees == shown.balance
    assert abs(shown.taken_ns - time.time_ns()) < 10 * 10**9
    assert () == late.fills
    assert shown.positions == late.positions


async def test_more_than_a_page() -> None:
    """Every page, every row once."""
    async with venue() as at, account(at) as opened:
        for number in range(130):
            at.exchange.place(_ticket(f"la-{number}"))
        working = await opened._survey.working()
        shown = await opened.picture(0)
    assert {f"la-{number}" for number in range(130)} == {one.client_id for one in working}
    assert 130 == len(shown.orders)


def _ticket(client_id: str) -> object:
    return Ticket("BTCUSDT", BUY, OrderType.LIMIT, LOT * 5, 990 * TICK, client_id)


async def test_facts() -> None:
    """Before anything is sent."""
    async with venue() as at, account(at) as opened:
        await opened.place(order("la-1", BUY, 5))
        facts = await opened.facts()
    assert ("-key", 0, True, None, True) == (
        facts.tail, facts.open_orders, facts.can_trade, facts.can_withdraw, facts.is_one_way,
    )  # fmt: skip
    assert (Decimal(5), 0) == (facts.leverage, facts.clock_offset_ns)
    assert (VenueHolding("BTCUSDT", 5 * LOT),) == facts.positions


async def test_keys_that_are_not_taken() -> None:
    """In one line, with the key's tail and no more; one that only reads can't place."""
    async with venue() as at:
        async with account(at, WRONG) as opened:
            with pytest.raises(CredentialsRefused, match="10007") as refused:
                await opened.facts()
            assert "not-the-secret" not in str(refused.value)
            assert "sandbox-key" not in str(refused.value)
        async with account(at, READ_ONLY) as opened:
            await opened.facts()
            told_no = await opened.place(order("la-1", BUY, 5, 990))
    assert RejectReason.AUTH is told_no.reason


async def test_a_venue_that_is_not_there() -> None:
    """Was not reached: refused, unanswered, unavailable, each where it belongs."""
    async with venue() as at:
        config = at.config()
    async with account(at) as opened:
        assert config
        refused = await opened.place(order("la-1", BUY, 5, 990))
        assert RejectReason.VENUE_UNAVAILABLE is refused.reason
        assert isinstance(await opened.picture(0), Unanswered)
        with pytest.raises(DataUnavailable):
            await opened.facts()


async def test_an_answer_that_never_came() -> None:
    """Is unclear; a question finds the order."""

    @web.middleware
    async def mute(request: web.Request, handler: object) -> web.Response:
        answer = await handler(request)
        if request.path.endswith("place_order"):
            request.transport.abort()
        return answer

    async with venue(frozenset({"s"}), mute) as at, account(at) as opened:
        placed = order("la-1", BUY, 5, 990)
        assert isinstance(await opened.place(placed), Unclear)
        assert Standing.WORKING is (await opened.order(ref(placed))).standing


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=502, text="<html>"),
        web.Response(status=200, text="<html>"),
        web.Response(status=200, text='{"code":10001,"msg":"network"}'),
        web.Response(status=200, text='{"code":99999,"msg":"?"}'),
    ],
    ids=["502", "page", "10001", "unknown"],
)
async def test_answers_that_say_nothing(answer: web.Response) -> None:
    """Are unclear to a placement and no picture to a question."""

    @web.middleware
    async def strange(request: web.Request, _: object) -> web.Response:
        return web.Response(status=answer.status, text=answer.text)

    async with venue(frozenset({"s"}), strange) as at, account(at) as opened:
        assert isinstance(await opened.place(order("la-1", BUY, 5, 990)), Unclear)
        assert isinstance(await opened.cancel(ref(order("la-1", BUY, 5, 990))), Unclear)
        assert isinstance(await opened.picture(0), Unanswered)
        assert isinstance(await opened.order(ref(order("la-1", BUY, 5, 990))), Unanswered)


async def test_the_date_of_an_answer_sets_the_clock() -> None:
    """A refused stamp is sent once more with the venue's time."""
    ahead_s = 7_200
    async with venue() as at, account(at) as opened:
        at.sandbox.faults.skew_ms = ahead_s * 1_000
        assert isinstance(await opened.place(order("la-1", BUY, 5, 990)), Accepted)
        assert 2 == len(at.requests)
        facts = await opened.facts()
    assert abs(facts.clock_offset_ns - ahead_s * 10**9) < 2 * 10**9


async def test_too_many_requests() -> None:
    """A placement is refused at once by ourselves, a cancel still has room."""
    async with venue() as at, account(at) as opened:
        placed = [order(f"la-{number}", BUY, 5, 990) for number in range(12)]
        answers = [await opened.place(one) for one in placed]
        refused = [one for one in answers if isinstance(one, Refused)]
        assert refused
        assert {RejectReason.RATE_LIMIT} == {one.reason for one in refused}
        sent = [r for r in at.requests if r.path.endswith("place_order")]
        assert len(answers) - len(refused) == len(sent)
        assert isinstance(await opened.cancel(ref(placed[0])), Accepted)


async def test_the_venues_own_limit_is_obeyed() -> None:
    """10006 in a 200: a second without placements, then two."""
    said: list[float] = []

    @web.middleware
    async def busy(request: web.Request, handler: object) -> web.Response:
        if request.path.endswith("place_order"):
            said.append(time.monotonic())
            return web.json_response({"code": 10006, "data": None, "msg": "busy"})
        return await handler(request)

    async with venue(frozenset({"s"}), busy) as at, account(at) as opened:
        first = await opened.place(order("la-1", BUY, 5, 990))
        second = await opened.place(order("la-2", BUY, 5, 990))
    assert [RejectReason.RATE_LIMIT] * 2 == [first.reason, second.reason]
    assert 1 == len(said)


@pytest.mark.parametrize("unit", ["s", "ms"])
async def test_a_login_in_either_unit(unit: str) -> None:
    """Seconds first, the other after a refusal."""
    async with venue(frozenset({unit})) as at, told(at) as hearing:
        await hearing.until(lambda: hearing.of(LineUp))
        await hearing.account.place(order("la-1", BUY, 5))
        await hearing.until(lambda: hearing.fills("la-1"))


async def test_a_login_that_is_refused_says_so() -> None:
    """The account's line is down, with the venue's words."""
    async with venue() as at, account(at, WRONG) as opened:
        reports: list = []
        listening = asyncio.create_task(opened.listen(reports.append))
        async with asyncio.timeout(20):
            while not reports:
                await asyncio.sleep(0.01)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    assert "login refused: " in reports[0].cause


async def test_a_line_that_breaks_in_the_middle_of_an_order() -> None:
    """Down, up; what happened meanwhile is in the picture, and later fills are told."""
    async with venue() as at, told(at) as hearing:
        await hearing.account.place(order("la-1", BUY, 5, 1000))
        await hearing.until(lambda: hearing.orders("la-1"))
        at.kill_lines()
        at.trade(SELL, 1000, 12)
        await hearing.until(lambda: hearing.of(LineDown))
        await hearing.until(lambda: 2 == len(hearing.of(LineUp)))
        shown = await hearing.account.picture(0)
        assert 2 * LOT == sum(fill.qty for fill in shown.fills)
        at.trade(SELL, 1000, 3)
        await hearing.until(lambda: hearing.orders("la-1")[-1].standing is Standing.FILLED)
        assert 5 * LOT == sum(fill.qty for fill in hearing.fills("la-1"))
        assert len(hearing.of(FillReport)) == len({f.trade_id for f in hearing.of(FillReport)})


async def test_funding_is_told() -> None:
    """By what the position's total changed; a long pays a positive rate."""
    async with venue() as at, told(at) as hearing:
        at.funding("100", "0.0001", time.time_ns() + 300_000_000)
        await hearing.account.place(order("la-1", BUY, 5))
        await hearing.until(lambda: hearing.fills("la-1"))
        await asyncio.sleep(0.35)
        at.funding("100", "0.0001", time.time_ns() + 3_600 * 10**9)
        await hearing.until(lambda: hearing.of(FundingReport))
        (paid,) = hearing.of(FundingReport)
    assert ("BTCUSDT", Decimal("-0.00005")) == (paid.symbol, paid.amount)


async def test_funding_that_was_settled_while_nobody_listened_is_told_once() -> None:
    """The line comes up again, in the same process and in one that resumes."""
    since_ns = time.time_ns() - 10**9
    async with venue() as at:
        at.funding("100", "0.0001", time.time_ns() + 300_000_000)
        async with told(at) as hearing:
            await hearing.account.place(order("la-1", BUY, 5))
            await hearing.until(lambda: hearing.fills("la-1"))
        await asyncio.sleep(0.35)
        at.funding("100", "0.0001", time.time_ns() + 300_000_000)
        async with told(at, since_ns=since_ns) as hearing:
            await hearing.until(lambda: hearing.of(FundingReport))
            (first,) = hearing.of(FundingReport)
        await asyncio.sleep(0.35)
        at.funding("100", "0.0002", time.time_ns() + 3_600 * 10**9)
        async with told(at, since_ns=since_ns, funded=[first]) as hearing:
            await hearing.until(lambda: hearing.of(FundingReport))
            (second,) = hearing.of(FundingReport)
            asked = at.asked_for(POSITIONS)
            at.kill_lines()
            await hearing.until(lambda: 2 == len(hearing.of(LineUp)))
            await hearing.until(lambda: asked < at.asked_for(POSITIONS))
            assert [second] == hearing.of(FundingReport)
    assert (Decimal("-0.00005"), Decimal("-0.00005")) == (first.amount, second.amount)


async def test_nothing_is_changed_in_place() -> None:
    """The capability says so, and asking all the same changes nothing."""
    async with venue() as at, account(at) as opened:
        assert not opened.capabilities.can_amend_price
        placed = order("la-1", BUY, 5, 990)
        await opened.place(placed)
        refused = await opened.amend(ref(placed), 991 * TICK, 6 * LOT)
        assert RejectReason.INVALID_ORDER is refused.reason
        report = await opened.order(ref(placed))
    assert (990 * TICK, 5 * LOT) == (report.price, report.qty)


async def test_no_dead_man() -> None:
    """And it says so."""
    async with venue() as at, account(at) as opened:
        assert not await opened.renew(30.0)


def test_keys_go_nowhere_in_the_open() -> None:
    """Only over TLS, or to this machine."""
    for name in ("rest_url", "private_url"):
        config = BitunixConfig(**{name: "http://venue.example"})
        with pytest.raises(UsageError, match=f"bitunix.{name} must begin https"):
            open_account(KEY, config, [])
