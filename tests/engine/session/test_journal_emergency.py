"""Last words: what is told after the journal has failed, and what is left of the room for it."""

import errno
import json
import os
from pathlib import Path

import pytest

from engine.model.errors import JournalDamaged
from engine.model.events import Operator, OperatorCommand, Timer
from engine.model.records import Alert
from engine.session.file_system import OsFileSystem
from engine.session.journal import Journal
from engine.session.journal_emergency import EMERGENCY_BYTES, is_used, read_emergency
from engine.session.journal_keeper import begin
from engine.session.journal_reader import read_journal
from tests.engine.session.test_journal_keeper import TS, names, rotated


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


class Full(OsFileSystem):
    """Has no room for another byte of a growing file, from some write on."""

    def __init__(self, good_writes: int) -> None:
        self._left = good_writes

    def write(self, fd: int, block: bytes | memoryview) -> int:
        self._left -= 1
        if self._left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(fd, block)


def failed(path: Path) -> Journal:
    log = Journal(begin(path, files=Full(1)))
    log.note("session_started", TS, {"run_id": "r"})
    log.flush()
    log.extend([Timer(TS + 1), Timer(TS + 2)])
    log.flush()
    return log


def test_the_last_words_need_no_room(path: Path) -> None:
    """reliability.md C7: in the same chain, behind the journal's last whole line."""
    log = failed(path)
    head, events = log.head, log.events
    log.extend([Timer(TS + 3), OperatorCommand(TS + 4, Operator.JOURNAL_FAILURE, "session")])
    log.note("session_ended", TS + 5, {})
    log.close()
    told = list(read_emergency(path.with_name("emergency.jsonl"), head, events))

    assert ["timer", "timer", "operator_command", "session_ended"] == [
        json.loads(line)["type"] for line in told
    ]
    assert [2, 3, 4, 5] == [json.loads(line)["seq"] for line in told]
    assert 1 == events == len(list(read_journal(path)))


def test_more_than_the_room_is_counted(path: Path) -> None:
    """The segment ends in a whole line."""
    log = failed(path)
    head = log.head
    for _ in range(2):
        log.extend([Alert(TS, "a", "info", "x" * 1_000) for _ in range(700)])
    assert log._keeper is not None
    lost = log._keeper.emergency.lost
    log.close()

    assert 700 == lost
    told = list(read_emergency(path.with_name("emergency.jsonl"), head, 1))
    assert 702 == len(told)
    assert sum(map(len, told)) <= EMERGENCY_BYTES


def test_changed_last_words_are_found(path: Path) -> None:
    """By file and line."""
    log = failed(path)
    head = log.head
    log.close()
    target = path.with_name("emergency.jsonl")
    target.write_bytes(target.read_bytes().replace(b'"ts":17', b'"ts":18'))
    with pytest.raises(JournalDamaged, match=r"emergency.jsonl:1: "):
        list(read_emergency(target, head, 1))


def test_an_unused_segment_leaves_nothing(path: Path) -> None:
    """After a clean end; while the session runs its room is taken."""
    log = rotated(path, beats=1)
    reserved = path.with_name("emergency.jsonl").stat()
    log.close()

    assert EMERGENCY_BYTES <= min(reserved.st_size, reserved.st_blocks * 512)
    assert "emergency.jsonl" not in names(path)


@pytest.mark.parametrize(
    ("content", "used"), [(None, False), (b"", False), (b"\0\0", False), (b"{", True)]
)
def test_a_segment_is_used_once_it_has_a_byte(tmp_path: Path, content: bytes, used: bool) -> None:
    """Reserved room reads as zeros."""
    if content is not None:
        (tmp_path / "emergency.jsonl").write_bytes(content)

    assert used is is_used(tmp_path / "emergency.jsonl")


def test_a_used_segment_ends_with_its_last_line(path: Path) -> None:
    """The rest of the room is given back."""
    log = failed(path)
    told = log.last_words
    log.close()
    content = path.with_name("emergency.jsonl").read_bytes()

    assert (2, 0) == told
    assert content.endswith(b"}\n")
    assert 2 == content.count(b"\n")
