"""Funding as Binance books it: the stream says that some was paid, the income list says for what.

In cross margin an event of the stream names no instrument, and what happens while the line is down
is told by nobody. So the events only say that it is time to look; each payment is told once, at the
settlement's own time.

Rule 1: where the list does not have it in time, the event itself is told, for the instrument of a
        session that has one, and payments up to then are not told any more: better nameless than
        twice.
Rule 2: a list that can't be had is not one that has nothing: it is asked until it answers.

Source: the venue's `GET /fapi/v1/income`; the Binance sheet, section 7.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from brokers.binance import requests, terms
from brokers.binance.answers import BROKEN, MS_NS
from brokers.binance.caller import Caller
from brokers.binance.faults import Fault
from brokers.link.account import FundingReport, Report

PAUSES_S: Final = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Before each look: payments of one settlement need not enter the list together."""
MARGIN_NS: Final = 60_000_000_000
"""How much later than its settlement a payment may be told by the stream."""
TOLD_MAX: Final = 1_000
"""Payments remembered."""
Take = Callable[[Report], None]


class Payments:
    """Looks for funding when there is a reason to."""

    def __init__(
        self,
        caller: Caller,
        symbols: Sequence[str],
        quote: str,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        self._caller = caller
        self._symbol = symbols[0] if len(symbols) == 1 else ""
        self._quote = quote
        self._pauses_s = pauses_s
        self._since_ns: int | None = None
        """Venue time of the first payment that is ours."""
        self._closed_ns = -1
        """Payments up to here are not told any more."""
        self._told: dict[tuple[str, int], FundingReport] = {}
        self._awaited: list[FundingReport] = []
        self._reason = asyncio.Event()

    def begin(self, since_ns: int) -> None:
        """State from when on payments are ours; the earliest that is stated counts."""
        if self._since_ns is None:
            self._since_ns = since_ns
        elif since_ns < self._since_ns:
            self._since_ns = since_ns
            self._reason.set()

    def look(self) -> None:
        """Look when there is time: the line was down."""
        self._reason.set()

    def await_payment(self, told: FundingReport) -> None:
        """Look until the list has what the stream has told."""
        self._awaited.append(told)
        self._reason.set()

    async def run(self, take: Take) -> None:
        """Tell each payment once, until canceled."""
        while True:
            await self._reason.wait()
            self._reason.clear()
            awaited, self._awaited = self._awaited, []
            is_answered = False
            for pause_s in self._pauses_s if awaited else (0.0,):
                await asyncio.sleep(pause_s)
                is_answered = await self._collect(take)
            while not is_answered:
                await asyncio.sleep(self._pauses_s[-1])
                is_answered = await self._collect(take)
            for told in awaited:
                if not self._is_listed(told):
                    self._give_up(told, take)

    async def _collect(self, take: Take) -> bool:
        """Tell what the list has and was not told; return whether it could be had."""
        if self._since_ns is None:
            return True
        body = await self._caller.ask(requests.funding(self._since_ns // MS_NS))
        if isinstance(body, Fault):
            return False
        try:
            payments = terms.fundings(body, self._quote)
        except BROKEN:
            return False
        for report in payments:
            key = (report.symbol, report.at_ns)
            is_new = key not in self._told and report.at_ns > self._closed_ns
            if is_new and report.at_ns >= self._since_ns:
                self._told[key] = report
                take(report)
        while len(self._told) > TOLD_MAX:
            oldest = self._told.pop(next(iter(self._told)))
            self._closed_ns = max(self._closed_ns, oldest.at_ns)
        return True

    def _is_listed(self, told: FundingReport) -> bool:
        return any(0 <= told.at_ns - one.at_ns <= MARGIN_NS for one in self._told.values())

    def _give_up(self, told: FundingReport, take: Take) -> None:
        self._closed_ns = max(self._closed_ns, told.at_ns)
        take(told._replace(symbol=told.symbol or self._symbol))
