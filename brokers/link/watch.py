"""Looks at an account every now and then and tells what is new: implements `AccountWatch`.

Rule 1: each fill and payment is told once, by the venue's id for it, over crashes too.
Rule 2: a look that fails is told once, until one succeeds; nothing waits for it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, Self, TypeVar

import msgspec

from brokers.link.account import Unanswered
from brokers.link.reading import MARGIN_NS, AccountReader
from engine.model.errors import LaptopAgentsError
from engine.model.recent import Recent
from engine.model.sightings import AccountSeen, AccountUnseen, SeenFill, SeenPayment

KNOWN_MAX: Final = 50_000
"""Fills and payments remembered, each."""
LAST_S: Final = 10.0
"""For the look at a session's end."""
LOOK_S: Final = 30.0
"""For any other."""
SLOWER_MAX: Final = 3
"""How often a failure doubles the pause: a venue whose limits are used up gets time."""

Told = TypeVar("Told", SeenFill, SeenPayment)


class Watch:
    """One session's sight of one account."""

    def __init__(self, reader: AccountReader, every_s: float, wake: Callable[[], None]) -> None:
        """Prepare to look.

        Args:
            reader: Of the account.
            every_s: Seconds from one look to the next.
            wake: Ends a wait of whoever takes what is seen.

        """
        self._reader = reader
        self._every_s = every_s
        self._wake = wake
        self._taken_ns: int | None = None
        """Venue time of the newest look."""
        self._fills, self._payments = Recent(KNOWN_MAX), Recent(KNOWN_MAX)
        self._is_lost = False
        self._new: list[AccountSeen | AccountUnseen] = []
        """Not taken yet: one look at most, and losing sight before and after it."""
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open; nothing is asked yet."""
        await self._reader.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave."""
        await self._stop()
        await self._reader.__aexit__(None, None, None)

    def recall(self, event: AccountSeen | AccountUnseen) -> None:
        """Know what an interrupted session was told."""
        self._is_lost = isinstance(event, AccountUnseen)
        if isinstance(event, AccountSeen):
            self._taken_ns = event.taken_ns
            self._new_of(event)

    def go_live(self) -> None:
        """Begin to look."""
        self._looking = asyncio.create_task(self._look_on(), name="account-watch")

    def take(self) -> AccountSeen | AccountUnseen | None:
        """Return the next thing seen; None where there is nothing new."""
        return self._new.pop(0) if self._new else None

    async def last(self) -> AccountSeen | AccountUnseen | None:
        """Look once more, and then never again; what was not taken yet is in it."""
        await self._stop()
        newest = await self._look(LAST_S)
        if newest is not None:
            self._keep(newest)
        waiting, self._new = self._new, []
        seen = [one for one in waiting if isinstance(one, AccountSeen)]
        return seen[0] if seen else newest

    def _keep(self, event: AccountSeen | AccountUnseen) -> None:
        """Let it wait; a look takes the place of the one before it, with all that one told."""
        places = [n for n, one in enumerate(self._new) if isinstance(one, AccountSeen)]
        if isinstance(event, AccountSeen) and places:
            before = self._new[places[0]]
            assert isinstance(before, AccountSeen), "found by its type"
            fills, payments = before.fills + event.fills, before.payments + event.payments
            event = msgspec.structs.replace(event, fills=fills, payments=payments)
            del self._new[places[0] :]
        self._new.append(event)

    async def _stop(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
            self._looking = None

    async def _look_on(self) -> None:
        failures = 0
        while True:
            seen = await self._look(LOOK_S)
            if seen is not None:
                self._keep(seen)
                self._wake()
            failures = failures + 1 if self._is_lost else 0
            await asyncio.sleep(self._every_s * 2 ** min(failures, SLOWER_MAX))

    async def _look(self, within_s: float) -> AccountSeen | AccountUnseen | None:
        """Return what is new; None where nothing is but that it is still out of sight."""
        since_ns = None if self._taken_ns is None else self._taken_ns - MARGIN_NS
        told: AccountSeen | Unanswered = Unanswered(f"no answer in {within_s:g} s")
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    told = await self._reader.look(since_ns)
        except LaptopAgentsError as error:
            told = Unanswered(str(error))
        if isinstance(told, Unanswered):
            was_lost, self._is_lost = self._is_lost, True
            return None if was_lost else AccountUnseen(0, told.cause)
        self._is_lost, self._taken_ns = False, told.taken_ns
        return self._new_of(told)

    def _new_of(self, seen: AccountSeen) -> AccountSeen:
        """Return a look with what no look before it has told."""
        fills = tuple(f for f in seen.fills if self._fills.add(f"{f.symbol} {f.trade_id}"))
        paid = tuple(p for p in seen.payments if self._payments.add(f"{p.kind} {p.payment_id}"))
        return msgspec.structs.replace(seen, fills=fills, payments=paid)
