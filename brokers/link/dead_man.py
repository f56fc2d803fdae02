"""The venue's dead-man switch: it cancels everything of ours if we are silent for too long.

Rule 1: the session's own beats renew it, a third of its time after the last, so that a session that
        hangs lets it fire.
Rule 2: one that was set and can't be renewed twice in a row may fire: the trading side counts as
        down until it is set again, and is then compared with ours.
Rule 3: a venue that has none, or has none for this account, is traded on without.

Source: reliability.md D6.
"""

from typing import Final, Protocol

from brokers.link.errands import Errands
from brokers.link.reports import Reports

NS_PER_S: Final = 1_000_000_000
PART: Final = "dead-man switch"
MISSED_MAX: Final = 1
"""Renewals in a row that may fail: the next comes with a third of its time left."""


class Switch(Protocol):
    """What sets it."""

    async def renew(self, ttl_s: float) -> bool:
        """Set it to fire after so long, 0 for never; False where it is not set."""
        ...


class DeadMan:
    """Of one session."""

    def __init__(self, switch: Switch, ttl_s: float, errands: Errands, reports: Reports) -> None:
        """Prepare; it is not set.

        Args:
            switch: At the venue.
            ttl_s: Seconds of silence after which it fires.
            errands: What renewals are among.
            reports: Take that it is lost, and back.

        """
        self._switch = switch
        self._ttl_s = ttl_s
        self._errands = errands
        self._reports = reports
        self._renewed_ns = 0
        self._was_asked = False
        self._was_set = False
        self._missed = 0

    def beat(self, ts_ns: int) -> None:
        """Renew it where it is time."""
        if ts_ns - self._renewed_ns >= self._ttl_s * NS_PER_S / 3:
            self._renewed_ns = ts_ns
            self._errands.run(self.renew)

    async def renew(self) -> None:
        """Set it anew."""
        self._was_asked = True
        is_set = await self._switch.renew(self._ttl_s)
        self._was_set |= is_set
        self._missed = 0 if is_set else self._missed + 1
        if self._was_set and (is_set or self._missed > MISSED_MAX):
            self._reports.part(PART, "" if is_set else f"not renewed {self._missed} times")

    async def take_back(self) -> None:
        """Unset it, for it would take out a person's orders later."""
        if self._was_asked:
            await self._switch.renew(0.0)
