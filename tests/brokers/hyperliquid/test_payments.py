"""Funding: each payment is told once, also one of which the stream says nothing."""

import time
from decimal import Decimal

from brokers.hyperliquid.payments import wait_s
from brokers.link.account import FundingReport, LineUp
from brokers.sandbox.faults import Fault
from engine.model.market import Funding
from tests.brokers.hyperliquid.accounts import BUY, Trader, trader
from tests.brokers.hyperliquid.exchange import Exchange, exchange

HOUR_NS = 3_600 * 10**9
RATE = Decimal("0.0001")


def settle(venue: Exchange) -> None:
    """Announce a settlement that is due, and let the next announcement bring it."""
    now_ns, mark = time.time_ns(), venue.core.mark("BTC")
    for due_ns in (now_ns, now_ns + HOUR_NS):
        venue.market.show(Funding(now_ns, "BTC", mark, RATE, due_ns, now_ns))


def questions(venue: Exchange) -> list[object]:
    """Every question for the list of payments, from now on."""
    asked: list[object] = []
    answers = venue.sandbox._answers
    answer = answers["userFunding"]
    answers["userFunding"] = lambda question: (asked.append(question), answer(question))[1]
    return asked


async def paid(trading: Trader) -> FundingReport:
    await trading.until(lambda: trading.of(FundingReport))
    (told,) = trading.of(FundingReport)
    return told


async def test_what_the_stream_tells_is_told_once() -> None:
    """The list, asked for when the line comes up again, has it too."""
    async with exchange() as venue, trader(venue, since_ns=time.time_ns()) as trading:
        asked = questions(venue)
        await trading.account.place(trading.market(BUY, "0.01"))
        settle(venue)
        told = await paid(trading)
        venue.sandbox.faults.arm(Fault("kill_streams"))
        await trading.until(lambda: 2 == len(trading.of(LineUp)))
        await trading.until(lambda: asked)
        await trading.account.picture(0)
        assert told == await paid(trading)
    assert told.amount < 0


def test_a_settlement_is_looked_at_fifteen_seconds_behind_the_hour() -> None:
    for now_s, wait in ((0, 15), (14, 1), (15, 3_600), (3_599, 16)):
        assert wait == wait_s(7 * HOUR_NS + now_s * 10**9)


async def test_what_was_paid_while_nobody_ran_is_told_once() -> None:
    since_ns = time.time_ns()
    async with exchange() as venue:
        async with trader(venue, since_ns=since_ns) as trading:
            await trading.account.place(trading.market(BUY, "0.01"))
        settle(venue)
        async with trader(venue, since_ns=since_ns) as trading:
            told = await paid(trading)
        asked = questions(venue)
        async with trader(venue, since_ns=since_ns, funded=[told]) as trading:
            await trading.until(lambda: 1 == len(asked))
            await trading.account.picture(since_ns)
            assert [] == trading.of(FundingReport)
        async with trader(venue, since_ns=told.at_ns + 10**9) as trading:
            await trading.until(lambda: 2 == len(asked))
            await trading.account.picture(since_ns)
            assert [] == trading.of(FundingReport), "it was paid before the session began"
