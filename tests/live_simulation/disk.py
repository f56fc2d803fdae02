"""The journal's thread in a process whose time is virtual: there is none.

What it would do is done at once, and is over as late as the disk of the world is slow.
"""

import asyncio
from collections.abc import Callable

from engine.session.disk_thread import DiskThread, Job
from tests.live_simulation.virtual import VirtualLoop


class LateJob(Job):
    """Nobody looks on at it: no time passes while one does."""

    def ended_within(self, seconds: float) -> bool:
        return self.is_over


class VirtualDisk(DiskThread):
    """Works on the loop."""

    def begin(self, work: Callable[[], object]) -> Job:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop), "everything here runs in virtual time"
        done = Job(work)
        done.run()
        late = LateJob(done.tell)
        loop.call_later(loop.disk_s(), late.run)
        return late
