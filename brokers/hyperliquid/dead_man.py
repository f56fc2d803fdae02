"""When Hyperliquid's dead-man switch is set anew. Pure.

Each setting is one of the address's requests, of which a small account has few: it is set again
once half of its time is over, not at every beat. That it fires is counted (ten a day), not that it
is set. Whether a small account may use it at all is not written down: a venue that refuses is asked
again after a while, and until then there is none.

Source: the Hyperliquid sheet, section 4 (dead man).
"""

from typing import Final

from brokers.hyperliquid.actions import schedule_cancel
from brokers.hyperliquid.sign import Action

TTL_MIN_S: Final = 6.0
"""The venue wants 5 s ahead, by its clock, when it arrives."""
AGAIN_S: Final = 600.0
"""After a refusal."""
NS_PER_S: Final = 1_000_000_000
MS_NS: Final = 1_000_000


class DeadMan:
    """Of one account; times are the venue's, in nanoseconds."""

    def __init__(self) -> None:
        self._fires_ns = 0
        """When it fires; 0 while it is not set."""
        self._wished_ns = 0
        self._refused_ns = -(1 << 62)

    def due(self, ttl_s: float, now_ns: int) -> Action | None:
        """Return what to send now; None where it is set well enough, or the venue has refused."""
        if ttl_s <= 0:
            self._wished_ns = 0
            return schedule_cancel(None) if self.is_set(now_ns) else None
        ttl_ns = round(max(ttl_s, TTL_MIN_S) * NS_PER_S)
        is_refused = now_ns - self._refused_ns < round(AGAIN_S * NS_PER_S)
        if is_refused or self._fires_ns - now_ns > ttl_ns // 2:
            return None
        self._wished_ns = now_ns + ttl_ns
        return schedule_cancel(self._wished_ns // MS_NS)

    def done(self) -> None:
        """The venue did what was sent."""
        self._fires_ns = self._wished_ns

    def refused(self, now_ns: int) -> None:
        """The venue does not offer it to this account now."""
        self._refused_ns = now_ns

    def is_set(self, now_ns: int) -> bool:
        """Whether it would fire."""
        return now_ns < self._fires_ns
