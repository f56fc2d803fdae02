"""What the market did after each of our fills, and how often the venue told us of it.

A markout is the mid some seconds later against the price of the fill, in the fill's favor, in basis
points of that price: what a maker earned of the spread, less what the market then took back.

Source: domain.md section 7 (slippage and markouts); ADR 0006.
"""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from engine.kernel import Kernel
from engine.market.view import MarketView
from engine.model.account import Fill
from engine.model.money import BPS, ROUNDED
from engine.model.venue_events import VenueFill
from engine.session.control.faces import FillTrack

HORIZONS_S: Final = (1, 5, 30)
SECOND_NS: Final = 1_000_000_000
_SHOWN: Final = Decimal("0.001")


class _Track:
    __slots__ = ("copies", "fill", "marks")

    def __init__(self, fill: Fill) -> None:
        self.fill = fill
        self.marks: list[Decimal | None] = []
        """One for each horizon that has passed."""
        self.copies = 0


class Markouts:
    """Follows the newest fills for as long as their longest horizon."""

    def __init__(self, kernel: Kernel, fills_max: int) -> None:
        self._views: Mapping[str, MarketView] = kernel.market.views
        self._fresh_ns = kernel.config.limits.max_quote_age_ms * 1_000_000
        self._tracks: deque[_Track] = deque(maxlen=fills_max)
        self._open: deque[_Track] = deque(maxlen=fills_max)
        """Those that still wait for a horizon, oldest first."""

    def took(self, fill: Fill) -> None:
        """Begin to follow a fill."""
        track = _Track(fill)
        self._tracks.append(track)
        self._open.append(track)

    def heard(self, event: VenueFill) -> None:
        """Count a fill that was followed already: the venue sent it again."""
        key = (event.symbol, event.trade_id)
        for track in self._tracks:
            if (track.fill.symbol, track.fill.trade_id) == key:
                track.copies += 1

    def on_time(self, ts_ns: int) -> None:
        """Mark every fill whose next horizon has come."""
        for track in self._open:
            while len(track.marks) < len(HORIZONS_S) and ts_ns >= _due_ns(track):
                track.marks.append(self._mark(track.fill, ts_ns))
        while self._open and len(self._open[0].marks) == len(HORIZONS_S):
            self._open.popleft()

    def _mark(self, fill: Fill, ts_ns: int) -> Decimal | None:
        view = self._views[fill.symbol]
        mid = view.mid
        if mid is None or ts_ns - view.priced_ns > self._fresh_ns:
            return None
        moved = (mid - fill.price) * fill.side.sign
        return ROUNDED.quantize(ROUNDED.divide(moved * BPS, fill.price), _SHOWN)

    def faces(self) -> tuple[FillTrack, ...]:
        """Return what is known, oldest fill first."""
        return tuple(
            FillTrack(
                symbol=track.fill.symbol,
                trade_id=track.fill.trade_id,
                markout_bps=(*track.marks, *(None for _ in HORIZONS_S[len(track.marks) :])),
                copies=track.copies,
            )
            for track in self._tracks
        )


def _due_ns(track: _Track) -> int:
    return track.fill.ts_ns + HORIZONS_S[len(track.marks)] * SECOND_NS
