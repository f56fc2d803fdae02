"""The sentinel's own lines: chained, final, and written whatever becomes of their writer."""

import fcntl
import os
import resource
from pathlib import Path

import pytest

from engine.model.errors import JournalDamaged
from engine.model.venue_events import VenueCanceled
from engine.session.sentinel.segment import (
    ACTED,
    KILL_SEEN,
    STARTED,
    Segment,
    has_let_go,
    read_verdict,
)


def written(folder: Path, *notes: tuple[str, dict[str, object]]) -> Path:
    segment = Segment(folder / "sentinel.jsonl")
    for name, data in notes:
        segment.note(name, data)
    segment.event(VenueCanceled(5, "BTC", "bid"))
    segment.close()
    return folder / "sentinel.jsonl"


CRASH = (ACTED, {"cause": "engine_gone", "is_sticky": False})
DEAF = (ACTED, {"cause": "engine_deaf", "is_sticky": True})
KILL = (KILL_SEEN, {"path": "/home/kill.txt"})


@pytest.mark.parametrize(
    ("notes", "words"),
    [
        ((CRASH,), ""),
        ((DEAF,), "engine_deaf"),
        ((KILL,), "/home/kill.txt"),
        ((KILL, CRASH), "kill"),
    ],
)
def test_what_ends_a_run_for_good(tmp_path: Path, notes: tuple, words: str) -> None:
    """A kill that was seen or done; a crash is not one. The orders taken out are known."""
    written(tmp_path, *notes)
    verdict = read_verdict(tmp_path)

    assert bool(words) is bool(verdict.final)
    assert words in verdict.final
    assert ("bid",) == verdict.canceled


def test_a_run_without_a_sentinel_has_no_verdict(tmp_path: Path) -> None:
    """It may be resumed as ever."""
    assert ("", (), ()) == read_verdict(tmp_path)


def test_the_next_sentinel_goes_on_with_the_chain(tmp_path: Path) -> None:
    """What a killed one left half written is cut; everything before stays."""
    path = written(tmp_path, (STARTED, {"pid": 1}))
    with path.open("ab") as file:
        file.write(b'{"v":1,"seq":3,')
    written(tmp_path, (STARTED, {"pid": 2}))

    assert [1, 2, 3, 4] == [line.seq for line in read_verdict(tmp_path).lines]


def test_a_changed_line_is_refused(tmp_path: Path) -> None:
    """Nobody resumes a run by editing its verdict away."""
    path = written(tmp_path, DEAF)
    path.write_bytes(path.read_bytes().replace(b'"is_sticky":true', b'"is_sticky":false'))

    with pytest.raises(JournalDamaged, match=r"sentinel\.jsonl:1"):
        read_verdict(tmp_path)
    with pytest.raises(JournalDamaged):
        Segment(path)


@pytest.mark.parametrize("room", [0, 10])
def test_a_disk_that_refuses_stops_nothing(tmp_path: Path, room: int) -> None:
    """All of a line, or its end. The failure is kept to be told; not a word is raised."""
    segment = Segment(tmp_path / "sentinel.jsonl")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        segment.note(*KILL)
        segment.note(*DEAF)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    segment.close()

    assert segment.failure is not None
    assert room == os.path.getsize(tmp_path / "sentinel.jsonl")


def test_a_resume_waits_for_the_clean_up(tmp_path: Path) -> None:
    """Whoever still writes there has not finished; a run that was never guarded waits for none."""
    path = written(tmp_path, CRASH)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        is_free_while_held = has_let_go(tmp_path, 0.05)

    assert not is_free_while_held
    assert has_let_go(tmp_path, 0.05)
    assert has_let_go(tmp_path / "elsewhere", 0.0)
