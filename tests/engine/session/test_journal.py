"""The journal on disk: whole lines in order, a failure remembered and never raised."""

import asyncio
import errno
import json
import os
import stat
import threading
from pathlib import Path

import pytest

from engine.model.events import Timer
from engine.model.records import Alert
from engine.session.file_system import OsFileSystem
from engine.session.journal import FLUSH_BYTES, Journal, MemoryJournal
from engine.session.run_folder import RunFolder

TS = 1_700_000_000_000_000_000


def opened(path: Path) -> Journal:
    return Journal(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def test_what_is_flushed_is_in_the_file(tmp_path: Path) -> None:
    """Nothing before, everything after; counters count what is buffered, too."""
    path = tmp_path / "events.jsonl"
    log = opened(path)
    log.note("session_started", TS, {"run_id": "r"})
    log.extend([Timer(TS + n) for n in range(5)])
    before = path.read_bytes()
    log.flush()
    content = path.read_bytes()

    assert b"" == before
    assert (6, len(content)) == (log.events, log.bytes)
    assert json.loads(content.splitlines()[-1])["hash"] == log.head
    log.close()


def test_it_writes_the_lines_of_the_journal_in_memory(tmp_path: Path) -> None:
    """Both write the same."""
    disk, memory = opened(tmp_path / "e"), MemoryJournal()
    for log in (disk, memory):
        log.note("session_started", TS, {})
        log.extend([Timer(TS), Alert(TS, "a", "info", "é")])
        log.flush()
    disk.close()

    assert b"".join(memory.lines) == (tmp_path / "e").read_bytes()


def test_a_burst_reaches_the_file_by_itself(tmp_path: Path) -> None:
    """Memory does not grow with a turn's length."""
    path = tmp_path / "e"
    log = opened(path)
    log.extend([Alert(TS, "a", "info", "x" * 1_000) for _ in range(FLUSH_BYTES // 1_000 + 1)])

    assert FLUSH_BYTES <= path.stat().st_size == log.bytes
    log.close()


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """0600 from the folder that makes it."""
    folder = RunFolder.create(tmp_path / "home", "r1")
    log = Journal(folder.create_file("events.jsonl"))
    log.close()

    assert 0o600 == stat.S_IMODE((folder.path / "events.jsonl").stat().st_mode)


def test_a_full_disk_is_remembered(tmp_path: Path) -> None:
    """Not raised, not retried; the figures say what is on disk."""
    log = Journal(os.open("/dev/full", os.O_RDWR))
    log.note("session_started", TS, {})
    log.flush()
    failure = log.failure
    log.extend([Timer(TS)])
    log.flush()
    asyncio.run(log.sync())
    log.close()

    assert failure is not None
    assert "No space left on device" == failure.strerror
    assert failure is log.failure


def test_nothing_follows_a_failed_write(tmp_path: Path) -> None:
    """After a torn line the file is not touched again (reliability.md C4)."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    log = Journal(writing)
    log.extend([Alert(TS, "a", "info", "x" * 50_000) for _ in range(4)])
    log.flush()
    torn = os.read(reading, 1 << 20)
    log.extend([Timer(TS)])
    log.flush()
    os.set_blocking(reading, False)

    assert isinstance(log.failure, BlockingIOError)
    assert not torn.endswith(b"\n")
    with pytest.raises(BlockingIOError):
        os.read(reading, 1)
    os.close(reading)
    log.close()


def test_a_closed_descriptor_is_remembered(tmp_path: Path) -> None:
    """Also where the end finds nothing to close."""
    fd = os.open(tmp_path / "e", os.O_CREAT | os.O_RDWR, 0o600)
    log = Journal(fd)
    log.note("session_started", TS, {})
    os.close(fd)
    log.flush()
    log.close()

    assert log.failure is not None


def test_a_failed_sync_is_a_failure(tmp_path: Path) -> None:
    """A pipe can be written but not synced."""
    reading, writing = os.pipe()
    log = Journal(writing)
    log.note("session_started", TS, {})
    log.flush()
    asyncio.run(log.sync())

    assert log.failure is not None
    log.close()
    os.close(reading)


class Counting(OsFileSystem):
    """Counts syncs; fails the one it is told to, once."""

    def __init__(self, fails_at: int = 0) -> None:
        self.syncs = 0
        self._fails_at = fails_at

    def sync(self, fd: int) -> None:
        self.syncs += 1
        if self.syncs == self._fails_at:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().sync(fd)


def test_one_sync_commits_all_lines_so_far(tmp_path: Path) -> None:
    """Group commit; what is durable already asks for none."""
    files = Counting()
    log = Journal(os.open(tmp_path / "e", os.O_CREAT | os.O_RDWR, 0o600), files=files)
    asyncio.run(log.sync())
    assert 0 == files.syncs
    log.extend([Timer(TS + n) for n in range(50)])

    assert asyncio.run(log.commit())
    assert asyncio.run(log.commit())
    assert asyncio.run(log.reaches_disk())
    assert log.commits_at_once()
    assert 1 == files.syncs
    log.extend([Timer(TS + 50)])
    for _ in range(2):
        asyncio.run(log.sync())
    assert 2 == files.syncs
    assert (51, 1) == (log.durable, log.epoch)
    assert log.bytes == (tmp_path / "e").stat().st_size
    log.close()


@pytest.mark.parametrize("how", ["commit", "sync"])
def test_a_failed_sync_is_never_tried_again(tmp_path: Path, how: str) -> None:
    """The kernel may have dropped the page and called it clean (reliability.md C4)."""
    files = Counting(fails_at=1)
    log = Journal(os.open(tmp_path / "e", os.O_CREAT | os.O_RDWR, 0o600), files=files)
    log.extend([Timer(TS)])
    log.flush()
    if how == "commit":
        assert not asyncio.run(log.commit())
    else:
        asyncio.run(log.sync())
    size = log.bytes
    log.extend([Timer(TS + 1)])

    assert not asyncio.run(log.commit())
    log.close()
    assert 1 == files.syncs
    assert isinstance(log.failure, OSError)
    assert size == (tmp_path / "e").stat().st_size


@pytest.mark.parametrize(("fails_at", "durable"), [(0, 3), (1, 0)])
def test_lines_reach_the_disk_or_it_is_told(tmp_path: Path, fails_at: int, durable: int) -> None:
    """A checkpoint is written only where its line is (reliability.md C5)."""
    files = Counting(fails_at)
    log = Journal(os.open(tmp_path / "e", os.O_CREAT | os.O_RDWR, 0o600), files=files)
    log.extend([Timer(TS + n) for n in range(3)])

    assert bool(durable) is asyncio.run(log.reaches_disk())
    assert (durable, 1) == (log.durable, files.syncs)
    log.close()


def test_memory_stays_bounded_after_a_failure() -> None:
    """A session that holds its emergency may run on for hours without a disk."""
    log = Journal(os.open("/dev/full", os.O_RDWR))
    log.note("session_started", TS, {})
    log.flush()
    for _ in range(50):
        log.extend([Alert(TS, "a", "info", "x" * 1_000) for _ in range(100)])

    assert log.bytes < 4 * FLUSH_BYTES
    log.close()


def test_the_figures_after_a_failure_are_those_of_the_file(tmp_path: Path) -> None:
    """The report must not name bytes and a head that nobody can find on disk."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    log = Journal(writing)
    log.note("session_started", TS, {})
    log.flush()
    written = len(os.read(reading, 1 << 20))
    log.extend([Alert(TS, "a", "info", "x" * 60_000) for _ in range(3)])
    log.flush()
    written += len(os.read(reading, 1 << 20))
    log.extend([Timer(TS)])

    assert written == log.bytes
    os.close(reading)
    log.close()


def test_short_writes_are_continued(tmp_path: Path) -> None:
    """A write that takes a part is followed by one with the rest."""
    reading, writing = os.pipe()
    log = Journal(writing)
    log.extend([Alert(TS, "a", "info", "x" * 1_000) for _ in range(200)])
    found: list[bytes] = []

    def drain() -> None:
        while chunk := os.read(reading, 999):
            found.append(chunk)

    reader = threading.Thread(target=drain)
    reader.start()
    log.flush()
    expected = log.bytes
    os.close(writing)
    reader.join(10)
    os.close(reading)

    assert expected == sum(map(len, found))
    assert log.failure is None


async def test_durable_means_durable_for_whoever_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second `sync` does not return while the first one's disk is still at work."""
    may_end = threading.Event()
    log = opened(tmp_path / "e")
    monkeypatch.setattr(os, "fdatasync", lambda _: may_end.wait(5))
    log.note("session_started", TS, {})
    log.flush()
    first = asyncio.create_task(log.sync())
    await asyncio.sleep(0.01)
    second = asyncio.create_task(log.sync())
    done, _ = await asyncio.wait([second], timeout=0.05)
    may_end.set()
    await asyncio.gather(first, second)
    monkeypatch.undo()

    assert set() == done
    log.close()
