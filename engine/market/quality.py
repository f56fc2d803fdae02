"""The quality filter: no flawed message passes, and each refusal has a name.

Reasons are tried in a fixed order: what is wrong with the message alone (`oversize`, `nan`,
`non_positive`, `crossed`, `malformed`), then with its place in the stream (`duplicate`,
`out_of_order`, `stale`), then with its price (`out_of_band`). A refused message changes no state
but the estimates made to judge the next: the smallest lag and the pending confirmations.

The quote path is the hottest code of the project. A good quote meets one straight run of integer
comparisons against bounds worked out beforehand (`band.py`, `lag.py`); only when one of them fails
is the reason looked for, on the slow path. While a jump or a clock waits for confirmation the
bounds are set so that everything takes the slow path: it alone counts, resets and believes. Bars do
the same on bounds of their own.

`ts_event_ns` 0 and `seq` 0 mean unknown, and what is unknown is not checked.

Longer than 300 lines because each kind of message has its fast path and its flaws side by side: one
is only right as long as it implies the other.

Source: reliability.md E1, E2; rows 4, 9, 10, 12-16, 20, 22 of the fault matrix.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from engine.market.band import JUMP_SCALE, NEVER, Band, Rules
from engine.market.lag import LagEstimate
from engine.model.market import Bar, Depth, Flaw, Funding, Levels, Quote, ReferenceQuote, Trade
from engine.model.money import ZERO

TRADE_IDS_MAX: Final = 1_024
"""Trade ids remembered. In our captures a replayed trade comes at most 43 trades later."""

LEVELS_MAX: Final = 5_000
"""Levels a side one depth message may have: the largest snapshot any venue of ours sends."""

SECOND_NS: Final = 1_000_000_000


@dataclass(slots=True)
class BarTrack:
    """What the filter remembers of the bars of one interval."""

    open_ns: int = -1
    band: Band = field(default_factory=Band)
    """Of closes: a bar's open is held against the close before it."""
    low_ticks: int = NEVER
    high_ticks: int = 0
    """A bar wholly in this range needs no further look; neither did the close before it."""

    def set_bounds(self, jump: int) -> None:
        """Lay the range anew, empty where the last close is not in it."""
        self.low_ticks, self.high_ticks = self.band.fast_ticks(jump)
        if not 2 * self.low_ticks <= self.band.last2 <= 2 * self.high_ticks:
            self.low_ticks, self.high_ticks = NEVER, 0


@dataclass(slots=True)
class QualityFilter:
    """The filter of one instrument. Its fields are its whole state, so a checkpoint can hold it."""

    rules: Rules
    tick_size: Decimal
    band: Band = field(default_factory=Band)
    """Of mids and trade prices, together."""
    lag: LagEstimate = field(default_factory=LagEstimate)
    low_ticks: int = NEVER
    high_ticks: int = 0
    low_lag_ns: int = NEVER
    high_lag_ns: int = -NEVER
    quote_ns: int = 0
    quote_event_ns: int = 0
    quote_seq: int = -1
    trade_ns: int = 0
    trade_event_ns: int = 0
    trade_ids: dict[int, None] = field(default_factory=dict)
    """The last ids in order of arrival. Not just the last one: Hyperliquid's are hashes, half of
    them smaller than the one before."""
    depth_ns: int = 0
    diff_event_ns: int = 0
    snapshot_event_ns: int = 0
    """Apart from the diffs: a REST snapshot may be newer than diffs still to come."""
    bars: dict[int, BarTrack] = field(default_factory=dict)
    funding_ns: int = 0
    funding_event_ns: int = 0
    funding_next_ns: int = 0

    def quote(self, q: Quote | ReferenceQuote) -> Flaw | None:
        """Admit a quote (None) or name its flaw."""
        bid = q.bid_ticks
        ask = q.ask_ticks
        ts_ns = q.ts_ns
        event_ns = q.ts_event_ns
        seq = q.seq
        if (
            self.low_ticks <= bid < ask <= self.high_ticks
            and q.bid_lots > 0
            and q.ask_lots > 0
            and seq > self.quote_seq
            and ts_ns >= self.quote_ns
            and event_ns >= self.quote_event_ns
        ):
            if event_ns:
                if not self.low_lag_ns <= ts_ns - event_ns <= self.high_lag_ns:
                    return self._quote_slowly(q)
                self.quote_event_ns = event_ns
            if seq:
                self.quote_seq = seq
            self.quote_ns = ts_ns
            self.band.last2 = bid + ask
            return None
        return self._quote_slowly(q)

    def trade(self, t: Trade) -> Flaw | None:
        """Admit a public print (None) or name its flaw."""
        ts_ns = t.ts_ns
        event_ns = t.ts_event_ns
        if (
            self.low_ticks <= t.price_ticks <= self.high_ticks
            and t.qty_lots > 0
            and ts_ns >= self.trade_ns
            and event_ns >= self.trade_event_ns
            and (not event_ns or self.low_lag_ns <= ts_ns - event_ns <= self.high_lag_ns)
            and t.trade_id not in self.trade_ids
        ):
            self.band.last2 = 2 * t.price_ticks
        else:
            flaw = self._trade_flaw(t)
            self._set_bounds()
            if flaw is not None:
                return flaw
        self.trade_ns = ts_ns
        self.trade_event_ns = event_ns or self.trade_event_ns
        if t.trade_id:
            self.trade_ids[t.trade_id] = None
            if len(self.trade_ids) > TRADE_IDS_MAX:
                del self.trade_ids[next(iter(self.trade_ids))]
        return None

    def depth(self, d: Depth) -> Flaw | None:
        """Admit a book update (None) or name its flaw; sequences are `BookSync`'s."""
        flaw = self._depth_flaw(d)
        if flaw is None:
            self.depth_ns = d.ts_ns
            if d.is_snapshot:
                self.snapshot_event_ns = d.ts_event_ns or self.snapshot_event_ns
            else:
                self.diff_event_ns = d.ts_event_ns or self.diff_event_ns
        self._set_bounds()
        return flaw

    def bar(self, b: Bar) -> Flaw | None:
        """Admit a venue's closed bar (None) or name its flaw.

        A bar sums up many messages, so only its open is held to one jump from the close before it;
        its high and low may be `jump_confirmations` jumps a minute away from its open.
        """
        track = self.bars.get(b.interval_s)
        low, high, close_ticks, open_ns = b.low_ticks, b.high_ticks, b.close_ticks, b.open_ns
        if (
            track is not None
            and track.low_ticks <= low <= b.open_ticks <= high <= track.high_ticks
            and low <= close_ticks <= high
            and b.volume_lots >= 0
            and open_ns > track.open_ns
            and b.ts_ns + self.rules.max_lag_ns >= open_ns + b.interval_s * SECOND_NS
        ):
            track.band.last2 = 2 * close_ticks
            track.open_ns = open_ns
        else:
            flaw = self._bar_slowly(b, track or BarTrack())
            if flaw is not None:
                return flaw
        if not self.quote_ns and not self.trade_ns:
            self._believe(close_ticks)
        return None

    def funding(self, f: Funding) -> Flaw | None:
        """Admit a mark price and funding rate (None) or name the flaw."""
        flaw = self._funding_flaw(f)
        if flaw is None:
            self.funding_ns = f.ts_ns
            self.funding_event_ns = f.ts_event_ns or self.funding_event_ns
            self.funding_next_ns = f.next_ns
        self._set_bounds()
        return flaw

    def forget_sequence(self) -> None:
        """Start counting anew: after a reconnect a venue may number its quotes from 1 again."""
        self.quote_seq = -1

    def use_rules(self, rules: Rules) -> None:
        """Judge by `rules` from now on, as after a restore under changed settings."""
        self.rules = rules
        self._set_bounds()
        for track in self.bars.values():
            track.set_bounds(rules.jump)

    def _believe(self, ticks: int) -> None:
        """Take the price of a source of bars alone as the last good one."""
        if self.low_ticks <= ticks <= self.high_ticks:
            self.band.last2 = 2 * ticks
        else:
            self.band.believe(2 * ticks)
            self._set_bounds()

    def _quote_slowly(self, q: Quote | ReferenceQuote) -> Flaw | None:
        flaw = self._quote_flaw(q)
        if flaw is None:
            self.quote_ns = q.ts_ns
            self.quote_event_ns = q.ts_event_ns or self.quote_event_ns
            self.quote_seq = q.seq or self.quote_seq
        self._set_bounds()
        return flaw

    def _quote_flaw(self, q: Quote | ReferenceQuote) -> Flaw | None:
        if q.bid_ticks <= 0 or q.ask_ticks <= 0 or q.bid_lots <= 0 or q.ask_lots <= 0:
            return "non_positive"
        if self._is_crossed(q.bid_ticks, q.ask_ticks):
            return "crossed"
        if q.seq and q.seq <= self.quote_seq:
            return "duplicate" if q.seq == self.quote_seq else "out_of_order"
        flaw = self._time_flaw(q.ts_ns, q.ts_event_ns, self.quote_ns, self.quote_event_ns)
        if flaw is not None:
            return flaw
        return None if self.band.admit(q.bid_ticks + q.ask_ticks, self.rules) else "out_of_band"

    def _trade_flaw(self, t: Trade) -> Flaw | None:
        if t.price_ticks <= 0 or t.qty_lots <= 0:
            return "non_positive"
        if t.trade_id in self.trade_ids:
            return "duplicate"
        flaw = self._time_flaw(t.ts_ns, t.ts_event_ns, self.trade_ns, self.trade_event_ns)
        if flaw is not None:
            return flaw
        return None if self.band.admit(2 * t.price_ticks, self.rules) else "out_of_band"

    def _depth_flaw(self, d: Depth) -> Flaw | None:
        if len(d.bids) > LEVELS_MAX or len(d.asks) > LEVELS_MAX:
            return "oversize"
        if not (_are_levels(d.bids) and _are_levels(d.asks)):
            return "non_positive"
        # A diff names only what changed: its own best levels say nothing about the touch.
        touch = _touch(d) if d.is_snapshot else None
        if touch is not None and self._is_crossed(*touch):
            return "crossed"
        last_event_ns = self.snapshot_event_ns if d.is_snapshot else self.diff_event_ns
        flaw = self._time_flaw(d.ts_ns, d.ts_event_ns, self.depth_ns, last_event_ns)
        if flaw is not None:
            return flaw
        if touch is not None and not self.band.contains(sum(touch), self.rules.jump):
            return "out_of_band"
        return None

    def _bar_slowly(self, b: Bar, track: BarTrack) -> Flaw | None:
        flaw = self._bar_flaw(b, track)
        if flaw == "non_positive":
            return flaw
        self.bars[b.interval_s] = track
        if flaw is None:
            track.open_ns = b.open_ns
            track.band.last2 = 2 * b.close_ticks
        track.set_bounds(self.rules.jump)
        return flaw

    def _bar_flaw(self, b: Bar, track: BarTrack) -> Flaw | None:
        low, high, opened, interval_s = b.low_ticks, b.high_ticks, b.open_ticks, b.interval_s
        rules, open_ns = self.rules, b.open_ns
        if interval_s <= 0 or low <= 0 or b.volume_lots < 0:
            return "non_positive"
        if not (low <= opened <= high and low <= b.close_ticks <= high):
            return "malformed"
        if open_ns <= track.open_ns:
            return "duplicate" if open_ns == track.open_ns else "out_of_order"
        if b.ts_ns + rules.max_lag_ns < open_ns + interval_s * SECOND_NS:
            return "malformed"  # It can't have closed yet, even if our clock is slow.
        reach = opened * rules.jump * rules.confirmations * (interval_s // 60 or 1)
        if (high - opened) * JUMP_SCALE > reach or (opened - low) * JUMP_SCALE > reach:
            return "out_of_band"
        return None if track.band.admit(2 * opened, rules) else "out_of_band"

    def _funding_flaw(self, f: Funding) -> Flaw | None:
        if not (f.mark_price.is_finite() and f.rate.is_finite()):
            return "nan"
        if f.mark_price <= ZERO or f.next_ns < 0:
            return "non_positive"
        if f.next_ns < self.funding_next_ns:
            return "out_of_order"
        flaw = self._time_flaw(f.ts_ns, f.ts_event_ns, self.funding_ns, self.funding_event_ns)
        if flaw is not None or not self.band.last2:
            return flaw
        # A mark is finer than a tick, hence Decimal; it never confirms a level, traders do.
        last2 = self.band.last2 * self.tick_size
        is_far = abs(2 * f.mark_price - last2) * JUMP_SCALE > last2 * self.rules.jump
        return "out_of_band" if is_far else None

    def _is_crossed(self, bid_ticks: int, ask_ticks: int) -> bool:
        return ask_ticks < bid_ticks or (ask_ticks == bid_ticks and not self.rules.allow_locked)

    def _time_flaw(
        self, ts_ns: int, event_ns: int, last_ns: int, last_event_ns: int
    ) -> Flaw | None:
        if ts_ns < last_ns:
            return "out_of_order"
        if not event_ns:
            return None
        if event_ns < last_event_ns:
            return "out_of_order"
        return None if self.lag.admit(ts_ns - event_ns, self.rules) else "stale"

    def _set_bounds(self) -> None:
        self.low_ticks, self.high_ticks = self.band.fast_ticks(self.rules.jump)
        self.low_lag_ns, self.high_lag_ns = self.lag.fast_ns(self.rules)


def _are_levels(levels: Levels) -> bool:
    """Whether every price is positive and no size negative; 0 lots deletes a level."""
    return all(ticks > 0 and lots >= 0 for ticks, lots in levels)


def _touch(snapshot: Depth) -> tuple[int, int] | None:
    """Return the best bid and ask of a snapshot in ticks, None when a side is empty."""
    bids = [ticks for ticks, lots in snapshot.bids if lots]
    asks = [ticks for ticks, lots in snapshot.asks if lots]
    return (max(bids), min(asks)) if bids and asks else None
