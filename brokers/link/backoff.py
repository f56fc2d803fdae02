"""When to try again: full jitter under a doubling ceiling, so many times an hour. Pure.

Full jitter draws each wait from nothing up to the ceiling, so that a thousand clients a venue has
dropped at once do not come back at once.

Source: reliability.md E6, rows 1 and 8; M. Brooker, "Exponential Backoff And Jitter" (AWS, 2015).
"""

import random
from collections import deque
from dataclasses import dataclass
from typing import Final

HOUR_S: Final = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffConfig:
    """How fast to come back."""

    base_s: float = 0.5
    """Ceiling of the first wait; each failure doubles it."""
    cap_s: float = 30.0
    per_hour: int = 120
    """Attempts in any hour; a flapping line exhausts them."""
    stable_s: float = 30.0
    """A connection that held so long was good: the ceiling starts over."""


class Backoff:
    """Decides how long to wait before the next attempt; asks for the time, never for a clock."""

    def __init__(self, config: BackoffConfig, rng: random.Random) -> None:
        self._config = config
        self._rng = rng
        self._failures = 0
        self._attempts: deque[float] = deque(maxlen=config.per_hour)
        """Monotonic seconds, oldest first."""

    def wait_s(self, now_s: float) -> float:
        """Return how long to wait, counting the attempt that follows.

        Args:
            now_s: Monotonic seconds.

        """
        ceiling = min(self._config.cap_s, self._config.base_s * 2 ** min(self._failures, 30))
        wait_s = max(self._rng.uniform(0.0, ceiling), self._until_room_s(now_s))
        self._failures += 1
        self._attempts.append(now_s + wait_s)
        return wait_s

    def held(self, seconds: float) -> None:
        """Say how long the last connection lived."""
        if seconds >= self._config.stable_s:
            self._failures = 0

    def is_exhausted(self, now_s: float) -> bool:
        """Whether the hour has no attempt left: the line is not just shaky."""
        return self._until_room_s(now_s) > 0

    def _until_room_s(self, now_s: float) -> float:
        if len(self._attempts) < self._config.per_hour:
            return 0.0
        return max(0.0, self._attempts[0] + HOUR_S - now_s)
