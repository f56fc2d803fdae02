"""A look at a whole account, against a venue that answers as it is told."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from brokers.hyperliquid.account import HyperliquidAccount, open_account
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.link.account import Picture, Unanswered
from brokers.link.secret import Credentials, Secret
from engine.model.errors import CredentialsRefused, DataUnavailable
from tests.brokers.hyperliquid.test_answers import FILL, ROW, STATE
from tests.brokers.hyperliquid.test_parse import rules

MASTER = "0x" + "ab" * 20
KEY = "0x" + "11" * 32
AGENT = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"


class Script:
    """Answers by the kind of question; the last one of a list stays."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.answers: dict[str, list[Any]] = {
            "clearinghouseState": [STATE],
            "frontendOpenOrders": [[ROW]],
            "userFillsByTime": [[FILL]],
            "userRateLimit": [{"cumVlm": "5.0", "nRequestsUsed": 9, "nRequestsCap": 10_005}],
            "userFees": [{"userCrossRate": "0.00045", "userAddRate": "0.00015"}],
            "activeAssetData": [{"leverage": {"type": "cross", "value": 20}}],
        }

    async def answer(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.seen.append(asked)
        if asked["type"] == "userRole":
            role = {MASTER: {"role": "user"}, AGENT: {"role": "agent", "data": {"user": MASTER}}}
            return web.json_response(role.get(asked["user"], {"role": "missing"}))
        told = self.answers[asked["type"]]
        body = told.pop(0) if len(told) > 1 else told[0]
        return body if isinstance(body, web.Response) else web.json_response(body)

    def kinds(self) -> list[str]:
        return [asked["type"] for asked in self.seen]


@contextlib.asynccontextmanager
async def scripted(coins: int = 0) -> AsyncIterator[tuple[Script, HyperliquidAccount]]:
    script, app = Script(), web.Application()
    app.router.add_post("/info", script.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    config = HyperliquidConfig(rest_url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    instruments = [rules(coin=f"C{number}") for number in range(coins)]
    async with open_account(Credentials(MASTER, Secret(KEY)), config, instruments) as account:
        yield script, account
    await runner.cleanup()


async def test_a_picture_is_asked_for_between_two_looks_at_the_positions() -> None:
    """By the master's address, once."""
    async with scripted() as (script, account):
        picture = await account.picture(5_000_000)

    assert isinstance(picture, Picture)
    assert [
        "userRateLimit", "clearinghouseState", "frontendOpenOrders", "userFillsByTime",
        "clearinghouseState",
    ] == script.kinds()  # fmt: skip
    assert {MASTER} == {asked["user"] for asked in script.seen}
    assert 5 == script.seen[3]["startTime"]
    assert ("0x" + "ab" * 16) == picture.orders[0].client_id
    assert 9 == account._caller.allowance.used


async def test_an_account_that_moves_is_looked_at_again() -> None:
    """Positions that differ before and after; one that never rests has no picture."""
    moved = STATE | {"assetPositions": []}
    async with scripted() as (script, account):
        script.answers["clearinghouseState"] = [STATE, moved, moved]
        picture = await account.picture(0)
        assert () == picture.positions
        assert 4 == script.kinds().count("clearinghouseState")
        script.answers["clearinghouseState"] = [STATE, moved] * 5
        assert "moves" in (await account.picture(0)).cause


def page(start: int, count: int) -> list[dict[str, Any]]:
    return [FILL | {"tid": number, "time": number // 10} for number in range(start, start + count)]


async def test_fills_are_followed_to_the_last_page() -> None:
    """A full page may be a part; what comes twice counts once."""
    async with scripted() as (script, account):
        script.answers["userFillsByTime"] = [page(0, 2_000), page(1_990, 2_000), page(3_980, 50)]
        picture = await account.picture(0)

    assert [str(number) for number in range(4_030)] == [fill.trade_id for fill in picture.fills]
    starts = [asked["startTime"] for asked in script.seen if "startTime" in asked]
    assert [0, 199, 398] == starts


async def test_a_page_that_repeats_itself_is_no_whole_answer() -> None:
    """Row 44."""
    async with scripted() as (script, account):
        script.answers["userFillsByTime"] = [page(0, 2_000)]
        assert "more fills" in (await account.picture(0)).cause


BROKEN = [
    ("clearinghouseState", web.Response(text="<html>")),
    ("frontendOpenOrders", [ROW | {"side": "X"}]),
    ("frontendOpenOrders", None),
    ("userFillsByTime", [FILL | {"px": "NaN"}]),
    ("userRateLimit", {"nRequestsUsed": "many"}),
]


@pytest.mark.parametrize(("kind", "body"), BROKEN, ids=range(len(BROKEN)))
async def test_a_part_that_makes_no_sense_spoils_the_whole(kind: str, body: Any) -> None:
    """A9: never half a picture."""
    async with scripted() as (script, account):
        script.answers[kind] = [body]
        told = await account.picture(0)

    assert isinstance(told, Unanswered)
    assert "can't be read" in told.cause


async def test_facts() -> None:
    """Fees as fractions, in basis points; the agent is the master's."""
    async with scripted() as (_, account):
        facts = await account.facts()

    assert (1.5, 4.5) == (float(facts.maker_fee_bps), float(facts.taker_fee_bps))
    assert (1000, 1, False) == (facts.balance, facts.open_orders, facts.can_withdraw)
    assert "abab" == facts.tail


@pytest.mark.parametrize(("coins", "asked"), [(0, 0), (2, 2), (20, 20), (21, 0)])
async def test_leverages_are_asked_for_while_there_is_room(coins: int, asked: int) -> None:
    """Beyond that the largest of each coin stands for it."""
    async with scripted(coins) as (script, account):
        facts = await account.facts()

    assert asked == script.kinds().count("activeAssetData")
    assert (20 if coins else 1) == facts.leverage


async def test_a_venue_that_is_busy_is_not_one_that_refuses_the_key() -> None:
    """429 and 500 end in "unavailable", 403 in "refused"."""
    for status, kind in ((429, DataUnavailable), (500, DataUnavailable), (403, CredentialsRefused)):
        async with scripted() as (script, account):
            script.answers["clearinghouseState"] = [web.Response(status=status, text="no")]
            with pytest.raises(kind):
                await account.facts()
