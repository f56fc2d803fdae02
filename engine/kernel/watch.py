"""Watches how long each instrument's feed has been silent.

Source: reliability.md E2: stale is judged by arrival, also when nothing arrives at all.
"""

from collections.abc import Mapping

from engine.kernel.conduct import Conduct
from engine.market.view import MarketView
from engine.risk.lifecycle import FsmEvent


class Watch:
    """Raises FEED_STALE for an instrument, and takes it back with its next good price."""

    def __init__(self, views: Mapping[str, MarketView], conduct: Conduct, max_lag_s: float) -> None:
        self._views = views
        self._conduct = conduct
        self._max_lag_ns = round(max_lag_s * 1e9)
        self.stale: dict[str, None] = {}
        """Instruments whose silence has been reported."""

    def on_time(self, now_ns: int) -> None:
        """Report every instrument that has been silent for too long."""
        for symbol, view in self._views.items():
            if view.priced_ns and symbol not in self.stale and self._is_silent(view, now_ns):
                self.stale[symbol] = None
                self._conduct.raise_event(FsmEvent.FEED_STALE, symbol, now_ns)

    def _is_silent(self, view: MarketView, now_ns: int) -> bool:
        # A source of bars alone speaks once an interval.
        expected_ns = 0 if view.bid_lots else min(view.bars, default=60) * 1_000_000_000
        return now_ns - view.priced_ns > self._max_lag_ns + expected_ns

    def heard(self, symbol: str, now_ns: int) -> None:
        """Take a good price as the end of silence."""
        if symbol in self.stale:
            del self.stale[symbol]
            self._conduct.clear(FsmEvent.FEED_STALE, symbol, now_ns)

    def restore(self) -> None:
        """Find out again which instruments were reported, from the open doubts."""
        lifecycle = self._conduct.lifecycle
        doubts = (*lifecycle.reasons, *lifecycle.suspended)
        self.stale = {scope: None for event, scope in doubts if event is FsmEvent.FEED_STALE}
