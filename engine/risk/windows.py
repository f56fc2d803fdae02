"""How often something happened in the last minute, in bounded memory."""

from bisect import bisect_right
from typing import Final

WINDOW_NS: Final = 60_000_000_000
"""An event counts from its own time until this much later, exclusive."""


def count_event(stamps: list[int], ts_ns: int, limit: int) -> None:
    """Append an event, keeping the newest `limit`: enough to tell whether `limit` fell together."""
    stamps.append(ts_ns)
    del stamps[:-limit]


def count_in_window(stamps: list[int], ts_ns: int) -> int:
    """Return how many of the rising `stamps` are in the window that ends at `ts_ns`."""
    return len(stamps) - bisect_right(stamps, ts_ns - WINDOW_NS)
