"""The sentinel's desk against a server that answers as it is told: what it touches and what not."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

import pytest

from brokers.binance.emergency import LOOKUPS_MAX, BinanceDesk
from brokers.binance.requests import CAPABILITIES
from brokers.link.emergency_line import EmergencyLine
from brokers.link.secret import Credentials, Secret
from engine.model.account import Liquidity, OtherFee
from engine.model.orders import Side
from engine.model.venue_events import VenueCanceled, VenueFill
from engine.venue import Holding, WorkingOrder
from tests.brokers.binance.payloads import ORDER, answer, trade
from tests.brokers.binance.scripted import Answer, Script, refused, scripted, told

KEYS = Credentials("canary-key-0001", Secret("canary-secret-0001"))
OPEN, TRADES, POSITIONS = (
    f"GET /fapi/{path}" for path in ("v1/openOrders", "v1/userTrades", "v3/positionRisk")
)
PLACE, CANCEL, ASK = (f"{verb} /fapi/v1/order" for verb in ("POST", "DELETE", "GET"))
PRICE = "GET /fapi/v1/premiumIndex"
IDS = CAPABILITIES.ids_of("run1")
LONG = "an-agent-with-a-very-long-name-8"
DIGEST = IDS.of(LONG)
AT = 5
RISKY = WorkingOrder("quoter-7", "BTCUSDT", False)
Run = Callable[..., Awaitable[object]]


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    async with scripted() as running:
        yield running


@pytest.fixture
async def desk(script: Script) -> AsyncIterator[BinanceDesk]:
    line = EmergencyLine(script.config.rest_url)
    yield BinanceDesk(KEYS, line, ("BTCUSDT", "ETHUSDT"), "USDT", IDS)
    line.close()


run = asyncio.to_thread


async def test_this_runs_orders_those_that_add_risk_first(
    script: Script, desk: BinanceDesk
) -> None:
    """Another run's and a person's are left alone, however long; our instruments alone count."""
    stranger = ORDER | {"clientOrderId": "web_abc", "orderId": 1}
    earlier = ORDER | {"clientOrderId": "run0-quoter-7", "orderId": 2}
    long = ORDER | {"clientOrderId": DIGEST, "orderId": 4}
    others = ORDER | {"clientOrderId": CAPABILITIES.ids_of("run0").of(LONG), "orderId": 5}
    stop = ORDER | {"clientOrderId": "run1-trend-1", "orderId": 3, "reduceOnly": True}
    script.then(
        OPEN, told([stop, stranger, earlier, others, long]), told([ORDER | {"symbol": "ETHUSDT"}])
    )

    assert [
        WorkingOrder(DIGEST, "BTCUSDT", False), WorkingOrder("quoter-7", "ETHUSDT", False),
        WorkingOrder("trend-1", "BTCUSDT", True),
    ] == await run(desk.working)  # fmt: skip
    assert ["BTCUSDT", "ETHUSDT"] == [seen.params["symbol"] for seen in script.seen]


async def test_a_cancel_counts_when_it_is_confirmed(script: Script, desk: BinanceDesk) -> None:
    """By client id; a refusal is no confirmation, whatever it says."""
    script.then(CANCEL, (200, answer(status="CANCELED")), refused(-2011), (200, answer()))

    assert VenueCanceled(AT, "BTCUSDT", "quoter-7") == await run(desk.cancel, RISKY, AT)
    assert await run(desk.cancel, RISKY, AT) is None
    assert await run(desk.cancel, RISKY, AT) is None
    assert {"run1-quoter-7"} == {seen.params["origClientOrderId"] for seen in script.seen}


async def test_positions_of_our_instruments_alone(script: Script, desk: BinanceDesk) -> None:
    """A person's position in another is not ours to close."""
    rows = [("BTCUSDT", "-0.5"), ("ETHUSDT", "0"), ("XRPUSDT", "100")]
    script.then(POSITIONS, told([{"symbol": s, "positionAmt": qty} for s, qty in rows]))

    assert [Holding("BTCUSDT", Decimal("-0.5"))] == await run(desk.holdings)


async def test_a_position_is_closed_reduce_only(script: Script, desk: BinanceDesk) -> None:
    """At the prices it really went, all of its trades together; the venue may tell them late."""
    script.then(PLACE, (200, answer(status="FILLED", executedQty="0.5", orderId=77, side="BUY")))
    first = trade(id=1, orderId=77, qty="0.2", price="100.0", commission="0.1", buyer=True)
    second = trade(id=2, orderId=77, qty="0.3", price="101.0", commission="0.2", buyer=True)
    script.then(TRADES, told([]), told([trade(), first]), told([trade(), first, second]))

    fill = await run(desk.flatten, Holding("BTCUSDT", Decimal("-0.5")), AT)

    assert (
        VenueFill(
            AT, "BTCUSDT", "sentinel-1", "2", Side.BUY, Decimal("100.6"), Decimal("0.5"),
            Decimal("0.3"), Liquidity.MAKER,
        )
        == fill
    )  # fmt: skip
    sent = script.seen[0].params
    assert ("BUY", "MARKET", "0.5", "true", "run1-sentinel-1") == tuple(
        sent[name] for name in ("side", "type", "quantity", "reduceOnly", "newClientOrderId")
    )


@pytest.mark.parametrize(
    ("end", "worth"), [(told({"markPrice": "650"}), "1.95"), (told({"markPrice": "9" * 20}), "0")]
)
async def test_what_fees_in_bnb_are_worth_is_asked_once(
    script: Script, desk: BinanceDesk, end: Answer, worth: str
) -> None:
    """No closing depends on it."""
    script.then(PRICE, end)
    script.usual[PLACE] = (200, answer(status="FILLED", executedQty="0.5", orderId=77))
    both = [
        trade(id=number, orderId=77, qty=qty, commission=amount, commissionAsset="BNB")
        for number, qty, amount in ((1, "0.2", "0.001"), (2, "0.3", "0.002"))  # of 60,000 each
    ]
    script.usual[TRADES] = told(both)
    for _ in range(2):
        fill = await run(desk.flatten, Holding("BTCUSDT", Decimal("0.5")), AT)
        assert isinstance(fill, VenueFill)
        paid = OtherFee("BNB", Decimal("0.003"), Decimal(worth))
        assert (paid.worth, paid) == (fill.fee, fill.other_fee)
    assert 1 == script.names().count(PRICE)


async def test_fills_that_make_no_sense_are_an_error_it_survives(
    script: Script, desk: BinanceDesk
) -> None:
    """The sentinel knows `OSError`, and goes on."""
    script.usual[TRADES] = told([trade(orderId=3, commission="NaN")])
    script.usual[ASK] = (200, answer(clientOrderId="run1-quoter-3", orderId=3))
    with pytest.raises(OSError, match="can't be read"):
        await run(desk.latest_fills, AT)


async def test_a_closing_that_is_refused_is_none_and_one_nobody_knows_of_an_error(
    script: Script, desk: BinanceDesk
) -> None:
    """To be looked at again; so is one whose price can't be read."""
    script.then(PLACE, refused(-2022), (500, b""), (200, answer(executedQty="1", orderId=9)))
    script.usual[TRADES] = told([])
    holding = Holding("BTCUSDT", Decimal(1))

    assert await run(desk.flatten, holding, AT) is None
    with pytest.raises(OSError, match="closing BTCUSDT"):
        await run(desk.flatten, holding, AT)
    with pytest.raises(OSError, match="at what price"):
        await run(desk.flatten, holding, AT)


async def test_the_newest_fills_under_the_engines_names(script: Script, desk: BinanceDesk) -> None:
    """A stranger's are left out, and so is an order the venue has forgotten."""
    trades = [trade(id=number, orderId=number, time=10 - number) for number in (1, 2, 3)]
    script.then(TRADES, told(trades), told([]))
    names = {"3": "run1-quoter-3", "2": "web_abc", "1": None}
    for number in ("3", "2", "1"):
        found = answer(clientOrderId=names[number], orderId=int(number))
        script.then(ASK, refused(-2013) if names[number] is None else (200, found))

    fills = await run(desk.latest_fills, AT)

    assert [("quoter-3", "3", AT)] == [(f.order_id, f.trade_id, f.ts_ns) for f in fills]
    assert ["3", "2", "1"] == [seen.params["orderId"] for seen in script.seen if seen.name == ASK]


async def test_only_so_many_names_are_asked_for(script: Script, desk: BinanceDesk) -> None:
    """A position waits to be closed."""
    script.then(TRADES, told([trade(id=n, orderId=n, time=n) for n in range(1, 60)]), told([]))
    script.usual[ASK] = refused(-2013)

    assert [] == await run(desk.latest_fills, AT)
    assert LOOKUPS_MAX == script.names().count(ASK)
    assert "59" == script.seen[-1].params["orderId"]


async def test_what_the_venue_does_not_answer_is_an_error(
    script: Script, desk: BinanceDesk
) -> None:
    """Never an empty account; within the deadline, and with nothing of the key."""
    ends = [(500, b""), (200, b"<html>"), refused(-2015, 401), (200, b'[{"x":1}]'), None]
    script.then(OPEN, *ends)
    for _ in ends:
        began_s = time.monotonic()
        with pytest.raises(OSError) as raised:  # noqa: PT011 - any
            await run(desk.working)
        assert time.monotonic() - began_s < 10
        assert "canary" not in str(raised.value)


async def test_a_wrong_clock_is_put_right_once(script: Script, desk: BinanceDesk) -> None:
    """By the venue's."""
    script.clock_ms = lambda: 2_000_000_000_000
    script.then(CANCEL, refused(-1021), (200, answer(status="CANCELED")))

    assert await run(desk.cancel, RISKY, AT) is not None
    assert 2_000_000_000_000 <= int(script.seen[-1].params["timestamp"]) < 2_000_000_060_000
