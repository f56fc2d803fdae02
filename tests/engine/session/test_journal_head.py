"""`journal.head`: the newest record that is whole, and never a torn one."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.model.errors import FencedByEpoch
from engine.session.file_system import OS
from engine.session.journal_head import SLOT, Head, HeadFile, decode, encode, read_head

HASH = "ab" * 32


def opened(tmp_path: Path, epoch: int = 1) -> HeadFile:
    return HeadFile(OS, tmp_path / "journal.head", epoch)


def test_a_head_comes_back() -> None:
    """Fixed size, and readable by a person."""
    head = Head(3, 12_345, HASH)

    assert head == decode(encode(head))
    assert SLOT == len(encode(head))
    assert encode(head).startswith(b"00000000000000012345 00000003 abab")


@pytest.mark.parametrize("at", [0, 19, 20, 25, 40, 93, 94, 100, 126, 127, 300, SLOT - 1])
def test_no_changed_byte_passes(at: int) -> None:
    """Wherever it stands in the sector."""
    slot = bytearray(encode(Head(1, 7, HASH)))
    slot[at] ^= 1

    assert decode(bytes(slot)) is None


@pytest.mark.parametrize("content", [b"", b"\0" * 1024, b"x" * 1024, b"\xff" * 40])
def test_what_is_no_head_is_none(tmp_path: Path, content: bytes) -> None:
    """Whoever wrote it."""
    (tmp_path / "journal.head").write_bytes(content)

    assert read_head(tmp_path / "journal.head") is None


def test_the_newest_counts(tmp_path: Path) -> None:
    """Whichever slot it is in."""
    head = opened(tmp_path)
    for seq in range(1, 6):
        head.write(seq, HASH)
        head.sync()

    assert Head(1, 5, HASH) == read_head(tmp_path / "journal.head")
    head.close()


def test_a_torn_record_leaves_the_one_before(tmp_path: Path) -> None:
    """Records alternate only once they are durable."""
    head = opened(tmp_path)
    head.write(1, HASH)
    head.sync()
    head.write(2, HASH)
    head.write(3, HASH)
    path = tmp_path / "journal.head"
    content = bytearray(path.read_bytes())
    content[SLOT + 30] ^= 1
    path.write_bytes(content)

    assert Head(1, 1, HASH) == read_head(path)
    head.close()


def test_a_sync_with_nothing_to_do_spares_the_newest_record(tmp_path: Path) -> None:
    """However often it is asked for: what is overwritten next is the older one."""
    head = opened(tmp_path)
    head.write(1, HASH)
    for _ in range(2):
        head.sync()
    head.write(2, HASH)
    content = (tmp_path / "journal.head").read_bytes()
    head.close()

    assert [Head(1, 1, HASH), Head(1, 2, HASH)] == [decode(content[:SLOT]), decode(content[SLOT:])]


def test_a_head_lost_before_the_first_line_is_missed(tmp_path: Path) -> None:
    """A run that has begun has one, though nothing happened yet."""
    head = opened(tmp_path)
    head.write(0, HASH)
    (tmp_path / "journal.head").unlink()
    with pytest.raises(OSError, match="was removed"):
        head.refuse_fenced()
    head.close()


def test_the_next_writer_spares_the_newest_record(tmp_path: Path) -> None:
    """What it overwrites first is the older one."""
    first = opened(tmp_path)
    for seq in (1, 2, 3):
        first.write(seq, HASH)
        first.sync()
    first.close()
    content = (tmp_path / "journal.head").read_bytes()
    second = opened(tmp_path, epoch=2)
    second.write(3, HASH)
    second.close()
    after = (tmp_path / "journal.head").read_bytes()
    slots = [slice(0, SLOT), slice(SLOT, None)]
    kept = [decode(after[slot]) for slot in slots if content[slot] == after[slot]]

    assert [Head(1, 3, HASH)] == kept
    assert Head(2, 3, HASH) == read_head(tmp_path / "journal.head")


def test_an_older_line_is_not_acknowledged_again(tmp_path: Path) -> None:
    """A thread that comes late changes nothing."""
    head = opened(tmp_path)
    head.write(9, HASH)
    head.write(4, "cd" * 32)

    assert Head(1, 9, HASH) == read_head(tmp_path / "journal.head")
    head.close()


def test_a_higher_epoch_fences(tmp_path: Path) -> None:
    """The older writer is told, and its record does not reach the file."""
    old, new = opened(tmp_path), opened(tmp_path, epoch=2)
    new.write(5, HASH)
    with pytest.raises(FencedByEpoch, match="epoch 2, ours is 1"):
        old.write(6, HASH)

    assert Head(2, 5, HASH) == read_head(tmp_path / "journal.head")
    assert 8 == FencedByEpoch.exit_code
    old.close()
    new.close()


def restore(path: Path, old: bytes) -> None:
    """Put back what a file held, as `cp` of a backup does."""
    path.write_bytes(old)


def replace(path: Path, old: bytes) -> None:
    """Put another file in its place, as `rsync` does."""
    path.with_name("new").write_bytes(old)
    path.with_name("new").rename(path)


def replace_by_a_copy(path: Path, _: bytes) -> None:
    """The same bytes, and another file: what is written next would be in neither."""
    replace(path, path.read_bytes())


@pytest.mark.parametrize(
    "spoil", [lambda path, _: path.unlink(), restore, replace, replace_by_a_copy]
)
def test_a_head_that_is_no_longer_ours_is_an_error_of_the_disk(
    tmp_path: Path, spoil: Callable[[Path, bytes], None]
) -> None:
    """Nobody goes on behind a head that knows less than was acknowledged."""
    path = tmp_path / "journal.head"
    head = opened(tmp_path)
    for seq in (1, 2):
        head.write(seq, HASH)
        head.sync()
    old = path.read_bytes()
    head.write(3, HASH)
    spoil(path, old)
    with pytest.raises(OSError, match="was removed, replaced or overwritten") as failure:
        head.refuse_fenced()

    assert errno.ESTALE == failure.value.errno
    head.close()
