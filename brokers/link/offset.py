"""How far a venue's clock is from ours, from its answers to a question about the time. Pure.

The answer of the quickest round trip is believed: its error is at most half of that trip. Older
samples grow wider by what a cheap clock drifts, so that a quick old one does not rule for ever.

Source: reliability.md E4; D. Mills, RFC 5905 section 10 (the clock filter).
"""

from collections import deque
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

KEPT: Final = 8
DRIFT: Final = 50e-6
"""Seconds a second: a laptop's quartz, with room."""
NS_PER_S: Final = 1_000_000_000


class Offset(NamedTuple):
    """What to add to our wall clock to get the venue's."""

    ns: int
    error_ns: int
    """It is right within so much, either way."""


@dataclass(frozen=True, slots=True)
class _Sample:
    ns: int
    half_trip_ns: int
    at_ns: int


class ClockOffset:
    """Estimates the offset of one venue's clock."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=KEPT)
        self._best: _Sample | None = None
        """They all age alike: which is best changes with a new one only."""

    def sample(self, *, sent_ns: int, received_ns: int, wall_ns: int, venue_ns: int) -> None:
        """Take one answer.

        Args:
            sent_ns: Monotonic time when the question left.
            received_ns: Monotonic time when the answer came.
            wall_ns: Our wall clock when the answer came.
            venue_ns: What the venue says.

        """
        half = max(0, received_ns - sent_ns) // 2
        self._samples.append(_Sample(venue_ns + half - wall_ns, half, received_ns))
        self._best = min(self._samples, key=lambda it: _error_ns(it, received_ns))

    def reset(self) -> None:
        """Forget all: our own clock was set, or the machine slept."""
        self._samples.clear()
        self._best = None

    def now(self, monotonic_ns: int) -> Offset | None:
        """Return the offset as of now; None before the first answer."""
        best = self._best
        if best is None:
            return None
        return Offset(best.ns, _error_ns(best, monotonic_ns))


def _error_ns(sample: _Sample, now_ns: int) -> int:
    return sample.half_trip_ns + round(max(0, now_ns - sample.at_ns) * DRIFT)


def date_s(header: str) -> int | None:
    """Return the Unix second of a `Date` header; None where it is none."""
    try:
        return int(parsedate_to_datetime(header).timestamp())
    except (TypeError, ValueError, OverflowError):
        return None
