"""Shadow sessions in real processes: a stranger trades on the account that the session looks at.

What the venue wrote down is held against what the report makes of it.
"""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from brokers.link.account import Accepted, NewOrder, VenueAccount
from engine.model.instrument import Instrument
from engine.model.orders import OrderType, Side, TimeInForce
from engine.venue import LiveFeed
from laptop_agents import compose
from laptop_agents.keys import credentials
from laptop_agents.settings import load
from laptop_agents.sources import Flag
from laptop_agents.venues import open_account
from tests.end_to_end.shell import Process
from tests.end_to_end.test_live_trading import VENUES, Exchange, exchange


def shadow(there: Exchange, home: Path, *words: str, has_key: bool = True) -> Process:
    return Process(
        home, "--headless", "--mode", "shadow", "--source", there.venue,
        "--symbols", VENUES[there.venue], "--set", "agents.quoter.half_spread_bps=0.5",
        "--set", "risk.max_consecutive_losses=1000", "--set", "shadow.look_every_s=1",
        *there.words, *words, **(there.surroundings if has_key else {}),
    )  # fmt: skip


@asynccontextmanager
async def stranger(there: Exchange, home: Path) -> AsyncIterator[tuple[VenueAccount, Instrument]]:
    """Somebody else with the account's key."""
    pairs = [word.split("=", 1) for word in there.words if word != "--set"]
    pairs += [["source", there.venue], ["symbols", VENUES[there.venue]]]
    settings = load([Flag("--set", name, text) for name, text in pairs], {}, profiles=home)
    feed = compose.make_feed(settings, 0)
    assert isinstance(feed, LiveFeed)
    await feed.discover()
    key = credentials(there.venue, there.surroundings, home).credentials
    async with open_account(there.venue, key, settings, feed.instruments) as account:
        await account.facts()
        yield account, feed.instruments[0]


async def trade(account: VenueAccount, instrument: Instrument, side: Side, qty: str) -> None:
    name = f"{int(time.time() * 1e6):023d}"
    order = NewOrder(
        name, instrument, side, OrderType.MARKET, Decimal(qty), None, None, TimeInForce.IOC,
        is_post_only=False, is_reduce_only=False,
    )  # fmt: skip
    told = await account.place(order)
    assert isinstance(told, Accepted), told


def looks(process: Process) -> int:
    return len(process.run.lines_so_far("account_seen"))


async def until(process: Process, count: int) -> None:
    """Wait for so many more looks."""
    await asyncio.to_thread(process.until_trading)
    wanted = looks(process) + count
    await asyncio.to_thread(process.until, lambda: looks(process) >= wanted)


def exact(path: Path) -> Any:
    """The report with every digit."""
    text = (path / "final_report.json").read_text()
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)["shadow"]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("venue", VENUES)
async def test_the_gap_is_split_by_cause(venue: str, tmp_path: Path) -> None:
    """Held before, traded meanwhile, killed, traded while dead, resumed: the causes are the ledger's."""
    with exchange(venue, tmp_path) as there:
        async with stranger(there, tmp_path) as (account, instrument):
            await trade(account, instrument, Side.BUY, "0.01")
            process = shadow(there, tmp_path, "--duration", "0.1")
            await until(process, 1)
            await trade(account, instrument, Side.BUY, "0.02")
            await until(process, 1)
            process.send(signal.SIGKILL)
            process._process.communicate()
            before = len(process.run.lines("account_seen"))
            await trade(account, instrument, Side.SELL, "0.025")
            resumed = Process(tmp_path, "--headless", "--resume", **there.surroundings)
            ending = await asyncio.to_thread(resumed.end)
        fills = there.wrote("fill")

    assert 0 == ending.code, ending.err
    run = ending.run
    assert ("shadow", False) == (run.report()["mode"], run.report()["simulated"])
    assert len(run.lines("account_seen")) > before
    told = exact(run.path)
    seen = [fill for line in run.lines("account_seen")[1:] for fill in line["data"]["fills"]]
    assert [str(fill["trade_id"]) for fill in fills[1:]] == [fill["trade_id"] for fill in seen]
    # What the venue booked since the first look is what the report says of the account.
    first, last = (run.lines("account_seen")[place]["data"] for place in (0, -1))
    causes, gap = told["causes"], told["gap"]
    assert gap == sum(value for value in causes.values() if value is not None)
    paid = sum(Decimal(fill["fee"]) for fill in fills[1:])
    begun = run.lines("account_seen")[0]["seq"]
    ours = [line["data"] for line in run.lines("fill") if line["seq"] > begun]
    own = sum(Decimal(fill["fee"]) for fill in ours)
    assert len(ours) > 2
    assert causes["fees"] == own - paid
    assert Decimal(first["positions"][0]["qty"]) == Decimal("0.01")
    (part,) = told["per_symbol"].values()
    assert (Decimal("0.005"), 0) == (part["account_qty"], part["unexplained_qty"])
    assert abs(causes["unexplained"]) < Decimal("0.001")
    assert last["orders"] == []
    assert {fill["client_id"] for fill in fills} == {
        line["client_id"] for line in map(json.loads, there.ledger.read_text().splitlines())
    }
    again = Process(tmp_path, "replay").end()
    assert (0, True) == (again.code, "identical" in again.out), again.out + again.err


def test_a_shadow_session_needs_a_key(tmp_path: Path) -> None:
    with exchange("binance", tmp_path) as there:
        ending = shadow(there, tmp_path, has_key=False).end()
    assert (7, "no key for binance" in ending.err) == (ending.code, True), ending.err
    assert not ending.run.exists
