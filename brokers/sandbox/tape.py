"""What a played market printed lately: trades and bars of one minute, by symbol; no venue's words.

Bars longer than a minute are merged from them, on the venue's grid. A minute without a print has a
bar at the last close, as the venues show it.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from brokers.sandbox.market import SandboxMarket
from engine.model.market import Bar, FeedEvent, Quote, Trade
from engine.model.orders import Side

TRADES_KEPT: Final = 1_000
BARS_KEPT: Final = 10_000
MINUTE_NS: Final = 60_000_000_000


@dataclass(slots=True)
class TapeBar:
    """Prices in ticks, volume in lots."""

    open_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    units: int = 0
    """Ticks times lots."""
    prints: int = 0
    bought: int = 0
    """Lots that takers bought."""
    bought_units: int = 0

    def take(self, ticks: int, lots: int, *, is_bought: bool) -> None:
        """Add one print."""
        self.high, self.low = max(self.high, ticks), min(self.low, ticks)
        self.close = ticks
        self.volume += lots
        self.units += ticks * lots
        self.prints += 1
        if is_bought:
            self.bought += lots
            self.bought_units += ticks * lots

    def merge(self, later: "TapeBar") -> None:
        """Add the minute that follows."""
        self.high, self.low = max(self.high, later.high), min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.units += later.units
        self.prints += later.prints
        self.bought += later.bought
        self.bought_units += later.bought_units


class Tape:
    """Listens to a market."""

    def __init__(self, market: SandboxMarket) -> None:
        self.trades: dict[str, deque[Trade]] = {}
        self._bars: dict[str, deque[TapeBar]] = {}
        for item in market.instruments:
            self.trades[item.symbol] = deque(maxlen=TRADES_KEPT)
            self._bars[item.symbol] = deque(maxlen=BARS_KEPT)
        market.listen(self._heard)

    def bars(self, symbol: str, length_ns: int, since_ns: int, until_ns: int) -> list[TapeBar]:
        """Return the bars that open in a span, oldest first; the last one is still growing."""
        merged: list[TapeBar] = []
        for bar in self._bars[symbol]:
            open_ns = bar.open_ns // length_ns * length_ns
            if not since_ns <= open_ns <= until_ns:
                continue
            if merged and merged[-1].open_ns == open_ns:
                merged[-1].merge(bar)
            else:
                whole = TapeBar(open_ns, bar.open, bar.high, bar.low, bar.close)
                whole.volume, whole.units, whole.prints = bar.volume, bar.units, bar.prints
                whole.bought, whole.bought_units = bar.bought, bar.bought_units
                merged.append(whole)
        return merged

    def _heard(self, event: FeedEvent) -> None:
        match event:
            case Trade():
                self.trades[event.symbol].append(event)
                bar = self._minute(event.symbol, event.ts_ns, event.price_ticks)
                is_bought = event.aggressor is Side.BUY
                bar.take(event.price_ticks, event.qty_lots, is_bought=is_bought)
            case Quote():
                self._minute(event.symbol, event.ts_ns, event.bid_ticks)
            case Bar():
                self._minute(event.symbol, event.ts_ns, event.close_ticks)
            case _:
                pass

    def _minute(self, symbol: str, at_ns: int, ticks: int) -> TapeBar:
        """Return the bar of a time; all but the first one open at the last close."""
        bars, open_ns = self._bars[symbol], at_ns // MINUTE_NS * MINUTE_NS
        if not bars:
            bars.append(TapeBar(open_ns, ticks, ticks, ticks, ticks))
        while bars[-1].open_ns < open_ns:
            close = bars[-1].close
            next_ns = max(bars[-1].open_ns + MINUTE_NS, open_ns - BARS_KEPT * MINUTE_NS)
            bars.append(TapeBar(next_ns, close, close, close, close))
        return bars[-1]
