"""Where a process may die: between two inputs, or after a turn's lines and before its commands."""

import os
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.session.journal_emergency import EMERGENCY_NAME
from engine.session.journal_head import HEAD_NAME
from engine.session.journal_parts import JOURNAL_NAME
from tests.simulation.swarm import Swarm

BETWEEN: Final = "process.crash"
MID_TURN: Final = "process.crash_mid_turn"
WRITTEN: Final = frozenset({JOURNAL_NAME, HEAD_NAME, EMERGENCY_NAME})


class Crash(BaseException):
    """The process is gone: nothing of it may run any more."""


def let_go(folder: Path) -> None:
    """Close what a dead writer of the journal holds: its bare descriptors, open to write.

    Files with an object of Python's around them close themselves.
    """
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the descriptor of the listing itself is gone by now
            path = Path(os.readlink(f"/proc/self/fd/{name}"))
            if path.parent == folder and path.name in WRITTEN and _is_writable(name):
                os.close(int(name))


def _is_writable(fd: str) -> bool:
    (flags,) = (
        line.split()[1]
        for line in Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines()
        if line.startswith("flags:")
    )
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY


class Mortality:
    """The deaths a seed has in store, one life after the other."""

    def __init__(self, swarm: Swarm, start_ns: int) -> None:
        deaths = [
            (at, kind) for kind in (BETWEEN, MID_TURN) for at in swarm.moments(kind, start_ns)
        ]
        self._deaths = deque(sorted(deaths))
        self.died: Counter[str] = Counter()
        self.is_reborn: Callable[[], bool] = lambda: False
        """Whether this life still repeats the one before."""

    def pass_time(self, now_ns: int) -> None:
        """Die between two inputs, if it is time."""
        self._die(BETWEEN, now_ns)

    def before_command(self, now_ns: int) -> None:
        """Die with the lines written and the command not sent, if it is time."""
        self._die(MID_TURN, now_ns)

    def _die(self, kind: str, now_ns: int) -> None:
        deaths = self._deaths
        if deaths and deaths[0] <= (now_ns, kind) and deaths[0][1] == kind and not self.is_reborn():
            deaths.popleft()
            self.died[kind] += 1
            raise Crash
