"""Bars of our own: built from prints, or merged from shorter bars of the venue.

Rule 1: intervals start at multiples of their length since 1970 UTC, and `ts_ns` decides which one a
print falls in: the engine's clock is the one that also closes them.
Rule 2: every interval from the first print on gets exactly one bar. Without a print it is flat at
the close before it, with no volume.
Rule 3: a bar has one source. Mids feed the builder until the first trade is seen, trades alone from
then on; the bar that mids had open is dropped at that moment, so none mixes both.
Rule 4: where the venue sends bars itself, they win: see `BarMerger`.

Rule 5: bars of before the session come first or not at all, and none of them is closed again: what
is built of an interval that history has is not filed.

`Bar.ts_ns` is the time of the event that closed the bar, never before the end of its interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.model.market import Bar, BarHistory, Flaw, Trade

SECOND_NS: Final = 1_000_000_000

FLAT_BARS_MAX: Final = 100_000
"""Flat bars one event may close: a day of one-second bars. After a longer silence the builder
starts anew, as it would after a restart; anything else would freeze the engine."""

NO_BARS: Final[tuple[Bar, ...]] = ()


@dataclass(slots=True)
class BarSeries:
    """The newest closed bars of one interval, oldest first."""

    window: int = 200
    bars: list[Bar] = field(default_factory=list)
    """Up to twice the window: the older half is cut off at once, so that appending is O(1)."""

    def append(self, bar: Bar) -> None:
        """Add the newest bar, forgetting what left the window."""
        bars = self.bars
        bars.append(bar)
        if len(bars) >= 2 * self.window:
            del bars[: -self.window]

    def __len__(self) -> int:
        return min(len(self.bars), self.window)

    def last(self, n: int) -> Sequence[Bar]:
        """Return the newest `n` bars or as many as there are, newest last."""
        assert n >= 0
        return self.bars[-min(n, self.window) :] if n else NO_BARS

    @property
    def newest(self) -> Bar | None:
        """The bar that closed last."""
        return self.bars[-1] if self.bars else None


@dataclass(slots=True)
class BarBuilder:
    """Builds the bars of one interval from trades, or from mids where no trade was ever seen."""

    symbol: str
    interval_s: int
    has_trades: bool = False
    late: int = 0
    """Prints refused because their interval had been closed."""
    open_ns: int = -1
    """Start of the open interval; -1 before the first print."""
    is_empty: bool = True
    """Whether the open interval has no print yet; its prices are then the close before it."""
    open_ticks: int = 0
    high_ticks: int = 0
    low_ticks: int = 0
    close_ticks: int = 0
    volume_lots: int = 0

    def on_trade(self, trade: Trade) -> Sequence[Bar]:
        """Take a print, return the bars of the intervals before its own, oldest first."""
        if self.has_trades:
            return self._add(trade.ts_ns, trade.price_ticks, trade.qty_lots)
        closed = self.on_time(trade.ts_ns)
        self.has_trades = self.is_empty = True
        self._add(trade.ts_ns, trade.price_ticks, trade.qty_lots)
        return closed

    def on_price(self, ts_ns: int, mid2_ticks: int) -> Sequence[Bar]:
        """Take a doubled mid, rounded down to the tick; does nothing once trades are seen."""
        return NO_BARS if self.has_trades else self._add(ts_ns, mid2_ticks // 2, 0)

    def on_time(self, ts_ns: int) -> Sequence[Bar]:
        """Close every interval that has ended by `ts_ns`, return its bars, oldest first."""
        length_ns = self.interval_s * SECOND_NS
        if self.open_ns < 0 or ts_ns < self.open_ns + length_ns:
            return NO_BARS
        due = (ts_ns - self.open_ns) // length_ns
        if due > FLAT_BARS_MAX:
            closed = [self._close(ts_ns)]
            self.open_ns = -1
            return closed
        return [self._close(ts_ns) for _ in range(due)]

    def _add(self, ts_ns: int, ticks: int, lots: int) -> Sequence[Bar]:
        if ts_ns < self.open_ns:
            self.late += 1
            return NO_BARS
        closed = self.on_time(ts_ns)
        if self.open_ns < 0:
            length_ns = self.interval_s * SECOND_NS
            self.open_ns = ts_ns // length_ns * length_ns
            self.is_empty = True
        if self.is_empty:
            self.open_ticks = self.high_ticks = self.low_ticks = ticks
            self.is_empty = False
        elif ticks > self.high_ticks:
            self.high_ticks = ticks
        elif ticks < self.low_ticks:
            self.low_ticks = ticks
        self.close_ticks = ticks
        self.volume_lots += lots
        return closed

    def _close(self, ts_ns: int) -> Bar:
        bar = Bar(
            ts_ns=ts_ns,
            symbol=self.symbol,
            interval_s=self.interval_s,
            open_ns=self.open_ns,
            open_ticks=self.open_ticks,
            high_ticks=self.high_ticks,
            low_ticks=self.low_ticks,
            close_ticks=self.close_ticks,
            volume_lots=self.volume_lots,
        )
        self.open_ns += self.interval_s * SECOND_NS
        self.open_ticks = self.high_ticks = self.low_ticks = self.close_ticks
        self.volume_lots = 0
        self.is_empty = True
        return bar


@dataclass(slots=True)
class BarMerger:
    """Passes the venue's bars of an interval through, or merges shorter ones into it.

    It listens to one length of bar: the first that divides its own, until bars of exactly its own
    length come. A hole in the venue's bars stays a hole; the bar around it is closed by the next
    one with what there was.
    """

    symbol: str
    interval_s: int
    source_s: int = 0
    """Length of the bars it listens to; 0 before the first."""
    closed_ns: int = 0
    """End of the newest bar passed on; nothing that starts before it is."""
    partial: Bar | None = None

    def on_bar(self, bar: Bar) -> Sequence[Bar]:
        """Take an admitted bar, return those it closes."""
        assert bar.interval_s > 0
        if self.interval_s % bar.interval_s or bar.open_ns < self.closed_ns:
            return NO_BARS
        length_ns = self.interval_s * SECOND_NS
        if bar.interval_s == self.interval_s:
            # As it is, its start too: the weeks of a venue don't begin on a Thursday.
            self.source_s, self.partial = self.interval_s, None
            self.closed_ns = bar.open_ns + length_ns
            return (bar,)
        if not self.source_s:
            self.source_s = bar.interval_s
        if bar.interval_s != self.source_s:
            return NO_BARS
        start_ns = bar.open_ns // length_ns * length_ns
        closed = []
        if self.partial is not None and self.partial.open_ns < start_ns:
            closed.append(self._pass_on(self.partial, bar.ts_ns))
        self.partial = self._merge(self.partial, bar, start_ns)
        if bar.open_ns + bar.interval_s * SECOND_NS >= start_ns + length_ns:
            closed.append(self._pass_on(self.partial, bar.ts_ns))
        return closed

    def _merge(self, partial: Bar | None, bar: Bar, start_ns: int) -> Bar:
        return Bar(
            ts_ns=bar.ts_ns,
            symbol=self.symbol,
            interval_s=self.interval_s,
            open_ns=start_ns,
            open_ticks=partial.open_ticks if partial else bar.open_ticks,
            high_ticks=max(partial.high_ticks, bar.high_ticks) if partial else bar.high_ticks,
            low_ticks=min(partial.low_ticks, bar.low_ticks) if partial else bar.low_ticks,
            close_ticks=bar.close_ticks,
            volume_lots=bar.volume_lots + (partial.volume_lots if partial else 0),
        )

    def _pass_on(self, bar: Bar, ts_ns: int) -> Bar:
        self.closed_ns = bar.open_ns + self.interval_s * SECOND_NS
        self.partial = None
        bar.ts_ns = ts_ns
        return bar


def flaw_of(history: BarHistory) -> Flaw | None:
    """Return what is wrong with bars of the past; all of them are refused for one."""
    length_ns, before_ns = history.interval_s * SECOND_NS, -1
    for bar in history.bars:
        if bar.open_ns <= before_ns or bar.open_ns + length_ns > history.ts_ns:
            return "out_of_order"
        low, high = bar.low_ticks, bar.high_ticks
        is_inside = low <= min(bar.open_ticks, bar.close_ticks) and high >= max(
            bar.open_ticks, bar.close_ticks
        )
        if low < 1 or bar.volume_lots < 0:
            return "non_positive"
        if not is_inside or (bar.symbol, bar.interval_s) != (history.symbol, history.interval_s):
            return "malformed"
        before_ns = bar.open_ns
    return None
