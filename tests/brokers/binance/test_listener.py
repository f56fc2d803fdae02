"""The account's stream on a real socket: made, broken, renewed, expired, torn."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from brokers.binance.account import open_account
from brokers.link.account import FillReport, LineUp, OrderReport, Report
from engine.model.errors import UsageError
from tests.brokers.binance.payloads import event
from tests.brokers.binance.scripted import Script, refused, scripted, told, until
from tests.brokers.binance.test_account import ASK, BTC, GOOD, KEYS, REF

MAKE, RENEW, LINE = "POST /fapi/v1/listenKey", "PUT /fapi/v1/listenKey", "WS /private/ws"
KEY = told({"listenKey": "key1"})


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    async with scripted() as running:
        running.usual[MAKE] = KEY
        running.usual[RENEW] = told({})
        yield running


@contextlib.asynccontextmanager
async def listening(script: Script, **config: float) -> AsyncIterator[list[Report]]:
    """Listen until the test is done; nothing that ends it may pass unseen."""
    heard: list[Report] = []
    async with open_account(KEYS, replace(script.config, **config), (BTC,)) as account:
        task = asyncio.create_task(account.listen(heard.append))
        try:
            yield heard
            assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def names(script: Script) -> list[str]:
    """Return what was asked for the line; looks for funding come in between."""
    return [name for name in script.names() if not name.endswith(("income", "premiumIndex"))]


def kinds(heard: list[Report]) -> list[str]:
    return [type(report).__name__ for report in heard]


async def test_the_line_opens_with_a_key_and_tells_what_happens(script: Script) -> None:
    """A fill told twice is told twice: whoever books knows it by its number."""
    fill = event(x="TRADE", X="FILLED", l="0.01", z="0.01", L="60000", t=5, n="0", N="USDT")
    async with listening(script) as heard:
        await until(lambda: bool(script.sockets))
        for data in (event(), b'{"e":"NEVER_SEEN"}', fill, fill):
            await script.sockets[0].send_str(data.decode())
        await until(lambda: len(heard) == 6)

    assert [LineUp, OrderReport, FillReport, OrderReport, FillReport, OrderReport] == [
        type(report) for report in heard
    ]
    assert ["5", "5"] == [report.trade_id for report in heard if isinstance(report, FillReport)]
    assert [MAKE, LINE] == names(script)
    assert {"listenKey": "key1"} in [seen.params for seen in script.seen]


async def test_a_broken_line_comes_back_with_a_key_asked_for_anew(script: Script) -> None:
    """Row 49: the break is told once, before the line is up again."""
    async with listening(script) as heard:
        await until(lambda: bool(script.sockets))
        script.usual[MAKE] = told({"listenKey": "key2"})
        await script.sockets[0].close()
        await until(lambda: kinds(heard) == ["LineUp", "LineDown", "LineUp"])

    assert [MAKE, LINE] * 2 == names(script)
    assert ["key1", "key2"] == [one.params["listenKey"] for one in script.seen if one.name == LINE]


@pytest.mark.parametrize(
    "data", ['{"e":"listenKeyExpired","E":1}', "{", "[" * 10_000, event(q="NaN").decode()]
)
async def test_a_dead_key_and_what_cannot_be_read_end_the_line(script: Script, data: str) -> None:
    """Row 48, 18: what was missed is not guessed."""
    async with listening(script) as heard:
        await until(lambda: bool(script.sockets))
        await script.sockets[0].send_str(data)
        await until(lambda: kinds(heard) == ["LineUp", "LineDown", "LineUp"])


async def test_the_key_is_renewed_and_made_anew_where_it_is_gone(script: Script) -> None:
    """A renewal that merely failed is tried again; the line stays."""
    script.then(RENEW, told({}), (500, b""), told({}), refused(-1125))
    async with listening(script, keep_alive_s=0.05) as heard:
        await until(lambda: kinds(heard) == ["LineUp", "LineDown", "LineUp"])

    assert [MAKE, LINE, *[RENEW] * 4, MAKE, LINE] == names(script)[:8]
    assert "gone" in heard[1].cause


async def test_a_key_that_is_refused_is_told_once_and_asked_for_again(script: Script) -> None:
    """With a pause between; the line is down until it is up."""
    script.then(MAKE, refused(-2015, 401), (500, b""), told({"listenKey": "no key & more"}))
    async with listening(script) as heard:
        await until(lambda: kinds(heard) == ["LineDown", "LineUp"])

    assert [MAKE] * 4 + [LINE] == names(script)
    assert heard[0].cause.startswith("-2015")


async def test_a_line_that_cannot_be_opened_is_down(script: Script) -> None:
    """Nobody is told the key."""
    async with listening(script, private_url="ws://127.0.0.1:9/private") as heard:
        await until(lambda: len(names(script)) >= 3 and bool(heard))
    assert ["LineDown"] == kinds(heard)
    assert "key1" not in heard[0].cause


@pytest.mark.parametrize("name", ["rest_url", "spot_url", "private_url"])
def test_a_key_is_never_sent_in_the_open(script: Script, name: str) -> None:
    """An address in the settings is refused before anything is sent."""
    with pytest.raises(UsageError, match=rf"binance.{name} must begin https"):
        open_account(KEYS, replace(script.config, **{name: "http://venue.example"}), (BTC,))


async def test_questions_do_not_keep_the_line_from_coming_back(script: Script) -> None:
    """All their room is used up, by pictures of the account that its line would spare."""
    script.then(ASK, (*GOOD, {"X-MBX-USED-WEIGHT-1M": "1300"}))
    heard: list[Report] = []
    async with open_account(KEYS, script.config, (BTC,)) as account:
        await account.order(REF)
        task = asyncio.create_task(account.listen(heard.append))
        await until(lambda: bool(heard))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert ["LineUp"] == kinds(heard)


async def test_who_ends_it_while_a_line_is_being_closed_is_obeyed(script: Script) -> None:
    """Else the session that leaves waits for ever."""
    async with open_account(KEYS, script.config, (BTC,)) as account:
        task = asyncio.create_task(account.listen(lambda _: None))
        await until(lambda: bool(script.sockets))
        await script.sockets[0].send_str('{"e":"listenKeyExpired","listenKey":"key1"}')
        while not account._listener.kinds["listenKeyExpired"]:
            await asyncio.sleep(0)
        for _ in range(2):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=10)
        assert {task} == done
        assert task.cancelled()
