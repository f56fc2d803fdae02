"""The headless session: brings inputs to the kernel in the order of event time, until an end.

Three things compete for the next instant: the feed's next event, the timer's next beat and the
simulated broker's next answer. The earliest wins, the timer before an event of the same instant, so
that a run at any speed, on any machine, makes the same decisions. The clock only decides how long
the wait for it takes. A live source has no next event: what has come is taken at the clock's time,
and where nothing has, the others go on.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from engine.kernel.checkpoint import restore, snapshot
from engine.model.errors import StateDamaged
from engine.model.events import HealthChanged, Input, Operator, OperatorCommand, Timer
from engine.model.market import FeedStatus, Malformed, Quote
from engine.model.sightings import AccountSeen, AccountUnseen
from engine.model.venue_events import VenueEvent
from engine.risk.states import SHUTDOWN_DEADLINE
from engine.session.checkpoint import Checkpoint, Checkpoints, ShellState
from engine.session.clock import POLL_S, Clock
from engine.session.commits import Commits
from engine.session.journal import Journal
from engine.session.record import SessionRecord
from engine.session.sentinel.guard import Guard, NoGuard
from engine.session.stops import Stops
from engine.session.turn import Turn
from engine.venue import AccountWatch, Feed, FeedInput, LiveBroker, LiveFeed, SessionBroker

TIMER_NS: Final = 250_000_000
"""Grid of timer inputs: a stale feed is noticed within its limit plus this."""

NEVER: Final = 2**63 - 1

NO_MARKET: Final = (FeedStatus, Malformed, OperatorCommand, HealthChanged)
"""What a source brings that no simulated venue could fill an order from."""

SEEN: Final = (AccountSeen, AccountUnseen)
"""What comes of looking at an account that is not traded on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When a session ends, and how much of it may be lost by a power cut."""

    duration_s: float | None
    close_deadline_s: float
    flush_s: float
    sync_s: float
    commit_wait_ms: int
    """Longest time an order waits for its line; a simulated clock waits as long as it takes."""


class Arming(NamedTuple):
    """Somebody lets the session take risk at a real venue."""

    argument: str
    """Venue and seconds."""
    by: str


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
        self._record = record
        self._stops = stops
        self._checkpoints = checkpoints
        self._control = control or nullcontext()
        self._guard = guard or NoGuard()
        self._arming = arming
        self._watch = watch
        self._has_obeyed = False
        self._next_timer_ns = 0
        self._deadline_ns = NEVER
        self._close_by_ns = NEVER
        self._free_until_ns = 0
        """Events before this need neither a timer nor a wait first; an answer they may."""
        self._taken = 0
        """Events of the feed taken so far."""
        self._is_over = False
        limit_ms = None if clock.is_simulated else plan.commit_wait_ms
        self._commits = Commits(turn, journal, limit_ms)
        self._is_catching_up = journal.is_catching_up
        """Whether this is the rerun of an interrupted run, still behind its last line."""

    async def run(self) -> str:
        """Run until planned end, end of data, limit, kill or signal; return the stop reason.

        Raises:
            FencedByEpoch: Another session took over the run.
        """
        self._stops.watch()
        durability = asyncio.create_task(self._keep_durable(), name="journal-sync")
        try:
            outside = self._live or nullcontext(), self._venue or nullcontext()
            async with self._control, outside[0], outside[1], self._watch or nullcontext():
                await self._trade()
                await self._look_back()
        finally:
            durability.cancel()
            await asyncio.gather(durability, return_exceptions=True)
            await self._journal.quiet()
            await self._stops.close()
            await self._checkpoints.close()
        return self._stop_reason()

    def _stop_reason(self) -> str:
        """Return why the session ended; a close that left something open says so first."""
        kernel = self._kernel
        if kernel.is_settled or (kernel.finish is not None and self._stops.is_abort):
            assert kernel.finish is not None, "what is settled was asked for"
            return kernel.finish
        return SHUTDOWN_DEADLINE

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
        for batch in _after(self._feed.batches(), self._taken):
            if not batch:
                if self._is_catching_up and not self._next_timer_ns:
                    await self._begin(self._journal.began_ns)  # it died before any market line
                if await self._idle():
                    return
                continue
            is_first = not self._next_timer_ns
            if self._live is not None and not self._is_catching_up:
                self._stamp(batch, batch[0].ts_ns if is_first else self._now())
            if is_first:
                await self._begin(batch[0].ts_ns)
            if await self._take_batch(batch):
                return
            last_ns = batch[-1].ts_ns
        await self._command(last_ns, Operator.END_OF_DATA, "session")
        await self._reach(last_ns + round(self._plan.close_deadline_s * 1e9) + TIMER_NS)

    async def _begin(self, first_ns: int) -> None:
        self._next_timer_ns = (first_ns // TIMER_NS + 1) * TIMER_NS
        if self._plan.duration_s is not None:
            self._deadline_ns = first_ns + round(self._plan.duration_s * 1e9)
        self._clock.start(first_ns)
        self._record.begin(first_ns, self._deadline_ns if self._plan.duration_s else None)
        if self._venue is not None and not self._is_catching_up:
            self._venue.go_live(first_ns)
            await self._arm(first_ns)
            await self._reconcile(first_ns)
        if self._watch is not None and not self._is_catching_up:
            self._watch.go_live()

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
        assert self._live is not None, "only a live source has nothing to bring"
        while self._is_catching_up and not self._is_over:
            await self._reach(self._next_timer_ns)  # no market is left in the journal
        wait_s = POLL_S
        if self._next_timer_ns:
            now_ns = self._now()
            await self._reach(now_ns)
            due_ns = min(self._next_timer_ns, self._broker.next_due_ns() or NEVER)
            wait_s = min(POLL_S, max(0.0, (due_ns - now_ns) / 1e9))
        if not self._is_over:
            await self._live.arrived(wait_s)
        if self._next_timer_ns:
            await self._heed(self._now())
        return self._is_over or self._stops.is_abort

    async def _take_batch(self, batch: Sequence[FeedInput]) -> bool:
        """Take the events of one batch, each at its time; return True at the session's end."""
        for event in batch:
            if type(event) is not Quote and isinstance(event, NO_MARKET):
                await self._take_input(event)
            else:
                if event.ts_ns >= self._free_until_ns or self._is_catching_up:
                    await self._reach(event.ts_ns)
                    if self._is_over:
                        return True
                self._taken += 1
                self._turn.market(event)
                if self._turn.is_waiting:
                    await self._commits.settle()
            if self._kernel.is_ending and self._has_ended(event.ts_ns):
                return True
        # Also under a wall clock: one that has fallen behind waits for nothing else.
        await asyncio.sleep(0)
        await self._heed(batch[-1].ts_ns)
        return self._is_over

    async def _take_input(
        self, event: FeedStatus | Malformed | OperatorCommand | HealthChanged
    ) -> None:
        """Take what is no market, after all that was due; a command came first in its instant."""
        is_command = isinstance(event, OperatorCommand)
        await self._reach(event.ts_ns - 1 if is_command else event.ts_ns)
        if not self._is_over:
            self._taken += 1
            await self._input(event)

    async def _reach(self, event_ns: int) -> None:
        """Let everything due before `event_ns` happen, each at its time."""
        while not self._is_over:
            if self._is_catching_up:
                await self._catch_up()
            broker_ns = self._broker.next_due_ns()
            due_ns = min(event_ns, self._next_timer_ns, self._deadline_ns, broker_ns or NEVER)
            if not self._is_catching_up and self._clock.reached() < due_ns:
                await self._wait(due_ns)
                continue
            if broker_ns is not None and broker_ns <= due_ns:
                self._turn.deliver(due_ns)
                await self._commits.settle()
            elif self._deadline_ns <= due_ns:
                self._deadline_ns = NEVER
                await self._command(due_ns, Operator.DURATION_ELAPSED, "session")
            elif self._next_timer_ns <= due_ns:
                self._next_timer_ns += TIMER_NS
                await self._on_timer(due_ns)
            else:
                break
            if self._kernel.is_ending and self._has_ended(due_ns):
                return
        if not self._kernel.is_ending:
            free = min(self._next_timer_ns, self._deadline_ns)
            self._free_until_ns = min(free, self._clock.reached() + 1)

    async def _catch_up(self) -> None:
        """Take what the interrupted run took from outside here; go live where its lines end."""
        while True:
            event = self._journal.outside_input()
            if paused_ns := self._journal.take_pause():
                await self._pass(paused_ns)
            elif event is None:
                break
            else:
                if self._venue is not None and isinstance(event, VenueEvent):
                    self._venue.recall(event)
                if self._watch is not None and isinstance(event, SEEN):
                    self._watch.recall(event)
                await self._input(event)
                if self._kernel.is_ending:
                    self._has_ended(event.ts_ns)
        if not self._journal.is_catching_up:
            await self._go_live()

    async def _go_live(self) -> None:
        """Go on where the recorded lines end; with a live source that is later than they end."""
        self._is_catching_up = False
        before_ns = now_ns = self._lived_ns()
        if self._live is not None:
            now_ns = max(now_ns, self._clock.today())
        self._clock.start(now_ns)
        self._record.go_live(before_ns, now_ns - before_ns)
        if now_ns > before_ns:
            await self._pass(now_ns - before_ns)
        if self._venue is not None:
            self._venue.go_live(self._record.span[0])
            await self._arm(now_ns)
        if self._watch is not None:
            self._watch.go_live()
        await self._reconcile(now_ns)

    async def _look_back(self) -> None:
        """Look at a watched account once more, when all is done that a session does."""
        if self._watch is None:
            return
        while self._is_catching_up and (event := self._journal.outside_input()) is not None:
            await self._input(event)  # the interrupted run had come as far as this
        if not self._stops.is_abort and (seen := await self._watch.last()) is not None:
            await self._input(msgspec.structs.replace(seen, ts_ns=self._now()))

    async def _heed_watch(self, now_ns: int) -> None:
        """Take what was seen of a watched account."""
        while self._watch is not None and (seen := self._watch.take()) is not None:
            await self._input(msgspec.structs.replace(seen, ts_ns=now_ns))

    def _lived_ns(self) -> int:
        """Return up to when the session has lived; its first line comes before its first input."""
        return max(self._kernel.now_ns, self._record.span[0])

    async def _pass(self, paused_ns: int) -> None:
        """Let time be later that nobody lived through; it counts for no deadline of the session."""
        now_ns = self._lived_ns() + paused_ns
        self._next_timer_ns = (now_ns // TIMER_NS + 1) * TIMER_NS
        self._deadline_ns = min(NEVER, self._deadline_ns + paused_ns)
        self._close_by_ns = min(NEVER, self._close_by_ns + paused_ns)
        self._record.paused(paused_ns)
        self._turn.deliver(now_ns)
        await self._commits.settle()

    async def _arm(self, now_ns: int) -> None:
        """Arm for as long as a person said just now; what was said before a crash is over."""
        assert self._arming is not None, "nothing is sent unarmed"
        await self._command(now_ns, Operator.ARM, self._arming.by, self._arming.argument)

    async def _reconcile(self, now_ns: int) -> None:
        """Take out what the sentinel took out while no engine ran, then ask the venue itself."""
        for order_id in self._guard.canceled_meanwhile:
            if order_id in self._kernel.blotter.live:
                await self._command(now_ns, Operator.CANCEL_ORDER, "sentinel", order_id)
        await self._command(now_ns, Operator.RECONCILE, "session")

    async def _wait(self, due_ns: int) -> None:
        """Sleep a little towards `due_ns`; whoever asked for something meanwhile is heard."""
        await self._clock.wait(due_ns)
        await self._heed(min(self._clock.reached(), due_ns))

    async def _on_timer(self, ts_ns: int) -> None:
        await self._heed(ts_ns)
        due_ns = self._broker.next_due_ns()
        if due_ns is not None and due_ns <= ts_ns:
            # What a request caused at once is answered before the beat, as a rerun does it.
            self._turn.deliver(ts_ns)
            await self._commits.settle()
            if self._kernel.is_ending and self._has_ended(ts_ns):
                return
        await self._input(Timer(ts_ns))
        if self._venue is not None and not self._is_catching_up:
            self._venue.beat(ts_ns)
        is_second = ts_ns % 1_000_000_000 == 0
        # What comes from outside stands behind the heartbeat: a rerun takes it between two steps.
        changes = self._second(ts_ns) if is_second else []
        if not self._is_catching_up:
            changes += (*self._guard.check(ts_ns), *self._commits.check(ts_ns))
        for change in changes:
            await self._input(change)
        if is_second and self._may_checkpoint() and self._checkpoints.is_due():
            self._checkpoint(ts_ns)

    def _second(self, ts_ns: int) -> list[HealthChanged]:
        is_late = not (self._clock.is_simulated or self._is_catching_up)
        return self._record.beat(ts_ns, self._clock.reached() - ts_ns if is_late else None)

    def _may_checkpoint(self) -> bool:
        """Not in a rerun, nor while evidence waits for what happens after its incident."""
        return not self._is_catching_up and not self._record.is_gathering_evidence

    def _checkpoint(self, ts_ns: int) -> None:
        """Keep the whole state as it is between two inputs."""
        if self._checkpoints.failure is not None:
            self._record.checkpoint_failed(self._checkpoints.failure)
        self._checkpoints.save(
            Checkpoint(
                program=self._record.program,
                seq=self._journal.events,
                hash=self._journal.head,
                offset=self._journal.bytes,
                ts_ns=ts_ns,
                shell=ShellState(
                    *self._record.span,
                    next_timer_ns=self._next_timer_ns,
                    deadline_ns=self._deadline_ns,
                    close_by_ns=self._close_by_ns,
                    taken=self._taken,
                ),
                kernel=snapshot(self._kernel),
                venue=self._broker.snapshot(),
            )
        )

    def resume(self, checkpoint: Checkpoint) -> None:
        """Start from a checkpoint of the run; what the journal has after it is rerun.

        Raises:
            StateDamaged: Its state is not of this shape; without the file, the resume takes longer.
        """
        shell = checkpoint.shell
        try:
            restore(self._kernel, checkpoint.kernel)
            self._broker.restore(checkpoint.venue)
        except (msgspec.MsgspecError, KeyError) as error:
            raise StateDamaged(
                f"the checkpoint of line {checkpoint.seq} does not fit this program: delete it and"
                " resume again, nothing but time is lost"
            ) from error
        self._next_timer_ns, self._deadline_ns = shell.next_timer_ns, shell.deadline_ns
        self._close_by_ns, self._taken = shell.close_by_ns, shell.taken
        self._record.resume(shell.began_ns, shell.planned_end_ns, checkpoint.seq)
        self._is_catching_up = True

    async def _heed(self, now_ns: int) -> None:
        """Beat for the sentinel; put requests to stop, and a broken journal, to the kernel."""
        if not self._is_catching_up:
            self._beat(now_ns)
        while not self._is_catching_up and (request := self._stops.take()) is not None:
            self._record.told(request)
            await self._command(now_ns, request.command, request.by, request.argument)
            if request.command is Operator.KILL:
                self._has_obeyed = True
                self._beat(now_ns)
        if not self._is_catching_up and not self._is_over:
            await self._heed_watch(now_ns)
        if self._journal.fence is not None:
            raise self._journal.fence
        if self._journal.failure is not None and self._record.journal_failed(self._journal.failure):
            await self._command(now_ns, Operator.JOURNAL_FAILURE, "session")
        if self._stops.is_abort:
            self._is_over = True
        if self._kernel.is_ending:
            self._has_ended(now_ns)

    def _beat(self, now_ns: int) -> None:
        seen = self._guard.beat(now_ns, has_obeyed=self._has_obeyed)
        if seen is not None:
            self._stops.latch(seen)

    async def _input(self, event: Input) -> None:
        """Take one input; it returns once nothing of it waits for the disk."""
        self._turn.input(event)
        await self._commits.settle()

    async def _command(self, now_ns: int, command: Operator, by: str, argument: str = "") -> None:
        await self._input(OperatorCommand(now_ns, command, by, argument))
        if self._kernel.is_ending:
            self._has_ended(now_ns)

    def _has_ended(self, now_ns: int) -> bool:
        """Whether the close that was asked for is done, or out of time."""
        self._free_until_ns = 0  # from now on every instant may be the last
        if self._close_by_ns == NEVER:
            self._close_by_ns = now_ns + round(self._plan.close_deadline_s * 1e9)
        self._is_over = self._is_over or self._kernel.is_settled or now_ns >= self._close_by_ns
        return self._is_over


def _after(batches: Iterator[Sequence[FeedInput]], taken: int) -> Iterator[Sequence[FeedInput]]:
    """Leave out the first `taken` events."""
    for batch in batches:
        if taken and taken >= len(batch):
            taken -= len(batch)
        else:
            yield batch[taken:]
            taken = 0
