"""How long orders wait for their lines, and what becomes of those whose disk is too slow.

A sync runs in a thread. For a moment, in which a good disk is done, the loop looks on, for waking
it would cost as much again; then it goes on: the feed comes in, screens and signals are heard. The
session's own time stands still meanwhile, so a rerun, which waits for nothing, decides the same.
That can't last, hence the limit: past it the order is refused, by an input, and no new risk is
taken until the disk keeps up.

Source: reliability.md A1, row 65.
"""

import asyncio
from time import monotonic
from typing import Final

from engine.model.events import JOURNAL_SYNC, HealthChanged
from engine.risk.states import FsmEvent
from engine.session.journal import Journal
from engine.session.turn import Turn

MS_PER_S: Final = 1_000


class Commits:
    """Lets a turn that waits go on. Belongs to the session's loop."""

    def __init__(self, turn: Turn, journal: Journal, limit_ms: int | None) -> None:
        """Take over turn and journal; without a limit orders wait as long as it takes."""
        self._turn = turn
        self._journal = journal
        self._limit_ms = None if limit_ms is None else float(limit_ms)
        self._sync: asyncio.Task[bool] | None = None
        """The last one asked for; it goes on where nobody waits any more."""
        self._since_s = 0.0

    def hurry(self) -> None:
        """Send what waits if its lines are on the disk in a moment; `settle` goes on from there."""
        if not self._is_syncing and self._journal.commits_at_once():
            self._turn.send()

    async def settle(self) -> None:
        """Return once the turn waits no more."""
        while self._turn.is_waiting:
            refusal = await self._refusal() if self._turn.holds else None
            if refusal is None:
                self._turn.release()
            else:
                self._turn.withhold(refusal)

    async def _refusal(self) -> HealthChanged | None:
        """Return why what waits may not leave; in a rerun, what the journal says became of it."""
        if self._journal.is_catching_up:
            event = self._journal.outside_input()
            if isinstance(event, HealthChanged) and event.kind == JOURNAL_SYNC and event.is_over:
                return event
            return None
        if self._is_syncing or not await self._is_in_time():
            assert self._limit_ms is not None, "without one everything is in time"
            waited_ms = round((monotonic() - self._since_s) * MS_PER_S, 1)
            now_ns = self._turn.kernel.now_ns
            return HealthChanged(now_ns, JOURNAL_SYNC, self._limit_ms, waited_ms, is_over=True)
        return None

    @property
    def _is_syncing(self) -> bool:
        return self._sync is not None and not self._sync.done()

    async def _is_in_time(self) -> bool:
        self._since_s = monotonic()
        if self._journal.commits_at_once():
            return True
        self._sync = asyncio.create_task(self._journal.commit(), name="journal-commit")
        limit_s = None if self._limit_ms is None else self._limit_ms / MS_PER_S
        done, _ = await asyncio.wait({self._sync}, timeout=limit_s)
        for sync in done:
            sync.result()
        return bool(done)

    def check(self, now_ns: int) -> list[HealthChanged]:
        """Say that the disk keeps up again, once the sync that did not is done."""
        reasons = self._turn.kernel.conduct.lifecycle.reasons
        is_slow = any(event is FsmEvent.DISK_SLOW for event, _ in reasons)
        if not is_slow or self._is_syncing:
            return []
        return [HealthChanged(now_ns, JOURNAL_SYNC, self._limit_ms or 0.0, 0.0, is_over=False)]
