"""Funding: named by the list, told once, whether the stream told it, lost it, or named nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from brokers.binance.caller import Caller
from brokers.binance.payments import TOLD_MAX, Payments
from brokers.link.account import FundingReport
from tests.brokers.binance.scripted import Script, refused, scripted, told, until
from tests.brokers.binance.test_account import KEYS

INCOME = "GET /fapi/v1/income"
MS = 1_000_000
AT_MS = 1_700_000_000_000


def row(symbol: str = "BTCUSDT", income: str = "-0.5", at_ms: int = AT_MS, asset: str = "USDT"):
    return {"symbol": symbol, "incomeType": "FUNDING_FEE", "income": income, "asset": asset,
            "time": at_ms, "tranId": 1, "tradeId": ""}  # fmt: skip


def event(at_ms: int = AT_MS + 40) -> FundingReport:
    return FundingReport("", -1, at_ms * MS)


class Run:
    """Payments being looked for, and what was told of them."""

    def __init__(self, script: Script, caller: Caller, symbols: tuple[str, ...]) -> None:
        self.script = script
        self.payments = Payments(caller, symbols, "USDT", (0.0, 0.02, 0.02))
        self.heard: list[FundingReport] = []
        self.task = asyncio.create_task(self.payments.run(self.heard.append))

    def told(self) -> list[tuple[str, str]]:
        return [(one.symbol, str(one.amount)) for one in self.heard]

    async def looked(self, times: int) -> None:
        """Wait until the list was asked for so often, and what it said was heard."""
        await until(lambda: self.script.names().count(INCOME) >= times)
        await until(lambda: not self.payments._reason.is_set())
        await asyncio.sleep(0.05)


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    async with scripted() as running:
        running.usual[INCOME] = told([])
        yield running


@pytest.fixture(params=[("BTCUSDT", "ETHUSDT")])
async def run(script: Script, request: pytest.FixtureRequest) -> AsyncIterator[Run]:
    async with Caller(KEYS, script.config) as caller:
        running = Run(script, caller, request.param)
        yield running
        assert not running.task.done(), running.task
        running.task.cancel()
        await asyncio.gather(running.task, return_exceptions=True)


async def test_an_event_is_told_by_the_names_of_the_list(script: Script, run: Run) -> None:
    """Payments of one settlement, some of them late, each once and in the quote asset alone."""
    run.payments.begin(AT_MS * MS)
    run.payments.look()
    await run.looked(1)
    first, second = row(), row("ETHUSDT", "0.25")
    script.then(INCOME, told([first, row(asset="BNB")]), told([first]), told([first, second]))
    run.payments.await_payment(event())
    await until(lambda: len(run.heard) == 2)
    await run.looked(4)

    assert [("BTCUSDT", "-0.5"), ("ETHUSDT", "0.25")] == run.told()
    assert [AT_MS * MS] * 2 == [one.at_ns for one in run.heard]
    assert {"incomeType": "FUNDING_FEE", "startTime": str(AT_MS), "limit": "1000"}.items() <= (
        script.seen[0].params.items()
    )


async def test_what_was_paid_while_the_line_was_down_is_found(script: Script, run: Run) -> None:
    """And what was before our time is not ours; an earlier beginning makes it so."""
    script.usual[INCOME] = told([row(at_ms=AT_MS - 5), row()])
    run.payments.begin(AT_MS * MS)
    for times in (1, 2):
        run.payments.look()
        await run.looked(times)
    assert [AT_MS * MS] == [one.at_ns for one in run.heard]

    run.payments.begin((AT_MS - 10) * MS)
    await until(lambda: len(run.heard) == 2)
    run.payments.begin(AT_MS * MS)
    run.payments.look()
    await run.looked(4)
    assert [AT_MS * MS, (AT_MS - 5) * MS] == [one.at_ns for one in run.heard]


@pytest.mark.parametrize("run", [("BTCUSDT",), ("BTCUSDT", "ETHUSDT")], indirect=True)
async def test_an_event_the_list_never_has_is_told_as_it_is(script: Script, run: Run) -> None:
    """For the one instrument there is, else for none; and never a second time by the list."""
    run.payments.begin(AT_MS * MS)
    run.payments.await_payment(event())
    await until(lambda: run.heard)
    assert [run.payments._symbol] == [one.symbol for one in run.heard]
    assert run.payments._symbol in ("BTCUSDT", "")

    script.usual[INCOME] = told([row(), row(at_ms=AT_MS + 8 * 3_600_000)])
    run.payments.look()
    run.payments.begin((AT_MS - 10) * MS)
    await until(lambda: len(run.heard) == 2)
    assert (AT_MS + 8 * 3_600_000) * MS == run.heard[1].at_ns


@pytest.mark.parametrize("awaits", [True, False])
async def test_a_list_that_cannot_be_had_is_asked_until_it_answers(
    script: Script, run: Run, awaits: bool
) -> None:
    """Else money would be booked for nobody, or what was paid while the line was down never."""
    run.payments.begin(AT_MS * MS)
    for broken in ((500, b""), (200, b"<html>"), refused(-1003, 400), (503, b"")):
        script.then(INCOME, broken)
    script.usual[INCOME] = told([row()])
    if awaits:
        run.payments.await_payment(event())
    else:
        run.payments.look()
    await until(lambda: run.heard)
    assert [("BTCUSDT", "-0.5")] == run.told()
    assert 5 == script.names().count(INCOME)


async def test_memory_is_bounded(script: Script, run: Run) -> None:
    """What is forgotten is not told again."""
    rows = [row(at_ms=AT_MS + number) for number in range(TOLD_MAX + 5)]
    script.usual[INCOME] = told(rows)
    run.payments.begin(AT_MS * MS)
    run.payments.look()
    await until(lambda: len(run.heard) == TOLD_MAX + 5)
    run.payments.look()
    await run.looked(2)
    assert TOLD_MAX + 5 == len(run.heard)
    assert TOLD_MAX == len(run.payments._told)
