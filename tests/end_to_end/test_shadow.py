"""Shadow sessions in real processes: a stranger trades on the account that the session looks at.

What the venue wrote down is held against what the report makes of it.
"""

import asyncio
import re
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
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
from tests.end_to_end.shell import PROGRAM, Process
from tests.end_to_end.test_live_trading import GRAPHED, VENUES, Exchange, exchange

D = Decimal
CHANGING = re.compile(
    r"brokers\.(binance|bitunix|hyperliquid)\.(account|emergency|listener|rehearsal|user_stream)\."
    r"|brokers\.\w+\.(caller\.Caller|requests\.Scribe|sign\.Signer)$"
    r"|brokers\.link\.(broker|orders|reports|rehearser)\.|brokers\.link\.rest\.Rest$"
)
"""Classes that can place, amend or cancel, sign that, or listen by a key that is made by a POST."""
ENOUGH: Mapping[str, Mapping[str, str]] = {
    "binance": {"KEY": "sandbox-readonly", "SECRET": "sandbox-readonly-secret"},
    "bitunix": {"KEY": "sandbox-readonly", "SECRET": "sandbox-readonly-secret"},
    "hyperliquid": {},
}
"""Keys that may only read; Hyperliquid is asked by address."""


def key_of(there: Exchange, kind: Mapping[str, str]) -> dict[str, str]:
    prefix = f"LAPTOP_AGENTS_{there.venue.upper()}_"
    return {prefix + name: value for name, value in kind.items()} or dict(there.surroundings)


def shadow(
    there: Exchange, home: Path, *words: str, program: Sequence[str] = PROGRAM, **surroundings: str
) -> Process:
    return Process(
        home, "--headless", "--mode", "shadow", "--source", there.venue,
        "--symbols", VENUES[there.venue], "--set", "agents.quoter.half_spread_bps=0.5",
        "--set", "risk.max_consecutive_losses=1000", "--set", "shadow.look_every_s=1",
        *there.words, *words, program=program, **surroundings,
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
        yield account, feed.instruments[0]


async def trade(account: VenueAccount, instrument: Instrument, side: Side, qty: str) -> None:
    name = f"{int(time.time() * 1e6):023d}"
    order = NewOrder(
        name, instrument, side, OrderType.MARKET, D(qty), None, None, TimeInForce.IOC,
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


def gains(fills: Sequence[Mapping[str, Any]], side: str, mark: Decimal) -> Decimal:
    """What buying, or selling, has brought at a mark, by the venue's ledger."""
    sign = 1 if side == "BUY" else -1
    return sum(
        (sign * D(x["fill_qty"]) * (mark - D(x["fill_price"])) for x in fills if x["side"] == side),
        D(0),
    )


def held_against_the_ledger(told: Any, fills: Sequence[Mapping[str, Any]], run: Any) -> None:
    """Every cause, counted here from the ledger, the journal's own fills and the two marks."""
    first, last = (run.lines("account_seen")[place] for place in (0, -1))
    was, now = (D(line["data"]["positions"][0]["mark"]) for line in (first, last))
    ours = [x["data"] for x in run.lines("fill") if first["seq"] < x["seq"] < last["seq"]]
    assert len(ours) > 1
    our_gain = sum(
        (D(x["qty"]) * (1 if x["side"] == "BUY" else -1) * (now - D(x["price"])) for x in ours),
        D(0),
    )
    causes = told["causes"]
    assert D("0.01") * (now - was) - held_by_us(run) == causes["held"]
    assert gains(fills, "BUY", now) + gains(fills, "SELL", now) - our_gain == (
        causes["quantity"] + causes["price"]
    )
    paid = sum((D(fill["fee"]) for fill in fills), D(0))
    assert sum((D(x["fee"]) for x in ours), D(0)) - paid == causes["fees"]
    assert causes["transfers"] in (D("-25.5"), None)
    assert abs(causes["unexplained"] - (D("-25.5") if causes["transfers"] is None else 0)) < D(
        "0.001"
    )
    assert told["gap"] == sum(value for value in causes.values() if value is not None)


def held_by_us(run: Any) -> Decimal:
    """Return what moved of what the simulated account held at the first look: it may have begun."""
    first, last = (run.lines("simulated_books")[place]["data"]["holdings"] for place in (0, -1))
    marks = {one["symbol"]: one["mark"] for one in last}
    moved = [D(x["qty"]) * (D(marks[x["symbol"]]) - D(x["mark"])) for x in first if D(x["qty"])]
    return sum(moved, D(0))


async def crashed(process: Process, home: Path, key: Mapping[str, str]) -> Process:
    """Kill a session and go on with it."""
    process.send(signal.SIGKILL)
    process._process.communicate()
    return Process(home, "--headless", "--resume", program=GRAPHED, **key)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("venue", VENUES)
async def test_the_gap_is_split_by_cause(venue: str, tmp_path: Path) -> None:
    """Held before, traded meanwhile, and once while it is dead: the causes are the ledger's."""
    dies = venue == "binance"
    with exchange(venue, tmp_path) as there:
        key = key_of(there, ENOUGH[venue])
        async with stranger(there, tmp_path) as (account, instrument):
            await trade(account, instrument, Side.BUY, "0.01")
            program = PROGRAM if dies else GRAPHED
            process = shadow(there, tmp_path, "--duration", "0.08", program=program, **key)
            await until(process, 1)
            await trade(account, instrument, Side.BUY, "0.02")
            await there.break_it("transfer", amount="-25.5")
            await until(process, 1)
            if dies:
                process = await crashed(process, tmp_path, key)
            await trade(account, instrument, Side.SELL, "0.025")
            ending = await asyncio.to_thread(process.end)
        fills = there.wrote("fill")
        orders = {line["client_id"] for line in there.wrote("new")}

    assert 0 == ending.code, ending.err
    run = ending.run
    report = run.report()
    told, (part,) = report["shadow"], report["shadow"]["per_symbol"].values()
    assert ("shadow", False) == (report["mode"], report["simulated"])
    held_against_the_ledger(told, fills[1:], run)
    assert (D("0.005"), 0, 0) == (
        part["account_qty"], part["unexplained_qty"], part["simulated_qty"],
    )  # fmt: skip
    seen = [fill for line in run.lines("account_seen")[1:] for fill in line["data"]["fills"]]
    assert [str(fill["trade_id"]) for fill in fills[1:]] == [fill["trade_id"] for fill in seen]
    assert told["orders"]["checked"] > 2
    assert {} == told["orders"]["would_refuse"]
    assert "gap " in ending.err
    # Nothing was done there but by the stranger, and nothing that could is in the session's hands.
    assert 3 == len(fills) == len(orders)
    assert {fill["client_id"] for fill in fills} == orders
    classes = (tmp_path / "classes").read_text().splitlines()
    assert [] == [name for name in classes if CHANGING.search(name)]
    assert {f"brokers.{venue}.caller.Inquirer", "brokers.link.questions.Questions"} <= set(classes)
    if dies:
        assert 1 == len(run.lines("session_resumed"))
        again = Process(tmp_path, "replay").end()
        assert (0, True) == (again.code, "identical" in again.out), again.out + again.err


def test_a_shadow_session_needs_a_key_that_is_taken(tmp_path: Path) -> None:
    """Refused as live refuses it, before a run exists."""
    with exchange("binance", tmp_path) as there:
        wrong = key_of(there, {"KEY": "sandbox-key", "SECRET": "another-secret"})
        refused = shadow(there, tmp_path), shadow(there, tmp_path, **wrong)
        without, other = (one.end() for one in refused)
    assert (7, "no key for binance" in without.err) == (without.code, True), without.err
    assert (7, "does not take the key" in other.err) == (other.code, True), other.err
    assert not other.run.exists
