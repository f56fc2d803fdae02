"""A venue's request limits, counted before it does, with a share kept for cancels. Pure.

Rule 1: a cancel never waits behind a placement: `reserve` of every window is for cancels alone,
        and for closing; reads leave half of it to everything else.
Rule 2: what the venue says it has counted is believed where it is more than we know of: another
        program may use the same address or account.
Rule 3: after a 429 only cancels go on; during a ban nothing does, for each request lengthens it.

Source: reliability.md B5 and row 30; Binance sheet section 8.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from engine.model.errors import UsageError

RESERVE_MIN: Final = 0.2
"""The least share for cancels, reliability.md B5."""
READS_MAX: Final = 0.5
"""The most of a window that questions may fill: orders never wait because we were curious."""


class Lane(StrEnum):
    """What a request is for."""

    READ = "read"
    PLACE = "place"
    CANCEL = "cancel"
    """Also what closes a position: whatever takes risk away."""

    @property
    def is_urgent(self) -> bool:
        """Whether it should not wait for a connection to be made."""
        return self is not Lane.READ

    @classmethod
    def of_order(cls, *, is_reducing: bool) -> "Lane":
        """Return the lane of a placement."""
        return cls.CANCEL if is_reducing else cls.PLACE


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so much weight in any span of so many seconds."""

    name: str
    weight: int
    window_s: float


@dataclass(slots=True)
class _Window:
    limit: Limit
    room: Mapping[Lane, int]
    """Weight that each lane may fill it to."""
    spent: deque[tuple[float, int]]
    """When and how much, oldest first; as many as fill the limit if each weighs one."""
    used: int = 0
    others: int = 0
    """What the venue last counted beyond that: of another program, or of one that crashed."""
    others_s: float = 0.0
    """When it said so."""

    def forget(self, now_s: float) -> None:
        while self.spent and self.spent[0][0] <= now_s - self.limit.window_s:
            self.used -= self.spent.popleft()[1]
        if self.others_s <= now_s - self.limit.window_s:
            self.others = 0

    def add(self, now_s: float, weight: int) -> None:
        if not weight:
            return
        self.used += weight
        if len(self.spent) == self.spent.maxlen:
            weight += self.spent.pop()[1]  # beyond the limit: it counts a little longer
        self.spent.append((now_s, weight))

    def wait_s(self, now_s: float, weight: int, room: int) -> float:
        """Return how long until `weight` more stays within `room`."""
        over = self.used + self.others + weight - room
        if over <= 0:
            return 0.0
        for at_s, spent in sorted([*self.spent, (self.others_s, self.others)]):
            over -= spent
            if over <= 0:
                return max(0.0, at_s + self.limit.window_s - now_s)
        return self.limit.window_s


class Budget:
    """The limits of one venue, for one account or address; times are monotonic seconds."""

    def __init__(self, limits: tuple[Limit, ...], reserve: float = RESERVE_MIN) -> None:
        """Begin with nothing spent.

        Raises:
            UsageError: The share for cancels is below `RESERVE_MIN`, or leaves nothing else.

        """
        if not RESERVE_MIN <= reserve < 1.0:
            raise UsageError(f"the share for cancels must be from {RESERVE_MIN:g} to below 1")
        self._windows = {
            limit.name: _Window(limit, _rooms(limit.weight, reserve), deque(maxlen=limit.weight))
            for limit in limits
        }
        self._backing_off_until_s = 0.0
        self._banned_until_s = 0.0
        self.refusals = 0
        """429 and 418 answers so far."""

    def wait_s(self, costs: Mapping[str, int], lane: Lane, now_s: float) -> float:
        """Return how long a request must wait; 0 when it may leave now.

        Args:
            costs: Weight by the name of its limit.
            lane: What it is for.
            now_s: Now.

        """
        until_s = self._banned_until_s
        if lane is not Lane.CANCEL:
            until_s = max(until_s, self._backing_off_until_s)
        waits = [until_s - now_s, 0.0]
        for name, weight in costs.items():
            window = self._windows[name]
            window.forget(now_s)
            waits.append(window.wait_s(now_s, weight, window.room[lane]))
        return max(waits)

    def spend(self, costs: Mapping[str, int], now_s: float) -> None:
        """Count a request that leaves now."""
        for name, weight in costs.items():
            self._windows[name].forget(now_s)
            self._windows[name].add(now_s, weight)

    def heed(self, name: str, used: int, now_s: float) -> None:
        """Take over the venue's own count where it is higher, until it says otherwise."""
        window = self._windows.get(name)
        if window is not None:
            window.forget(now_s)
            window.others, window.others_s = max(0, used - window.used), now_s

    def back_off(self, seconds: float, now_s: float, *, is_ban: bool = False) -> None:
        """Obey a 429, or a 418 with its ban."""
        self.refusals += 1
        self._backing_off_until_s = max(self._backing_off_until_s, now_s + seconds)
        if is_ban:
            self._banned_until_s = max(self._banned_until_s, now_s + seconds)

    def banned_s(self, now_s: float) -> float:
        """Return what is left of a ban."""
        return max(0.0, self._banned_until_s - now_s)

    def left(self, name: str, lane: Lane, now_s: float) -> int:
        """Return how much weight a lane still has in a window."""
        window = self._windows[name]
        window.forget(now_s)
        return max(0, window.room[lane] - window.used - window.others)


def _rooms(weight: int, reserve: float) -> dict[Lane, int]:
    return {
        Lane.CANCEL: weight,
        Lane.READ: max(1, math.floor(weight * READS_MAX)),
        Lane.PLACE: weight - math.ceil(weight * reserve),
    }
