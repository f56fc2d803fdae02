"""How a session comes to live: from its first event, or from where an interrupted run ended.

A resumed run takes again what its lines say was taken, in their order, and decides it anew. Where
they end it goes on by itself: with a live source that is later than they end, and nobody lived
through the time between.

Source: ADR 0007, ADR 0011.
"""

from typing import NamedTuple

from engine.model.events import Operator
from engine.model.venue_events import VenueEvent
from engine.session.intake import Intake
from engine.session.shell import Shell
from engine.session.sight import Sight


class Arming(NamedTuple):
    """Somebody lets the session take risk at a real venue."""

    argument: str
    """Venue and seconds."""
    by: str


class Start:
    """Begins one session, or catches up with its lines and goes on."""

    def __init__(self, shell: Shell, intake: Intake, sight: Sight, arming: Arming | None) -> None:
        self._course = shell.course
        self._intake = intake
        self._live = shell.live
        self._broker = shell.broker
        self._venue = shell.venue
        self._kernel = shell.turn.kernel
        self._clock = shell.clock
        self._journal = shell.journal
        self._record = shell.record
        self._guard = shell.guard
        self._sight = sight
        self._arming = arming

    async def begin(self, first_ns: int) -> None:
        """Let the session's time start with its first market event."""
        self._course.begin(first_ns)
        self._clock.start(first_ns)
        self._record.begin(first_ns, self._course.planned_end_ns)
        if self._venue is not None and not self._course.is_catching_up:
            self._venue.go_live(first_ns)
            await self._arm(first_ns)
            await self._reconcile(first_ns)
        if not self._course.is_catching_up:
            self._sight.go_live()

    async def begin_again(self) -> None:
        """Let it start with the journal's first line: the run died before any market came."""
        await self.begin(self._journal.began_ns)

    async def catch_up(self) -> None:
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
                self._sight.recall(event)
                await self._due_before(event.ts_ns)
                await self._intake.take(event)
                self._intake.has_ended(event.ts_ns)
        if not self._journal.is_catching_up:
            await self._go_live()

    async def _due_before(self, ts_ns: int) -> None:
        """Let happen at the simulated venue what had happened there before an instant.

        What reaches a venue leaves no line, so no line says that it came first.
        """
        while (due_ns := self._broker.next_due_ns()) is not None and due_ns < ts_ns:
            await self._intake.deliver(due_ns)

    async def _go_live(self) -> None:
        """Go on where the recorded lines end; with a live source that is later than they end."""
        self._course.is_catching_up = False
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
        self._sight.go_live()
        await self._reconcile(now_ns)

    def _lived_ns(self) -> int:
        """Return up to when the session has lived; its first line comes before its first input."""
        return max(self._kernel.now_ns, self._record.span[0])

    async def _pass(self, paused_ns: int) -> None:
        """Let time be later that nobody lived through; it counts for no deadline of the session."""
        now_ns = self._lived_ns() + paused_ns
        self._course.skip(now_ns, paused_ns)
        self._record.paused(paused_ns)
        await self._intake.deliver(now_ns)

    async def _arm(self, now_ns: int) -> None:
        """Arm for as long as a person said just now; what was said before a crash is over."""
        assert self._arming is not None, "nothing is sent unarmed"
        await self._intake.command(now_ns, Operator.ARM, self._arming.by, self._arming.argument)

    async def _reconcile(self, now_ns: int) -> None:
        """Take out what the sentinel took out while no engine ran, then ask the venue itself."""
        for order_id in self._guard.canceled_meanwhile:
            if order_id in self._kernel.blotter.live:
                await self._intake.command(now_ns, Operator.CANCEL_ORDER, "sentinel", order_id)
        await self._intake.command(now_ns, Operator.RECONCILE, "session")
