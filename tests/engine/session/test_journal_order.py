"""What a keeper asks of a disk, and in which order: each power cut finds the one or the other.

The model of a disk that `tests/crash` cuts at each of these calls says what the order is for; here
it is written down.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from engine.model.errors import FencedByEpoch
from engine.session.file_system import OS, OsFileSystem
from engine.session.journal_emergency import EmergencySegment
from engine.session.journal_head import Head, read_head
from engine.session.journal_keeper import Keeper, begin, begin_again, take_over
from engine.session.journal_line import GENESIS
from engine.session.journal_parts import BrokenSeal, open_part, segments, twin
from engine.session.journal_reader import read_journal
from engine.session.journal_seal import seal
from engine.session.recorded import Recorded
from tests.engine.session.test_journal_keeper import join, rotated, segment

HASH = "ab" * 32


class Told(OsFileSystem):
    """Writes down what it is asked for; what packs a segment beside it goes unheard."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.names: dict[int, str] = {}

    def take(self) -> list[str]:
        taken, self.calls = self.calls, []
        return taken

    def _tell(self, call: str) -> None:
        if threading.current_thread().name != "journal-seal":
            self.calls.append(call)

    def create(self, path: Path) -> int:
        self._tell(f"create {path.name}")
        fd = super().create(path)
        self.names[fd] = path.name
        return fd

    def open(self, path: Path) -> int:
        fd = super().open(path)
        self.names[fd] = path.name
        return fd

    def append(self, path: Path) -> int:
        fd = super().append(path)
        self.names[fd] = path.name
        return fd

    def write_at(self, fd: int, block: bytes, at: int) -> None:
        self._tell(f"write {self.names[fd]}")
        super().write_at(fd, block, at)

    def sync(self, fd: int) -> None:
        self._tell(f"sync {self.names.get(fd)}")
        super().sync(fd)

    def sync_folder(self, folder: Path) -> None:
        self._tell("sync the folder")
        super().sync_folder(folder)

    def link(self, old: Path, new: Path) -> None:
        self._tell(f"link {new.name}")
        super().link(old, new)

    def rename(self, old: Path, new: Path) -> None:
        self._tell(f"rename {old.name}")
        super().rename(old, new)

    def unlink(self, path: Path) -> None:
        self._tell(f"unlink {path.name}")
        super().unlink(path)

    def truncate(self, fd: int, size: int) -> None:
        self._tell(f"truncate {self.names[fd]} to {size}")
        super().truncate(fd, size)

    def close(self, fd: int) -> None:
        self._tell(f"close {self.names.get(fd)}")
        super().close(fd)


def again(path: Path, disk: Told) -> Keeper:
    begin(path).close()
    return begin_again(path, disk.append(path), segment_bytes=10, files=disk)


def over(path: Path, disk: Told) -> Keeper:
    rotated(path).close()
    return take_over(path, disk.append(path), Recorded(path), segment_bytes=10, files=disk)


STARTS: list[tuple[Callable[[Path, Told], Keeper], list[str]]] = [
    (lambda path, disk: begin(path, segment_bytes=10, files=disk), ["create events.jsonl", "create journal.head"]),
    (again, []),
    (over, []),
]  # fmt: skip


@pytest.mark.parametrize(("start", "made"), STARTS, ids=["begin", "begin_again", "take_over"])
def test_a_start_is_durable_before_anything_is_acknowledged(tmp_path: Path, start, made) -> None:
    """Room for last words first; then the names, the lines, and the head at last."""
    path, disk = tmp_path / "events.jsonl", Told()
    keeper = start(path, disk)
    calls = disk.take()
    keeper.close()

    assert [
        *made,
        "unlink emergency.jsonl",
        "create emergency.jsonl",
        "sync emergency.jsonl",
        "unlink .events.jsonl.next",
        f"truncate events.jsonl to {path.stat().st_size}",
        "sync the folder",
        "sync events.jsonl",
        "write journal.head",
        "sync journal.head",
    ] == calls


def test_a_rotation_loses_no_line_and_no_name(tmp_path: Path) -> None:
    """The new name is durable before a line of the new file is acknowledged, and asked for once."""
    path, disk = tmp_path / "events.jsonl", Told()
    keeper = begin(path, segment_bytes=10, files=disk)
    disk.take()
    keeper.prepare()
    prepared = disk.take()
    keeper.switch(20)
    switched = disk.take()
    hardened = []
    for seq in (1, 2):
        keeper.harden(seq, HASH)
        hardened.append(disk.take())
        join(keeper)
    keeper.close()

    assert [
        "create .events.jsonl.next", "link events-000001.jsonl", "sync the folder",
    ] == prepared  # fmt: skip
    assert [
        "sync events.jsonl", "rename .events.jsonl.next", "close events.jsonl",
    ] == switched  # fmt: skip
    assert [
        ["sync .events.jsonl.next", "sync the folder", "write journal.head"],
        ["sync .events.jsonl.next", "write journal.head"],
    ] == hardened
    assert segment(path, 1).exists()


def test_last_words_are_on_the_disk_before_they_are_let_go(tmp_path: Path) -> None:
    """The room behind them is cut off first; nothing syncs them later."""
    disk = Told()
    path = tmp_path / "emergency.jsonl"
    words = EmergencySegment(disk, path)
    disk.take()
    words.note("session_ended", 1, {})
    size = len(path.read_bytes().rstrip(b"\0"))
    words.close()

    assert [
        "write emergency.jsonl",
        f"truncate emergency.jsonl to {size}",
        "sync emergency.jsonl",
        "close emergency.jsonl",
    ] == disk.take()


def test_a_segment_is_packed_beside_itself(tmp_path: Path) -> None:
    """What was packed is on the disk, under its name, before the plain one goes."""
    disk = Told()
    (tmp_path / "events-000001.jsonl").write_bytes(b"a line\n")
    packed = seal(disk, tmp_path / "events-000001.jsonl")

    assert [
        "unlink .events-000001.jsonl.zst.tmp",
        "create .events-000001.jsonl.zst.tmp",
        "sync .events-000001.jsonl.zst.tmp",
        "close .events-000001.jsonl.zst.tmp",
        "rename .events-000001.jsonl.zst.tmp",
        "sync the folder",
        "unlink events-000001.jsonl",
    ] == disk.take()
    assert [packed] == list(tmp_path.iterdir())


def test_a_segment_that_asks_for_much_memory_is_not_unpacked(tmp_path: Path) -> None:
    """No session packs with such a window; whoever did must not fill the memory of a reader."""
    wide = zstandard.ZstdCompressionParameters(window_log=24)
    pack = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    path = tmp_path / "events-000001.jsonl.zst"
    path.write_bytes(pack.compress(b"x" * 100) + pack.flush())

    with open_part(path) as file, pytest.raises(BrokenSeal, match="can't be unpacked"):
        file.read()


def descriptors() -> set[str]:
    """Where the open files of this process lead, but for the one that lists them."""
    found = set()
    for fd in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{fd}"))
        except FileNotFoundError:
            continue
    return found


def prepared(path: Path) -> Keeper:
    keeper = begin(path)
    keeper.prepare()
    return keeper


def switched(path: Path) -> Keeper:
    keeper = prepared(path)
    keeper.switch(0)
    keeper.harden(1, HASH)
    return keeper


@pytest.mark.parametrize("made", [begin, prepared, switched])
def test_a_closed_keeper_holds_no_file(tmp_path: Path, made: Callable[[Path], Keeper]) -> None:
    """Not the journal, its next file, the head, nor the room for last words."""
    keeper = made(tmp_path / "events.jsonl")
    during = {Path(name).name for name in descriptors() if name.startswith(str(tmp_path))}
    keeper.close()

    assert {"events.jsonl", "journal.head", "emergency.jsonl"} <= during
    assert [] == [name for name in descriptors() if name.startswith(str(tmp_path))]


def test_a_fenced_keeper_touches_nothing(tmp_path: Path) -> None:
    """Refused before it could take the other writer's last words away."""
    path = tmp_path / "events.jsonl"
    begin(path).close()
    other = begin_again(path, OS.append(path))
    room = path.with_name("emergency.jsonl").stat().st_ino
    fd = OS.append(path)
    with pytest.raises(FencedByEpoch, match="epoch 2, ours is 1"):
        Keeper(path, fd, epoch=1)

    assert room == path.with_name("emergency.jsonl").stat().st_ino
    assert Head(2, 0, GENESIS) == read_head(path.with_name("journal.head"))
    OS.close(fd)
    other.close()


def test_a_prepared_rotation_is_known_among_segments(tmp_path: Path) -> None:
    """The newest of them is the open file under its second name: read once, and taken back."""
    path = tmp_path / "events.jsonl"
    rotated(path).close()
    keeper = take_over(path, OS.append(path), Recorded(path))
    join(keeper)
    before = segments(path)
    keeper.prepare()
    second_name = twin(path)
    seen = [line.seq for line in read_journal(path)]
    keeper.close()

    assert (path.with_name("events-000003.jsonl"), 2) == (second_name, len(before))
    assert list(range(1, 502)) == seen
    assert before == segments(path)


def test_a_segment_is_full_by_its_own_bytes(tmp_path: Path) -> None:
    """Whatever the run had before: after a rotation, and after a resume."""
    path = tmp_path / "events.jsonl"
    rotated(path).close()
    recorded = Recorded(path)
    keeper = take_over(path, OS.append(path), recorded, segment_bytes=40_000)
    join(keeper)
    began = recorded.good_bytes - recorded.file_bytes
    resumed = [keeper.is_full(began + size) for size in (39_999, 40_000)]
    keeper.prepare()
    keeper.switch(began + 40_000)
    switched = [keeper.is_full(began + 40_000 + size) for size in (39_999, 40_000)]
    keeper.close()

    assert [False, True] == resumed == switched
    assert keeper.seal_failure is None
