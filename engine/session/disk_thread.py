"""One thread that waits for the disk, so that the loop does not.

Rule 1: one job at a time; the next is begun when it is over.
Rule 2: who begins a job may look on for a moment (`ended_within`) before the loop goes on without
        it. A healthy disk is done by then, and an order leaves without two wake-ups of the loop,
        each of which waits behind whatever else is ready.
Rule 3: what a job raises belongs to who waits for it.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress


class Job:
    """Work that was begun."""

    __slots__ = ("_call", "_over", "_work", "error", "is_over")

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._over = threading.Lock()
        self._over.acquire()
        self._call: Callable[[], None] | None = None
        self.is_over = False
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do it; in the thread."""
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - told to who waits for it
            self.error = error
        self.is_over = True
        self._over.release()
        if self._call is not None:
            self._call()

    def ended_within(self, seconds: float) -> bool:
        """Stand still until it is done, at most so long; return whether it is."""
        if not self.is_over and self._over.acquire(timeout=seconds):
            self._over.release()
        return self.is_over

    async def ended(self) -> None:
        """Return once it is done; the loop goes on meanwhile."""
        loop = asyncio.get_running_loop()
        woken = loop.create_future()

        def call() -> None:
            with suppress(RuntimeError):  # the loop is gone, and nobody waits
                loop.call_soon_threadsafe(_wake, woken)

        self._call = call
        if not self.is_over:
            await woken

    def tell(self) -> None:
        """Raise what it raised."""
        if self.error is not None:
            raise self.error


def _wake(woken: "asyncio.Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)


class DiskThread:
    """Starts with its first job and ends with `close`, or with the process."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._goes = threading.Lock()
        """Released when there is something to do."""
        self._goes.acquire()
        self._job: Job | None = None
        self._thread: threading.Thread | None = None

    def begin(self, work: Callable[[], object]) -> Job:
        """Have something done."""
        assert self._job is None or self._job.is_over, "one at a time"
        self._job = job = Job(work)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._goes.release()
        return job

    def _run(self) -> None:
        while self._goes.acquire() and self._job is not None:
            self._job.run()

    def close(self) -> None:
        """Return once what was begun is done."""
        if self._thread is not None and self._job is not None:
            self._job.ended_within(threading.TIMEOUT_MAX)
            self._job = None
            self._goes.release()
            self._thread.join()
            self._thread = None
