"""The ladder against the simplest thing that could be a book: a dict for each side."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.book import Book
from engine.model.market import Depth, Levels
from engine.model.orders import Side

LEVELS = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 5)), max_size=8).map(tuple)
UPDATES = st.lists(
    st.builds(
        Depth,
        ts_ns=st.just(1),
        symbol=st.just("X"),
        bids=LEVELS,
        asks=LEVELS,
        is_snapshot=st.sampled_from([True, False, False, False]),
    ),
    max_size=20,
)


class NaiveSide:
    """Prices to lots, sorted whenever somebody asks."""

    def __init__(self, side: Side, max_levels: int) -> None:
        self.sign, self.max_levels, self.lots = side.sign, max_levels, dict[int, int]()

    def apply(self, levels: Levels, *, is_snapshot: bool) -> None:
        if is_snapshot:
            self.lots = {}
        for ticks, lots in levels:
            self.lots[ticks] = lots
        self.lots = dict(self.ladder()[: self.max_levels])

    def ladder(self) -> list[tuple[int, int]]:
        levels = [(ticks, lots) for ticks, lots in self.lots.items() if lots]
        return sorted(levels, key=lambda level: -self.sign * level[0])


@given(UPDATES, st.integers(1, 12))
def test_equals_a_naive_book(updates: list[Depth], max_levels: int) -> None:
    """After any updates the best `max_levels` levels are those of a dict sorted each time."""
    book = Book(max_levels)
    naive = {side: NaiveSide(side, max_levels) for side in Side}
    for update in updates:
        book.apply(update)
        naive[Side.BUY].apply(update.bids, is_snapshot=update.is_snapshot)
        naive[Side.SELL].apply(update.asks, is_snapshot=update.is_snapshot)
        for side in Side:
            ladder = naive[side].ladder()

            assert ladder == list(book.levels(side))
            assert (ladder[0] if ladder else None) == book.best(side)
            assert len(ladder) == book.level_count(side)
            for ticks in range(1, 31):
                assert dict(ladder).get(ticks, 0) == book.size_at(side, ticks)
                reach = [n for price, n in ladder if side.sign * (price - ticks) >= 0]
                assert sum(reach) == book.size_to(side, ticks)


@pytest.mark.parametrize(
    ("bids", "asks", "is_crossed"),
    [
        ((), (), False),
        (((5, 1),), (), False),
        ((), ((5, 1),), False),
        (((5, 1),), ((6, 1),), False),
        (((5, 1),), ((5, 1),), False),
        (((6, 1),), ((5, 1),), True),
    ],
)
def test_is_crossed(bids: Levels, asks: Levels, is_crossed: bool) -> None:
    """Only a bid above the ask is crossed; empty sides and a locked touch are not."""
    book = Book()
    book.apply(Depth(1, "X", bids, asks, is_snapshot=True))

    assert is_crossed is book.is_crossed


def test_levels_are_lazy_and_best_first() -> None:
    """Taking two levels of each side gives the two nearest the touch."""
    book = Book()
    book.apply(Depth(1, "X", ((9, 1), (7, 2), (8, 3)), ((12, 1), (10, 2), (11, 3)), True))
    nearest = {side: list(islice(book.levels(side), 2)) for side in Side}
    expected = {Side.BUY: [(9, 1), (8, 3)], Side.SELL: [(10, 2), (11, 3)]}

    assert expected == nearest


def test_clear_forgets_everything() -> None:
    """A cleared book is an empty one."""
    book = Book()
    book.apply(Depth(1, "X", ((9, 1),), ((12, 1),), is_snapshot=True))
    book.clear()

    assert book.best(Side.BUY) is None
    assert book.best(Side.SELL) is None
