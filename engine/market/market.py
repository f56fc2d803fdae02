"""What we see: every market event goes through here, and only good ones come out.

Each method takes one event, returns whether it was admitted, and appends the bars it closed to
`closed`, which the kernel drains. A refused event changes nothing anybody can see but a counter.

The view of an instrument is updated in place: bid, ask and mid by quotes (by bars, where the source
has no quotes), `book` by depth, marks by funding, `bars` and `features` as their inputs come.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from engine.market.band import NEVER
from engine.market.bars import flaw_of
from engine.market.checkpoint import MarketState, decode, encode, lane_state, restore_lane
from engine.market.config import MarketConfig
from engine.market.features.spec import FeatureSpec
from engine.market.lane import Lane
from engine.market.view import MarketView
from engine.model.errors import StateDamaged
from engine.model.instrument import Instrument
from engine.model.market import (
    Bar,
    BarHistory,
    Depth,
    Flaw,
    Funding,
    Malformed,
    Quote,
    Trade,
)

NOWHERE = ""
"""The key under which messages of unknown symbols are counted: their names have no bound."""

TAPE_MAX: Final = 4_096
"""Admitted prints kept for those who look in once a beat: 16,000 a second."""


class Arrival(NamedTuple):
    """How an instrument's data arrives, for people; times are of the last admitted message."""

    quote_ns: int
    trade_ns: int
    depth_ns: int
    funding_ns: int
    messages: int
    """Admitted since the process began."""
    traded_lots: int
    """Of public trades since then."""
    skew_ns: int | None
    """The smallest lag seen, see `engine.market.lag`; None where the venue stamps nothing."""


class Passed(NamedTuple):
    """What went through since the process began: for people, hence in no snapshot."""

    prints: int
    newest: tuple[Trade, ...]
    """The last of them, as many as were asked for."""
    lanes: dict[str, tuple[int, int]]
    """Messages and traded lots by symbol."""


class Market:
    """The market data of all instruments of a session."""

    __slots__ = ("_lanes", "closed", "prints", "refused", "tape", "views")

    def __init__(
        self,
        instruments: Sequence[Instrument],
        config: MarketConfig,
        bar_intervals_s: Sequence[int],
        features: Sequence[FeatureSpec],
    ) -> None:
        self._lanes = {
            instrument.symbol: Lane(instrument, config, bar_intervals_s, features)
            for instrument in instruments
        }
        self.views: dict[str, MarketView] = {
            symbol: lane.view for symbol, lane in self._lanes.items()
        }
        self.refused: dict[str, dict[Flaw, int]] = {
            symbol: lane.refused for symbol, lane in self._lanes.items()
        }
        self.refused[NOWHERE] = {}
        self.closed: list[Bar] = []
        """Bars closed since the kernel last emptied this list, in the order they closed."""
        self.tape: deque[Trade] = deque(maxlen=TAPE_MAX)
        """The newest admitted prints, for screens: no state, since nothing is decided by it."""
        self.prints = 0
        """How many went through `tape`."""

    def quote(self, q: Quote) -> bool:
        """Take a best bid and ask."""
        lane = self._lanes.get(q.symbol)
        if lane is None:
            return self._refuse(NOWHERE, "unknown_symbol")
        flaw = lane.filter.quote(q)
        if flaw is not None:
            return self._refuse(q.symbol, flaw)
        view = lane.view
        view.bid_ticks = bid_ticks = q.bid_ticks
        view.ask_ticks = ask_ticks = q.ask_ticks
        view.bid_lots = q.bid_lots
        view.ask_lots = q.ask_lots
        view.mid2_ticks = bid_ticks + ask_ticks
        view.priced_ns = q.ts_ns
        lane.messages += 1
        if lane.has_quote_work:
            lane.on_quote(q, self.closed)
        return True

    def trade(self, t: Trade) -> bool:
        """Take a public print."""
        lane = self._lanes.get(t.symbol)
        if lane is None:
            return self._refuse(NOWHERE, "unknown_symbol")
        flaw = lane.filter.trade(t)
        if flaw is not None:
            return self._refuse(t.symbol, flaw)
        self.prints += 1
        self.tape.append(t)
        lane.messages += 1
        lane.on_trade(t, self.closed)
        return True

    def depth(self, d: Depth) -> bool:
        """Take a book update; True also for one that waits for its snapshot."""
        lane = self._lanes.get(d.symbol)
        if lane is None:
            return self._refuse(NOWHERE, "unknown_symbol")
        flaw = lane.filter.depth(d) or lane.view.book.apply(d)
        if flaw is not None:
            return self._refuse(d.symbol, flaw)
        lane.messages += 1
        return True

    def bar(self, b: Bar) -> bool:
        """Take a closed bar of the venue."""
        lane = self._lanes.get(b.symbol)
        if lane is None:
            return self._refuse(NOWHERE, "unknown_symbol")
        flaw = lane.filter.bar(b)
        if flaw is not None:
            return self._refuse(b.symbol, flaw)
        lane.messages += 1
        lane.on_bar(b, self.closed)
        return True

    def history(self, h: BarHistory) -> bool:
        """Take the bars of before the session; they close nothing, so no agent acts on them."""
        lane = self._lanes.get(h.symbol)
        if lane is None:
            return self._refuse(NOWHERE, "unknown_symbol")
        flaw = flaw_of(h)
        if flaw is not None:
            return self._refuse(h.symbol, flaw)
        return lane.on_history(h)

    def funding(self, f: Funding) -> bool:
        """Take a mark price and the next funding rate."""
        lane = self._lanes.get(f.symbol)
        if lane is None:
            return self._refuse(NOWHERE, "unknown_symbol")
        flaw = lane.filter.funding(f)
        if flaw is not None:
            return self._refuse(f.symbol, flaw)
        lane.messages += 1
        lane.view.mark_price = f.mark_price
        lane.view.funding_rate = f.rate
        lane.view.next_funding_ns = f.next_ns
        return True

    def malformed(self, m: Malformed) -> None:
        """Count what the adapter could not express."""
        self._refuse(m.symbol if m.symbol in self._lanes else NOWHERE, m.flaw)

    def time(self, ts_ns: int) -> None:
        """Close the bars whose interval has ended by `ts_ns`."""
        for lane in self._lanes.values():
            lane.on_time(ts_ns, self.closed)

    def reconnected(self, symbol: str) -> None:
        """Forget book and numbering: what a new connection sends starts anew."""
        lane = self._lanes[symbol]
        lane.filter.forget_sequence()
        lane.view.book.forget()

    def refusals(self) -> Mapping[Flaw, int]:
        """Return how many messages each flaw refused, over all symbols."""
        totals: dict[Flaw, int] = {}
        for counters in self.refused.values():
            for flaw, count in counters.items():
                totals[flaw] = totals.get(flaw, 0) + count
        return totals

    def arrival(self, symbol: str) -> Arrival:
        """Describe how an instrument's data arrives."""
        lane = self._lanes[symbol]
        kept = lane.filter
        smallest_ns = kept.lag.smallest_ns
        return Arrival(
            kept.quote_ns,
            kept.trade_ns,
            kept.depth_ns,
            kept.funding_ns,
            lane.messages,
            lane.traded_lots,
            None if smallest_ns == NEVER else smallest_ns,
        )

    def passed(self, newest: int) -> Passed:
        """Return what no snapshot holds, with so many of the newest prints."""
        tape = self.tape
        lanes = {symbol: (lane.messages, lane.traded_lots) for symbol, lane in self._lanes.items()}
        kept = tuple(islice(tape, max(0, len(tape) - newest), None))
        return Passed(self.prints, kept, lanes)

    def recall(self, passed: Passed) -> None:
        """Take it over, in a market that has seen nothing yet or was restored."""
        self.prints = passed.prints
        self.tape.clear()
        self.tape.extend(passed.newest)
        for symbol, (messages, traded_lots) in passed.lanes.items():
            lane = self._lanes[symbol]
            lane.messages, lane.traded_lots = messages, traded_lots

    def snapshot(self) -> bytes:
        """Return the whole state; equal states give equal bytes."""
        lanes = {symbol: lane_state(lane) for symbol, lane in self._lanes.items()}
        return encode(MarketState(lanes, self.refused[NOWHERE], self.closed))

    def restore(self, snapshot: bytes) -> None:
        """Take over the state of a market with the same instruments, intervals and features.

        Raises:
            StateDamaged: The bytes are no snapshot, or one of a differently composed market.
        """
        state = decode(snapshot)
        if list(state.lanes) != list(self._lanes):
            raise StateDamaged("the market snapshot is of other instruments")
        for symbol, lane in self._lanes.items():
            restore_lane(lane, state.lanes[symbol])
        _replace(self.refused[NOWHERE], state.refused)
        self.closed[:] = state.closed

    def _refuse(self, symbol: str, flaw: Flaw) -> bool:
        counters = self.refused[symbol]
        counters[flaw] = counters.get(flaw, 0) + 1
        return False


def _replace(counters: dict[Flaw, int], by: dict[Flaw, int]) -> None:
    counters.clear()
    counters.update(by)
