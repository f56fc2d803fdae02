"""The beat of a session: the timer's input, what stands behind it, and the checkpoint of the state.

What comes from outside stands behind the heartbeat, so that a rerun takes it between two steps.
"""

import msgspec

from engine.kernel.checkpoint import restore, snapshot
from engine.model.errors import StateDamaged
from engine.model.events import HealthChanged, Timer
from engine.session.checkpoint import Checkpoint
from engine.session.intake import Intake
from engine.session.shell import Shell


class Beat:
    """Takes the timer's inputs, and keeps the state between two of them."""

    def __init__(self, shell: Shell, intake: Intake) -> None:
        self._course = shell.course
        self._intake = intake
        self._broker = shell.broker
        self._venue = shell.venue
        self._kernel = shell.turn.kernel
        self._clock = shell.clock
        self._commits = shell.commits
        self._journal = shell.journal
        self._record = shell.record
        self._checkpoints = shell.checkpoints
        self._guard = shell.guard

    async def on_timer(self, ts_ns: int) -> None:
        """Take the beat of this instant."""
        await self._intake.heed(ts_ns)
        due_ns = self._broker.next_due_ns()
        if due_ns is not None and due_ns <= ts_ns:
            # What a request caused at once is answered before the beat, as a rerun does it.
            await self._intake.deliver(ts_ns)
            if self._intake.has_ended(ts_ns):
                return
        await self._intake.take(Timer(ts_ns))
        is_live = not self._course.is_catching_up
        if self._venue is not None and is_live:
            self._venue.beat(ts_ns)
        is_second = ts_ns % 1_000_000_000 == 0
        changes = self._second(ts_ns) if is_second else []
        if is_live:
            changes += (*self._guard.check(ts_ns), *self._commits.check(ts_ns))
        for change in changes:
            await self._intake.take(change)
        if is_second and self._may_checkpoint() and self._checkpoints.is_due():
            self._checkpoint(ts_ns)

    def _second(self, ts_ns: int) -> list[HealthChanged]:
        is_late = not (self._clock.is_simulated or self._course.is_catching_up)
        return self._record.beat(ts_ns, self._clock.reached() - ts_ns if is_late else None)

    def _may_checkpoint(self) -> bool:
        """Not in a rerun, nor while evidence waits for what happens after its incident."""
        return not self._course.is_catching_up and not self._record.is_gathering_evidence

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
                shell=self._course.shell(self._record.span),
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
        self._course.resume(shell)
        self._record.resume(shell.began_ns, shell.planned_end_ns, checkpoint.seq)
