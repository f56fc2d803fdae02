"""When a snapshot is asked for: at first, after a break, where a number is missing, and not else."""

from brokers.binance.books import PATIENCE_NS, Books
from engine.model.market import Depth

T = 10**18


def diff(last: int, prev: int, symbol: str = "BTCUSDT") -> Depth:
    return Depth(T, symbol, (), (), first_seq=prev + 1, last_seq=last, prev_seq=prev)


def snapshot(last: int, symbol: str = "BTCUSDT") -> Depth:
    return Depth(T, symbol, (), (), is_snapshot=True, first_seq=last, last_seq=last)


def begun() -> Books:
    books = Books(("BTCUSDT", "ETHUSDT"))
    books.saw(diff(10, 5))
    books.due(T)
    books.saw(snapshot(8))
    return books


def test_a_snapshot_is_asked_for_once_diffs_arrive_and_once_only() -> None:
    """Until it has had its time."""
    books = Books(("BTCUSDT", "ETHUSDT"))
    assert [] == books.due(T)
    books.saw(diff(10, 5))

    assert ["BTCUSDT"] == books.due(T)
    assert [] == books.due(T + PATIENCE_NS - 1)
    assert ["BTCUSDT"] == books.due(T + PATIENCE_NS)
    books.saw(snapshot(12))
    assert [] == books.due(T + 10 * PATIENCE_NS)


def test_a_chain_without_a_hole_asks_for_nothing() -> None:
    """A diff that is old, or seen twice, is no hole."""
    books = begun()
    for last, prev in ((11, 10), (20, 11), (20, 11), (15, 12), (30, 20)):
        books.saw(diff(last, prev))
        assert [] == books.due(T + PATIENCE_NS)


def test_a_hole_asks_again_for_that_book_alone() -> None:
    """At once."""
    books = begun()
    books.saw(diff(11, 10, "ETHUSDT"))
    books.due(T)
    books.saw(snapshot(11, "ETHUSDT"))
    books.saw(diff(40, 30))

    assert ["BTCUSDT"] == books.due(T + 1)


def test_a_break_asks_again_for_all() -> None:
    """Once their diffs flow: a snapshot before them could leave a hole."""
    books = begun()
    books.broke()
    assert [] == books.due(T + PATIENCE_NS)
    books.saw(diff(100, 99))

    assert ["BTCUSDT"] == books.due(T + PATIENCE_NS)
