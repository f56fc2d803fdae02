"""An account against a server that answers as it is told: every way a request can end."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from brokers.binance.account import BinanceAccount, open_account
from brokers.link.account import Accepted, NewOrder, OrderRef, Refused, Unanswered, Unclear
from brokers.link.secret import Credentials, Secret
from engine.model.instrument import Instrument
from engine.model.orders import OrderType, Side, TimeInForce
from engine.model.venue_events import RejectReason, Standing
from tests.brokers.binance.payloads import answer
from tests.brokers.binance.scripted import Answer, Script, refused, scripted, told, until

KEYS = Credentials("canary-key-0001", Secret("canary-secret-0001"))
BTC = Instrument(
    symbol="BTCUSDT", base="BTC", quote="USDT", settlement="USDT",
    tick_size=Decimal("0.1"), lot_size=Decimal("0.001"), min_qty=Decimal("0.001"),
)  # fmt: skip
ORDER = NewOrder(
    "run1-quoter-7", BTC, Side.BUY, OrderType.LIMIT, Decimal("0.010"), Decimal("60000.0"), None,
    TimeInForce.GTC, True, False,
)  # fmt: skip
REF = OrderRef("run1-quoter-7", "283194212", ORDER, "BTCUSDT")
PLACE, AMEND, CANCEL, ASK = (f"{verb} /fapi/v1/order" for verb in ("POST", "PUT", "DELETE", "GET"))
GOOD = (200, answer())


def status(word: str, **changes: object) -> Answer:
    return 200, answer(status=word, **changes)


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    async with scripted() as running:
        yield running


@pytest.fixture
async def account(script: Script) -> AsyncIterator[BinanceAccount]:
    async with open_account(KEYS, script.config, (BTC,)) as opened:
        yield opened


async def placed(account: BinanceAccount) -> object:
    return await account.place(ORDER)


async def amended(account: BinanceAccount) -> object:
    return await account.amend(REF, Decimal("59999.0"), Decimal("0.020"))


async def canceled(account: BinanceAccount) -> object:
    return await account.cancel(REF)


# --- what surely happened, surely did not, and nobody knows ----------------------------------------


@pytest.mark.parametrize(
    ("request_name", "act"), [(PLACE, placed), (AMEND, amended), (CANCEL, canceled)]
)
@pytest.mark.parametrize(
    "end",
    [
        None, (200, b"<html>"), (200, answer()[:-30]), (200, b""), (200, answer(status="ODD")),
        (500, b""), (502, b"<html>"), (504, b""), refused(-1007, 408), refused(-1000),
        refused(-1006), (302, b"", {"Location": "/elsewhere"}), (400, b"<html>"),
    ],
)  # fmt: skip
async def test_an_unknown_outcome_is_unclear_and_sent_once(
    script: Script, account: BinanceAccount, request_name: str, act: object, end: Answer | None
) -> None:
    """Rows 23-25, 29, 31: however it fails, it may have happened."""
    script.then(request_name, end)

    assert isinstance(await act(account), Unclear)
    assert [request_name] == script.names()


@pytest.mark.parametrize(
    ("request_name", "act"), [(PLACE, placed), (AMEND, amended), (CANCEL, canceled)]
)
async def test_a_venue_that_is_not_there_took_nothing(
    script: Script, request_name: str, act: object
) -> None:
    """No byte left."""
    script.port = 9
    async with open_account(KEYS, script.config, (BTC,)) as account:
        outcome = await act(account)

    assert RejectReason.VENUE_UNAVAILABLE is outcome.reason


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (refused(-2019), RejectReason.INSUFFICIENT_BALANCE),
        (refused(-5022), RejectReason.POST_ONLY_WOULD_CROSS),
        (status("EXPIRED", timeInForce="GTX"), RejectReason.POST_ONLY_WOULD_CROSS),
        (status("REJECTED"), RejectReason.INVALID_ORDER),
        (refused(-2022), RejectReason.REDUCE_ONLY_REJECTED),
        (refused(-5021), RejectReason.NO_LIQUIDITY),
        (refused(-2015, 401), RejectReason.AUTH),
        (refused(-1016, 503), RejectReason.VENUE_UNAVAILABLE),
    ],
)
async def test_a_refused_placement(
    script: Script, account: BinanceAccount, end: Answer, reason: RejectReason
) -> None:
    """Sent once, and nothing is asked after it."""
    script.then(PLACE, end)

    assert reason is (await account.place(ORDER)).reason
    assert [PLACE] == script.names()


async def test_a_placement_that_ended_at_once_is_told_with_its_end(
    script: Script, account: BinanceAccount
) -> None:
    """An IOC that found nothing was accepted, and expired."""
    script.then(PLACE, status("EXPIRED", timeInForce="IOC"), status("FILLED", executedQty="0.010"))

    first, second = [await account.place(ORDER) for _ in range(2)]
    assert (Standing.EXPIRED, Standing.FILLED) == (first.report.standing, second.report.standing)
    assert Decimal("0.010") == second.report.filled_qty


@pytest.mark.parametrize(
    "changes",
    [
        {"type": OrderType.STOP, "price": None, "trigger_price": Decimal(1)},
        {"type": OrderType.TAKE_PROFIT}, {"type": OrderType.TRAILING}, {"tif": TimeInForce.IOC},
        {"tif": TimeInForce.FOK}, {"type": OrderType.MARKET, "price": None},
    ],
)  # fmt: skip
async def test_what_cannot_be_said_here_is_refused(
    script: Script, account: BinanceAccount, changes: dict
) -> None:
    """Triggers live elsewhere at this venue, and what is post-only has to rest; nothing leaves."""
    assert not account.capabilities.has_triggers
    assert ORDER.is_post_only
    outcome = await account.place(ORDER._replace(**changes))
    assert RejectReason.INVALID_ORDER is outcome.reason
    assert [] == script.names()


# --- what a refusal really means -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (GOOD, Accepted),
        (status("FILLED", executedQty="0.010"), Accepted),
        ((200, answer(origQty="0.5")), Refused),
        ((200, answer(price="1.0")), Refused),
        ((200, answer(side="SELL")), Refused),
        (refused(-2013), Unclear),
        ((500, b""), Unclear),
        (None, Unclear),
    ],
)
async def test_an_id_that_is_taken_is_asked_about(
    script: Script, account: BinanceAccount, found: Answer | None, kind: type
) -> None:
    """Row 27: most likely by the order itself."""
    script.then(PLACE, refused(-4116))
    script.then(ASK, found)

    outcome = await account.place(ORDER)

    assert kind is type(outcome)
    assert [PLACE, ASK] == script.names()
    assert "run1-quoter-7" == script.seen[1].params["origClientOrderId"]


@pytest.mark.parametrize("act", [amended, canceled])
@pytest.mark.parametrize("code", [-2011, -2013])
@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (status("CANCELED"), Accepted),
        (status("EXPIRED"), Accepted),
        (status("FILLED", executedQty="0.010"), Refused),
        (refused(-2013), Refused),
        (GOOD, Unclear),
        ((503, b""), Unclear),
    ],
)
async def test_an_order_that_is_gone_is_asked_about(
    script: Script, account: BinanceAccount, act: object, code: int, found: Answer, expected: type
) -> None:
    """Row 37: filled, canceled, never there; no assumption."""
    script.then(AMEND, refused(code))
    script.then(CANCEL, refused(code))
    script.then(ASK, found)

    outcome = await act(account)

    assert expected is type(outcome)
    if expected is Refused:
        assert RejectReason.ORDER_NOT_FOUND is outcome.reason
    if expected is Accepted:
        assert outcome.report.standing in (Standing.CANCELED, Standing.EXPIRED)


async def test_an_amend_says_both_numbers_and_what_came_of_it(
    script: Script, account: BinanceAccount
) -> None:
    """The side is asked for where an earlier process placed the order."""
    script.then(AMEND, *[(200, answer(price="59999.0", origQty="0.020"))] * 2)
    script.then(ASK, (200, answer(side="SELL")))

    outcome = await amended(account)
    assert (Decimal("59999.0"), Decimal("0.020"), True) == (
        outcome.report.price, outcome.report.qty, outcome.report.is_amendment,
    )  # fmt: skip
    await account.amend(REF._replace(order=None), Decimal(1), Decimal(2))

    assert [AMEND, ASK, AMEND] == script.names()
    assert ["BUY", "SELL"] == [script.seen[place].params["side"] for place in (0, 2)]


@pytest.mark.parametrize(
    ("end", "found", "expected"),
    [
        # the venue cancels an order whose amend would cross, or asks for less than has filled
        (status("CANCELED"), None, Standing.CANCELED),
        (refused(-5022), status("CANCELED"), Standing.CANCELED),
        (refused(-5022), status("EXPIRED", timeInForce="GTX"), Standing.EXPIRED),
        (refused(-5022), GOOD, RejectReason.POST_ONLY_WOULD_CROSS),
        # nothing to change is what was wished, or it is not
        (refused(-5027), (200, answer(price="59999.0", origQty="0.020")), Standing.WORKING),
        (refused(-5027), GOOD, RejectReason.INVALID_ORDER),
        (refused(-5027), status("FILLED"), RejectReason.ORDER_NOT_FOUND),
        (refused(-5026), None, RejectReason.INVALID_ORDER),
        (refused(-4014), None, RejectReason.INVALID_ORDER),
    ],
)
async def test_an_amend_can_kill(
    script: Script,
    account: BinanceAccount,
    end: Answer,
    found: Answer | None,
    expected: Standing | RejectReason,
) -> None:
    """Or do nothing; which of the two is looked up."""
    script.then(AMEND, end)
    if found is not None:
        script.then(ASK, found)

    outcome = await amended(account)

    assert expected == (
        outcome.report.standing if isinstance(outcome, Accepted) else outcome.reason
    )
    if expected is Standing.WORKING:
        assert outcome.report.is_amendment
    if end == refused(-5022) and isinstance(outcome, Accepted):
        assert RejectReason.POST_ONLY_WOULD_CROSS is outcome.report.reason
    assert (1 if found is None else 2) == len(script.seen)


# --- once more, and not again ----------------------------------------------------------------------


async def test_a_late_stamp_looks_at_the_clock_and_tries_once_more(
    script: Script, account: BinanceAccount
) -> None:
    """Row 43: with the venue's time; a second refusal is one."""
    script.clock_ms = lambda: 2_000_000_000_000
    script.then(PLACE, refused(-1021), GOOD, refused(-1021), refused(-1021))

    assert isinstance(await account.place(ORDER), Accepted)
    assert ["GET /fapi/v1/time"] * 3 == script.names()[1:-1]
    assert 2_000_000_000_000 <= int(script.seen[-1].params["timestamp"]) < 2_000_000_060_000
    assert RejectReason.CLOCK_SKEW is (await account.place(ORDER)).reason
    assert 4 == script.names().count(PLACE)


@pytest.mark.parametrize("busy", [refused(-1008, 503), (503, b"Service Unavailable")])
async def test_an_overload_is_tried_once_more_where_twice_is_no_worse(
    script: Script, account: BinanceAccount, busy: Answer
) -> None:
    """A cancel is; a placement only where the settings trust the venue's word."""
    script.then(CANCEL, busy, status("CANCELED"), busy, busy)
    script.then(PLACE, busy)

    assert isinstance(await account.cancel(REF), Accepted)
    assert RejectReason.VENUE_UNAVAILABLE is (await account.cancel(REF)).reason
    assert isinstance(await account.place(ORDER), Unclear)
    assert [CANCEL] * 4 + [PLACE] == script.names()


async def test_a_placement_is_repeated_after_an_overload_where_settings_say_so(
    script: Script,
) -> None:
    """Once, under the same client id."""
    script.then(PLACE, refused(-1008, 503), GOOD, refused(-1008, 503), refused(-1008, 503))
    config = replace(script.config, retries_overload=True)
    async with open_account(KEYS, config, (BTC,)) as account:
        assert isinstance(await account.place(ORDER), Accepted)
        assert RejectReason.VENUE_UNAVAILABLE is (await account.place(ORDER)).reason

    assert 4 == len(script.seen)
    assert {"run1-quoter-7"} == {seen.params["newClientOrderId"] for seen in script.seen}


# --- limits ----------------------------------------------------------------------------------------


async def test_after_429_only_cancels_go_on(script: Script, account: BinanceAccount) -> None:
    """Row 30: nothing else leaves until the venue's time is up."""
    script.then(PLACE, refused(-1003, 429, retry_after="30"))
    script.then(CANCEL, status("CANCELED"))

    for _ in range(3):
        assert RejectReason.RATE_LIMIT is (await account.place(ORDER)).reason
    assert isinstance(await account.picture(0), Unanswered)
    assert isinstance(await account.cancel(REF), Accepted)
    assert [PLACE, CANCEL] == script.names()


async def test_the_venues_word_counts_on_how_long_to_wait(
    script: Script, account: BinanceAccount
) -> None:
    """Row 30: no longer than it says, and a minute where it says nothing."""
    script.then(PLACE, refused(-1003, 429, retry_after="1"), GOOD)
    began_s = time.monotonic()
    while isinstance(await account.place(ORDER), Refused):
        await asyncio.sleep(0.05)
        assert time.monotonic() - began_s < 20.0
    assert time.monotonic() - began_s >= 1.0
    assert [PLACE] * 2 == script.names()


async def test_during_a_ban_nothing_leaves(script: Script, account: BinanceAccount) -> None:
    """Row 30: each request would lengthen it."""
    script.then(PLACE, refused(-1003, 418))

    for act in (placed, placed, amended, canceled):
        assert RejectReason.RATE_LIMIT is (await act(account)).reason
    assert isinstance(await account.order(REF), Unanswered)
    assert [PLACE] == script.names()


async def test_an_order_without_room_is_refused_at_once(
    script: Script, account: BinanceAccount
) -> None:
    """Never queued: what waits is stale. The venue's own count is believed."""
    script.then(PLACE, (*GOOD, {"X-MBX-ORDER-COUNT-10S": "240", "X-MBX-USED-WEIGHT-1M": "x"}))
    script.then(CANCEL, status("CANCELED"))
    await account.place(ORDER)

    began_s = time.monotonic()
    assert RejectReason.RATE_LIMIT is (await account.place(ORDER)).reason
    assert time.monotonic() - began_s < 1.0
    assert isinstance(await account.cancel(REF), Accepted)
    assert [PLACE, CANCEL] == script.names()


async def test_a_cancel_waits_behind_nothing(script: Script) -> None:
    """B5: however many orders and questions hang, and hold their connections."""
    script.then(PLACE, *[None] * 20)
    script.then(ASK, *[None] * 20)
    script.then(CANCEL, status("CANCELED"))
    async with open_account(KEYS, replace(script.config, answer_s=10.0), (BTC,)) as account:
        hanging = [asyncio.create_task(account.place(ORDER)) for _ in range(20)]
        hanging += [asyncio.create_task(account.order(REF)) for _ in range(20)]
        await until(lambda: {PLACE, ASK} <= set(script.names()))

        assert isinstance(await account.cancel(REF), Accepted)
        assert not any(task.done() for task in hanging)
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)


# --- asking ----------------------------------------------------------------------------------------


async def test_how_an_order_stands(script: Script, account: BinanceAccount) -> None:
    """None of that name; and what can't be told."""
    script.then(ASK, GOOD, refused(-2013), (500, b""), status("ODD"), (200, b"[]"), GOOD)

    assert Standing.WORKING is (await account.order(REF)).standing
    gone = await account.order(REF)
    assert (Standing.NOT_FOUND, "run1-quoter-7") == (gone.standing, gone.client_id)
    for _ in range(3):
        assert isinstance(await account.order(REF), Unanswered)
    await account.order(OrderRef("", "5", None, "BTCUSDT"))
    assert "5" == script.seen[-1].params["orderId"]


async def test_the_dead_man_is_set_for_each_instrument_or_not_at_all(
    script: Script, account: BinanceAccount
) -> None:
    """What was set only in part does not count."""
    path = "POST /fapi/v1/countdownCancelAll"
    script.then(path, told({"symbol": "BTCUSDT", "countdownTime": "120000"}), (500, b""))

    assert await account.renew(120.0)
    assert not await account.renew(120.0)
    assert "120000" == script.seen[0].params["countdownTime"]


async def test_no_outcome_names_a_key(script: Script, account: BinanceAccount) -> None:
    """However it ends."""
    script.then(PLACE, refused(-2014, 401), (500, b""), None, (200, b"x"))
    outcomes = [await account.place(ORDER) for _ in range(4)]

    assert not any("canary" in f"{one} {account!r} {vars(account)}" for one in outcomes)


async def test_nothing_is_sent_by_opening(script: Script, account: BinanceAccount) -> None:
    """A session that is not armed shows itself nowhere."""
    await asyncio.sleep(0)
    await until(lambda: True)
    assert [] == script.names()
