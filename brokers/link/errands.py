"""Tasks beside the session: what is asked of a venue, and listening to it.

Rule 1: errands about one order are done one after the other, those about different ones at once.
        One that waits for none is begun in the caller's turn: a request is on its way then.
Rule 2: a bug in one is kept for the session, which ends by it; from then on none is begun.
"""

import asyncio
from collections.abc import Callable, Coroutine

from brokers.link.eager import begun
from brokers.link.known import KnownOrder

Work = Callable[[], Coroutine[None, None, None]]
"""What is done when its turn comes."""


class Errands:
    """All of one session's, on its loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Future[None]] = set()
        self._endless: set[asyncio.Task[None]] = set()
        self._bug: BaseException | None = None

    def raise_bug(self) -> None:
        """Tell of a bug of ours.

        Raises:
            BaseException: What ended a task that should not have ended so.
        """
        if self._bug is not None:
            raise self._bug

    def run(self, work: Work, known: KnownOrder | None = None) -> "asyncio.Future[None]":
        """Do it after whatever is under way about the same order."""
        before = None if known is None else known.request
        task = begun(self._after(before, work))
        if task.done():
            self._ended(task)
        else:
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        if known is not None:
            known.request = task
        return task

    def run_on(self, work: Work, name: str) -> None:
        """Do what ends with the session only."""
        task = asyncio.create_task(self._for_ever(work, name), name=name)
        self._endless.add(task)
        task.add_done_callback(self._ended)

    async def leave(self, within_s: float) -> None:
        """Let what is under way end, at most so long; stop the rest."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)
        rest = [*self._tasks, *self._endless]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _after(self, before: "asyncio.Future[None] | None", work: Work) -> None:
        if before is not None and not before.done():
            await asyncio.wait({before})
        if self._bug is None:
            await work()

    @staticmethod
    async def _for_ever(work: Work, name: str) -> None:
        await work()
        raise RuntimeError(f"{name} has ended by itself")

    def _ended(self, task: "asyncio.Future[None]") -> None:
        self._tasks.discard(task)
        self._endless.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._bug = self._bug or bug
