"""What the market printed: bars and the newest trades of every instrument, read once a beat."""

from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Final

from engine.market.market import Market
from engine.model.market import Trade
from engine.model.orders import BUY
from engine.session.control.bar_tails import INTERVALS_S, TAIL_MAX, BarTails
from engine.session.control.hops import Hops
from engine.session.control.views import BarTail, Print

PRINTS_MAX: Final = 100
"""Prints of one instrument in a view: what fills a tape even where half of them are sweeps."""
VIEW_BARS_MAX: Final = 1_000
VIEW_PRINTS_MAX: Final = 200
"""All instruments share these: together some 30 kB of a view."""
SHARE_MIN: Final = 20
"""Bars of a length, or prints, that an instrument has however many there are."""


class Prints:
    """The tape and the bars of all instruments of a session."""

    def __init__(self, market: Market, hops: Hops) -> None:
        self._market = market
        self._hops = hops
        self._seen = market.prints
        self._bars = {symbol: BarTails() for symbol in market.views}
        self._tape: dict[str, deque[Trade]] = {
            symbol: deque(maxlen=PRINTS_MAX) for symbol in market.views
        }
        self.count = dict.fromkeys(market.views, 0)
        """Prints of each instrument so far."""
        instruments = max(1, len(self._bars))
        lengths = instruments * len(INTERVALS_S)
        self._bars_each = min(TAIL_MAX, max(SHARE_MIN, VIEW_BARS_MAX // lengths))
        self._prints_each = max(SHARE_MIN, VIEW_PRINTS_MAX // instruments)

    @property
    def unread(self) -> int:
        """How many the market has that were not taken yet."""
        return self._market.prints - self._seen

    def beat(self, ts_ns: int) -> None:
        """Take what was printed in the beat that ends at `ts_ns`, exclusive."""
        new = self._new()
        for symbol, view in self._market.views.items():
            self._bars[symbol].beat(ts_ns - 1, new.get(symbol, ()), view.mid2_ticks // 2)

    def bars(self, symbol: str) -> tuple[BarTail, ...]:
        """Return an instrument's share of the bars."""
        return self._bars[symbol].faces(self._bars_each)

    def tape(self, symbol: str) -> tuple[Print, ...]:
        """Return an instrument's share of the prints, newest last."""
        tape = self._tape[symbol]
        newest = islice(tape, max(0, len(tape) - self._prints_each), None)
        return tuple(Print(t.ts_ns, t.price_ticks, t.qty_lots, t.aggressor is BUY) for t in newest)

    def _new(self) -> Mapping[str, list[Trade]]:
        market = self._market
        count, self._seen = self.unread, market.prints
        by_symbol: dict[str, list[Trade]] = {}
        for trade in islice(market.tape, max(0, len(market.tape) - count), None):
            by_symbol.setdefault(trade.symbol, []).append(trade)
        for symbol, trades in by_symbol.items():
            self._tape[symbol].extend(trades)
            self.count[symbol] += len(trades)
            self._hops.printed(trades[-1])
        return by_symbol
