"""What has arrived and waits for the session: bounded, and the newest quote wins. Pure.

Rule 1: while few wait, all are kept, in order. While many wait, a quote takes the place of the one
        before it of its instrument; what is taken out is counted.
Rule 2: nothing else is ever dropped. Where that does not fit any more, the inbox says so and is
        empty: the reader has lost touch, and whatever it knew of the market must start over.

Source: reliability.md E5; architecture.md rule 6.
"""

from typing import Final

from engine.model.market import FeedEvent, Quote

BUSY: Final = 256
"""Events waiting from which on quotes are conflated: some tenth of a second of a busy market."""
WAITING_MAX: Final = 20_000
"""Events: ten seconds of one; some 10 MB."""


class Inbox:
    """Between the readers of lines and the session, on one loop."""

    def __init__(self, busy: int = BUSY, waiting_max: int = WAITING_MAX) -> None:
        self._busy = busy
        self._waiting_max = waiting_max
        self._events: list[FeedEvent | None] = []
        self._quotes: dict[str, int] = {}
        """Place of the newest waiting quote by symbol."""
        self.conflated = 0
        self.overflows = 0

    def put(self, event: FeedEvent) -> bool:
        """Let an event wait; False where there was no room, and everything has been dropped."""
        if len(self._events) >= self._waiting_max:
            self.overflows += 1
            self.clear()
            return False
        if isinstance(event, Quote):
            self._supersede(event.symbol)
        self._events.append(event)
        return True

    def _supersede(self, symbol: str) -> None:
        place = self._quotes.get(symbol)
        if place is not None and len(self._events) >= self._busy:
            self._events[place] = None
            self.conflated += 1
        self._quotes[symbol] = len(self._events)

    def take(self) -> list[FeedEvent]:
        """Return what waits, oldest first, and hold it no more."""
        waiting = [event for event in self._events if event is not None]
        self.clear()
        return waiting

    def clear(self) -> None:
        """Forget what waits."""
        self._events.clear()
        self._quotes.clear()

    def __len__(self) -> int:
        """Return how many wait, places of conflated quotes included."""
        return len(self._events)
