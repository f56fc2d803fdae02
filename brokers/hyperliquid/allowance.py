"""How many actions an address has left at Hyperliquid: our count, corrected by the venue's. Pure.

One action for each USD ever traded, and some to begin with; a batch counts its elements. Once they
are used up the venue takes one in ten seconds. Cancels have more: they must never starve.

Source: the Hyperliquid sheet, section 7.
"""

from typing import Final

START_BUFFER: Final = 10_000
CANCELS_MORE: Final = 100_000
SLOW_S: Final = 10.0
"""Between two actions of an address that has used its own up."""
KEPT_SHARE: Final = 50
"""A placement leaves this part of the cap unused, for whatever we can't count."""


class Allowance:
    """Of one address; times are monotonic seconds."""

    def __init__(self) -> None:
        self.used = 0
        self.cap = START_BUFFER
        self._last_s = -SLOW_S

    def learn(self, used: int, cap: int) -> None:
        """Take over the venue's count; what it has not seen yet is ours to add again."""
        self.used, self.cap = used, cap

    @property
    def left(self) -> int:
        """How many placements it would take now."""
        return max(0, self.cap - self.cap // KEPT_SHARE - self.used)

    def has_room(self, now_s: float, *, is_cancel: bool, count: int = 1) -> bool:
        """Whether an action of so many elements may leave now."""
        left = self._cancel_cap - self.used if is_cancel else self.left
        return left >= count or now_s - self._last_s >= SLOW_S

    @property
    def _cancel_cap(self) -> int:
        return min(self.cap + CANCELS_MORE, 2 * self.cap)

    def spend(self, now_s: float, count: int = 1) -> None:
        """Count an action that leaves now."""
        self.used += count
        self._last_s = now_s
