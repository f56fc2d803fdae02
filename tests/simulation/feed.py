"""The feed between the invented market and the session: it loses, repeats, delays and falsifies.

Each layer breaks a stream of (event, tag) in its own way. The tag says what the checker may expect:
FLAWED data must reach no agent, of EITHER the filter decides, SOUND data is as the market made it.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from msgspec.structs import replace

from brokers.mock.faults import GHOST
from engine.model.instrument import Instrument
from engine.model.market import Depth, FeedEvent, FeedStatus, Malformed, Quote
from engine.venue import Feed
from tests.simulation.swarm import Swarm

SECOND_NS: Final = 1_000_000_000
SOUND, EITHER, FLAWED = "sound", "either", "flawed"
SPIKE: Final = 10
FROZEN_NS: Final = 60 * SECOND_NS
LEAP_S: Final = (1.0, 288.0)
SILENCE_S: Final = (3.0, 20.0)
CLOG_S: Final = (0.1, 8.0)
BACK_S: Final = (0.01, 288.0)
"""Shortest and longest; 288 s is the clock bump of VOPR."""

Tagged = tuple[FeedEvent, str]
Stream = Iterator[Tagged]
Layer = Callable[["FaultyFeed", Stream], Stream]


class FaultyFeed:
    """A `Feed` over another one; `tags` says of each event that left how sound it is."""

    name = "mock"
    is_simulated = True

    def __init__(self, market: Feed, swarm: Swarm, start_ns: int, batch: int) -> None:
        self.tags: list[str] = []
        self.swarm = swarm
        self.start_ns = start_ns
        self._market = market
        self._batch = batch

    @property
    def instruments(self) -> Sequence[Instrument]:
        return self._market.instruments

    def batches(self) -> Iterator[Sequence[FeedEvent]]:
        stream: Stream = ((e, SOUND) for batch in self._market.batches() for e in batch)
        for layer in LAYERS:
            stream = layer(self, stream)
        while batch := list(islice(stream, self._batch)):
            self.tags += [tag for _, tag in batch]
            yield [event for event, _ in batch]


def _lost(feed: FaultyFeed, stream: Stream) -> Stream:
    for event, tag in stream:
        if not feed.swarm.strikes("feed.drop", event.ts_ns):
            yield event, tag


def _leaping(feed: FaultyFeed, stream: Stream) -> Stream:
    """From each leap on everything is stamped later: the machine slept, or its clock was set."""
    leaps = feed.swarm.moments("clock.leap", feed.start_ns)
    ahead_ns = 0
    for event, tag in stream:
        while leaps and leaps[0] <= event.ts_ns + ahead_ns:
            leaps.pop(0)
            feed.swarm.injected["clock.leap"] += 1
            length_ns = int(feed.swarm.dice("clock.leap").uniform(*LEAP_S) * SECOND_NS)
            ahead_ns += max(0, min(length_ns, feed.swarm.calm_ns - event.ts_ns - ahead_ns))
        yield (_shifted(event, ahead_ns), tag) if ahead_ns else (event, tag)


def _shifted(event: FeedEvent, by_ns: int) -> FeedEvent:
    event_ns = getattr(event, "ts_event_ns", 0)
    if not event_ns:
        return replace(event, ts_ns=event.ts_ns + by_ns)
    return replace(event, ts_ns=event.ts_ns + by_ns, ts_event_ns=event_ns + by_ns)


def _silent(feed: FaultyFeed, stream: Stream) -> Stream:
    """Lose everything for some seconds, without a word."""
    return _windows(feed, stream, "feed.silence")


def _disconnected(feed: FaultyFeed, stream: Stream) -> Stream:
    """The same, but the feed says so."""
    return _windows(feed, stream, "feed.disconnect")


def _windows(feed: FaultyFeed, stream: Stream, kind: str) -> Stream:
    begins = feed.swarm.moments(kind, feed.start_ns)
    is_told = kind == "feed.disconnect"
    until_ns = 0
    for event, tag in stream:
        if begins and event.ts_ns >= max(begins[0], until_ns):
            begins.pop(0)
            length_ns = int(feed.swarm.dice(kind).uniform(*SILENCE_S) * SECOND_NS)
            until_ns = min(event.ts_ns + length_ns, feed.swarm.calm_ns)
            feed.swarm.injected[kind] += 1
            if is_told:
                yield FeedStatus(event.ts_ns, "mock", is_connected=False, reason=kind), SOUND
        if event.ts_ns < until_ns:
            continue
        if until_ns:
            until_ns = 0
            if is_told:
                yield FeedStatus(event.ts_ns, "mock", is_connected=True, reason=kind), SOUND
        yield event, tag


def _clogged(feed: FaultyFeed, stream: Stream) -> Stream:
    """Hold everything back for a while, then deliver it at once."""
    held: list[Tagged] = []
    until_ns = 0
    for event, tag in stream:
        if held and event.ts_ns >= until_ns:
            for late, _ in held:
                yield replace(late, ts_ns=event.ts_ns), EITHER
            held.clear()
        if held:
            held.append((event, tag))
        elif feed.swarm.strikes("feed.delay", event.ts_ns):
            length_ns = int(feed.swarm.dice("feed.delay").uniform(*CLOG_S) * SECOND_NS)
            until_ns = event.ts_ns + length_ns
            held.append((event, tag))
        else:
            yield event, tag


def _reordered(feed: FaultyFeed, stream: Stream) -> Stream:
    """Let a quote arrive after the next one of its symbol."""
    held: Quote | None = None
    for event, tag in stream:
        is_fit = held is None and type(event) is Quote and tag is SOUND
        if is_fit and feed.swarm.strikes("feed.reorder", event.ts_ns):
            held = event
            continue
        yield event, tag
        if held and type(event) is Quote and event.symbol == held.symbol:
            yield replace(held, ts_ns=event.ts_ns), FLAWED if tag is SOUND else EITHER
            held = None


def _falsified(feed: FaultyFeed, stream: Stream) -> Stream:
    """Put a quote no one could trade on in the place of a sound one."""
    for event, tag in stream:
        falsify = None
        if type(event) is Quote:
            kinds = [kind for kind in FALSE if feed.swarm.strikes(kind, event.ts_ns)]
            falsify = FALSE[kinds[0]] if kinds else None
        yield (event, tag) if falsify is None else (falsify(event), FLAWED)


def _nan(q: Quote) -> FeedEvent:
    return Malformed(q.ts_ns, q.symbol, "nan", "price is NaN")


def _crossed(q: Quote) -> FeedEvent:
    return replace(q, bid_ticks=q.ask_ticks, ask_ticks=q.bid_ticks)


def _out_of_band(q: Quote) -> FeedEvent:
    return replace(q, bid_ticks=q.bid_ticks * SPIKE, ask_ticks=q.ask_ticks * SPIKE)


def _garbage(q: Quote) -> FeedEvent:
    return replace(q, bid_ticks=-q.bid_ticks, bid_lots=0)


def _frozen(q: Quote) -> FeedEvent:
    return replace(q, ts_event_ns=q.ts_event_ns - FROZEN_NS)


FALSE: Final[dict[str, Callable[[Quote], FeedEvent]]] = {
    "feed.nan": _nan,
    "feed.crossed": _crossed,
    "feed.out_of_band": _out_of_band,
    "feed.garbage": _garbage,
    "feed.frozen": _frozen,
}


def _repeated(feed: FaultyFeed, stream: Stream) -> Stream:
    for event, tag in stream:
        yield event, tag
        if feed.swarm.strikes("feed.duplicate", event.ts_ns):
            is_numbered = type(event) is Quote and tag is not EITHER
            yield replace(event), FLAWED if is_numbered else EITHER


def _intruded(feed: FaultyFeed, stream: Stream) -> Stream:
    """Slip in a quote of a symbol nobody asked for, or a change of the book that has no place."""
    for event, tag in stream:
        yield event, tag
        if type(event) is Quote and feed.swarm.strikes("feed.unknown_symbol", event.ts_ns):
            yield replace(event, symbol=GHOST), FLAWED
        if type(event) is Depth and feed.swarm.strikes("feed.gap", event.ts_ns):
            seq = event.last_seq + 100
            yield (
                replace(event, is_snapshot=False, first_seq=seq, prev_seq=seq - 1, last_seq=seq),
                EITHER,
            )


def _backward(feed: FaultyFeed, stream: Stream) -> Stream:
    """Stamp one event in the past, as a clock that is set back does."""
    for event, tag in stream:
        if feed.swarm.strikes("clock.back", event.ts_ns):
            back_ns = int(feed.swarm.dice("clock.back").uniform(*BACK_S) * SECOND_NS)
            yield replace(event, ts_ns=event.ts_ns - back_ns), EITHER
        else:
            yield event, tag


LAYERS: Final[tuple[Layer, ...]] = (
    _leaping,
    _backward,
    _lost,
    _silent,
    _disconnected,
    _falsified,
    _reordered,
    _clogged,
    _repeated,
    _intruded,
)
"""From the market to the session."""
