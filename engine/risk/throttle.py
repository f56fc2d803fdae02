"""Never more than N requests in any sixty seconds.

A token bucket of N a minute lets 2N pass around its refill; a ring of the last N send times keeps
the promise of the setting's name to the letter, in O(1).
"""

from dataclasses import dataclass, field
from typing import Final

MINUTE_NS: Final = 60_000_000_000


@dataclass(slots=True)
class Throttle:
    """A sliding window of `per_minute` requests; None never refuses."""

    per_minute: int | None
    sent: list[int] = field(default_factory=list)
    """Send times as a ring: once full, `sent[next_slot]` is the oldest."""
    next_slot: int = 0

    def free_at(self, now_ns: int) -> int:
        """Return when the next request may leave: `now_ns` or earlier means now."""
        if self.per_minute is None or len(self.sent) < self.per_minute:
            return now_ns
        return self.sent[self.next_slot] + MINUTE_NS

    def take(self, now_ns: int) -> None:
        """Count one request as sent at `now_ns`."""
        if self.per_minute is None:
            return
        if len(self.sent) < self.per_minute:
            self.sent.append(now_ns)
            return
        self.sent[self.next_slot] = now_ns
        self.next_slot = (self.next_slot + 1) % self.per_minute

    def used(self, now_ns: int) -> int:
        """Return how many left in the last sixty seconds."""
        return sum(now_ns - ts < MINUTE_NS for ts in self.sent)
