"""Where a process dies: between two moments, or with its lines written and a command not sent.

What it leaves is its folder as it stands at that instant, copied. What then goes on to run of it in
this process runs into the void: its road is closed, and nobody reads its folder again.

A death whose moment comes while nobody runs, or that waits for a command, is due once somebody does;
it never comes once the world is calm.
"""

import asyncio
import shutil
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.live_simulation.virtual import VirtualTime
from tests.simulation.swarm import Swarm

BETWEEN: Final = "process.crash"
MID_TURN: Final = "process.crash_mid_turn"


class Death:
    """The deaths a seed has in store, one life after the other."""

    def __init__(self, swarm: Swarm, clock: VirtualTime, cut_off: Callable[[], None]) -> None:
        began_ns = clock.wall_ns()
        self._clock = clock
        self._swarm = swarm
        self._cut_off = cut_off
        self._moments = {
            kind: deque(at_ns - began_ns + clock.now_ns for at_ns in swarm.moments(kind, began_ns))
            for kind in (BETWEEN, MID_TURN)
        }
        self._calm_ns = swarm.calm_ns - began_ns + clock.now_ns
        self.folder = Path("/nonexistent")
        """Of the life that may die."""
        self.left: Path | None = None
        """What the one that died has left."""
        self.has_come = asyncio.Event()

    def threaten(self, folder: Path, home: Path) -> None:
        """Wait for the life that writes here; what it leaves will stand under `home`."""
        self.folder, self._home = folder, home
        self.left = None
        self.has_come.clear()

    def before_command(self) -> None:
        """Die with the lines written and the command not sent, if it is time."""
        if self._is_due(MID_TURN):
            self._die(MID_TURN)

    async def wait(self) -> None:
        """Die between two moments, when it is time."""
        moments = self._moments[BETWEEN]
        while moments and self._clock.now_ns < self._calm_ns:
            await asyncio.sleep(max(0, moments[0] - self._clock.now_ns) / 1e9)
            if self._is_due(BETWEEN):
                self._die(BETWEEN)
                return
        await asyncio.get_running_loop().create_future()

    def _is_due(self, kind: str) -> bool:
        moments, now_ns = self._moments[kind], self._clock.now_ns
        return self.left is None and bool(moments) and moments[0] <= now_ns < self._calm_ns

    def _die(self, kind: str) -> None:
        self._moments[kind].popleft()
        left = self._home / "runs" / self.folder.name
        shutil.copytree(self.folder, left)
        self._swarm.injected[kind] += 1
        self.left = left
        self._cut_off()
        self.has_come.set()
