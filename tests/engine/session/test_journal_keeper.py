"""Rotation, sealing, fences and the last words, with real files."""

import asyncio
import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.model.errors import FencedByEpoch, JournalDamaged, UsageError
from engine.model.events import Operator, OperatorCommand, Timer
from engine.session.audit_index import Question, open_index
from engine.session.file_system import OS, OsFileSystem
from engine.session.journal import PATIENCE_S, Journal
from engine.session.journal_head import Head, encode, read_head
from engine.session.journal_keeper import Keeper, begin, take_over
from engine.session.journal_reader import read_journal
from engine.session.recorded import Recorded
from laptop_agents.last_words import ends_of

TS = 1_700_000_000_000_000_000
SEGMENT = 40_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def write(log: Journal, count: int) -> None:
    """Lines enough for a segment each 180."""
    first = log.events
    log.extend([Timer(TS + first + n) for n in range(count)])


def rotated(path: Path, beats: int = 5, files: OsFileSystem = OS) -> Journal:
    """A journal that is still open, with a full segment every second beat or so."""
    keeper = begin(path, segment_bytes=SEGMENT, files=files)
    log = Journal(keeper)
    log.note("session_started", TS, {"run_id": "r"})
    for _ in range(beats):
        write(log, 100)
        asyncio.run(log.sync())
        join(keeper)
    return log


def join(keeper: Keeper) -> None:
    """Wait for the packing."""
    if keeper._sealing is not None:
        keeper._sealing.join()


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


def segment(path: Path, number: int) -> Path:
    return path.with_name(f"events-{number:06}.jsonl.zst")


@pytest.fixture
def sealed(path: Path) -> Path:
    rotated(path).close()
    return path


def test_full_files_become_segments(sealed: Path) -> None:
    """Sealed by number, nothing else left over, 0600 from creation."""
    found = names(sealed)

    assert ["events-000001.jsonl.zst", "events-000002.jsonl.zst"] == found[:2]
    assert {"events.jsonl", "journal.head"} == {n for n in found if ".zst" not in n}
    for entry in sealed.parent.iterdir():
        assert 0o600 == stat.S_IMODE(entry.stat().st_mode)


def test_the_chain_goes_on_across_segments(sealed: Path) -> None:
    """One reader, all lines, as a bare journal would hold them."""
    lines = list(read_journal(sealed))
    bare = Journal(os.open(sealed.with_name("bare"), os.O_CREAT | os.O_RDWR, 0o600))
    bare.note("session_started", TS, {"run_id": "r"})
    for _ in range(5):
        write(bare, 100)
    bare.close()

    assert list(range(1, 502)) == [line.seq for line in lines]
    assert bare.head == lines[-1].hash
    assert 5 < 501 * 230 / sum(p.stat().st_size for p in sealed.parent.glob("*.zst"))


def test_figures_count_all_segments(path: Path) -> None:
    """Bytes of the lines, not of the files."""
    log = rotated(path)
    log.close()

    assert log.bytes == sum(line.size for line in read_journal(path))


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_modes_do_not_depend_on_the_umask(path: Path, umask: int) -> None:
    """Nothing is more open than 0600, from the call that creates it (reliability.md F3)."""
    before = os.umask(umask)
    try:
        log = rotated(path, beats=1)
    finally:
        os.umask(before)

    assert [] == [p.name for p in path.parent.iterdir() if p.stat().st_mode & 0o177]
    log.close()


@pytest.mark.parametrize("beats", [0, 5])
def test_the_open_file_is_always_locked(path: Path, beats: int) -> None:
    """The first one, and the one that a rotation put there."""
    log = rotated(path, beats)
    fd = os.open(path, os.O_RDONLY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    os.close(fd)
    log.close()


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    ("damage", "where", "reason"),
    [
        (lambda c: flipped(c, len(c) // 2), "events-000001.jsonl.zst:", "sealed"),
        (lambda c: flipped(c, len(c) - 1), "events-000001.jsonl.zst:", "sealed"),
        (lambda c: c[:-1], "events-000001.jsonl.zst:", "cut off"),
        (lambda c: c[: len(c) // 2], "events-000001.jsonl.zst:", "cut off"),
        (lambda c: c + b"x", "events-000001.jsonl.zst:", "behind its end"),
        (lambda c: b"", "events-000001.jsonl.zst:1:", "cut off"),
        (lambda c: None, "events-000001.jsonl:1:", "missing"),
    ],
)  # fmt: skip
def test_damage_in_a_segment_names_file_and_line(
    sealed: Path, damage: object, where: str, reason: str
) -> None:
    """Never a guess, never a line of another file; exit 6."""
    target = segment(sealed, 1)
    content = damage(target.read_bytes())  # type: ignore[operator]
    target.unlink() if content is None else target.write_bytes(content)
    with pytest.raises(JournalDamaged, match=reason) as caught:
        list(read_journal(sealed))

    assert where in str(caught.value)
    assert 6 == caught.value.exit_code


def test_a_torn_end_of_a_segment_is_damage(sealed: Path) -> None:
    """Only the file that is being written can have been torn; also where no head tells."""
    packed = segment(sealed, 1)
    packed.with_suffix("").write_bytes(unpacked(packed)[:-9])
    packed.unlink()
    sealed.with_name("journal.head").unlink()
    with pytest.raises(JournalDamaged, match=r"events-000001\.jsonl:"):
        Recorded(sealed)


def test_a_segment_of_another_journal_is_refused(sealed: Path, tmp_path: Path) -> None:
    """Whole in itself, and not the next in the chain."""
    segment(sealed, 2).write_bytes(segment(sealed, 1).read_bytes())
    with pytest.raises(JournalDamaged, match=r"events-000002.jsonl.zst:1: line \d+ is not next"):
        list(read_journal(sealed))


def test_the_last_segment_missing_shows_in_the_next_file(sealed: Path) -> None:
    """No number is missing, but the chain is broken."""
    segment(sealed, 2).unlink()
    with pytest.raises(JournalDamaged, match=r"events.jsonl:1: line \d+ is not next"):
        list(read_journal(sealed))


def test_a_reader_beside_a_rotation_sees_each_line_once(path: Path) -> None:
    """It opened `events.jsonl`, which then became a segment."""
    log = rotated(path, beats=1)
    reading: Iterator[object] = read_journal(path)
    first = [next(reading) for _ in range(50)]
    write(log, 200)
    asyncio.run(log.sync())
    log.close()
    rest = list(reading)

    assert 301 >= len(first) + len(rest) >= 100
    assert 301 == len(list(read_journal(path)))


def test_a_prepared_rotation_is_read_once(path: Path) -> None:
    """The segment is then a second name of the open file."""
    log = rotated(path, beats=1)
    assert log._keeper is not None
    log._keeper.prepare()
    log.flush()

    assert 101 == len(list(read_journal(path)))
    log.close()
    assert ["events.jsonl", "journal.head"] == names(path)


def test_the_index_answers_from_sealed_segments(sealed: Path) -> None:
    """Each line proven again where it stands."""
    with open_index(sealed) as index:
        found = [line.line.seq for line in index.find(Question(types=["timer"], limit=300))]

    assert list(range(2, 302)) == found


def test_the_index_notices_another_segment(sealed: Path) -> None:
    """It serves the files it was built from, sealed ones included."""
    open_index(sealed).close()
    target = segment(sealed, 1)
    target.write_bytes(flipped(target.read_bytes(), 500))
    with pytest.raises(JournalDamaged, match=r"events-000001.jsonl.zst"):
        open_index(sealed)


def test_the_ends_of_a_rotated_run(path: Path) -> None:
    """The list of runs knows when it began and its last heartbeat, from whichever file."""
    keeper = begin(path, segment_bytes=SEGMENT)
    log = Journal(keeper)
    log.note("session_started", TS, {"run_id": "r"})
    write(log, 200)
    log.note("heartbeat", TS + 500, {"equity": 9})
    join(keeper)  # while it packs what an earlier life left, no segment ends
    asyncio.run(log.sync())
    join(keeper)
    log.extend([Timer(TS + 600)])
    log.close()

    assert segment(path, 1).exists()
    assert (TS, TS + 600, {"equity": 9}) == tuple(ends_of(path))


# --- the head --------------------------------------------------------------------------------


def test_every_sync_is_acknowledged(path: Path) -> None:
    """By number and hash, in the name of the writer."""
    log = rotated(path, beats=1)

    assert Head(1, 101, log.head) == read_head(path.with_name("journal.head"))
    assert not log.is_full
    write(log, 1)
    log.close()
    assert log._keeper is not None
    assert not log._keeper.is_pending, "the last head would be lost by a power cut"
    assert Head(1, 102, log.head) == read_head(path.with_name("journal.head"))


def test_a_file_ahead_of_its_head_is_normal(path: Path) -> None:
    """Flushed and not synced when the process was killed."""
    log = rotated(path, beats=1)
    write(log, 10)
    log.flush()

    assert 111 == len(list(read_journal(path)))
    assert 111 == Recorded(path).count
    log.close()


@pytest.mark.parametrize("reader", [lambda path: list(read_journal(path)), Recorded])
def test_a_cut_at_the_end_of_a_line_is_found(sealed: Path, reader: object) -> None:
    """The chain alone can't know; file, line and what to do are named."""
    lines = sealed.read_bytes().splitlines(keepends=True)
    sealed.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(JournalDamaged, match=r"ends at its line 500, but journal\.head") as caught:
        reader(sealed)  # type: ignore[operator]

    assert f"{sealed}:{len(lines)}: " in str(caught.value)
    assert "from a copy" in str(caught.value)


def test_a_torn_end_before_the_head_is_no_crash(sealed: Path) -> None:
    """What was acknowledged is never cut off as unfinished."""
    sealed.write_bytes(sealed.read_bytes()[:-5])
    with pytest.raises(JournalDamaged, match=r"journal\.head"):
        Recorded(sealed)


def test_a_page_that_never_came_is_cut_behind_the_head_only(path: Path) -> None:
    """Zeros in what nobody acknowledged are what a power cut leaves; any other damage is refused."""
    log = rotated(path, beats=1)
    log.close()
    good = path.read_bytes()
    path.write_bytes(good + bytes(300) + b'"}\n')
    recorded = Recorded(path)
    path.write_bytes(good + b"x" * 300 + b'"}\n')
    with pytest.raises(JournalDamaged):
        Recorded(path)
    path.write_bytes(good[:-300] + bytes(299) + b"\n")
    with pytest.raises(JournalDamaged):
        Recorded(path)
    path.write_bytes(good + bytes(300) + b'"}\n')
    path.with_name("journal.head").unlink()
    with pytest.raises(JournalDamaged):
        Recorded(path)

    assert (101, 303) == (recorded.count, recorded.torn_bytes)


def test_a_head_of_another_run_is_refused(sealed: Path, tmp_path: Path) -> None:
    """Same number, other line."""
    other = tmp_path / "b" / "events.jsonl"
    other.parent.mkdir()
    log = Journal(begin(other))
    log.note("session_started", TS, {"run_id": "another"})
    log.close()
    sealed.with_name("journal.head").write_bytes(other.with_name("journal.head").read_bytes())
    with pytest.raises(JournalDamaged, match="another line of this number"):
        list(read_journal(sealed))


def test_another_head_is_told_by_the_line_of_its_file(sealed: Path) -> None:
    """A person opens that file and counts there."""
    sealed.with_name("journal.head").write_bytes(encode(Head(1, 501, "ab" * 32)))
    with pytest.raises(JournalDamaged, match=r"events\.jsonl:") as caught:
        list(read_journal(sealed))

    assert sealed.read_bytes().count(b"\n") == caught.value.line


def test_a_journal_without_a_head_is_read(sealed: Path) -> None:
    """Runs of earlier releases kept none."""
    sealed.with_name("journal.head").unlink()

    assert 501 == len(list(read_journal(sealed)))


# --- writers ---------------------------------------------------------------------------------


def resumed(path: Path) -> Journal:
    """Take over, as an interrupted run's successor, past the rerun."""
    recorded = Recorded(path)
    keeper = take_over(path, OS.append(path), recorded, segment_bytes=SEGMENT)
    log = Journal(keeper, recorded)
    for line in list(read_journal(path))[: recorded.count]:
        recorded.take()
        log._chain.adopt(line.hash)
    log._end_catching_up()
    return log


def test_each_writer_has_a_higher_epoch(path: Path) -> None:
    """By the head, and by the lines where there is no head."""
    log = rotated(path, beats=1)
    log.close()
    second = resumed(path)
    assert 101 == second.durable
    second.note("session_resumed", TS, {"epoch": second.epoch})
    second.close()
    path.with_name("journal.head").unlink()
    third = resumed(path)

    assert (1, 2, 3) == (log.epoch, second.epoch, third.epoch)
    third.close()


class Slow(OsFileSystem):
    """A disk nobody looks on at."""

    def sync(self, fd: int) -> None:
        time.sleep(10 * PATIENCE_S)
        super().sync(fd)


def test_a_sync_takes_over_what_a_commit_began(path: Path) -> None:
    """What did not end in a moment is waited for: one at a time, and everything is durable."""
    log = rotated(path, beats=1, files=Slow())
    write(log, 1)
    assert not log.commits_at_once()
    write(log, 1)
    asyncio.run(log.sync())

    assert (103, None) == (log.durable, log.failure)
    log.close()


@pytest.mark.parametrize("how", ["sync", "commit", "quiet", "close"])
def test_a_fenced_writer_stops(path: Path, how: str) -> None:
    """Its lock was lost: it acknowledges nothing more, and writes no emergency either."""
    log = rotated(path, beats=1, files=Slow())
    other = resumed(path)
    write(log, 1)
    match how:
        case "sync":
            asyncio.run(log.sync())
        case "commit":
            assert not asyncio.run(log.commit())
        case "quiet":
            assert not log.commits_at_once()
            asyncio.run(log.quiet())
        case _:
            log.close()
    log.extend([OperatorCommand(TS, Operator.KILL, "cli")])
    log.note("session_ended", TS, {})

    assert isinstance(log.fence, FencedByEpoch)
    assert log.failure is not None
    assert errno.ESTALE == log.failure.errno
    assert (0, 0) == log.last_words
    assert "epoch 2, ours is 1" in str(log.fence)
    assert read_head(path.with_name("journal.head")) == Head(2, 101, other.head)
    other.close()


def test_a_replaced_journal_is_a_failure(path: Path) -> None:
    """The lines of whoever wrote that file are not ours to acknowledge (row 64)."""
    log = rotated(path, beats=1)
    head = log.head
    path.rename(path.with_name("stolen"))
    path.touch(0o600)
    write(log, 1)

    assert not asyncio.run(log.commit())
    assert log.failure is not None
    assert errno.ESTALE == log.failure.errno
    assert read_head(path.with_name("journal.head")) == Head(1, 101, head)
    log.close()


def test_a_resume_finishes_what_a_crash_left(path: Path) -> None:
    """A plain segment is packed, half of a packed one made anew, a prepared file taken away."""
    log = rotated(path)
    log.close()
    plain = segment(path, 2).with_suffix("")
    plain.write_bytes(unpacked(segment(path, 2)))
    segment(path, 2).unlink()
    path.with_name(".events-000002.jsonl.zst.tmp").write_bytes(b"half")
    path.with_name(".events.jsonl.next").write_bytes(b"")
    again = resumed(path)
    again.note("session_resumed", TS, {})
    again.close()

    assert 502 == len(list(read_journal(path)))
    assert "events.jsonl" == names(path)[2]
    assert 4 == len(names(path))


def unpacked(packed: Path) -> bytes:
    from engine.session.journal_parts import open_packed  # noqa: PLC0415 - next to its use

    with open_packed(packed) as file:
        return file.read()


class NoRoomToPack(OsFileSystem):
    """Refuses every write to a file that is being packed."""

    def __init__(self) -> None:
        self._packed: set[int] = set()

    def create(self, path: Path) -> int:
        fd = super().create(path)
        self._packed.discard(fd)
        if ".zst" in path.name:
            self._packed.add(fd)
        return fd

    def write(self, fd: int, block: bytes | memoryview) -> int:
        if fd in self._packed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(fd, block)


def test_a_segment_that_can_not_be_packed_stays_as_it_is(path: Path) -> None:
    """Told, not lost, and the session goes on."""
    log = rotated(path, files=NoRoomToPack())
    assert log._keeper is not None
    failure = log._keeper.seal_failure
    log.close()

    assert failure is not None
    assert errno.ENOSPC == failure.errno
    assert log.failure is None
    assert 501 == len(list(read_journal(path)))


def test_a_run_without_a_whole_line_has_nothing_to_resume(path: Path) -> None:
    """A crash right after the start is no damage."""
    begin(path).close()
    path.write_bytes(b'{"v":1,"seq":1,')
    with pytest.raises(UsageError, match="nothing had happened"):
        Recorded(path)
