"""The page engine and sentinel share: five counters in memory, no file, no message, no wait.

Each counter has one writer and is stored in one piece, so a reader sees an old value or a new one.
The memory outlives either process: what the engine said last is there after it was killed.
"""

import mmap
import os
from enum import IntEnum
from typing import Final

BEATS: Final = 0
EVENT_NS: Final = 1
PHASE: Final = 2
KILL_SEEN: Final = 3
LOOKS: Final = 4
"""Places of the counters."""


class Phase(IntEnum):
    """What the engine says about itself."""

    OPENING = 0
    """Nothing can have been sent yet; silence is no sign."""
    TRADING = 1
    """The decision loop beats; silence means that it is deaf."""
    OBEYING = 2
    """It was told of the kill, and every cancel is on its way."""
    DONE = 3
    """It will send nothing any more."""


class Page:
    """One shared page. The engine creates it and hands its descriptor down."""

    def __init__(self, fd: int) -> None:
        """Map the page behind a descriptor, which stays the caller's.

        Raises:
            OSError: It can't be mapped.

        """
        self._map = mmap.mmap(fd, mmap.PAGESIZE)
        self._cells = memoryview(self._map).cast("Q")

    def beat(self, event_ns: int, phase: Phase) -> None:
        """Say that the decision loop is alive, and how far it is in event time."""
        cells = self._cells
        cells[EVENT_NS] = event_ns
        cells[PHASE] = phase
        cells[BEATS] += 1

    @property
    def beats(self) -> int:
        """How often the engine's decision loop has come round."""
        return self._cells[BEATS]

    @property
    def event_ns(self) -> int:
        """Event time of the last beat, 0 before the first."""
        return self._cells[EVENT_NS]

    @property
    def phase(self) -> Phase:
        """What the engine said last."""
        return Phase(self._cells[PHASE])

    def look(self) -> None:
        """Say, as the sentinel, that somebody is watching."""
        self._cells[LOOKS] += 1

    @property
    def looks(self) -> int:
        """How often the sentinel has looked."""
        return self._cells[LOOKS]

    @property
    def kill_seen(self) -> int | None:
        """Which kill file the sentinel has seen, by its place in the list; None for none."""
        return self._cells[KILL_SEEN] - 1 if self._cells[KILL_SEEN] else None

    def latch_kill(self, place: int) -> None:
        """Tell the engine of a kill file; nothing takes it back."""
        self._cells[KILL_SEEN] = place + 1


def new_page() -> int:
    """Return the descriptor of a fresh page, which no path leads to.

    Raises:
        OSError: There is no memory for it.

    """
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("heartbeat")
    else:
        import tempfile  # noqa: PLC0415 - 1.4 MB that Linux need not pay

        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, mmap.PAGESIZE)
    return fd
