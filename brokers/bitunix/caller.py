"""Asks the venue in one account's name: limits kept, time stamps right, nothing done twice.

Rule 1: a placement for which there is no room now is refused at once; questions and cancels wait.
Rule 2: what was refused because a clock was set is asked once more with the right time; nothing
        else is ever asked again here.

Source: sheet sections 1, 2 and 8.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from brokers.bitunix import requests
from brokers.bitunix.answers import Said, said
from brokers.bitunix.clock import S_NS, SecondsClock
from brokers.bitunix.codes import SIGNATURE, THROTTLED
from brokers.bitunix.requests import Scribe
from brokers.link.account import Refused, Unclear
from brokers.link.budget import Budget, Lane, Limit
from brokers.link.offset import date_s
from brokers.link.rest import NotSent, Outcome, Reply, Request, Rest
from engine.model.venue_events import RejectReason

SLOW: Final = frozenset({requests.CANCEL, requests.BATCH})
"""Five a second; everything else ten."""
PATHS: Final = (
    requests.ACCOUNT, requests.LEVERAGE, requests.PLACE, requests.BATCH, requests.CANCEL,
    requests.SET_LEVERAGE, requests.SET_MODE, requests.PENDING, requests.DETAIL,
    requests.TRADES, requests.POSITIONS,
)  # fmt: skip
WINDOW_S: Final = 1.15
"""A second, and by how much the way there may differ from one request to the next."""
WAIT_MAX_S: Final = 5.0
"""Longer than that no cancel and no question stands in line."""
BACK_OFF_S: Final = 1.0
BACK_OFF_MAX_S: Final = 30.0
SET_NS: Final = 1_000_000_000
"""A clock that moved by more than this was set."""

Answer = Said | Refused | Unclear


class Caller:
    """One account's way to the venue."""

    def __init__(self, rests: Mapping[Lane, Rest], clock: SecondsClock) -> None:
        """Take over a way for each lane: no cancel waits for a connection an order hangs on."""
        self._rests = rests
        self._clock = clock
        limits = (Limit(path, 5 if path in SLOW else 10, WINDOW_S) for path in PATHS)
        self.budget = Budget(tuple(limits))
        self._back_off_s = BACK_OFF_S

    async def read(self, scribe: Scribe, path: str, params: Mapping[str, str]) -> Answer:
        """Ask a question."""
        return await self._ask(lambda: scribe.get(path, params), path, Lane.READ)

    async def do(self, scribe: Scribe, path: str, body: Mapping[str, Any], lane: Lane) -> Answer:
        """Ask for something to be done."""
        return await self._ask(lambda: scribe.post(path, body), path, lane)

    async def _ask(self, write: Callable[[], Request], path: str, lane: Lane) -> Answer:
        answer, was_set = await self._once(write, path, lane)
        if was_set and isinstance(answer, Said) and answer.code in SIGNATURE:
            answer, _ = await self._once(write, path, lane)
        return answer

    async def _once(
        self, write: Callable[[], Request], path: str, lane: Lane
    ) -> tuple[Answer, bool]:
        """Send one request; also say whether its time stamp turns out to have been wrong."""
        wait_s = self.budget.wait_s({path: 1}, lane, time.monotonic())
        if wait_s > (0.0 if lane is Lane.PLACE else WAIT_MAX_S):
            return Refused(RejectReason.RATE_LIMIT, "no request left: not sent"), False
        while wait_s > 0:
            await asyncio.sleep(wait_s)
            wait_s = self.budget.wait_s({path: 1}, lane, time.monotonic())
        self.budget.spend({path: 1}, time.monotonic())
        believed_ns, asked_ns = self._clock.offset_ns, time.time_ns()
        outcome = await self._rests[lane].ask(write())
        self._see_time(outcome, asked_ns)
        was_set = abs(self._clock.offset_ns - believed_ns) > SET_NS
        if isinstance(outcome, NotSent):
            return Refused(RejectReason.VENUE_UNAVAILABLE, f"not sent: {outcome.cause}"), False
        answer = said(outcome)
        self._heed(answer, outcome)
        return answer, was_set

    def _see_time(self, outcome: Outcome, asked_ns: int) -> None:
        if isinstance(outcome, Reply):
            second = date_s(outcome.headers.get("date", ""))
            if second is not None:
                self._clock.sample(second, asked_ns=asked_ns, heard_ns=time.time_ns())

    def _heed(self, answer: Answer, outcome: Outcome) -> None:
        """Slow down where the venue says so: a second, doubled each time."""
        if not isinstance(answer, Said):
            return
        if answer.code not in THROTTLED:
            self._back_off_s = BACK_OFF_S
            return
        told = outcome.headers.get("retry-after", "") if isinstance(outcome, Reply) else ""
        told_s = min(float(told), BACK_OFF_MAX_S) if told.isascii() and told.isdigit() else 0.0
        self.budget.back_off(max(told_s, self._back_off_s), time.monotonic())
        self._back_off_s = min(BACK_OFF_MAX_S, 2 * self._back_off_s)

    def now_ms(self) -> int:
        """Return the venue's time."""
        return (time.time_ns() + self._clock.offset_ns) // (S_NS // 1_000)
