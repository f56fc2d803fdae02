"""A disk that fails at the worst moment, and files that are not what was written."""

import asyncio
import errno
import os
import random
import resource
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from engine.model.errors import FencedByEpoch, JournalDamaged
from engine.model.events import Operator, OperatorCommand, Timer
from engine.session.disk_thread import DiskThread
from engine.session.file_system import OS, OsFileSystem
from engine.session.journal import Journal, MemoryJournal
from engine.session.journal_emergency import read_emergency
from engine.session.journal_head import SLOT, Head, read_head
from engine.session.journal_keeper import Keeper, begin, begin_again
from engine.session.journal_line import GENESIS
from engine.session.journal_parts import FEED_BYTES, BrokenSeal, open_part, segments
from engine.session.journal_reader import read_journal
from engine.session.journal_seal import seal_all
from engine.session.journal_window import lines_between
from engine.session.recorded import Recorded
from tests.engine.session.test_journal_keeper import SEGMENT, TS, join, rotated, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


class Moody(OsFileSystem):
    """A disk on which a test hangs what a call is to do first."""

    def __init__(self, **moods: Callable[..., object]) -> None:
        self.moods = moods

    def write(self, fd: int, block: bytes | memoryview) -> int:
        self._mood("write")
        return super().write(fd, block)

    def write_at(self, fd: int, block: bytes, at: int) -> None:
        self._mood("write_at")
        super().write_at(fd, block, at)

    def sync(self, fd: int) -> None:
        self._mood("sync")
        super().sync(fd)

    def link(self, old: Path, new: Path) -> None:
        super().link(old, new)
        self._mood("link")

    def close(self, fd: int) -> None:
        self._mood("close")
        super().close(fd)

    def _mood(self, call: str) -> None:
        if call in self.moods:
            self.moods[call]()


def refuse(number: int) -> Callable[[], None]:
    def raising() -> None:
        raise OSError(number, os.strerror(number))

    return raising


def begun(path: Path, disk: OsFileSystem) -> Journal:
    log = Journal(begin(path, segment_bytes=SEGMENT, files=disk))
    log.note("session_started", TS, {"run_id": "r"})
    return log


def test_a_disk_that_fills_up_between_two_segments_keeps_the_first(path: Path) -> None:
    """Lines that came while the next file was prepared are told elsewhere; nothing is switched."""
    disk = Moody()
    log = begun(path, disk)

    def fill_up() -> None:
        log.extend([Timer(TS + 900)])
        disk.moods["write"] = refuse(errno.ENOSPC)

    disk.moods["link"] = fill_up
    write(log, 300)
    asyncio.run(log.sync())
    head, events = log.head, log.events
    log.close()

    assert log.failure is not None
    assert errno.ENOSPC == log.failure.errno
    assert 301 == events == len(list(read_journal(path)))
    assert [] == segments(path)
    assert not path.with_name(".events.jsonl.next").exists()
    assert 1 == len(list(read_emergency(path.with_name("emergency.jsonl"), head, events)))


def test_the_first_failure_is_the_one_that_is_told(path: Path) -> None:
    """A sync fails in its thread while the loop has found the disk full already."""
    disk = Moody()
    log = begun(path, disk)

    def fail_twice() -> None:
        disk.moods["write"] = refuse(errno.ENOSPC)
        log.extend([Timer(TS + 1)])
        log.flush()
        refuse(errno.EIO)()

    disk.moods["sync"] = fail_twice
    asyncio.run(log.sync())
    disk.moods.clear()

    assert log.failure is not None
    assert errno.ENOSPC == log.failure.errno
    assert (1, 0) == log.last_words
    log.close()


class Filling(OsFileSystem):
    """A disk with room for so many bytes more, written as far as they go."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, fd: int, block: bytes | memoryview) -> int:
        if not self.room:
            refuse(errno.ENOSPC)()
        part = block[: self.room]
        self.room -= len(part)
        return super().write(fd, part)


@pytest.mark.parametrize("of_line", [-1, 0, 1, 100], ids=lambda at: f"{at:+}")
@pytest.mark.parametrize("whole", range(4))
def test_wherever_a_write_breaks_off_each_line_is_in_one_place(
    path: Path, whole: int, of_line: int
) -> None:
    """The whole ones in the file, the rest in the emergency segment, in one chain."""
    memory = MemoryJournal()
    files = Filling(1 << 20)
    log = Journal(begin(path, files=files))
    for journal in (memory, log):
        journal.note("session_started", TS, {"run_id": "r"})
        journal.extend([Timer(TS + n) for n in range(3)])
    files.room = max(0, sum(map(len, memory.lines[:whole])) + of_line)
    fits = sum(sum(map(len, memory.lines[: n + 1])) <= files.room for n in range(4))
    room = files.room
    log.flush()
    head, events, size = log.head, log.events, log.bytes
    log.close()
    told = list(read_emergency(path.with_name("emergency.jsonl"), head, events))

    assert (fits, room, room) == (events, size, path.stat().st_size)
    assert path.read_bytes()[:room] + b"".join(told) == (
        b"".join(memory.lines)[:room] + b"".join(memory.lines[fits:])
    )
    assert (4 - fits, 0) == log.last_words


@pytest.mark.parametrize("how", ["commit", "commits_at_once", "sync", "close"])
def test_after_a_failed_write_nothing_is_synced_any_more(tmp_path: Path, how: str) -> None:
    """Not even what was written before: the file is touched no more (reliability.md C4)."""
    synced: list[str] = []
    disk = Moody(sync=lambda: synced.append(how))
    log = Journal(OS.create(tmp_path / "e"), files=disk)
    log.note("session_started", TS, {})
    log.flush()
    disk.moods["write"] = refuse(errno.ENOSPC)
    log.extend([Timer(TS + 1)])
    log.flush()
    if how in ("commit", "sync"):
        asyncio.run(getattr(log, how)())
    else:
        getattr(log, how)()

    assert [] == synced
    assert (1, 0) == (log.events, log.durable)
    if how != "close":
        log.close()


@pytest.mark.parametrize("call", ["sync", "close"])
def test_a_disk_that_fails_at_the_end_is_told(tmp_path: Path, call: str) -> None:
    """Not raised: a report is still to be written, and it says so."""
    disk = Moody(**{call: refuse(errno.EIO)})
    log = Journal(OS.create(tmp_path / "e"), files=disk)
    log.note("session_started", TS, {})
    log.close()

    assert log.failure is not None
    assert errno.EIO == log.failure.errno
    disk.moods.clear()
    if call == "close":
        disk.close(log._fd)


def test_a_close_that_fails_does_not_hide_the_first_failure(tmp_path: Path) -> None:
    """The disk was full, and that is what a person must know."""
    disk = Moody(write=refuse(errno.ENOSPC), close=refuse(errno.EIO))
    log = Journal(OS.create(tmp_path / "e"), files=disk)
    log.note("session_started", TS, {})
    log.close()

    assert log.failure is not None
    assert errno.ENOSPC == log.failure.errno
    disk.moods.clear()
    disk.close(log._fd)


def test_a_closed_journal_holds_neither_file_nor_thread(tmp_path: Path) -> None:
    """Whoever opens hundreds of them runs out of neither."""
    log = Journal(OS.create(tmp_path / "e"), disk=DiskThread("the given one"))
    log.note("session_started", TS, {})
    asyncio.run(log.sync())
    working = {thread.name: thread.daemon for thread in threading.enumerate()}
    log.close()

    assert working["the given one"], "it must not keep a process that ends"
    assert "the given one" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(log._fd)


def test_last_words_that_no_disk_takes_are_counted(path: Path) -> None:
    """Once one is lost the next are, too: the segment holds the chain without a gap."""
    disk = Moody(write=refuse(errno.ENOSPC))
    log = begun(path, disk)
    log.flush()
    disk.moods["write_at"] = refuse(errno.EIO)
    log.extend([OperatorCommand(TS + 1, Operator.JOURNAL_FAILURE, "session")])
    disk.moods.clear()
    log.note("session_ended", TS + 2, {})
    head, events = log.head, log.events
    log.close()

    assert (1, 2) == log.last_words
    assert 1 == len(list(read_emergency(path.with_name("emergency.jsonl"), head, events)))


def test_a_short_write_at_a_place_is_an_error(tmp_path: Path) -> None:
    """The head is whole or it is not acknowledged (row 59)."""
    fd = OS.create(tmp_path / "head")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SLOT // 2, before[1]))
    try:
        with pytest.raises(OSError, match=r"only 256 of 512 bytes were written"):
            OS.write_at(fd, bytes(SLOT), 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        OS.close(fd)


def test_a_commit_leaves_the_head_to_the_next_sync(path: Path) -> None:
    """An order waits for its own line alone; what a power cut may take of the head ends here."""
    calls: list[str] = []
    log = begun(path, Moody(sync=lambda: calls.append("sync")))
    calls.clear()
    assert asyncio.run(log.commit())
    committed = len(calls)
    asyncio.run(log.sync())
    settled = len(calls)
    asyncio.run(log.sync())

    assert (1, 3, 3) == (committed, settled, len(calls))
    log.close()


def test_a_keeper_that_never_claimed_lets_go_of_everything(path: Path) -> None:
    """A start that was refused leaves nothing packed, nothing reserved and nothing locked."""
    keeper = Keeper(path, OS.create(path))
    keeper.close()

    assert ["events.jsonl", "journal.head"] == sorted(p.name for p in path.parent.iterdir())


def test_who_begins_again_fences_who_was_thought_dead(path: Path) -> None:
    """It acknowledges nothing more (reliability.md C6)."""
    first = begin(path)
    join(first)
    second = begin_again(path, OS.append(path))
    with pytest.raises(FencedByEpoch, match="epoch 2, ours is 1"):
        first.harden(1, "ab" * 32)

    assert Head(2, 0, GENESIS) == read_head(path.with_name("journal.head"))
    second.close()
    first.close()


@pytest.mark.parametrize(("has_head", "epoch"), [(True, 2), (False, 1)])
def test_a_run_that_died_before_its_first_line_begins_again(
    path: Path, has_head: bool, epoch: int
) -> None:
    """What was torn is cut and line 1 written anew, by a writer above the one that is known."""
    begin(path).close()
    path.write_bytes(b'{"v":1,"seq":1,')
    if not has_head:
        path.with_name("journal.head").unlink()
    keeper = begin_again(path, OS.append(path), segment_bytes=SEGMENT)
    begun_with = path.read_bytes()
    log = Journal(keeper)
    log.note("session_started", TS, {"run_id": "r"})
    asyncio.run(log.sync())

    assert (b"", epoch) == (begun_with, log.epoch)
    assert Head(epoch, 1, log.head) == read_head(path.with_name("journal.head"))
    assert [log.head] == [line.hash for line in read_journal(path)]
    assert (False, True) == (keeper.is_full(SEGMENT - 1), keeper.is_full(SEGMENT))
    log.close()


# --- files -----------------------------------------------------------------------------------


class Scribbling(OsFileSystem):
    """Writes other bytes than it is given to one packed file."""

    def __init__(self, other: Callable[[bytes], bytes]) -> None:
        self._other = other
        self._packed = -1

    def create(self, path: Path) -> int:
        fd = super().create(path)
        if path.suffix == ".tmp":
            self._packed = fd
        return fd

    def write(self, fd: int, block: bytes | memoryview) -> int:
        if fd == self._packed and len(block) > 100:
            super().write(fd, self._other(bytes(block)))
            return len(block)
        return super().write(fd, block)


@pytest.mark.parametrize(
    "other",
    [lambda block: block[:-1], lambda block: zstandard.ZstdCompressor().compress(b"another")],
    ids=["cut", "another"],
)
def test_a_segment_that_reads_back_differently_is_kept_unpacked(
    path: Path, other: Callable[[bytes], bytes]
) -> None:
    """Whole lines are unlinked only once their packed form has proved to hold them."""
    log = rotated(path, beats=3, files=Scribbling(other))
    failure = log.seal_failure
    log.close()

    assert failure is not None
    assert "reads back as something else" in str(failure)
    assert [".jsonl"] == [part.suffix for part in segments(path)]
    assert 301 == len(list(read_journal(path)))


def test_the_newest_segment_broken_is_told_by_its_name(path: Path) -> None:
    """It can't be asked whether it is the open file, and is not taken for it."""
    log = rotated(path)
    log.close()
    newest = segments(path)[-1]
    newest.write_bytes(b"x" * 100)
    with pytest.raises(JournalDamaged, match=rf"{newest.name}:1: .*can't be unpacked"):
        list(read_journal(path))


def test_bytes_behind_a_segment_are_found_at_any_size(path: Path) -> None:
    """Also where the packed form ends with what is read at once."""
    rng = random.Random(1)  # noqa: S311 - content, not a secret
    pack = zstandard.ZstdCompressor().compress
    sizes = range(FEED_BYTES, 3 * FEED_BYTES)
    whole = next(p for n in sizes if not len(p := pack(rng.randbytes(n))) % FEED_BYTES)
    path.with_name("events-000001.jsonl.zst").write_bytes(whole + b"x")
    path.write_bytes(b"{}\n")
    with pytest.raises(JournalDamaged, match="events-000001"):
        list(read_journal(path))
    with open_part(segments(path)[0]) as file, pytest.raises(BrokenSeal, match="behind its end"):
        file.read()


def test_a_window_of_a_prepared_rotation_has_each_line_once(path: Path) -> None:
    """The segment is then a second name of the open file."""
    log = rotated(path, beats=1)
    assert log._keeper is not None
    log._keeper.prepare()
    seen = [one.line.seq for one in lines_between(path, 0, 2**62)]
    log.close()

    assert list(range(1, 102)) == seen


@pytest.mark.parametrize("first", [b"garbage\n", b'{"v":1,"seq":"one","ts":"now",}\n'])
def test_a_window_of_no_journal_is_refused(path: Path, first: bytes) -> None:
    """A line without a number or a time is the first one, and is not proven."""
    path.write_bytes(first)
    with pytest.raises(JournalDamaged, match="is not proven"):
        list(lines_between(path, 0, 10))


def test_a_crash_between_prepare_and_switch_is_taken_back(path: Path) -> None:
    """The successor finds every line once, and the segment's name free again."""
    log = rotated(path, beats=1)
    assert log._keeper is not None
    join(log._keeper)
    log._keeper.prepare()
    crashed = {p.name: p for p in path.parent.iterdir()}
    run = Recorded(path)
    keeper = Keeper(path, OS.append(path), epoch=2)
    keeper.claim(run.count, run.head, run.file_bytes, run.good_bytes)
    keeper.close()

    assert {"events-000001.jsonl", ".events.jsonl.next"} < set(crashed)
    assert [] == segments(path)
    assert 101 == len(list(read_journal(path)))
    log.close()


def test_a_packed_segment_beside_its_plain_one_is_not_packed_again(path: Path) -> None:
    """The crash came between the rename and the unlink; what was proved stays."""
    log = rotated(path)
    log.close()
    packed = segments(path)[0]
    file_of = packed.stat().st_ino
    with open_part(packed) as file:
        packed.with_suffix("").write_bytes(file.read())
    seal_all(OS, path.parent)

    assert file_of == packed.stat().st_ino
    assert not packed.with_suffix("").exists()


def test_a_segment_packed_since_it_was_listed_is_read_packed(path: Path) -> None:
    """A running session packs beside its readers; each line is still seen once."""
    log = rotated(path)
    log.close()
    for packed in segments(path):
        with open_part(packed) as file:
            packed.with_suffix("").write_bytes(file.read())
        packed.unlink()
    listed = segments(path)
    reading = read_journal(path)
    seen = [next(reading).seq]
    seal_all(OS, path.parent)
    seen += [line.seq for line in reading]

    assert [".jsonl", ".jsonl"] == [part.suffix for part in listed]
    assert list(range(1, 502)) == seen


def test_an_empty_journal_is_damage(path: Path) -> None:
    """Not even its first line came to the disk, or somebody emptied it."""
    path.touch()
    with pytest.raises(JournalDamaged, match=r"events\.jsonl:1: the journal is empty"):
        list(read_journal(path))


def test_a_run_that_never_failed_has_no_last_words(path: Path) -> None:
    """Neither beside a running session, nor after its end."""
    log = begun(path, OS)
    during = list(read_emergency(path.with_name("emergency.jsonl"), log.head, log.events))
    log.close()

    assert [] == during == list(read_emergency(path.with_name("emergency.jsonl"), log.head, 1))


def test_a_bare_journal_that_failed_takes_nothing_more() -> None:
    """There is nowhere else to tell it; the figures stay those of the file."""
    log = Journal(os.open("/dev/full", os.O_RDWR))
    log.note("session_started", TS, {})
    log.hand_over()
    log.note("session_ended", TS + 1, {})
    log.extend([Timer(TS + 2)])

    assert log.failure is not None
    assert (0, 0) == (log.events, log.bytes)
    assert not log.is_full
    log.close()
