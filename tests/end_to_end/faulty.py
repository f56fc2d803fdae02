"""`python -m tests.end_to_end.faulty FAULT...` runs the program with a fault in one of its parts.

Everything else is the real program in a process of its own; what follows the faults (`--`) are its
words.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brokers.paper import courier
from engine.model.venue_events import VenueEvent, VenueFill
from engine.session.file_system import OsFileSystem
from laptop_agents.__main__ import main

LOST_EVERY = 5
SLOW_S = 5.0


def lose_fills() -> None:
    """Let every fifth fill of the venue never arrive."""
    deliver = courier.DelayedCourier._queue_answer
    count = 0

    def faulty(self: courier.DelayedCourier, event: VenueEvent) -> None:
        nonlocal count
        if isinstance(event, VenueFill):
            count += 1
            if count % LOST_EVERY == 0:
                return
        deliver(self, event)

    courier.DelayedCourier._queue_answer = faulty  # type: ignore[method-assign]


def slow_disk() -> None:
    """Let each sync of a file take five seconds while `<home>/slow` exists."""
    sync, slow = OsFileSystem.sync, Path(__import__("os").environ["LAPTOP_AGENTS_HOME"]) / "slow"

    def faulty(self: OsFileSystem, fd: int) -> None:
        if slow.exists():
            time.sleep(SLOW_S)
        sync(self, fd)

    OsFileSystem.sync = faulty  # type: ignore[method-assign]


FAULTS: dict[str, Callable[[], Any]] = {"lose-fills": lose_fills, "slow-disk": slow_disk}

if __name__ == "__main__":
    faults, words = sys.argv[1 : sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1 :]
    for fault in faults:
        FAULTS[fault]()
    sys.exit(main(words))
