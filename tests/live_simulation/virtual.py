"""Time that passes when nothing else happens: for this process alone, and for all that runs in it.

Rule 1: `time.time` and `time.monotonic` (and their `_ns`) are replaced before anything of ours is
        imported, so no part can ask for another clock: sessions, adapters, sandboxes and libraries.
        `perf_counter` stays real: what is measured with it decides nothing.
Rule 2: both ends of every connection are here (`wires`): time jumps to the next timer when no socket
        has anything to read.
Rule 3: what would run in a thread runs at once (`threads`); where the loop waits for it, the result
        comes as late as the disk of the world is slow, so the loop lives through the same waits.
Rule 4: tasks are told apart by their number, not by where they lie: a set of them, as task groups
        keep one, has the same order each time.

Each round of the loop leaves its mark in `VirtualTime.pulse`: two runs of a seed that differ in the
instant of a single round, or in how many sockets it found ready, differ in it.
"""

import asyncio
import random
import selectors
import time
from collections.abc import Callable
from itertools import count
from typing import Any, Final
from zlib import crc32

from tests.live_simulation import threads
from tests.live_simulation.wires import WiredLoop

WORK_NS: Final = 20_000
"""What one round of the loop takes; without it a loop that waits for time to pass spins."""
MONOTONIC_NS: Final = 1_000 * 1_000_000_000
"""Where the monotonic clock of a world begins."""


class VirtualTime:
    """The clocks of this process."""

    def __init__(self) -> None:
        self.now_ns = MONOTONIC_NS
        self.pulse = 0
        self._wall_ahead_ns = 0

    def install(self) -> None:
        """Stand where the system's clocks stood; there is no way back."""
        time.monotonic_ns = lambda: self.now_ns
        time.monotonic = lambda: self.now_ns / 1e9
        time.time_ns = self.wall_ns
        time.time = lambda: self.wall_ns() / 1e9
        threads.install()

    def begin(self, wall_ns: int) -> None:
        """Start over: a new world, in which it is `wall_ns`."""
        self.now_ns, self.pulse = MONOTONIC_NS, 0
        self._wall_ahead_ns = wall_ns - MONOTONIC_NS

    def wall_ns(self) -> int:
        """Return what the wall says."""
        return self.now_ns + self._wall_ahead_ns

    def step_wall(self, ns: int) -> None:
        """Set the wall clock, as a person or NTP does; the monotonic one knows nothing of it."""
        self._wall_ahead_ns += ns

    def pass_ns(self, ns: int) -> None:
        """Let time pass."""
        self.now_ns += max(0, ns)

    def beat(self, ready: int) -> None:
        """Note a round of the loop, and how many sockets it found ready."""
        self.pulse = crc32(b"%d %d" % (self.now_ns, ready), self.pulse)


class JumpingSelector(selectors.EpollSelector):
    """Never waits: where nothing is ready, it is later."""

    def __init__(self, clock: VirtualTime) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._clock.pass_ns(WORK_NS)
        ready = super().select(0)
        if not ready and (timeout is None or timeout > 0):
            assert timeout is not None, "nothing is ready and nothing is due: a deadlock"
            self._clock.pass_ns(int(timeout * 1e9) + 1)
        self._clock.beat(len(ready))
        return ready


class NumberedTask(asyncio.Task[Any]):
    """A task whose place in a set is its number's."""

    def __init__(self, number: int, coro: Any, **how: Any) -> None:
        self._number = number
        super().__init__(coro, **how)

    def __hash__(self) -> int:
        return self._number


class VirtualLoop(WiredLoop):
    """Timers fire by virtual time."""

    def __init__(self, clock: VirtualTime, disk_s: Callable[[], float]) -> None:
        super().__init__(JumpingSelector(clock))
        self._virtual = clock
        self._disk_s = disk_s
        numbers = count()
        self.set_task_factory(
            lambda loop, coro, **how: NumberedTask(next(numbers), coro, loop=loop, **how)
        )

    def time(self) -> float:
        return self._virtual.now_ns / 1e9

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        future = self.create_future()
        try:
            result = func(*args)
        except Exception as error:  # noqa: BLE001 - a thread hands on whatever was raised
            self.call_later(self._disk_s(), _settle, future.set_exception, future, error)
        else:
            self.call_later(self._disk_s(), _settle, future.set_result, future, result)
        return future

    def disk_s(self) -> float:
        """Return how long the disk takes this time."""
        return self._disk_s()


def _settle(settle: Callable[[Any], None], future: "asyncio.Future[Any]", value: Any) -> None:
    if not future.done():
        settle(value)


GIVEN: Final = random.Random


def seed_all(seed: int) -> None:
    """Let dice that nobody gave a seed fall the same way each time."""
    unseeded = GIVEN(seed)

    class Seeded(GIVEN):  # type: ignore[misc, valid-type]
        def __init__(self, x: Any = None) -> None:
            super().__init__(unseeded.getrandbits(64) if x is None else x)

    random.Random = Seeded  # type: ignore[misc]
