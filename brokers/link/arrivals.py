"""When recorded messages arrived: `<receive time> <message>`, the unit shows in the digits. Pure.

Source: reliability.md E1; a recorder's clock may be set, and one wrong digit must not freeze time.
"""

from typing import Final

from brokers.link.grid import Refused

LEAP_NS_MAX: Final = 3_600 * 1_000_000_000
"""A receive time further ahead than this waits for a second line to confirm it."""
_UNIT_NS: Final = {19: 1, 16: 1_000, 13: 1_000_000, 10: 1_000_000_000}
"""Nanoseconds in one unit, by digits: each length is one unit only, from 2001 to 2286."""
_INT64_MAX: Final = 2**63 - 1


class Arrivals:
    """Receive times of one file, in order: none is before the one before it."""

    def __init__(self, start_ns: int) -> None:
        self.last_ns = start_ns
        """The last believable one."""
        self._leap_ns = 0

    def take(self, stamp: bytes) -> int:
        """Read a line's receive time and return it in nanoseconds.

        Raises:
            Refused: It is none, or leaps ahead.

        """
        at_ns = received_ns(stamp)
        if not at_ns:
            raise Refused("malformed", "no receive time")
        if at_ns > self.last_ns + LEAP_NS_MAX and self.last_ns:
            self._confirm_leap(at_ns)
        self._leap_ns = 0
        self.last_ns = max(at_ns, self.last_ns)
        return self.last_ns

    def _confirm_leap(self, at_ns: int) -> None:
        """Refuse the first line of a leap: one wrong digit must not freeze time for the rest."""
        is_confirmed = abs(at_ns - self._leap_ns) <= LEAP_NS_MAX and at_ns <= _INT64_MAX
        self._leap_ns = at_ns
        if not is_confirmed:
            raise Refused("malformed", "receive time leaps ahead")


def received_ns(stamp: bytes) -> int:
    """Return a receive time in nanoseconds, 0 where there is none."""
    unit_ns = _UNIT_NS.get(len(stamp))
    return int(stamp) * unit_ns if unit_ns and stamp.isdigit() else 0
