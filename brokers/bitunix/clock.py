"""How far the venue's clock is from ours, where it tells whole seconds only. Pure.

There is no question for the time; every answer carries a `Date`, every pong the server's second.
Each says that the offset lies in an interval as wide as a second and the round trip; what all of
them agree on is narrower. One that agrees with none of the others begins anew: a clock was set.

Source: sheet section 1; reliability.md E4.
"""

from typing import Final

S_NS: Final = 1_000_000_000
DRIFT: Final = 50e-6
"""Seconds a second: a laptop's quartz, with room."""


class SecondsClock:
    """Narrows the offset of one venue's clock: what to add to our wall clock to get the venue's."""

    def __init__(self) -> None:
        self._low_ns = self._high_ns = 0
        self._at_ns = 0
        self.is_known = False

    def sample(self, second: int, *, asked_ns: int, heard_ns: int) -> None:
        """Take a second that the venue told.

        Args:
            second: Unix seconds, cut.
            asked_ns: Our wall clock when the question left.
            heard_ns: Our wall clock when the answer came.

        """
        low, high = second * S_NS - heard_ns, (second + 1) * S_NS - min(asked_ns, heard_ns)
        if self.is_known:
            wider = round(max(0, heard_ns - self._at_ns) * DRIFT)
            both = max(low, self._low_ns - wider), min(high, self._high_ns + wider)
            if both[0] <= both[1]:
                low, high = both
        self._low_ns, self._high_ns, self._at_ns = low, high, heard_ns
        self.is_known = True

    @property
    def offset_ns(self) -> int:
        """The middle of what is possible; 0 as long as our own clock may be right."""
        if not self.is_known or self._low_ns <= 0 <= self._high_ns:
            return 0
        return (self._low_ns + self._high_ns) // 2
