"""The way in for what is no market: answers, beats, commands and what people ask for.

One input at a time; what one of them causes is out, or refused, before the next is taken.
"""

from engine.model.events import Input, Operator, OperatorCommand
from engine.risk.states import SHUTDOWN_DEADLINE
from engine.session.shell import Shell


class Intake:
    """Brings single inputs to the kernel, and notices that one of them was the last."""

    def __init__(self, shell: Shell) -> None:
        self._course = shell.course
        self._turn = shell.turn
        self._kernel = shell.turn.kernel
        self._commits = shell.commits
        self._journal = shell.journal
        self._record = shell.record
        self._stops = shell.stops
        self._guard = shell.guard
        self._has_obeyed = False

    async def take(self, event: Input) -> None:
        """Take one input; it returns once nothing of it waits for the disk."""
        self._turn.input(event)
        await self._commits.settle()

    async def deliver(self, now_ns: int) -> None:
        """Take the answers of the venue that are due."""
        self._turn.deliver(now_ns)
        await self._commits.settle()

    async def command(self, now_ns: int, command: Operator, by: str, argument: str = "") -> None:
        """Take what a person, or the session itself, commands."""
        await self.take(OperatorCommand(now_ns, command, by, argument))
        self.has_ended(now_ns)

    def has_ended(self, now_ns: int) -> bool:
        """Whether a close was asked for, and is done or out of time."""
        kernel = self._kernel
        return kernel.is_ending and self._course.ends(now_ns, is_settled=kernel.is_settled)

    @property
    def is_called(self) -> bool:
        """Whether `heed` comes before anything else: a request waits, or the journal has failed."""
        return self._stops.is_any or self._journal.failure is not None

    async def heed(self, now_ns: int) -> None:
        """Beat for the sentinel; put requests to stop, and a broken journal, to the kernel."""
        if not self._course.is_catching_up:
            self._beat(now_ns)
        while not self._course.is_catching_up and (request := self._stops.take()) is not None:
            self._record.told(request)
            await self.command(now_ns, request.command, request.by, request.argument)
            if request.command is Operator.KILL:
                self._has_obeyed = True
                self._beat(now_ns)
        if self._journal.fence is not None:
            raise self._journal.fence
        if self._journal.failure is not None and self._record.journal_failed(self._journal.failure):
            await self.command(now_ns, Operator.JOURNAL_FAILURE, "session")
        if self._stops.is_abort:
            self._course.is_over = True
        self.has_ended(now_ns)

    def _beat(self, now_ns: int) -> None:
        seen = self._guard.beat(now_ns, has_obeyed=self._has_obeyed)
        if seen is not None:
            self._stops.latch(seen)

    def stop_reason(self) -> str:
        """Return why the session ended; a close that left something open says so first."""
        kernel = self._kernel
        if kernel.is_settled or (kernel.finish is not None and self._stops.is_abort):
            assert kernel.finish is not None, "what is settled was asked for"
            return kernel.finish
        return SHUTDOWN_DEADLINE
