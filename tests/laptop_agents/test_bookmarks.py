"""Bookmarks: kept in the home, bound to one journal, never a reason to fail."""

import stat
from pathlib import Path

import pytest

from laptop_agents.bookmarks import MARKS_MAX, Bookmarks

HASH, OTHER = "ab" * 32, "ab" * 16 + "cd" * 16
"""Their first half is the same, and so the file's name."""


def test_marks_are_kept_for_the_next_time(tmp_path: Path) -> None:
    """Rising, each once; the second time takes it away."""
    marks = Bookmarks(tmp_path, HASH)
    assert "bookmark set at event 1,200" == marks.toggle(1_200)
    assert "bookmark set at event 7" == marks.toggle(7)
    assert [7, 1_200] == Bookmarks(tmp_path, HASH).lines()

    assert "bookmark removed from event 7" == marks.toggle(7)
    assert [1_200] == Bookmarks(tmp_path, HASH).lines()


def test_they_belong_to_one_journal(tmp_path: Path) -> None:
    """By the whole hash of its first line."""
    Bookmarks(tmp_path, HASH).toggle(7)

    assert [] == Bookmarks(tmp_path, OTHER).lines()


def test_they_are_private(tmp_path: Path) -> None:
    """0600 in a folder of 0700, and nothing half-written is left."""
    Bookmarks(tmp_path, HASH).toggle(7)
    (kept,) = (tmp_path / "bookmarks").iterdir()

    assert 0o600 == stat.S_IMODE(kept.stat().st_mode)
    assert 0o700 == stat.S_IMODE(kept.parent.stat().st_mode)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"v":1}', b"\xff" * 100, b"[" * 60_000])
def test_a_file_that_is_none_of_ours_holds_no_marks(tmp_path: Path, content: bytes) -> None:
    """And is replaced by the first mark."""
    Bookmarks(tmp_path, HASH).toggle(7)
    (kept,) = (tmp_path / "bookmarks").iterdir()
    kept.write_bytes(content)

    marks = Bookmarks(tmp_path, HASH)
    assert [] == marks.lines()
    marks.toggle(9)
    assert [9] == Bookmarks(tmp_path, HASH).lines()


def test_a_home_that_takes_nothing_costs_a_sentence(tmp_path: Path) -> None:
    """The mark is not there then, and that is said."""
    (tmp_path / "bookmarks").write_text("a file in the folder's place")
    marks = Bookmarks(tmp_path, HASH)

    assert marks.toggle(7).startswith("the bookmark can't be kept: ")
    assert [] == marks.lines()


def test_they_are_bounded(tmp_path: Path) -> None:
    """A mark more is refused, one less is not."""
    marks = Bookmarks(tmp_path, HASH)
    for seq in range(1, MARKS_MAX + 1):
        marks.toggle(seq)

    assert "remove one first" in marks.toggle(9_999)
    assert "bookmark removed from event 1" == marks.toggle(1)
