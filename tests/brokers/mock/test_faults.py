"""Each injector breaks the stream in the way its name says, and in no other."""

from collections import Counter
from itertools import chain, islice, pairwise

import pytest

from brokers.mock.config import MockConfig
from brokers.mock.faults import (
    FAULTS,
    GHOST,
    HEALTHY_EVENTS,
    SPIKE_FACTOR,
    STALE_BY_NS,
    inject,
    injector,
)
from brokers.mock.feed import MockFeed
from engine.model.errors import UsageError
from engine.model.market import FeedEvent, FeedStatus, Malformed, Quote

START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
COUNT = 8_000


def healthy() -> list[FeedEvent]:
    feed = MockFeed(["BTCUSDT", "ETHUSDT"], MockConfig(), 3, START_NS)
    return list(islice(chain.from_iterable(feed.batches()), COUNT))


def broken(*names: str, seed: int = 3) -> list[FeedEvent]:
    source = healthy()
    batches = (source[i : i + 100] for i in range(0, COUNT, 100))
    return list(chain.from_iterable(inject(names, batches, seed)))


def changed(events: list[FeedEvent]) -> list[tuple[FeedEvent, FeedEvent]]:
    """Pair what was with what became of it, for faults that keep the count."""
    return [(a, b) for a, b in zip(healthy(), events, strict=True) if a != b]


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_seeded_late_and_ordered(name: str) -> None:
    """Same seed, same faults; the opening is spared; arrival time never goes back."""
    events = broken(name)

    assert broken(name) == events
    assert healthy() != events
    assert healthy()[: HEALTHY_EVENTS - 1] == events[: HEALTHY_EVENTS - 1]
    assert all(a.ts_ns <= b.ts_ns for a, b in pairwise(events))


@pytest.mark.parametrize("name", sorted(set(FAULTS) - {"spike"}))
def test_faults_repeat_and_follow_the_seed(name: str) -> None:
    """Another seed breaks other places."""
    assert broken(name, seed=4) != broken(name)


@pytest.mark.parametrize("name", ["malformed", "nan"])
def test_replaced_by_malformed(name: str) -> None:
    """Messages turn into a `Malformed` of that flaw at the same time and symbol."""
    pairs = changed(broken(name))

    assert 10 < len(pairs) < 100
    for was, now in pairs:
        assert isinstance(now, Malformed)
        assert (was.ts_ns, was.symbol, name) == (now.ts_ns, now.symbol, now.flaw)


def test_crossed() -> None:
    """Some quotes have their bid above their ask."""
    pairs = changed(broken("crossed"))

    assert len(pairs) > 10
    assert all(now.bid_ticks > now.ask_ticks for _, now in pairs)


def test_spike_is_one_quote_at_ten_times_the_price() -> None:
    """Exactly one quote is ten times too high, on both sides."""
    [(was, now)] = changed(broken("spike"))

    assert SPIKE_FACTOR * was.bid_ticks == now.bid_ticks
    assert SPIKE_FACTOR * was.ask_ticks == now.ask_ticks


def test_stale() -> None:
    """Some quotes carry a venue time a minute old, and are otherwise as they were."""
    pairs = changed(broken("stale"))

    assert len(pairs) > 10
    assert all(was.ts_event_ns - STALE_BY_NS == now.ts_event_ns for was, now in pairs)
    assert all((was.ts_ns, was.seq) == (now.ts_ns, now.seq) for was, now in pairs)


def test_duplicate() -> None:
    """Some messages come twice in a row; nothing is lost."""
    events = broken("duplicate")
    twice = [a for a, b in pairwise(events) if a == b]

    assert len(twice) > 10
    assert len(healthy()) + len(twice) == len(events)


def test_out_of_order() -> None:
    """Some quotes come after their successor: sequence and venue time go back."""
    last: Counter[str] = Counter()
    back = 0
    for event in broken("out_of_order"):
        if isinstance(event, Quote):
            back += event.seq < last[event.symbol]
            last[event.symbol] = max(last[event.symbol], event.seq)

    assert back > 10


def test_unknown_symbol() -> None:
    """Quotes of a symbol nobody asked for slip in; nothing else changes."""
    events = broken("unknown_symbol")
    ghosts = [e for e in events if e.symbol == GHOST]

    assert len(ghosts) > 10
    assert healthy() == [e for e in events if e.symbol != GHOST]


def silences(events: list[FeedEvent]) -> list[float]:
    return [s for a, b in pairwise(events) if (s := (b.ts_ns - a.ts_ns) / SECOND_NS) > 2]


def test_gap() -> None:
    """The feed falls silent for five to ten seconds, without a word."""
    events = broken("gap")
    known = {(e.ts_ns, type(e), e.symbol) for e in healthy()}

    assert len(silences(events)) > 1
    assert all(4.5 < s < 11 for s in silences(events))
    assert all((e.ts_ns, type(e), e.symbol) in known for e in events)


def test_disconnect() -> None:
    """Each silence begins with a feed lost and ends with a feed back."""
    events = broken("disconnect")
    words = [e.is_connected for e in events if isinstance(e, FeedStatus)]
    lost = [
        (b.ts_ns - a.ts_ns) / SECOND_NS
        for a, b in pairwise(events)
        if isinstance(a, FeedStatus) and not a.is_connected
    ]

    assert len(words) > 2
    assert words == [i % 2 == 1 for i in range(len(words))]
    assert all(4.5 < s < 11 for s in lost)


def test_faults_compose() -> None:
    """All at once still is a stream in order of arrival."""
    events = broken(*FAULTS)

    assert all(a.ts_ns <= b.ts_ns for a, b in pairwise(events))
    assert {"malformed", "nan"} <= {e.flaw for e in events if isinstance(e, Malformed)}


def test_unknown_name_is_refused_at_once() -> None:
    """The nearest name is offered, before a single event is drawn."""
    with pytest.raises(UsageError, match="unknown fault crosed: did you mean crossed"):
        inject(["crosed"], iter(()), 1)
    with pytest.raises(UsageError, match=r"unknown fault zzz: known are malformed"):
        injector("zzz")
