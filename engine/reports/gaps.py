"""Times in which market data was missing, and how often a feed came back."""

from typing import Final

import msgspec

from engine.model.market import FeedStatus, Malformed, ReferenceStatus

GAPS_MAX: Final = 1_000
"""Kept in memory and in the report; later ones are only counted, the journal has them all."""
NS: Final = 1_000_000_000


class DataGap(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch without data, or one message known to be missing."""

    source: str
    """Feed, or symbol for a sequence gap."""
    from_ns: int
    to_ns: int | None
    """None when the data had not come back at the end."""
    duration_s: float | None
    reason: str


class DataGaps:
    """Pairs the feeds' disconnects with their returns."""

    def __init__(self) -> None:
        self.reconnects = 0
        self.dropped = 0
        """Gaps beyond `GAPS_MAX`."""
        self._closed: list[DataGap] = []
        self._open: dict[str, FeedStatus | ReferenceStatus] = {}
        self._known: set[str] = set()

    def status(self, status: FeedStatus | ReferenceStatus) -> None:
        """Note a feed that connected, or was lost."""
        if not status.is_connected:
            self._open.setdefault(status.source, status)
            return
        lost = self._open.pop(status.source, None)
        if status.source in self._known:
            self.reconnects += 1
        self._known.add(status.source)
        if lost is not None:
            self._keep(_gap(lost, status.ts_ns))

    def malformed(self, malformed: Malformed) -> None:
        """Note a refused message if its flaw says that others are missing."""
        if malformed.flaw == "sequence_gap":
            at_ns = malformed.ts_ns
            gap = DataGap(
                source=malformed.symbol,
                from_ns=at_ns,
                to_ns=at_ns,
                duration_s=0.0,
                reason=malformed.flaw,
            )
            self._keep(gap)

    def all(self) -> tuple[DataGap, ...]:
        """Return every gap kept, closed ones first, then those still open."""
        return (*self._closed, *(_gap(lost, None) for lost in self._open.values()))

    def _keep(self, gap: DataGap) -> None:
        if len(self._closed) < GAPS_MAX:
            self._closed.append(gap)
        else:
            self.dropped += 1


def _gap(lost: FeedStatus | ReferenceStatus, to_ns: int | None) -> DataGap:
    return DataGap(
        source=lost.source,
        from_ns=lost.ts_ns,
        to_ns=to_ns,
        duration_s=None if to_ns is None else (to_ns - lost.ts_ns) / NS,
        reason=lost.reason,
    )
