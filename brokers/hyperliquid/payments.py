"""Funding as Hyperliquid pays it: the stream tells each payment once, the list has them all.

What is paid while the line is down, or while no process runs, is told by nobody: the list is asked
for whenever the line comes up, and behind every settlement: a line may be up and silent.

Rule 1: a payment is told once. Coins are settled every hour, so the same amount for the same coin
        within half an hour is the same payment, by whomever it is told.
Rule 2: a list that can't be had is not one that has nothing: it is asked for until it answers.

Source: the Hyperliquid sheet, sections 2 and 7.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from brokers.hyperliquid import sights
from brokers.hyperliquid.answers import BROKEN
from brokers.hyperliquid.caller import Fault, Inquirer
from brokers.hyperliquid.survey import NotWhole, parsed
from brokers.link.account import FundingReport, LineUp, Report

PAGES_MAX: Final = 10
PAGE: Final = 500
"""Payments in one answer, at least."""
AGAIN_S: Final = 8.0
BEHIND_NS: Final = 15_000_000_000
"""Behind a settlement, when its payments are in the list."""
HOUR_NS: Final = 3_600_000_000_000
MS_NS: Final = 1_000_000
TOLD_MAX: Final = 1_000
"""Payments remembered."""
Take = Callable[[Report], None]


async def listed(inquirer: Inquirer, kind: str, since_ms: int) -> list[sights.Row]:
    """Return the payments of a list since a time, page by page.

    Raises:
        NotWhole: A page is missing, or there are too many.
    """
    found: dict[str, sights.Row] = {}
    for _ in range(PAGES_MAX):
        told = await inquirer.ask_of_us(kind, startTime=since_ms)
        page = parsed(told, sights.rows)
        before = len(found)
        found |= {f"{row.time} {row.hash} {row.delta}": row for row in page}
        if len(page) < PAGE or len(found) == before:
            return list(found.values())
        since_ms = max(row.time for row in page)
    raise NotWhole(Fault(None, "more payments than can be fetched"))


def wait_s(now_ns: int) -> float:
    """Return the seconds until the payments of the next settlement can be asked for."""
    return (HOUR_NS - (now_ns - BEHIND_NS) % HOUR_NS) / 1e9


class Payments:
    """Tells each payment of a session once."""

    def __init__(self, inquirer: Inquirer) -> None:
        self._inquirer = inquirer
        self._since_ns: int | None = None
        """From when on the list has something new."""
        self._told: deque[FundingReport] = deque(maxlen=TOLD_MAX)
        self._is_due = asyncio.Event()

    def begin(self, since_ns: int, told: Sequence[FundingReport]) -> None:
        """State when the session began, and what an interrupted run of it was told."""
        self._since_ns = since_ns
        self._told.extend(told)

    def hear(self, report: Report) -> bool:
        """Follow the stream; return whether what it tells is to be handed on."""
        if isinstance(report, LineUp):
            self._is_due.set()
        return not isinstance(report, FundingReport) or self._is_new(report)

    async def run(self, take: Take) -> None:
        """Tell what the stream did not, until canceled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s(self._inquirer.now_ns())):
                    await self._is_due.wait()
            self._is_due.clear()
            while not await self._collect(take):
                await asyncio.sleep(AGAIN_S)

    async def _collect(self, take: Take) -> bool:
        """Tell what the list has and was not told; return whether it could be had."""
        if self._since_ns is None:
            return True
        asked_ns = self._inquirer.now_ns()
        try:
            rows = await listed(self._inquirer, "userFunding", self._since_ns // MS_NS)
            paid = [sights.funding(row) for row in rows]
        except (NotWhole, KeyError, *BROKEN):
            return False
        for one in paid:
            report = FundingReport(one.symbol, one.amount, one.at_ns)
            if self._is_new(report):
                take(report)
        self._since_ns = max(self._since_ns, asked_ns - HOUR_NS)
        return True

    def _is_new(self, report: FundingReport) -> bool:
        for told in self._told:
            is_same = (told.symbol, told.amount) == (report.symbol, report.amount)
            if is_same and abs(told.at_ns - report.at_ns) < HOUR_NS // 2:
                return False
        self._told.append(report)
        return True
