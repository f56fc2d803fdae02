"""The watch: look, decide, sleep until something may have happened.

A kill file wakes it where the system tells of new files, the engine's death where it hands out a
descriptor of a process; the poll behind both needs neither.
"""

import os
import select
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

from engine.session.kill_files import first_present
from engine.session.sentinel.linux import Arrivals
from engine.session.sentinel.page import Page
from engine.session.sentinel.triggers import Limits, Rule, Sight, decide

POLL_S: Final = 0.05
"""Longest time between two looks; half of the 100 ms promised for a kill file."""

AWAKE_MAX_S: Final = 4 * POLL_S
"""Most that one look adds to the engine's silence. A sentinel that was itself stopped or starved
has not listened, so it can't have heard nothing."""


class EngineProcess:
    """The engine, our parent. While it is our parent its number can't be another's."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.fd: int | None = None
        """Readable once it is dead; None where the system has no such descriptor."""
        if hasattr(os, "pidfd_open"):
            with suppress(OSError):  # it is gone already, or the kernel is older than Python knows
                self.fd = os.pidfd_open(pid)

    @property
    def is_gone(self) -> bool:
        """Whether it is dead, reaped or not."""
        return os.getppid() != self.pid

    def kill(self, deadline_s: float) -> bool:
        """Send SIGKILL and wait for the end; False if it does not come in time."""
        if not self.is_gone:
            os.kill(self.pid, signal.SIGKILL)
        deadline = monotonic() + deadline_s
        while not self.is_gone and monotonic() < deadline:
            wait_for([self.fd], 0.005)
        return self.is_gone


class Watch:
    """Looks at one engine until a row of the table holds."""

    def __init__(
        self,
        engine: EngineProcess,
        page: Page,
        kill_files: Sequence[str],
        limits: Limits,
        on_kill: Callable[[int], None],
    ) -> None:
        """Begin; `on_kill` hears once which kill file was seen."""
        self._engine, self._page, self._limits, self._on_kill = engine, page, limits, on_kill
        self._kill_files = kill_files
        self._arrivals = Arrivals(kill_files)
        self._looked_s = monotonic()
        self._beats = page.beats
        self._silent_s = 0.0
        self._killed_at_s: float | None = None

    def run(self) -> Rule:
        """Watch until there is something to do."""
        while (rule := decide(self.look(), self._limits)) is None:
            arrivals = self._arrivals.fd if self._killed_at_s is None else None
            wait_for([self._engine.fd, arrivals], self._patience_s())
        return rule

    @property
    def waited_s(self) -> float:
        """How long what there is to act on has stood: the kill file, or the silence."""
        since = self._killed_at_s
        return self._silent_s if since is None else monotonic() - since

    def look(self) -> Sight:
        """Take in everything once."""
        now_s, page = monotonic(), self._page
        page.look()
        awake_s = min(now_s - self._looked_s, AWAKE_MAX_S)
        self._looked_s = now_s
        is_silent = page.beats == self._beats
        self._silent_s = self._silent_s + awake_s if is_silent else 0.0
        self._beats = page.beats
        if self._killed_at_s is None:
            self._look_for_kill(now_s)
        killed_s = None if self._killed_at_s is None else now_s - self._killed_at_s
        return Sight(page.phase, self._engine.is_gone, self._silent_s, killed_s)

    def _look_for_kill(self, now_s: float) -> None:
        place = self._arrivals.take()
        if place is None:
            place = first_present(self._kill_files)
        if place is not None:
            self._killed_at_s = now_s
            self._page.latch_kill(place)
            self._on_kill(place)

    def _patience_s(self) -> float:
        if self._killed_at_s is None:
            return POLL_S
        left_s = self._killed_at_s + self._limits.grace_s - monotonic()
        return min(POLL_S, left_s) if left_s > 0 else POLL_S


def wait_for(fds: Sequence[int | None], seconds: float) -> None:
    """Sleep until one of the descriptors is readable, at most so long."""
    poll = select.poll()
    for fd in fds:
        if fd is not None:
            poll.register(fd, select.POLLIN)
    poll.poll(max(1, round(seconds * 1_000)))
