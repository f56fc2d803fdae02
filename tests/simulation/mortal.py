"""Where a process may die: between two inputs, or after a turn's lines and before its commands."""

import os
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.simulation.swarm import Swarm

BETWEEN: Final = "process.crash"
MID_TURN: Final = "process.crash_mid_turn"


class Crash(BaseException):
    """The process is gone: nothing of it may run any more."""


def let_go(folder: Path) -> None:
    """Close every file of a run that is still open, as the death of its process would."""
    open_files = Path("/proc/self/fd")
    for name in os.listdir(open_files):
        with suppress(OSError):  # the descriptor of the listing itself is gone by now
            if Path(os.readlink(open_files / name)).is_relative_to(folder):
                os.close(int(name))


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
