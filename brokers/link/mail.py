"""What a venue has told and the session has not taken yet.

Rule 1: an event enters on the session's clock, when it is told; that time never goes back.
Rule 2: events come out in the order they were told.
Rule 3: none is ever dropped; a session that takes nothing any more is ended instead (E5).
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from engine.model.venue_events import VenueEvent

WAITING_MAX: Final = 20_000
"""Events; a busy account has some hundred a second, and a session takes them at every turn."""


class Mail:
    """Between the tasks that talk to a venue and the session, on one loop."""

    def __init__(
        self,
        sink: Callable[[VenueEvent], None],
        now_ns: Callable[[], int],
        wake: Callable[[], None],
    ) -> None:
        """Begin empty.

        Args:
            sink: Takes what is handed over.
            now_ns: The session's clock.
            wake: Lets a session that waits take what has come.

        """
        self._sink = sink
        self._now_ns = now_ns
        self._wake = wake
        self._waiting: deque[tuple[int, VenueEvent]] = deque()
        self._last_ns = 0

    def post(self, event: VenueEvent) -> None:
        """Let an event wait, stamped with now.

        Raises:
            RuntimeError: Too many wait: the session has stopped taking them.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise RuntimeError(f"{WAITING_MAX} answers of the venue wait, and none is taken")
        self._last_ns = max(self._last_ns, self._now_ns())
        self._waiting.append((self._last_ns, replace(event, ts_ns=self._last_ns)))
        self._wake()

    def advance(self, ts_ns: int) -> None:
        """Hand over what has come up to `ts_ns`."""
        while self._waiting and self._waiting[0][0] <= ts_ns:
            self._sink(self._waiting.popleft()[1])

    def next_due_ns(self) -> int | None:
        """When the next of it came; None when nothing waits."""
        return self._waiting[0][0] if self._waiting else None
