"""The sequence of a book: a missing update anywhere means no book until a snapshot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.market.book import BUFFER_MAX, BookSync
from engine.model.book import Book
from engine.model.market import Depth, Flaw
from engine.model.orders import Side

from .build import depth

LENGTH = 24


def chain(length: int = LENGTH) -> list[Depth]:
    """Diffs 100-109, 110-119, ...; each sets one level of its own on both sides."""
    return [
        depth(
            ((9_000 + k % 500, k + 1),),
            ((11_000 + k % 500, k + 1),),
            seqs=(100 + 10 * k, 109 + 10 * k, 99 + 10 * k),
        )
        for k in range(length)
    ]


def snapshot(seq: int = 0, *, bid: int = 9_990) -> Depth:
    return depth(((bid, 3),), ((10_010, 3),), is_snapshot=True, seqs=(0, seq, 0))


def ladders(book: Book) -> list[list[tuple[int, int]]]:
    return [list(book.levels(side)) for side in Side]


def run(sync: BookSync, updates: list[Depth]) -> list[Flaw | None]:
    return [sync.apply(update) for update in updates]


@pytest.mark.parametrize("lost", range(1, LENGTH - 1))
def test_gap_anywhere_invalidates_until_the_next_snapshot(lost: int) -> None:
    """Without diff k the book is empty from k + 1 on, with one flaw; a snapshot brings it back."""
    diffs = chain()
    sync = BookSync(1_000)
    sync.apply(snapshot(105))
    before = run(sync, diffs[:lost])
    was_synced = sync.is_synced
    after = run(sync, diffs[lost + 1 :])

    expected_flaws = ["sequence_gap", *[None] * (LENGTH - lost - 2)]

    assert not any(before)
    assert was_synced
    assert expected_flaws == after
    assert not sync.is_synced
    assert ladders(sync.book) == [[], []]

    newer = diffs[-1].last_seq - 4
    expected = Book(1_000)
    expected.apply(snapshot(newer))
    expected.apply(diffs[-1])

    assert sync.apply(snapshot(newer)) is None
    assert sync.is_synced
    assert ladders(expected) == ladders(sync.book)


@given(st.integers(0, LENGTH - 1), st.integers(0, LENGTH), st.integers(-4, 5))
def test_snapshot_may_come_at_any_time(covered: int, received: int, offset: int) -> None:
    """Diffs before, around and after the snapshot give the book of snapshot plus what it lacks."""
    diffs = chain()
    start = snapshot(diffs[covered].last_seq - 5 + offset)
    sync = BookSync(1_000)
    flaws = run(sync, [*diffs[:received], start, *diffs[received:]])
    expected = Book(1_000)
    for update in [start, *diffs[covered:]]:
        expected.apply(update)

    assert not any(flaws)
    assert sync.is_synced
    assert ladders(expected) == ladders(sync.book)


CASES: list[tuple[str, list[Depth], list[Flaw | None], bool]] = [
    ("only diffs: no book, no flaw", chain(), [None] * LENGTH, False),
    (
        "only diffs with a hole: one flaw",
        [*chain()[:3], *chain()[4:8]],
        [None, None, None, "sequence_gap", None, None, None],
        False,
    ),
    ("snapshot too old", [snapshot(50), chain()[0]], [None, "sequence_gap"], False),
    ("snapshot right before", [snapshot(99), chain()[0]], [None, None], True),
    ("snapshot too new for what waits", [*chain()[:2], snapshot(500)], [None, None, None], True),
    ("snapshot too old for what waits", [*chain()[:2], snapshot(50)], [None] * 2 + ["sequence_gap"], False),
    (
        "then one that fits",
        [*chain()[:2], snapshot(50), snapshot(105), chain()[2]],
        [None, None, "sequence_gap", None, None],
        True,
    ),
    (
        "old snapshot after a reconnect",
        [snapshot(105), *chain()[:2], snapshot(110)],
        [None, None, None, "out_of_order"],
        True,
    ),
    (
        "old snapshot after a gap",
        [snapshot(105), *chain()[:2], chain()[3], snapshot(110)],
        [None, None, None, "sequence_gap", "out_of_order"],
        False,
    ),
    ("fresh snapshot in the middle", [snapshot(105), chain()[0], snapshot(115), chain()[1]], [None] * 4, True),
    ("repeated snapshot", [snapshot(105), snapshot(105)], [None, "duplicate"], True),
    (
        "repeated diff",
        [snapshot(105), chain()[0], chain()[0], chain()[1]],
        [None, None, "duplicate", None],
        True,
    ),
    (
        "late diff",
        [snapshot(105), *chain()[:3], chain()[1], chain()[3]],
        [None] * 4 + ["out_of_order", None],
        True,
    ),
    (
        "repeated and late diffs while waiting",
        [*chain()[:2], chain()[1], chain()[0]],
        [None, None, "duplicate", "out_of_order"],
        False,
    ),
    ("snapshots only", [snapshot(5), snapshot(6), snapshot(9)], [None] * 3, True),
    ("snapshots only, one old", [snapshot(5), snapshot(4)], [None, "out_of_order"], True),
    ("snapshots without numbers", [snapshot(), snapshot()], [None, None], True),
    ("diffs without numbers", [depth(), snapshot(), depth()], [None] * 3, True),
    (
        "diff that crosses the book",
        [snapshot(), depth(((10_020, 1),), ())],
        [None, "crossed"],
        False,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("updates", "flaws", "is_synced"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_row(updates: list[Depth], flaws: list[Flaw | None], is_synced: bool) -> None:
    """Each update is used or refused as its row says, and the book is there or empty."""
    sync = BookSync(1_000)

    assert flaws == run(sync, updates)
    assert is_synced is sync.is_synced
    assert is_synced is bool(ladders(sync.book) != [[], []])


def test_buffer_is_bounded() -> None:
    """Diffs that wait forever don't grow; what was dropped shows as a gap when a snapshot comes."""
    sync = BookSync(1_000)
    diffs = chain(BUFFER_MAX + 5)
    run(sync, diffs)
    waiting = len(sync.buffer)

    assert waiting == BUFFER_MAX
    assert sync.apply(snapshot(diffs[2].last_seq)) == "sequence_gap"
    assert sync.apply(snapshot(diffs[7].last_seq)) is None


def test_forget_accepts_smaller_numbers() -> None:
    """A new connection may count from the start again."""
    sync = BookSync(1_000)
    run(sync, [snapshot(105), *chain()])
    sync.forget()

    assert not sync.is_synced
    assert sync.apply(snapshot(3)) is None
