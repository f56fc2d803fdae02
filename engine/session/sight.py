"""Brings what is seen of a watched account to the kernel, and looks once more at the end.

A rerun takes it from the journal, as everything that came from outside.
"""

import asyncio
from typing import Final

import msgspec

from engine.model.events import Input
from engine.model.sightings import AccountSeen, AccountUnseen
from engine.session.clock import POLL_S
from engine.session.intake import Intake
from engine.session.shell import Shell

SEEN: Final = (AccountSeen, AccountUnseen)


class Sight:
    """One session's sight of an account that it does not trade on; of none where nobody watches."""

    def __init__(self, shell: Shell, intake: Intake) -> None:
        self._watch = shell.watch
        self._intake = intake
        self._course = shell.course
        self._kernel = shell.turn.kernel
        self._clock = shell.clock
        self._journal = shell.journal
        self._stops = shell.stops

    def go_live(self) -> None:
        """Begin to look."""
        if self._watch is not None:
            self._watch.go_live()

    def recall(self, event: Input) -> None:
        """Know what the interrupted run was told."""
        if self._watch is not None and isinstance(event, SEEN):
            self._watch.recall(event)

    async def heed(self, now_ns: int) -> None:
        """Take what was seen since."""
        if self._watch is None or self._course.is_catching_up or self._course.is_over:
            return
        while (seen := self._watch.take()) is not None:
            await self._intake.take(msgspec.structs.replace(seen, ts_ns=now_ns))

    async def look_back(self) -> None:
        """Look once more, when all is done that a session does; whoever asks to stop is heard."""
        if self._watch is None:
            return
        while self._course.is_catching_up and (event := self._journal.outside_input()) is not None:
            self.recall(event)
            await self._intake.take(event)  # the interrupted run had come as far as this
        looking = asyncio.create_task(self._watch.last())
        try:
            while not (looking.done() or self._stops.is_abort):
                await asyncio.wait((looking,), timeout=POLL_S)
                await self._intake.heed(self._now())
            if looking.done() and (seen := looking.result()) is not None:
                await self._intake.take(msgspec.structs.replace(seen, ts_ns=self._now()))
        finally:
            looking.cancel()

    def _now(self) -> int:
        return max(self._kernel.now_ns, self._clock.reached())
