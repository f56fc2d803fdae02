"""Facts and pictures of an account: whole or not at all, page by page, under the right names."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from itertools import count, repeat

import pytest

from brokers.binance.account import BinanceAccount, open_account
from brokers.binance.caller import NO_ROOM
from brokers.binance.survey import PAGES_MAX, STRANGERS_MAX, WINDOW_MS
from brokers.link.account import Accepted, Facts, Picture, Refused, Unanswered
from brokers.link.budget import Lane
from engine.model.account import OtherFee
from engine.model.errors import CredentialsRefused, DataUnavailable
from engine.model.venue_events import VenueHolding
from engine.venue import MarginTerms
from tests.brokers.binance.payloads import ORDER, answer, trade
from tests.brokers.binance.scripted import Answer, Script, refused, scripted, told
from tests.brokers.binance.test_account import BTC, KEYS
from tests.brokers.binance.test_account import ORDER as ORDER_1

POSITIONS, BALANCE, OPEN, TRADES, ASK = (
    f"GET /fapi/{path}"
    for path in ("v3/positionRisk", "v3/balance", "v1/openOrders", "v1/userTrades", "v1/order")
)
ALLOWED, MODE = "GET /sapi/v1/account/apiRestrictions", "GET /fapi/v1/positionSide/dual"
FEES, SETTINGS = "GET /fapi/v1/commissionRate", "GET /fapi/v1/symbolConfig"
LISTING = "GET /fapi/v1/exchangeInfo"
PRICE = "GET /fapi/v1/premiumIndex"
WEIGHT = "used-weight-1m"
NOW_MS = 1_800_000_000_000
PARTS = (POSITIONS, BALANCE, OPEN, TRADES)
TERMS = (ALLOWED, MODE, FEES, SETTINGS, LISTING, POSITIONS, BALANCE, OPEN)


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    async with scripted() as running:
        running.clock_ms = lambda: NOW_MS
        limits = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1}
        running.usual |= {
            POSITIONS: told([{"symbol": "BTCUSDT", "positionAmt": "-0.5", "positionSide": "BOTH"}]),
            BALANCE: told([{"asset": "USDT", "balance": "1000.5"}]),
            OPEN: told([ORDER]),
            TRADES: told([]),
            ALLOWED: told({"enableWithdrawals": False, "enableFutures": True}),
            MODE: told({"dualSidePosition": False}),
            FEES: told({"makerCommissionRate": "0.0002", "takerCommissionRate": "0.0005"}),
            SETTINGS: told([{"symbol": "BTCUSDT", "leverage": 7}, {"symbol": "X", "leverage": 50}]),
            LISTING: told({"rateLimits": [limits | {"limit": 2_000}], "symbols": []}),
        }
        yield running


@pytest.fixture
async def account(script: Script) -> AsyncIterator[BinanceAccount]:
    async with open_account(KEYS, script.config, (BTC,)) as opened:
        yield opened


# --- facts -----------------------------------------------------------------------------------------


async def test_facts(script: Script, account: BinanceAccount) -> None:
    """Everything that has to be known before anything is sent."""
    facts = await account.facts()

    assert (
        Facts(
            "0001", Decimal("1000.5"), (VenueHolding("BTCUSDT", Decimal("-0.5")),), 1, True, False,
            True, Decimal(2), Decimal(5), Decimal(7), facts.clock_offset_ns,
            (MarginTerms("BTCUSDT", 7, None),),
        )
        == facts
    )  # fmt: skip
    assert not any(name.startswith(("POST", "PUT", "DELETE")) for name in script.names())


async def test_facts_without_instruments_and_without_a_spot_host(script: Script) -> None:
    """For a look at a key: what withdrawing is, nobody tells."""
    async with open_account(KEYS, replace(script.config, spot_url=""), ()) as account:
        facts = await account.facts()

    assert (True, None, None) == (facts.can_trade, facts.can_withdraw, facts.maker_fee_bps)
    assert ALLOWED not in script.names()


@pytest.mark.parametrize("part", TERMS)
@pytest.mark.parametrize("end", [(500, b""), (200, b"<html>"), (200, b'{"x":1}')])
async def test_facts_with_a_part_missing_are_none(
    script: Script, account: BinanceAccount, part: str, end: Answer
) -> None:
    """A key whose permissions can't be read is no key to trade with."""
    script.usual[part] = end

    with pytest.raises(DataUnavailable):
        await account.facts()


@pytest.mark.parametrize("part", [ALLOWED, POSITIONS, MODE])
async def test_a_key_that_is_not_taken_is_said_so(
    script: Script, account: BinanceAccount, part: str
) -> None:
    """In one line, with the venue's words and nothing of the key."""
    script.usual[part] = refused(-2015, 401, "Invalid API-key, IP, or permissions for action.")

    with pytest.raises(CredentialsRefused, match="does not take the key: -2015") as raised:
        await account.facts()
    assert "canary" not in str(raised.value)


async def test_the_venues_limits_are_kept_once_they_are_known(
    script: Script, account: BinanceAccount
) -> None:
    """What it counts is believed from the first answer on."""
    few = {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 5}
    script.usual[LISTING] = told({"rateLimits": [few], "symbols": []})
    script.usual["POST /fapi/v1/order"] = (200, answer())
    await account.facts()

    outcomes = [await account.place(ORDER_1) for _ in range(6)]

    assert [Accepted] * 4 + [Refused] * 2 == [type(outcome) for outcome in outcomes]


# --- pictures --------------------------------------------------------------------------------------


async def test_a_picture(script: Script, account: BinanceAccount) -> None:
    """Positions, orders, fills under the names of their orders, money, one time."""
    script.then(TRADES, told([trade(id=1), trade(id=2, orderId=9)]), told([]))
    script.then(ASK, (200, answer(orderId=9, clientOrderId="somebody")))

    picture = await account.picture((NOW_MS - 1_000) * 1_000_000)

    assert isinstance(picture, Picture)
    assert (VenueHolding("BTCUSDT", Decimal("-0.5")),) == picture.positions
    assert ["run1-quoter-7"] == [order.client_id for order in picture.orders]
    assert [("1", "run1-quoter-7"), ("2", "somebody")] == [
        (fill.trade_id, fill.client_id) for fill in picture.fills
    ]
    assert Decimal("1000.5") == picture.balance
    assert abs(picture.taken_ns - NOW_MS * 1_000_000) < 60 * 10**9
    await account.picture((NOW_MS - 1_000) * 1_000_000)
    assert 1 == script.names().count(ASK)


async def test_orders_elsewhere_are_looked_at_now_and_then(
    script: Script, account: BinanceAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them weigh 40, an instrument's 1; those elsewhere are shown as last seen."""
    elsewhere = {**ORDER, "symbol": "ETHUSDT", "orderId": 9, "clientOrderId": "somebody"}
    script.then(OPEN, told([ORDER, elsewhere]), told([]), told([ORDER]))
    names = []
    for _ in range(3):
        picture = await account.picture(NOW_MS * 10**6)
        names.append([order.client_id for order in picture.orders])
        if len(names) == 2:
            monkeypatch.setattr("brokers.binance.working.ELSEWHERE_S", 0.0)

    assert [["run1-quoter-7", "somebody"], ["somebody"], ["run1-quoter-7"]] == names
    asked = [seen.params.get("symbol", "") for seen in script.seen if seen.name == OPEN]
    assert ["", "BTCUSDT", ""] == asked


async def test_an_account_that_fills_meanwhile_is_looked_at_again(
    script: Script, account: BinanceAccount
) -> None:
    """Once: the parts need not fit together; what it looks like while nothing happens counts."""
    for fills, looks in ((count(), 2), (repeat(5), 1)):
        script.seen.clear()
        assert isinstance(await account._survey.picture(NOW_MS * 10**6, fills.__next__), Picture)
        assert [looks] * 3 == [script.names().count(part) for part in (POSITIONS, OPEN, BALANCE)]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "end", [(500, b""), (200, b"<html>"), (200, b'{"x":1}'), None, refused(-1003, 429)]
)
async def test_a_picture_with_a_part_missing_is_none(
    script: Script, account: BinanceAccount, part: str, end: Answer | None
) -> None:
    """Row A9: never an empty one."""
    script.then(part, end)

    assert isinstance(await account.picture((NOW_MS - 1_000) * 1_000_000), Unanswered)


async def test_an_unknown_wallet_is_not_an_empty_one(
    script: Script, account: BinanceAccount
) -> None:
    """And one row that can't be read spoils the whole."""
    script.then(BALANCE, told([{"asset": "BNB", "balance": "1"}]))
    assert isinstance(await account.picture(NOW_MS * 1_000_000), Unanswered)
    script.usual[OPEN] = told([ORDER, ORDER | {"price": "NaN"}])  # of both looks, one still asks
    assert isinstance(await account.picture(NOW_MS * 1_000_000), Unanswered)


def page(first: int, last: int) -> Answer:
    return told([trade(id=number) for number in range(first, last)])


async def test_fills_are_followed_to_the_end(script: Script, account: BinanceAccount) -> None:
    """However long the venue's pages are; by number from the second on."""
    script.then(TRADES, page(5, 8), page(8, 9), page(9, 12), told([]))

    picture = await account.picture((NOW_MS - 1_000) * 1_000_000)

    assert [str(number) for number in range(5, 12)] == [fill.trade_id for fill in picture.fills]
    asked = [seen.params for seen in script.seen if seen.name == TRADES]
    assert str(NOW_MS - 1_000) == asked[0]["startTime"]
    assert ["8", "9", "12"] == [params["fromId"] for params in asked[1:]]
    assert not any("startTime" in params for params in asked[1:])


@pytest.mark.parametrize("again", [page(5, 8), page(1, 3)])
async def test_a_page_that_repeats_itself_is_a_failure(
    script: Script, account: BinanceAccount, again: Answer
) -> None:
    """Row 44: nobody knows what it hides."""
    script.then(TRADES, page(5, 8), again, told([]))

    assert "repeats" in (await account.picture((NOW_MS - 1_000) * 1_000_000)).cause


async def test_there_is_an_end_to_pages(script: Script, account: BinanceAccount) -> None:
    """A venue that always has more is asked so many times."""
    script.then(TRADES, *(page(number, number + 1) for number in range(1, 100)))

    assert "more than" in (await account.picture((NOW_MS - 1_000) * 1_000_000)).cause
    assert PAGES_MAX == script.names().count(TRADES)


async def test_long_ago_is_asked_for_week_by_week(script: Script, account: BinanceAccount) -> None:
    """For a week is all the venue tells at once; each window continues the last."""
    script.then(TRADES, told([]), told([]), page(5, 6), told([]))
    since_ms = NOW_MS - 3 * WINDOW_MS

    picture = await account.picture(since_ms * 1_000_000)

    assert 1 == len(picture.fills)
    asked = [seen.params for seen in script.seen if seen.name == TRADES]
    assert [since_ms + weeks * WINDOW_MS for weeks in range(3)] == [
        int(params["startTime"]) for params in asked[:3]
    ]
    assert asked[0]["endTime"] == asked[1]["startTime"]
    assert "6" == asked[3]["fromId"]


async def test_fills_of_orders_the_venue_has_forgotten_have_no_name(
    script: Script, account: BinanceAccount
) -> None:
    """A question that fails is not the same; nor are too many of them asked."""
    script.then(TRADES, *[page(5, 6), told([])] * 2)
    script.usual[OPEN] = told([])
    script.then(ASK, refused(-2013), (500, b""))

    assert [""] == [fill.client_id for fill in (await account.picture(NOW_MS * 10**6)).fills]
    assert isinstance(await account.picture(NOW_MS * 10**6), Unanswered)
    many = [trade(id=number, orderId=number) for number in range(1, STRANGERS_MAX + 2)]
    script.then(TRADES, (200, json.dumps(many).encode()), told([]))
    assert "unknown orders" in (await account.picture(NOW_MS * 10**6)).cause


async def test_a_picture_is_asked_for_as_a_whole_or_not_at_all(
    script: Script, account: BinanceAccount
) -> None:
    """Parts of it that would be thrown away take the room that the next one needs."""
    await account._caller.learn_limits()
    await account._caller.compare_clocks()
    budget = account._caller._budget
    budget.spend({WEIGHT: 955}, time.monotonic())
    left = budget.left(WEIGHT, Lane.READ, time.monotonic())
    assert NO_ROOM in (await account.picture(0)).cause
    assert left == budget.left(WEIGHT, Lane.READ, time.monotonic()) > 40


# --- fees in other assets --------------------------------------------------------------------------


async def test_a_fee_in_bnb_is_worth_what_bnb_was_at_the_last_look(
    script: Script, account: BinanceAccount
) -> None:
    """Asked for with each: who trades may switch to BNB at any time."""
    script.then(PRICE, *(told({"markPrice": str(price)}) for price in (500, 600, 650, 700)))
    assert isinstance(await account.picture(NOW_MS * 1_000_000), Picture)
    for price in (Decimal(600), Decimal(650)):
        script.then(TRADES, told([trade(commission="0.001", commissionAsset="BNB")]))
        script.then(ASK, (200, answer()))
        seen = await account.picture(NOW_MS * 1_000_000)
        assert isinstance(seen, Picture)
        (fill,) = seen.fills
        worth = price / 1_000
        assert (worth, OtherFee("BNB", Decimal("0.001"), worth)) == (fill.fee, fill.other_fee)
    await account.picture(NOW_MS * 1_000_000)
    assert ["BNBUSDT"] * 4 == [seen.params["symbol"] for seen in script.seen if seen.name == PRICE]


@pytest.mark.parametrize(
    "end",
    [(500, b""), (200, b"<html>"), told({"markPrice": "0"}), told({"markPrice": "9" * 20}), None],
)
async def test_a_price_that_nobody_tells_spoils_no_look(
    script: Script, account: BinanceAccount, end: Answer | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for again; a fee that was told before stands without worth."""
    monkeypatch.setattr("brokers.binance.survey.PRICES_S", 0.3)
    script.then(PRICE, end, told({"markPrice": "600"}))
    script.then(TRADES, told([trade(commission="0.001", commissionAsset="BNB")]))
    script.then(ASK, (200, answer()))

    seen = await account.picture(NOW_MS * 1_000_000)
    assert isinstance(seen, Picture)
    assert [OtherFee("BNB", Decimal("0.001"), None)] == [one.other_fee for one in seen.fills]
    await account.picture(NOW_MS * 1_000_000)
    assert 2 == script.names().count(PRICE)


async def test_a_fill_that_makes_no_sense_spoils_the_look(
    script: Script, account: BinanceAccount
) -> None:
    """Not the session."""
    script.then(TRADES, told([trade(commission="NaN")]))
    script.then(ASK, (200, answer()))
    assert isinstance(await account.picture(NOW_MS * 1_000_000), Unanswered)


async def test_prices_are_known_before_the_first_fill_is_told(
    script: Script, account: BinanceAccount
) -> None:
    """A resumed order may fill before the first look."""
    listening = asyncio.create_task(account.listen(lambda _: None))
    async with asyncio.timeout(10):
        while len(script.names()) < 2:
            await asyncio.sleep(0.01)
    listening.cancel()
    assert PRICE == script.names()[0]
