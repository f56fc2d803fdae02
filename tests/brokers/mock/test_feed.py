"""The mock feed: one ordered, endless stream that depends on its arguments alone."""

import random
from itertools import chain, islice, pairwise

import pytest

from brokers.mock.config import MockConfig
from brokers.mock.feed import MockFeed
from engine.model.errors import UnknownInstrument, UsageError
from engine.model.market import FeedEvent
from engine.venue import Feed

START_NS = 1_700_000_000_000_000_000
BOTH = ("ETHUSDT", "BTCUSDT")


def feed(symbols=BOTH, seed: int = 7, **kw) -> MockFeed:
    return MockFeed(symbols, MockConfig(**kw), seed, START_NS)


def take(source: Feed, count: int = 5_000) -> list[FeedEvent]:
    return list(islice(chain.from_iterable(source.batches()), count))


def test_contract() -> None:
    """It calls itself mock, says so, and lists instruments as asked."""
    source: Feed = feed()

    assert source.name == "mock"
    assert source.is_simulated is True
    assert list(BOTH) == [item.symbol for item in source.instruments]


def test_deterministic_however_it_is_consumed() -> None:
    """Two feeds agree event by event, whatever else draws random numbers in between."""
    expected = take(feed())
    slow = []
    for event in islice(chain.from_iterable(feed().batches()), len(expected)):
        random.random()  # noqa: S311 - drawn to disturb, not to decide
        slow.append(event)

    assert expected == slow
    assert expected != take(feed(seed=8))


def test_each_call_starts_again() -> None:
    """`batches` may be called twice; the second stream is the first."""
    source = feed()

    assert take(source, 1_000) == take(source, 1_000)


def test_adding_a_symbol_leaves_the_others_alone() -> None:
    """BTCUSDT alone and BTCUSDT beside two others are the same stream."""
    alone = take(feed(["BTCUSDT"]), 2_000)
    beside = [e for e in take(feed(["SOLUSDT", *BOTH]), 9_000) if e.symbol == "BTCUSDT"]

    assert len(beside) > 2_000
    assert alone == beside[:2_000]


def test_merged_in_order_ties_by_symbol() -> None:
    """Time never goes back; at equal times the symbols keep their order."""
    events = take(feed(events_per_s=2_000.0), 20_000)
    rank = {symbol: i for i, symbol in enumerate(BOTH)}
    ties = [(a, b) for a, b in pairwise(events) if a.ts_ns == b.ts_ns and a.symbol != b.symbol]

    assert all(a.ts_ns <= b.ts_ns for a, b in pairwise(events))
    assert ties
    assert all(rank[a.symbol] < rank[b.symbol] for a, b in ties)
    assert set(BOTH) == {e.symbol for e in events}


def test_batches_are_short() -> None:
    """No batch exceeds 256 events and none is empty."""
    assert all(0 < len(batch) <= 256 for batch in islice(feed().batches(), 50))


@pytest.mark.parametrize("symbols", [[], ["BTCUSDT", "BTCUSDT"]])
def test_refuses_no_symbol_and_a_repeated_one(symbols: list[str]) -> None:
    """An empty or repeating list is a mistake worth a sentence."""
    with pytest.raises(UsageError, match="at least one symbol, each named once"):
        feed(symbols)


def test_refuses_unknown_symbol_and_fault_at_once() -> None:
    """Both are found when the feed is made, not when it runs."""
    with pytest.raises(UnknownInstrument, match="unknown symbol NOPE"):
        feed(["NOPE"])
    with pytest.raises(UsageError, match="did you mean duplicate"):
        feed(faults=("duplicat",))
