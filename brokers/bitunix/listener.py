"""The private line, kept up: what it pushes, and the questions that its pushes lead to.

The unit of the time that signs a login is not agreed on: where the setting leaves it open, seconds
are tried first, and the other unit after each refusal.

Source: sheet section 7.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from brokers.bitunix.answers import UNREADABLE
from brokers.bitunix.config import BitunixConfig
from brokers.bitunix.deals import Deals
from brokers.bitunix.funding import FundingSeen
from brokers.bitunix.memory import Memory
from brokers.bitunix.moments import MS_NS
from brokers.bitunix.requests import Scribe
from brokers.bitunix.rows import PositionRow
from brokers.bitunix.talk import Talk, TalkConfig, subscription
from brokers.bitunix.user_stream import CHANNELS, ORDER, POSITION, order_pushes
from brokers.bitunix.wire import Head, read_head
from brokers.link.account import (
    FillReport,
    FundingReport,
    LineDown,
    LineUp,
    OrderReport,
    Report,
    Unanswered,
)
from brokers.link.backoff import Backoff, BackoffConfig
from brokers.link.stream import Down, Frame, Stream, StreamConfig, Up, Word
from brokers.link.trust import trusted

TICK_S: Final = 0.1
IDLE_S: Final = 60.0
AGAIN_S: Final = 4.0
"""Until the list of positions is asked for again after no answer."""
Take = Callable[[Report], None]
Fetch = Callable[[OrderReport], Awaitable[list[FillReport] | None]]
"""Asks for all executions of an order; None where nobody answered."""
Held = Callable[[], Awaitable[list[PositionRow] | Unanswered]]
"""Asks for every open position."""


class Questions(NamedTuple):
    """What pushes lead to."""

    fetch: Fetch
    held: Held


class Listener:
    """Listens to one account."""

    def __init__(
        self,
        config: BitunixConfig,
        scribe: Scribe,
        memory: Memory,
        deals: Deals,
        questions: Questions,
    ) -> None:
        self._config = config
        self._scribe = scribe
        self._memory = memory
        self._deals = deals
        self._questions = questions
        self._funding = FundingSeen()
        self._is_in_seconds = config.login_unit != "ms"
        self._has_more = asyncio.Event()
        self._is_anew = asyncio.Event()
        """Since the list of positions was asked for, the line has come up."""
        self._take: Take = _nowhere
        self._says: set[asyncio.Task[bool]] = set()
        self._is_up = False
        self._was_told_down = False
        self._talk = Talk(
            TalkConfig(
                ping_s=config.ping_s,
                greeting_s=config.open_timeout_s,
                first_push_s=config.first_push_s,
                silent_after_s=config.silent_after_s,
            ),
            subscription([("", channel) for channel in CHANNELS]),
            login=lambda: scribe.login(in_seconds=self._is_in_seconds),
        )
        self.stream = self._stream()

    def _stream(self) -> Stream:
        config = self._config
        return Stream(
            StreamConfig(
                url=config.private_url,
                silent_after_s=config.silent_after_s + config.ping_s,
                open_timeout_s=config.open_timeout_s,
                ping_s=None,
            ),
            tuple,
            Backoff(BackoffConfig(per_hour=config.reconnects_per_hour), random.Random()),
            trusted("bitunix", config),
        )

    def begin(self, since_ns: int, funded: Sequence[FundingReport]) -> None:
        """State when the session began, and which funding an interrupted run of it was told."""
        self._funding.begin(since_ns, funded)

    async def run(self, take: Take) -> None:
        """Hand over what is told, at once, until canceled."""
        self._take = take
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.stream.run(self._hear))
            tasks.create_task(self._mind())
            tasks.create_task(self._ask())
            tasks.create_task(self._catch_up())

    # --- the line ------------------------------------------------------------------------------

    async def _mind(self) -> None:
        """Ping, and give the line up when it does not let us in."""
        while True:
            await asyncio.sleep(TICK_S)
            now_s = time.monotonic()
            for text in self._talk.due(now_s, time.time()):
                await self.stream.send(text)
            cause = self._talk.trouble(now_s)
            if cause:
                self._give_up(cause)

    def _give_up(self, cause: str) -> None:
        if self._talk.refusal and self._config.login_unit == "auto":
            self._is_in_seconds = not self._is_in_seconds
        self._talk.end()
        self.stream.give_up(cause)

    def _hear(self, word: Word) -> None:
        match word:
            case Frame(data=data):
                self._read(data)
            case Up():
                self._talk.begin(time.monotonic())
            case Down(cause=cause):
                self._talk.end()
                if self._is_up or not self._was_told_down:
                    self._is_up, self._was_told_down = False, True
                    self._take(LineDown(cause))

    def _read(self, data: bytes) -> None:
        try:
            head = read_head(data)
        except UNREADABLE:
            return
        if head.ch:
            self._pushed(head)
            return
        for text in self._talk.told(head, time.monotonic()):
            saying = asyncio.create_task(self.stream.send(text))
            self._says.add(saying)
            saying.add_done_callback(self._says.discard)
        if self._talk.is_listening and not self._is_up:
            self._is_up = True
            self._is_anew.set()
            self._take(LineUp())

    def _pushed(self, head: Head) -> None:
        now_s = time.monotonic()
        if head.ch == POSITION:
            for payment in self._funding.pushed(head):
                self._take(payment)
        if head.ch != ORDER:
            return
        for push in order_pushes(head):
            self._memory.learn(push.report.client_id, push.report.venue_order_id)
            report = self._memory.judge(push.report, created_ns=push.created_ns)
            for told in self._deals.pushed(report, push.average, push.fee, now_s):
                self._take(told)
        self._has_more.set()

    # --- funding -------------------------------------------------------------------------------

    async def _catch_up(self) -> None:
        """Tell what positions were funded while the line was down."""
        while True:
            await self._is_anew.wait()
            self._is_anew.clear()
            self._funding.ask()
            while isinstance(held := await self._questions.held(), Unanswered):
                await asyncio.sleep(AGAIN_S)
                self._funding.ask()
            for payment in self._funding.listed(held, self._scribe.now_ms() * MS_NS):
                self._take(payment)

    # --- executions ----------------------------------------------------------------------------

    async def _ask(self) -> None:
        """Ask for the executions that pushes announced, until each has been told."""
        while True:
            self._has_more.clear()
            for report in self._deals.due(time.monotonic()):
                fills = await self._questions.fetch(report)
                for told in self._deals.answered(report.venue_order_id, fills, time.monotonic()):
                    self._take(told)
            next_s = self._deals.next_s()
            wait_s = IDLE_S if next_s is None else max(0.0, next_s - time.monotonic())
            try:
                async with asyncio.timeout(wait_s):
                    await self._has_more.wait()
            except TimeoutError:
                continue


def _nowhere(_: Report) -> None:
    """Take nothing: nobody listens yet."""
