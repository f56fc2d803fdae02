"""How far each price has come within an hour, and what traded meanwhile: a reading a minute."""

from collections import deque
from decimal import Decimal
from typing import Final, NamedTuple

from engine.market.market import Market
from engine.model.money import HUNDRED, ROUNDED

MINUTES_MAX: Final = 61
"""Readings of an hour, both ends included."""
MINUTE_NS: Final = 60_000_000_000


class Change(NamedTuple):
    """Since when, how far, and how much traded."""

    since_ns: int
    """An hour ago, or the first price this process saw."""
    pct: Decimal
    """Of the mid then."""
    volume: Decimal
    """Public trades, base currency or contracts."""


class _Mark(NamedTuple):
    ts_ns: int
    mid2_ticks: int
    traded_lots: int


class Changes:
    """Keeps an hour of mids."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._past: dict[str, deque[_Mark]] = {
            symbol: deque(maxlen=MINUTES_MAX) for symbol in market.views
        }

    def on_second(self, ts_ns: int) -> None:
        """Note the first price there is, and then one a minute."""
        for symbol, view in self._market.views.items():
            past = self._past[symbol]
            is_due = not past or ts_ns - past[-1].ts_ns >= MINUTE_NS
            if is_due and view.mid2_ticks:
                traded = self._market.arrival(symbol).traded_lots
                past.append(_Mark(ts_ns, view.mid2_ticks, traded))

    def of(self, symbol: str) -> Change | None:
        """Return what became of a price; None before its first reading."""
        past = self._past[symbol]
        if not past:
            return None
        view, then = self._market.views[symbol], past[0]
        moved = Decimal(view.mid2_ticks - then.mid2_ticks)
        traded = self._market.arrival(symbol).traded_lots - then.traded_lots
        return Change(
            then.ts_ns,
            ROUNDED.divide(moved * HUNDRED, Decimal(then.mid2_ticks)),
            view.instrument.qty(traded),
        )
