"""What a venue lists of a session's instruments, read again for as long as the session runs.

Rule 1: what can't be had or read is nothing new; the next beat asks again.
Rule 2: an instrument on other terms than the session's is told at every beat, one on the session's
        own terms once: at the first beat, since a session that was resumed may hold a doubt of
        before, and whenever it has just come back to them.
Rule 3: only terms that orders are made of count. Leverage, margin and fees are no such terms.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple

from brokers.link.exchanged import Outcome, Reply, Request
from engine.model.errors import DataUnavailable
from engine.model.instrument import Instrument
from engine.model.market import RulesChanged

OK: Final = 200
TERMS: Final = {
    "tick_size": "tick",
    "lot_size": "lot",
    "min_qty": "least quantity",
    "min_notional": "least notional",
    "multiplier": "multiplier",
}
"""Fields of an instrument to what they are called in words."""
NOT_LISTED: Final = "it is not listed any more"

Listed = Instrument | str
"""How an instrument is listed; or why it can't be traded, in words, sanitised."""


class Listing(NamedTuple):
    """How a venue is asked what it lists."""

    request: Request
    read: Callable[[bytes, Sequence[Instrument]], Mapping[str, Listed]]
    """Takes an answer and the session's instruments; raises `DataUnavailable` for what is none."""


def difference(ours: Instrument, listed: Listed) -> str:
    """Return from what to what the terms have changed, in words; empty where they are the same."""
    if isinstance(listed, str):
        return listed
    terms = [(word, getattr(ours, name), getattr(listed, name)) for name, word in TERMS.items()]
    return ", ".join(f"{word} {was:f} -> {now:f}" for word, was, now in terms if was != now)


class RulesWatch:
    """Asks one venue on a beat, and tells what is not as it was."""

    def __init__(
        self,
        listing: Listing,
        ask: Callable[[Request], Awaitable[Outcome]],
        instruments: Sequence[Instrument],
        tell: Callable[[RulesChanged], None],
    ) -> None:
        """Prepare.

        Args:
            listing: How to ask.
            ask: Puts a question to the venue.
            instruments: As the session works with them.
            tell: Takes what there is to say.

        """
        self._listing, self._ask, self._tell = listing, ask, tell
        self._instruments = instruments
        self._same: set[str] = set()
        """Told to be on the session's terms, and nothing else since."""

    async def run(self, every_s: float) -> None:
        """Look for ever, first when so many seconds have passed."""
        while True:
            await asyncio.sleep(every_s)
            self.look_at(await self._ask(self._listing.request), time.time_ns())

    def forget(self) -> None:
        """Count nothing as told: it was dropped on its way."""
        self._same.clear()

    def look_at(self, outcome: Outcome, at_ns: int) -> None:
        """Compare an answer with the session's terms."""
        if not isinstance(outcome, Reply) or outcome.status != OK:
            return
        try:
            listed = self._listing.read(outcome.body, self._instruments)
        except DataUnavailable:
            return
        for ours in self._instruments:
            self._compare(ours, listed.get(ours.symbol, NOT_LISTED), at_ns)

    def _compare(self, ours: Instrument, listed: Listed, at_ns: int) -> None:
        symbol, detail = ours.symbol, difference(ours, listed)
        if detail:
            self._same.discard(symbol)
        elif symbol in self._same:
            return
        else:
            self._same.add(symbol)
        told = RulesChanged(at_ns, symbol, detail, bool(detail))
        if isinstance(listed, Instrument):
            told.tick_size, told.lot_size = listed.tick_size, listed.lot_size
        self._tell(told)
