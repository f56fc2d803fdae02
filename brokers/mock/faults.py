"""Faults for drills: each breaks a healthy stream in one named way, from a seed.

An injector is a generator over single events, so several compose. Whatever it breaks, the promise
of `engine.venue.Feed` holds: `ts_ns` never goes back. Everything else may, that is the point.

`malformed` and `nan` replace a message with the `Malformed` an adapter would make of it; numbers
that integer ticks can't express never get further than that.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from random import Random
from typing import Final, Literal

import msgspec

from engine.model.errors import UsageError
from engine.model.market import FeedEvent, FeedStatus, Flaw, Malformed, Quote

Injector = Callable[[Iterator[FeedEvent], Random], Iterator[FeedEvent]]
Batches = Iterator[Sequence[FeedEvent]]

HEALTHY_EVENTS: Final = 100
"""Events before the first fault, so that a session has prices to fall from."""
FAULT_EVERY: Final = 200
"""Mean events between two faults of one kind."""
QUIET_EVERY_S: Final = 30.0
"""Mean event time between two silences."""
SPIKE_FACTOR: Final = 10
STALE_BY_NS: Final = 60 * 1_000_000_000
"""Far past any sensible limit, well short of a day."""
GHOST: Final = "GHOSTUSDT"
"""A symbol nobody lists."""

_SECOND_NS: Final = 1_000_000_000
_SILENCE_S: Final = (5.0, 10.0)
"""Shortest and longest silence."""
_Hearing = Literal["heard", "first lost", "lost", "heard again"]


def inject(names: Sequence[str], batches: Batches, seed: int) -> Batches:
    """Break a batch stream with the named faults, the first named closest to the source.

    Raises:
        UsageError: At once, before the first batch, when a name is unknown.
    """
    injectors = [(name, injector(name)) for name in names]
    events: Iterator[FeedEvent] = (event for batch in batches for event in batch)
    for name, broken in injectors:
        events = broken(events, Random(f"{seed}:{name}"))
    return batched(events)


def batched(events: Iterator[FeedEvent], size: int = 256) -> Batches:
    """Cut a stream into batches of at most `size` events."""
    while batch := list(islice(events, size)):
        yield batch


def injector(name: str) -> Injector:
    """Look a fault up by name.

    Raises:
        UsageError: No such fault; the message names the nearest and all of them.
    """
    if found := FAULTS.get(name):
        return found
    near = difflib.get_close_matches(name, FAULTS, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"unknown fault {name}: {hint}known are {', '.join(FAULTS)}")


def _sometimes(events: Iterator[FeedEvent], rng: Random) -> Iterator[tuple[FeedEvent, bool]]:
    """Pair each event with whether it is the one to break."""
    left = HEALTHY_EVENTS
    for event in events:
        left -= 1
        yield event, left == 0
        if left == 0:
            left = 1 + int(rng.expovariate(1 / FAULT_EVERY))


def _broken_quotes(events: Iterator[FeedEvent], rng: Random) -> Iterator[tuple[FeedEvent, bool]]:
    """Like `_sometimes`, but put the fault off until the next quote."""
    is_due = False
    for event, is_hit in _sometimes(events, rng):
        is_due = is_due or is_hit
        is_broken = is_due and type(event) is Quote
        yield event, is_broken
        is_due = is_due and not is_broken


def _replaced_by(flaw: Flaw, detail: str) -> Injector:
    def injected(events: Iterator[FeedEvent], rng: Random) -> Iterator[FeedEvent]:
        for event, is_hit in _sometimes(events, rng):
            yield Malformed(event.ts_ns, _symbol(event), flaw, detail) if is_hit else event

    return injected


def _duplicate(events: Iterator[FeedEvent], rng: Random) -> Iterator[FeedEvent]:
    for event, is_hit in _sometimes(events, rng):
        yield event
        if is_hit:
            yield msgspec.structs.replace(event)


def _crossed(events: Iterator[FeedEvent], rng: Random) -> Iterator[FeedEvent]:
    for event, is_hit in _broken_quotes(events, rng):
        if is_hit and isinstance(event, Quote):
            bid, ask = event.ask_ticks, event.bid_ticks
            yield msgspec.structs.replace(event, bid_ticks=bid, ask_ticks=ask)
        else:
            yield event


def _spike(events: Iterator[FeedEvent], rng: Random) -> Iterator[FeedEvent]:
    """Multiply one quote, once in the life of the stream."""
    is_spent = False
    for event, is_hit in _broken_quotes(events, rng):
        if is_hit and not is_spent and isinstance(event, Quote):
            is_spent = True
            bid, ask = event.bid_ticks * SPIKE_FACTOR, event.ask_ticks * SPIKE_FACTOR
            yield msgspec.structs.replace(event, bid_ticks=bid, ask_ticks=ask)
        else:
            yield event


def _stale(events: Iterator[FeedEvent], rng: Random) -> Iterator[FeedEvent]:
    for event, is_hit in _broken_quotes(events, rng):
        if is_hit and isinstance(event, Quote):
            yield msgspec.structs.replace(event, ts_event_ns=event.ts_event_ns - STALE_BY_NS)
        else:
            yield event


def _unknown_symbol(events: Iterator[FeedEvent], rng: Random) -> Iterator[FeedEvent]:
    """Slip a copy in under a foreign name; the original still arrives."""
    for event, is_hit in _broken_quotes(events, rng):
        yield event
        if is_hit and isinstance(event, Quote):
            yield msgspec.structs.replace(event, symbol=GHOST)


def _out_of_order(events: Iterator[FeedEvent], rng: Random) -> Iterator[FeedEvent]:
    """Let a quote arrive after the next quote of its symbol: `seq` and `ts_event_ns` go back."""
    held: Quote | None = None
    for event, is_hit in _broken_quotes(events, rng):
        if held is None and is_hit and isinstance(event, Quote):
            held = event
            continue
        yield event
        if held and isinstance(event, Quote) and event.symbol == held.symbol:
            yield msgspec.structs.replace(held, ts_ns=event.ts_ns)
            held = None


def _gap(events: Iterator[FeedEvent], rng: Random) -> Iterator[FeedEvent]:
    """Lose everything for some seconds, without a word."""
    for event, hearing in _silences(events, rng):
        if hearing in ("heard", "heard again"):
            yield event


def _disconnect(events: Iterator[FeedEvent], rng: Random) -> Iterator[FeedEvent]:
    """Say that the feed is lost, lose everything for some seconds, say that it is back."""
    for event, hearing in _silences(events, rng):
        if hearing == "first lost":
            yield FeedStatus(event.ts_ns, "mock", is_connected=False, reason="injected disconnect")
        if hearing == "heard again":
            yield FeedStatus(event.ts_ns, "mock", is_connected=True, reason="reconnected")
        if hearing in ("heard", "heard again"):
            yield event


def _silences(events: Iterator[FeedEvent], rng: Random) -> Iterator[tuple[FeedEvent, _Hearing]]:
    """Plan silences in event time, and say of each event how it fares."""
    begin_ns = end_ns = 0
    is_silent = False
    for event in events:
        if event.ts_ns >= end_ns:
            yield event, "heard again" if is_silent else "heard"
            is_silent = False
            begin_ns = event.ts_ns + int((1 + rng.expovariate(1 / QUIET_EVERY_S)) * _SECOND_NS)
            end_ns = begin_ns + int(rng.uniform(*_SILENCE_S) * _SECOND_NS)
        elif event.ts_ns < begin_ns:
            yield event, "heard"
        else:
            yield event, "lost" if is_silent else "first lost"
            is_silent = True


def _symbol(event: FeedEvent) -> str:
    return "" if isinstance(event, FeedStatus) else event.symbol


FAULTS: Final[Mapping[str, Injector]] = {
    "malformed": _replaced_by("malformed", "injected: not JSON"),
    "nan": _replaced_by("nan", "injected: price is NaN"),
    "crossed": _crossed,
    "spike": _spike,
    "stale": _stale,
    "duplicate": _duplicate,
    "out_of_order": _out_of_order,
    "unknown_symbol": _unknown_symbol,
    "gap": _gap,
    "disconnect": _disconnect,
}
