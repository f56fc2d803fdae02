"""The fault menu, each over real sockets: what the client sees, and whether the venue acted."""

import asyncio
import json
import time
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosedError

from brokers.sandbox.faults import MENU, Fault, Faults, NoSuchFault
from tests.brokers.sandbox.client import PATIENCE_S, Venue, venue

ORDER = "/fapi/v1/order"
PLACING = {"path": ORDER, "method": "POST"}


async def placed(at: Venue) -> list[str]:
    """Client ids of every order that the venue took in."""
    rows = (await at.client.signed("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")).body
    return [row["clientOrderId"] for row in rows]


async def place(at: Venue, name: str = "la-1"):
    return await at.client.place("BUY", "0.01", "90", newClientOrderId=name)


async def test_the_menu_is_shown_and_what_is_armed() -> None:
    """GET lists; nonsense is refused with what there is."""
    async with venue() as at:
        shown = (await at.client.open("/sandbox/faults")).body
        assert set(MENU) == set(shown["menu"])
        assert [] == shown["armed"]
        armed = await at.client.fault("drop", times=3, path=ORDER)
        assert (200, 3) == (armed.status, armed.body["times"])
        shown = (await at.client.open("/sandbox/faults")).body
        assert [("drop", 3, ORDER)] == [
            (one["name"], one["times"], one["path"]) for one in shown["armed"]
        ]
        for body in ('{"name":"dance"}', "[]", "no json", '{"name":"drop","times":-1}',
                     '{"name":"delay","seconds":1e9}', '{"name":"drop","who":1}'):  # fmt: skip
            answer = await at.client.raw("POST", "/sandbox/faults", body=body)
            assert (400, True) == (answer.status, "error" in answer.body), body


async def test_all_that_is_armed_or_lasts_is_taken_back_at_once() -> None:
    """DELETE; the next request is served."""
    async with venue() as at:
        await at.client.fault("drop", times=2, **PLACING)
        await at.client.fault("maintenance", seconds=600)
        await at.client.fault("clock_skew", ms=600_000)
        shown = (await at.client.raw("DELETE", "/sandbox/faults")).body
        assert ([], {}, 0) == (shown["armed"], shown["lasting_s"], shown["clock_skew_ms"])
        assert 200 == (await place(at)).status


async def test_drop_closes_before_acting_and_only_so_often() -> None:
    """No answer, no order; the next request is served."""
    async with venue() as at:
        await at.client.fault("drop", times=2, **PLACING)
        for _ in range(2):
            with pytest.raises(aiohttp.ClientError):
                await place(at)
        assert [] == await placed(at)
        assert 200 == (await place(at)).status


async def test_a_fault_strikes_only_its_path_and_method() -> None:
    """Others pass."""
    async with venue() as at:
        await at.client.fault("error_5xx", **PLACING)
        assert 200 == (await at.client.open("/fapi/v1/time")).status
        assert 200 == (await at.client.signed("GET", "/fapi/v1/openOrders")).status
        assert (
            -2013
            == (await at.client.signed("GET", ORDER, symbol="BTCUSDT", origClientOrderId="x")).code
        )
        assert 503 == (await place(at)).status
        await at.client.fault("error_5xx", path="/fapi/v1/openOrders")
        assert 200 == (await at.client.open("/fapi/v1/time")).status
        assert 503 == (await at.client.signed("GET", "/fapi/v1/openOrders")).status


async def test_accepted_then_silence() -> None:
    """The client's own time-out ends it; the order is there."""
    async with venue() as at:
        await at.client.fault("accept_then_timeout", **PLACING)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await place(at)
        assert ["la-1"] == await placed(at)


async def test_accepted_then_hung_up() -> None:
    """Whoever waits longer than the fault is cut off."""
    async with venue() as at:
        await at.client.fault("accept_then_timeout", seconds=0.05, **PLACING)
        with pytest.raises(aiohttp.ClientError):
            await place(at)
        assert ["la-1"] == await placed(at)


async def test_delay_waits_before_acting() -> None:
    """Late, but whole."""
    async with venue() as at:
        await at.client.fault("delay", seconds=0.3, **PLACING)
        begun = time.monotonic()
        assert 200 == (await place(at)).status
        assert time.monotonic() - begun >= 0.3


ANSWERED = [
    # fault, status, code, is done
    ("error_5xx", 503, -1008, False),
    ("error_5xx_after", 502, None, True),
    ("rate_limit", 429, -1003, False),
    ("html_200", 200, None, True),
    ("truncated_json", 200, None, True),
]


@pytest.mark.parametrize(("name", "status", "code", "is_done"), ANSWERED)
async def test_wrong_answers(name: str, status: int, code: int | None, is_done: bool) -> None:
    """Status, code or no JSON at all; done or not."""
    async with venue() as at:
        await at.client.fault(name, **PLACING)
        answer = await place(at)
        assert status == answer.status
        if code is not None:
            assert code == answer.code
        else:
            with pytest.raises(json.JSONDecodeError):
                assert answer.body
        assert (["la-1"] if is_done else []) == await placed(at)
        assert 200 == (await place(at, "la-2")).status


async def test_rate_limit_says_when_to_come_back() -> None:
    """Retry-After in whole seconds."""
    async with venue() as at:
        await at.client.fault("rate_limit", seconds=7)
        assert "7" == (await at.client.open("/fapi/v1/time")).headers["Retry-After"]


@pytest.mark.parametrize(("name", "status"), [("ban", 418), ("maintenance", 503)])
async def test_what_lasts_holds_for_everything_and_ends(name: str, status: int) -> None:
    """Public, signed, every time, until it is over."""
    async with venue() as at:
        await at.client.fault(name, seconds=0.5)
        for _ in range(2):
            assert status == (await at.client.open("/fapi/v1/time")).status
            refused = await place(at)
            assert status == refused.status
            assert "1" == refused.headers["Retry-After"]
        async with asyncio.timeout(PATIENCE_S):
            while (await place(at)).status != 200:
                await asyncio.sleep(0.02)
        assert ["la-1"] == await placed(at)


async def test_a_skewed_clock_refuses_signed_requests() -> None:
    """Server time moves, -1021 both ways, 0 mends it."""
    async with venue() as at:
        for ms in (60_000, -60_000):
            await at.client.fault("clock_skew", ms=ms)
            told = (await at.client.open("/fapi/v1/time")).body["serverTime"]
            assert abs(told - time.time() * 1_000 - ms) < 5_000
            assert -1021 == (await place(at)).code
        await at.client.fault("clock_skew")
        assert 200 == (await place(at)).status


async def test_not_found_twice_then_found() -> None:
    """A query of an order that is there, and of nothing else."""
    async with venue() as at:
        await place(at)
        await at.client.fault("not_found_twice")
        words = {"symbol": "BTCUSDT", "origClientOrderId": "la-1"}
        assert 200 == (await at.client.signed("GET", "/fapi/v1/openOrders")).status
        answers = [await at.client.signed("GET", ORDER, **words) for _ in range(3)]
        assert [400, 400, 200] == [answer.status for answer in answers]
        assert [-2013, -2013] == [answer.code for answer in answers[:2]]


async def test_a_post_only_order_may_expire_instead() -> None:
    """Accepted, then x=EXPIRED: the venue's other way to say -5022."""
    async with venue() as at, at.stream() as stream:
        await at.client.fault("post_only_expires")
        words = {"timeInForce": "GTX", "newClientOrderId": "la-1"}
        answer = await at.client.place("BUY", "0.01", "100.1", newOrderRespType="RESULT", **words)
        assert "EXPIRED" == answer.body["status"]
        await stream.until(lambda _: len(stream.of("ORDER_TRADE_UPDATE")) == 2)
        assert ["NEW", "EXPIRED"] == [one["o"]["x"] for one in stream.of("ORDER_TRADE_UPDATE")]
        assert -5022 == (await at.client.place("BUY", "0.01", "100.1", **words)).code


async def test_a_silent_stream_loses_what_happened() -> None:
    """Nothing of that time is told later; afterwards it tells again."""
    async with venue() as at, at.stream() as stream:
        await at.client.fault("silent_stream", path="/private", seconds=0.4)
        await place(at, "lost")
        lasting = True
        async with asyncio.timeout(PATIENCE_S):
            while lasting:
                lasting = bool((await at.client.open("/sandbox/faults")).body["lasting_s"])
        await place(at, "told")
        await stream.until(lambda frames: frames)
        assert ["told"] == [one["o"]["c"] for one in stream.of("ORDER_TRADE_UPDATE")]


async def test_killed_streams_are_cut_by_path() -> None:
    """The account's line breaks, the market's goes on."""
    market = "/public/ws/btcusdt@bookTicker"
    async with venue() as at, at.stream() as private, at.stream(market) as public:
        await at.client.fault("kill_streams", path="/private")
        with pytest.raises(ConnectionClosedError):
            await private.until(lambda _: False)
        at.stage.quote(999, 1002)
        await public.until(lambda frames: frames)
        await at.client.fault("kill_streams")
        with pytest.raises(ConnectionClosedError):
            await public.until(lambda _: False)


def trades(stream) -> list[int]:
    return [one["o"]["t"] for one in stream.of("ORDER_TRADE_UPDATE") if one["o"]["x"] == "TRADE"]


async def test_duplicate_fills_are_told_twice() -> None:
    """The same trade id; the next one once."""
    async with venue() as at, at.stream() as stream:
        await at.client.fault("duplicate_fills")
        await at.client.place("BUY", "0.005", "100.1")
        at.stage.quote(1000, 1001, 11)
        await at.client.place("BUY", "0.005", "100.1")
        await stream.until(lambda _: 2 in trades(stream))
        assert [1, 1, 2] == trades(stream)


async def test_reordered_fills_change_places() -> None:
    """The second before the first, none lost."""
    async with venue() as at, at.stream() as stream:
        await at.client.fault("reordered_fills", seconds=PATIENCE_S)
        await at.client.place("BUY", "0.005", "100.1")
        at.stage.quote(1000, 1001, 11)
        await at.client.place("BUY", "0.005", "100.1")
        await stream.until(lambda _: len(trades(stream)) == 2)
        assert [2, 1] == trades(stream)


async def test_a_reordered_fill_without_a_next_one_comes_late() -> None:
    """Held for its seconds, not for ever."""
    async with venue() as at, at.stream() as stream:
        await at.client.fault("reordered_fills", seconds=0.2)
        await at.client.place("BUY", "0.005", "100.1")
        await stream.until(lambda _: trades(stream))
        assert "ACCOUNT_UPDATE" in [frame["e"] for frame in stream.frames[:-1]]


async def test_a_listen_key_expires() -> None:
    """Told once; the key is unknown from then on, a new one works."""
    async with venue() as at, at.stream() as stream:
        await at.client.fault("expire_listen_key")
        await stream.until(lambda frames: frames)
        assert "listenKeyExpired" == stream.frames[0]["e"]
        assert -1125 == (await at.client.keyed("PUT", "/fapi/v1/listenKey")).code
        async with at.stream() as again:
            await place(at)
            await again.until(lambda frames: frames)


async def test_the_dead_man_fires_on_request() -> None:
    """Only where one is set."""
    async with venue() as at:
        await place(at)
        await at.client.fault("dead_man")
        assert 1 == len((await at.client.signed("GET", "/fapi/v1/openOrders")).body)
        await at.client.signed(
            "POST", "/fapi/v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=600_000
        )
        await at.client.fault("dead_man")
        assert [] == (await at.client.signed("GET", "/fapi/v1/openOrders")).body


async def test_money_comes_and_goes() -> None:
    """Matching knows of it too; what a position needs stays."""
    async with venue() as at:
        await at.client.fault("transfer", amount="250.5")
        await at.client.fault("transfer", amount="-10000")
        exchange = at.stage.exchange
        assert Decimal("250.5") == exchange.balance().wallet == exchange._venue.equity
        for amount in ("-250.6", "NaN"):
            with pytest.raises(NoSuchFault, match="can't do without"):
                at.sandbox.faults.arm(Fault("transfer", amount=Decimal(amount)))
        assert Decimal("250.5") == exchange.balance().wallet == exchange._venue.equity


async def test_prices_jump_and_come_back() -> None:
    """By so much of what the source says, whatever they jumped before; too far is refused."""
    market = "/public/ws/btcusdt@bookTicker"
    async with venue() as at, at.stream(market) as public:
        at.stage.quote(1000, 1002)
        for bps in (100, -100, 0):
            await at.client.fault("price_jump", bps=bps)
            at.stage.quote(1000, 1002)
        await public.until(lambda frames: len(frames) >= 4)
        assert (400, 400) == (
            (await at.client.fault("price_jump", bps=5_001)).status,
            (await at.client.fault("price_jump", bps=-5_001)).status,
        )
        seen = [(one["b"], one["a"]) for one in public.frames[-4:]]
        assert [("100.0", "100.2"), ("101.0", "101.2"), ("98.9", "99.1"), ("100.0", "100.2")] == [
            (f"{Decimal(bid):.1f}", f"{Decimal(ask):.1f}") for bid, ask in seen
        ]


async def test_rules_are_listed_and_enforced_until_they_are_taken_back() -> None:
    """Tick, lot, notional, a halt, which lets cancels through; nonsense and strangers are refused."""

    async def listed() -> tuple[str, list[str | None]]:
        row, *_ = (await at.client.open("/fapi/v1/exchangeInfo")).body["symbols"]
        assert "BTCUSDT" == row["symbol"]
        names = ("tickSize", "stepSize", "notional")
        return row["status"], [
            next((rule[name] for rule in row["filters"] if name in rule), None) for name in names
        ]

    async with venue() as at:
        first = await listed()
        assert 200 == (await at.client.place("BUY", "0.01", "99.9", newClientOrderId="old")).status
        for words, code in (
            ({"tick": "0.5"}, -4014),
            ({"lot": "0.02"}, -1013),
            ({"min_notional": "200"}, -4164),
            ({"is_halted": True, "symbol": "BTCUSDT"}, -4108),
        ):
            assert 200 == (await at.client.fault("rules", **words)).status
            assert first != await listed()
            assert code == (await place_at(at, "99.9")).code, words
        amended = await at.client.signed(
            "PUT", ORDER, symbol="BTCUSDT", origClientOrderId="old", side="BUY", quantity="0.01",
            price="99.8",
        )  # fmt: skip
        assert -4108 == amended.code
        gone = await at.client.signed("DELETE", ORDER, symbol="BTCUSDT", origClientOrderId="old")
        assert 200 == gone.status
        for words in ({"tick": "0"}, {"lot": "-1"}, {"tick": "NaN"}, {"symbol": "NOSUCH"}):
            assert 400 == (await at.client.fault("rules", **words)).status, words
        assert 200 == (await at.client.fault("rules")).status
        assert first == await listed()
        assert 200 == (await place_at(at, "99.9")).status


async def place_at(at: Venue, price: str):
    return await at.client.place("BUY", "0.01", price, newClientOrderId=f"la-{time.time_ns()}")


async def test_a_key_is_taken_no_more() -> None:
    """Whatever needs one; the market is told to everybody, and taken back it is as before."""
    async with venue() as at:
        await at.client.fault("revoke_key")
        refused = await place(at)
        assert (401, -2015) == (refused.status, refused.code)
        at.client.key, key = "", at.client.key
        assert 200 == (await at.client.open("/fapi/v1/time")).status
        at.client.key = key
        at.sandbox.faults.mend()
        assert 200 == (await place(at)).status


async def test_faults_pile_up_in_order() -> None:
    """A delay and then a drop: both strike one request, the first armed first."""
    async with venue() as at:
        await at.client.fault("delay", seconds=0.1, **PLACING)
        await at.client.fault("drop", **PLACING)
        begun = time.monotonic()
        with pytest.raises(aiohttp.ClientError):
            await place(at)
        assert time.monotonic() - begun >= 0.1


def test_a_venue_without_a_fault_refuses_it() -> None:
    """Its own list, in the order of the menu."""
    faults = Faults(frozenset({"ban", "drop"}))
    with pytest.raises(NoSuchFault, match="there are drop, ban"):
        faults.arm(Fault("dead_man"))
    assert ["drop", "ban"] == list(faults.listing()["menu"])


def test_every_fault_of_the_menu_is_tested_and_documented() -> None:
    """A new line of the menu fails here until somebody does both."""
    source = Path(__file__).read_text(encoding="utf-8")
    assert [] == [name for name in MENU if f'"{name}"' not in source]
    document = (Path(__file__).parents[3] / "docs" / "SANDBOX.md").read_text(encoding="utf-8")
    assert [] == [name for name in MENU if f"`{name}`" not in document]
