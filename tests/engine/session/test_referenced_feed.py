"""Two live sources as one: what comes of the second, how often, and under which type."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from engine.model.instrument import Instrument
from engine.model.market import (
    Depth,
    FeedStatus,
    Funding,
    Malformed,
    Quote,
    ReferenceQuote,
    ReferenceStatus,
    Trade,
)
from engine.model.orders import Side
from engine.session import referenced_feed
from engine.session.referenced_feed import EVERY_NS, ReferencedFeed
from engine.venue import BarSource
from tests.engine.factories import instrument

TS = 1_700_000_000_000_000_000
HERE, THERE = "BTCUSDT", "BTC"


class Now:
    """A live source that brings what the test puts in."""

    is_simulated = False

    def __init__(self, name: str, *symbols: str, broken: bool = False) -> None:
        self.name = name
        self.instruments: Sequence[Instrument] = [instrument(symbol=symbol) for symbol in symbols]
        self.next: list[Any] = []
        self.did: list[Any] = []
        self._is_broken = broken

    def batches(self) -> Iterator[Sequence[Any]]:
        while True:
            taken, self.next = self.next, []
            yield taken

    async def discover(self) -> None: ...

    def want_bars(self, intervals_s: Sequence[int], count: int) -> None:
        self.did.append((tuple(intervals_s), count))

    async def arrived(self, within_s: float, take: Any = None) -> None:
        self.did.append((within_s, take))

    def nudge(self) -> None:
        self.did.append("nudge")

    async def __aenter__(self) -> "Now":
        if self._is_broken:
            raise OSError("it does not open")
        self.did.append("open")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.did.append("close")


class Clocked:
    """Both sources and the clock between two looks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *here: str, **there: str) -> None:
        theirs = there or {HERE: THERE}
        self.main = Now("binance", *(here or (HERE,)))
        self.beside = Now("hyperliquid", *dict.fromkeys(theirs.values()))
        self.feed = ReferencedFeed(self.main, self.beside, theirs)
        self.now_ns = TS
        monkeypatch.setattr(referenced_feed, "monotonic_ns", lambda: self.now_ns)
        self._batches = self.feed.batches()

    def look(self, *there: Any, after_ns: int = 0) -> Sequence[Any]:
        self.now_ns += after_ns
        self.beside.next += there
        return next(self._batches)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Clocked:
    return Clocked(monkeypatch)


def quote(bid: int, symbol: str = THERE) -> Quote:
    return Quote(TS, symbol, bid, 3, bid + 1, 4, TS - 5, 9)


def test_quotes_come_as_references_under_our_symbol(two: Clocked) -> None:
    """Every field as it was; no quote of the other market is a quote."""
    assert [ReferenceQuote(TS, HERE, 100, 3, 101, 4, TS - 5, 9)] == two.look(quote(100))
    assert [] == two.look(quote(100, "ETH"), after_ns=EVERY_NS)


def test_ours_comes_first_and_untouched(two: Clocked) -> None:
    """The second market changes nothing of the first."""
    ours = [quote(7, HERE), Trade(TS, HERE, 1, 1, Side.BUY)]
    two.main.next += ours
    assert ours == two.look()
    two.main.next += ours
    *first, last = two.look(quote(1))
    assert (ours, ReferenceQuote) == (first, type(last))


def test_the_newest_wins_and_at_most_one_in_so_long(two: Clocked) -> None:
    """What is held back comes later, also where nothing new does; never twice."""
    assert [102] == [one.bid_ticks for one in two.look(quote(100), quote(101), quote(102))]
    assert [] == two.look(quote(103), after_ns=EVERY_NS - 1)
    assert [] == two.look(quote(104))
    assert [104] == [one.bid_ticks for one in two.look(after_ns=1)]
    assert [] == two.look(after_ns=10 * EVERY_NS)


def test_lines_are_told_at_once_as_lines_of_the_reference(two: Clocked) -> None:
    """In their order; a status of ours stays one of ours."""
    told = two.look(
        FeedStatus(TS, "hyperliquid.market", False, "cut"),
        FeedStatus(TS, "hyperliquid.market", True),
    )
    assert [
        ReferenceStatus(TS, "hyperliquid.market", False, "cut"),
        ReferenceStatus(TS, "hyperliquid.market", True, ""),
    ] == told
    two.main.next.append(FeedStatus(TS, "binance.public", True))
    assert [FeedStatus(TS, "binance.public", True)] == two.look()


def test_nobody_gets_anything_else_of_it(two: Clocked) -> None:
    """Prints, books and funding stay there; what is malformed is counted, under no symbol."""
    told = two.look(
        Trade(TS, THERE, 1, 1, Side.BUY),
        Depth(TS, THERE, (), ()),
        Funding(TS, THERE, instrument().tick_size, instrument().tick_size, TS),
        Malformed(TS, THERE, "nan", "price\x1b[2J"),
    )
    (malformed,) = told
    assert (Malformed, "", "nan") == (type(malformed), malformed.symbol, malformed.flaw)
    assert malformed.detail.startswith("hyperliquid, the reference: price")
    assert "\x1b" not in malformed.detail


def test_one_coin_may_stand_beside_two_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gets its quotes, and its instrument."""
    both = Clocked(monkeypatch, HERE, "BTCUSDC", BTCUSDT=THERE, BTCUSDC=THERE)
    assert [HERE, "BTCUSDC"] == [one.symbol for one in both.look(quote(5))]
    assert [HERE, "BTCUSDC"] == list(both.feed.references)
    assert {THERE} == {one.symbol for one in both.feed.references.values()}


async def test_the_first_is_waited_for_and_both_are_opened_and_closed(two: Clocked) -> None:
    """A session is told nothing of there being two."""
    feed = two.feed

    def taking(_: Any) -> bool:
        return False

    assert isinstance(feed, BarSource)
    assert ("binance", False, two.main.instruments) == (
        feed.name, feed.is_simulated, feed.instruments,
    )  # fmt: skip
    feed.want_bars([60], 5)
    await feed.discover()
    async with feed:
        await feed.arrived(0.5, taking)
        feed.nudge()
    assert [((60,), 5), "open", (0.5, taking), "nudge", "close"] == two.main.did
    assert ["open", "close"] == two.beside.did


async def test_where_ours_does_not_open_the_other_is_closed_again() -> None:
    """Nothing is left listening."""
    beside = Now("hyperliquid", THERE)
    with pytest.raises(OSError, match="does not open"):
        async with ReferencedFeed(Now("binance", HERE, broken=True), beside, {HERE: THERE}):
            pass
    assert ["open", "close"] == beside.did
