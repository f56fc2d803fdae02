"""The journal's thread where time is simulated: there is none, so nothing depends on its pace."""

from collections.abc import Callable

from engine.session.disk_thread import DiskThread, Job


class DiskAtOnce(DiskThread):
    """Does what it is given before it returns."""

    def __init__(self, on_done: Callable[[], None]) -> None:
        super().__init__("none")
        self._on_done = on_done

    def begin(self, work: Callable[[], object]) -> Job:
        job = Job(work)
        job.run()
        self._on_done()
        return job
