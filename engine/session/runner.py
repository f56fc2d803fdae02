"""The headless session: brings inputs to the kernel in the order of event time, until an end.

Three things compete for the next instant: the feed's next event, the timer's next beat and the
simulated broker's next answer. The earliest wins, the timer before an event of the same instant, so
that a run at any speed, on any machine, makes the same decisions. The clock only decides how long
the wait for it takes. A live source has no next event: what has come is taken at the clock's time,
and where nothing has, the others go on.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from typing import Final

from engine.model.events import HealthChanged, Operator, OperatorCommand
from engine.model.market import (
    BarHistory,
    FeedEvent,
    FeedStatus,
    Malformed,
    Quote,
    ReferenceEvent,
    ReferenceQuote,
    ReferenceStatus,
    RulesChanged,
)
from engine.session.beat import Beat
from engine.session.checkpoint import Checkpoint, Checkpoints
from engine.session.clock import POLL_S, Clock
from engine.session.commits import Commits
from engine.session.course import NEVER, TIMER_NS, Course, Plan
from engine.session.intake import Intake
from engine.session.journal import Journal
from engine.session.record import SessionRecord
from engine.session.sentinel.guard import Guard, NoGuard
from engine.session.shell import Shell
from engine.session.sight import Sight
from engine.session.start import Arming, Start
from engine.session.stops import Stops
from engine.session.turn import Turn
from engine.venue import AccountWatch, Feed, FeedInput, LiveBroker, LiveFeed, SessionBroker

NO_MARKET: Final = (
    BarHistory,
    FeedStatus,
    RulesChanged,
    Malformed,
    ReferenceQuote,
    ReferenceStatus,
    OperatorCommand,
    HealthChanged,
)
"""What a source brings that no simulated venue could fill an order from."""


class Session:
    """Runs one session to its end."""

    def __init__(
        self,
        plan: Plan,
        *,
        feed: Feed,
        broker: SessionBroker,
        turn: Turn,
        clock: Clock,
        journal: Journal,
        record: SessionRecord,
        stops: Stops,
        checkpoints: Checkpoints,
        control: AbstractAsyncContextManager[object] | None = None,
        guard: Guard | None = None,
        arming: Arming | None = None,
        watch: AccountWatch | None = None,
    ) -> None:
        self._plan = plan
        self._feed = feed
        self._live = feed if isinstance(feed, LiveFeed) else None
        self._broker = broker
        self._venue = broker if isinstance(broker, LiveBroker) else None
        self._turn = turn
        self._kernel = turn.kernel
        self._clock = clock
        self._journal = journal
        self._stops = stops
        self._checkpoints = checkpoints
        self._control = control or nullcontext()
        self._course = Course(plan, is_catching_up=journal.is_catching_up)
        limit_ms = None if clock.is_simulated else plan.commit_wait_ms
        self._commits = Commits(turn, journal, limit_ms)
        shell = Shell(
            course=self._course,
            live=self._live,
            broker=broker,
            venue=self._venue,
            turn=turn,
            commits=self._commits,
            clock=clock,
            journal=journal,
            record=record,
            stops=stops,
            checkpoints=checkpoints,
            guard=guard or NoGuard(),
            watch=watch,
        )
        self._outside = [part for part in (self._live, self._venue, watch) if part is not None]
        self._intake = Intake(shell)
        self._is_watching = watch is not None
        self._sight = Sight(shell, self._intake)
        self._start = Start(shell, self._intake, self._sight, arming)
        self._beat = Beat(shell, self._intake)

    def resume(self, checkpoint: Checkpoint) -> None:
        """Start from a checkpoint of the run; what the journal has after it is rerun.

        Raises:
            StateDamaged: Its state is not of this shape; without the file, the resume takes longer.
        """
        self._beat.resume(checkpoint)

    async def run(self) -> str:
        """Run until planned end, end of data, limit, kill or signal; return the stop reason.

        Raises:
            FencedByEpoch: Another session took over the run.
        """
        self._stops.watch()
        durability = asyncio.create_task(self._keep_durable(), name="journal-sync")
        try:
            async with self._control, AsyncExitStack() as stack:
                for part in self._outside:
                    await stack.enter_async_context(part)
                await self._trade()
                await self._sight.look_back()
        finally:
            durability.cancel()
            await asyncio.gather(durability, return_exceptions=True)
            await self._journal.quiet()
            await self._stops.close()
            await self._checkpoints.close()
        return self._intake.stop_reason()

    async def _keep_durable(self) -> None:
        """Flush and sync on the plan's beats, whatever the feed does."""
        unsynced_s = 0.0
        while True:
            await asyncio.sleep(self._plan.flush_s)
            self._journal.flush()
            unsynced_s += self._plan.flush_s
            if unsynced_s >= self._plan.sync_s or self._journal.is_full:
                unsynced_s = 0.0
                await asyncio.shield(self._journal.sync())

    async def _trade(self) -> None:
        last_ns = self._kernel.now_ns
        for batch in _after(self._feed.batches(), self._course.taken):
            if not batch:
                if self._course.is_catching_up and not self._course.has_begun:
                    await self._start.begin_again()  # it died before any market line
                if await self._idle():
                    return
                continue
            is_first = not self._course.has_begun
            if self._live is not None and not self._course.is_catching_up:
                self._stamp(batch, batch[0].ts_ns if is_first else self._now())
            if is_first:
                await self._start.begin(batch[0].ts_ns)
            if await self._take_batch(batch):
                return
            last_ns = batch[-1].ts_ns
        await self._intake.command(last_ns, Operator.END_OF_DATA, "session")
        await self._reach(last_ns + self._course.data_end_margin_ns)

    def _now(self) -> int:
        """Return the time of a live source: the clock that never goes back."""
        return max(self._kernel.now_ns, self._clock.reached())

    @staticmethod
    def _stamp(batch: Sequence[FeedInput], now_ns: int) -> None:
        """Let what has come from a live source enter now."""
        for event in batch:
            event.ts_ns = now_ns  # type: ignore[misc]  # a live source brings market events only

    async def _idle(self) -> bool:
        """Do what is due while a live source is silent; return True at the session's end."""
        course = self._course
        assert self._live is not None, "only a live source has nothing to bring"
        while course.is_catching_up and not course.is_over:
            await self._reach(course.next_timer_ns)  # no market is left in the journal
        wait_s = POLL_S
        if course.has_begun:
            now_ns = self._now()
            await self._reach(now_ns)
            due_ns = min(course.next_timer_ns, self._broker.next_due_ns() or NEVER)
            wait_s = min(POLL_S, max(0.0, (due_ns - now_ns) / 1e9))
        if not course.is_over:
            await self._live.arrived(wait_s, self._take_at_once)
            await self._commits.settle()
            if self._intake.has_ended(self._kernel.now_ns):
                return True
        if course.has_begun:
            # An answer may be due by now: what comes before it has to bear an earlier time.
            now_ns = min(self._now(), self._broker.next_due_ns() or NEVER)
            await self._intake.heed(now_ns)
            await self._sight.heed(now_ns)
        return course.is_over or self._stops.is_abort

    def _take_at_once(self, event: FeedEvent) -> bool:
        """Take a market event as it comes in, unless anything else comes before it."""
        course, now_ns = self._course, self._now()
        due_ns = self._broker.next_due_ns() or NEVER
        is_next = course.is_free(now_ns) and now_ns < due_ns and not self._kernel.is_ending
        if not is_next or self._intake.is_called or isinstance(event, NO_MARKET):
            return False
        self._stamp((event,), now_ns)
        course.taken += 1
        self._turn.market(event)
        if self._turn.is_waiting:
            self._commits.hurry()
        return True

    async def _take_batch(self, batch: Sequence[FeedInput]) -> bool:
        """Take the events of one batch, each at its time; return True at the session's end."""
        course = self._course
        for event in batch:
            if type(event) is not Quote and isinstance(event, NO_MARKET):
                await self._take_input(event)
            else:
                if event.ts_ns >= course.free_until_ns or course.is_catching_up:
                    await self._reach(event.ts_ns)
                    if course.is_over:
                        return True
                course.taken += 1
                self._turn.market(event)
                if self._turn.is_waiting:
                    await self._commits.settle()
            if self._kernel.is_ending and self._intake.has_ended(event.ts_ns):
                return True
        # Also under a wall clock: one that has fallen behind waits for nothing else.
        await asyncio.sleep(0)
        await self._intake.heed(batch[-1].ts_ns)
        if self._is_watching:
            await self._sight.heed(batch[-1].ts_ns)
        return course.is_over

    async def _take_input(
        self,
        event: BarHistory
        | FeedStatus
        | RulesChanged
        | Malformed
        | ReferenceEvent
        | OperatorCommand
        | HealthChanged,
    ) -> None:
        """Take what is no market, after all that was due; a command came first in its instant."""
        is_command = isinstance(event, OperatorCommand)
        await self._reach(event.ts_ns - 1 if is_command else event.ts_ns)
        if not self._course.is_over:
            self._course.taken += 1
            await self._intake.take(event)

    async def _reach(self, event_ns: int) -> None:
        """Let everything due before `event_ns` happen, each at its time."""
        course = self._course
        while not course.is_over:
            if course.is_catching_up:
                await self._start.catch_up()
            broker_ns = self._broker.next_due_ns()
            due_ns = min(event_ns, course.next_timer_ns, course.deadline_ns, broker_ns or NEVER)
            if not course.is_catching_up and self._clock.reached() < due_ns:
                await self._wait(due_ns)
                continue
            if broker_ns is not None and broker_ns <= due_ns:
                await self._intake.deliver(due_ns)
            elif course.deadline_ns <= due_ns:
                course.deadline_ns = NEVER
                await self._intake.command(due_ns, Operator.DURATION_ELAPSED, "session")
            elif course.next_timer_ns <= due_ns:
                course.next_timer_ns += TIMER_NS
                await self._beat.on_timer(due_ns)
            else:
                break
            if self._intake.has_ended(due_ns):
                return
        if not self._kernel.is_ending:
            course.free(self._clock.reached())

    async def _wait(self, due_ns: int) -> None:
        """Sleep a little towards `due_ns`; whoever asked for something meanwhile is heard."""
        await self._clock.wait(due_ns)
        await self._intake.heed(min(self._clock.reached(), due_ns))


def _after(batches: Iterator[Sequence[FeedInput]], taken: int) -> Iterator[Sequence[FeedInput]]:
    """Leave out the first `taken` events."""
    for batch in batches:
        if taken and taken >= len(batch):
            taken -= len(batch)
        else:
            yield batch[taken:]
            taken = 0
