"""Faults of the disk by the operating system's own means: nothing of ours is replaced.

`full` puts /dev/full behind the journal's descriptor: every write fails with ENOSPC. `short` lets
files grow only so far: the write that crosses the limit is cut there and the next one fails.
"""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from tests.simulation.swarm import Swarm


class Disk:
    """The disk under one journal, healthy until its moment."""

    def __init__(self, fd: int, swarm: Swarm, start_ns: int) -> None:
        self._fd = fd
        self._swarm = swarm
        self.synced = 0
        """Bytes a power cut can't take."""
        self.has_failed = False
        self._moments = {
            kind: swarm.dice(kind).randrange(start_ns, swarm.calm_ns)
            for kind in ("disk.full", "disk.short_write")
            if kind in swarm.kinds
        }

    def pass_time(self, now_ns: int) -> None:
        """Fail, if it is time."""
        for kind in [kind for kind, at_ns in self._moments.items() if at_ns <= now_ns]:
            del self._moments[kind]
            self._swarm.injected[kind] += 1
            self.has_failed = True
            if kind == "disk.full":
                full = os.open("/dev/full", os.O_WRONLY)
                os.dup2(full, self._fd)
                os.close(full)
            else:
                grown = os.fstat(self._fd).st_size + self._swarm.dice(kind).randrange(3_000)
                resource.setrlimit(resource.RLIMIT_FSIZE, (grown, resource.RLIM_INFINITY))

    def heal(self) -> None:
        """Never fail."""
        self._moments.clear()

    def note_sync(self) -> None:
        """Take what is in the file as durable."""
        self.synced = os.fstat(self._fd).st_size


@contextmanager
def unlimited() -> Iterator[None]:
    """Take back a limit of file sizes, whatever happened."""
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
