"""Time as a port: the session asks, a clock answers, and tests hold the clock.

Event time is what the kernel sees. A wall clock lets it pass at `speed` event seconds a second; the
simulated clock jumps, so that a ten-minute session takes as long as its work.
"""

import asyncio
import time
from typing import Final, Protocol

QUANTUM_S: Final = 0.005
"""Shortest sleep: what becomes due meanwhile is taken in one go. A wake-up costs more than a
quote, and event time, in which everything is decided, does not notice."""

POLL_S: Final = 0.05
"""Longest sleep in one piece, so that stop requests are seen in time."""


class Clock(Protocol):
    """Event time, and how to wait for it."""

    @property
    def is_simulated(self) -> bool:
        """True when waiting takes no time."""
        ...

    def start(self, event_ns: int) -> None:
        """Declare that event time is `event_ns` now."""
        ...

    def reached(self) -> int:
        """Return the event time up to which things may happen without waiting."""
        ...

    def today(self) -> int:
        """Return what the wall says, ns; 0 where no time passes outside."""
        ...

    async def wait(self, event_ns: int) -> bool:
        """Sleep towards `event_ns`, at most `POLL_S`; return True once it is reached."""
        ...


class WallClock:
    """Event time runs with the monotonic clock, `speed` times as fast."""

    is_simulated = False

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._event_ns = 0
        self._mono_ns = time.monotonic_ns()

    def start(self, event_ns: int) -> None:
        """Pin `event_ns` to this instant."""
        self._event_ns = event_ns
        self._mono_ns = time.monotonic_ns()

    def reached(self) -> int:
        """Return event time now."""
        return self._event_ns + int((time.monotonic_ns() - self._mono_ns) * self._speed)

    def today(self) -> int:
        """Return the system's time."""
        return time.time_ns()

    async def wait(self, event_ns: int) -> bool:
        """Sleep towards `event_ns` in pieces a stop request can interrupt."""
        left_s = (event_ns - self.reached()) / self._speed / 1e9
        if left_s > 0:
            await asyncio.sleep(min(max(left_s, QUANTUM_S), POLL_S))
        return self.reached() >= event_ns


class SimulatedClock:
    """Event time is wherever the next event is."""

    is_simulated = True

    def start(self, event_ns: int) -> None:
        """Need nothing."""

    def reached(self) -> int:
        """Return a time after every event."""
        return 2**63 - 1

    def today(self) -> int:
        """Know of no day."""
        return 0

    async def wait(self, event_ns: int) -> bool:
        """Let other tasks run, then be there."""
        await asyncio.sleep(0)
        return event_ns < 2**63
