"""An interrupted run's lines: what the rerun must make again, and what is taken from them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from msgspec.structs import replace

from engine.model.errors import JournalDamaged, StateDamaged
from engine.model.events import HealthChanged, Operator, OperatorCommand, Timer
from engine.model.records import Alert
from engine.model.venue_events import VenueAccepted, VenueEvent
from engine.session.file_system import OS
from engine.session.journal import Journal, LastWords, MemoryJournal
from engine.session.journal_reader import (
    event_of,
    input_of,
    is_decision,
    raw_lines,
    read_journal,
)
from engine.session.recorded import Recorded
from engine.session.replay import Span
from tests.engine.session.test_journal_reader import forged

TS = 1_700_000_000_000_000_000
STOP = OperatorCommand(TS + 2, Operator.STOP, "cli")
HEALTH = HealthChanged(TS + 3, "rss_mb", 500.0, 501.0, True)
REMADE = OperatorCommand(TS + 4, Operator.DURATION_ELAPSED, "session")


def recorded(tmp_path: Path, events: Sequence[msgspec.Struct], resumed: object = None) -> Recorded:
    """Write a run of a start, perhaps a resume, and events; return it as its successor finds it."""
    lines = MemoryJournal()
    lines.note("session_started", TS, {"run_id": "r", "epoch": 3})
    if resumed is not None:
        lines.note("session_resumed", TS + 1, resumed)
    lines.extend(events)
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(lines.lines))
    return Recorded(path, marks={2, 99})


def successor(run: Recorded) -> Journal:
    return Journal(OS.append(run.path), run)


def test_marked_lines_are_known_by_their_hash(tmp_path: Path) -> None:
    """A checkpoint is bound to one of them; a line that is not there has none."""
    run = recorded(tmp_path, [Timer(TS + 2)])
    second = list(read_journal(run.path))[1]

    assert {2: second.hash} == run.hashes


@pytest.mark.parametrize(
    ("resumed", "epoch"), [({"epoch": 7}, 7), ({"epoch": "seven"}, 3), ({"other": 1}, 3), ([], 3)]
)
def test_the_highest_writer_is_known(tmp_path: Path, resumed: object, epoch: int) -> None:
    """By the lines, where no head is kept; what names no writer changes nothing."""
    assert epoch == recorded(tmp_path, [], resumed).epoch


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("session_resumed", b"[]"),
        ("session_resumed", b'{"epoch":"\xff"}'),
        ("session_resumed", b'{"x":' + b"[" * 9_000),
        ("error", b'{"epoch":9}'),
    ],
    ids=["no object", "no text", "too deep", "no writer"],
)
def test_what_names_no_writer_is_no_writer(tmp_path: Path, name: str, data: bytes) -> None:
    """It is chained, so the run can be told of; nobody fences anybody by it."""
    middle = b'1,"type":"%b","data":%b' % (name.encode(), data)
    run = Recorded(forged(tmp_path / "events.jsonl", middle))

    assert (0, 2, 0, False) == (run.epoch, run.count, run.torn_bytes, run.has_ended)


def test_a_run_that_ended_says_so(tmp_path: Path) -> None:
    """By its last line."""
    lines = MemoryJournal()
    lines.note("session_started", TS, {})
    lines.note("session_ended", TS + 1, {})
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(lines.lines))

    assert Recorded(path).has_ended


def test_the_same_lines_are_held_and_new_ones_written(tmp_path: Path) -> None:
    """A turn the crash cut short is completed by the lines it had not written yet."""
    run = recorded(tmp_path, [Timer(TS + 2), Timer(TS + 3)])
    before = run.path.read_bytes()
    log = successor(run)
    log.note("session_started", TS, {"whatever": "a rerun would say"})
    log.extend([Timer(TS + 2)])
    behind = log.is_catching_up
    log.extend([Timer(TS + 3), Timer(TS + 4), Timer(TS + 5)])
    log.flush()
    content = run.path.read_bytes()
    log.close()

    assert (True, False) == (behind, log.is_catching_up)
    assert before == content[: len(before)]
    assert [1, 2, 3, 4, 5] == [line.seq for line in read_journal(run.path)]
    assert (5, len(content)) == (log.events, log.bytes)


def test_a_rerun_that_ends_within_the_record_writes_nothing(tmp_path: Path) -> None:
    """The lines that are left are whole, so a third session finds them all."""
    run = recorded(tmp_path, [Timer(TS + 2), Timer(TS + 3)])
    before = run.path.read_bytes()
    log = successor(run)
    log.note("session_started", TS, {})
    log.extend([Timer(TS + 2)])
    log.close()

    assert log.is_catching_up
    assert before == run.path.read_bytes()


def test_another_line_ends_the_rerun(tmp_path: Path) -> None:
    """By file, line and type, with the command that shows both."""
    log = successor(recorded(tmp_path, [Timer(TS + 2)]))
    log.note("session_started", TS, {})
    with pytest.raises(StateDamaged, match=r"events\.jsonl:2: the rerun comes to another timer"):
        log.extend([Timer(TS + 1)])


def test_a_line_changed_since_it_was_proven_is_not_taken(tmp_path: Path) -> None:
    """Nothing is believed that is not proven at the moment it is used."""
    run = recorded(tmp_path, [Alert(TS + n, "a", "info", "x" * 9_000) for n in range(20)])
    content = run.path.read_bytes()
    fd = os.open(run.path, os.O_WRONLY)
    os.pwrite(fd, b"y", len(content) - 1_000)
    os.close(fd)
    for _ in range(20):
        run.take()
    with pytest.raises(JournalDamaged, match=r"events\.jsonl:21: the line was changed"):
        run.take()


def test_what_came_from_outside_is_taken_in_its_place(tmp_path: Path) -> None:
    """Commands of people and the machine's health; what the rerun gives itself is not."""
    events = [STOP, HEALTH, REMADE, replace(REMADE, command=Operator.END_OF_DATA), Timer(TS + 5)]
    run = recorded(tmp_path, events, {"epoch": 2})
    log = successor(run)
    log.note("session_started", TS, {})
    found = []
    for event in events:
        found.append(log.outside_input())
        log.extend([event])

    assert [STOP, HEALTH, None, None, None] == found
    assert log.outside_input() is None
    assert 7 == log.events
    log.close()


def test_a_run_that_died_before_its_market_began_with_its_first_line(tmp_path: Path) -> None:
    """Its rerun has no market event to take the time from."""
    log = successor(recorded(tmp_path, [STOP]))

    assert TS == log.began_ns
    assert log.is_behind
    log.close()


def test_a_run_that_ends_in_its_resume_goes_on(tmp_path: Path) -> None:
    """The crash came right after it; the line is not repeated."""
    log = successor(recorded(tmp_path, [], {"epoch": 2}))
    log.note("session_started", TS, {})

    assert log.outside_input() is None
    assert not log.is_catching_up
    assert 2 == log.events
    log.close()


def test_a_checkpoint_stands_for_the_lines_up_to_it(tmp_path: Path) -> None:
    """They are passed over, in order, and the rerun begins behind them."""
    log = successor(recorded(tmp_path, [Timer(TS + 2), Timer(TS + 3), Timer(TS + 4)]))
    passed = [line.seq for line in log.pass_over(3)]
    log.extend([Timer(TS + 4)])

    assert [1, 2, 3] == passed
    assert not log.is_catching_up
    assert [] == list(log.pass_over(9))
    log.close()


def test_the_last_recorded_line_ends_the_catching_up(tmp_path: Path) -> None:
    """Whether a checkpoint stands for it, or it is the first one, too."""
    passed = successor(recorded(tmp_path, [Timer(TS + 2)]))
    assert [1, 2] == [line.seq for line in passed.pass_over(2)]
    begun = successor(recorded(tmp_path, []))
    begun.note("session_started", TS, {})

    for log in (passed, begun):
        assert not log.is_catching_up
        log.close()


def test_a_line_of_the_sessions_own_is_held_too(tmp_path: Path) -> None:
    """All but its first, which tells of the session that reruns."""
    log = successor(recorded(tmp_path, [Timer(TS + 2)]))
    log.note("session_started", TS, {})
    with pytest.raises(StateDamaged, match="the rerun comes to another timer"):
        log.note("session_ended", TS + 2, {})


def test_lines_become_the_events_they_were(tmp_path: Path) -> None:
    """Also one that is nothing but its time."""
    run = recorded(tmp_path, [STOP, Timer(TS + 5)])
    lines = list(read_journal(run.path))[1:]

    assert [STOP, Timer(TS + 5)] == [
        event_of(line, kind) for line, kind in zip(lines, (OperatorCommand, Timer), strict=True)
    ]
    assert run.path.read_bytes() == b"".join(raw_lines(run.path))


def test_a_line_is_an_input_a_decision_or_the_sessions_own(tmp_path: Path) -> None:
    """Inputs are fed to the kernel again, decisions are held against what it makes of them."""
    run = recorded(tmp_path, [STOP, Alert(TS + 5, "a", "info", "x")])
    lines = list(read_journal(run.path))

    assert [None, STOP, None] == list(map(input_of, lines))
    assert [False, False, True] == list(map(is_decision, lines))


def test_a_bare_descriptor_has_no_last_words(tmp_path: Path) -> None:
    """Nobody acknowledges its lines, so none are kept elsewhere."""
    log = successor(recorded(tmp_path, []))

    assert LastWords(0, 0) == log.last_words
    assert log.seal_failure is None
    log.close()


def test_a_real_venues_answers_come_from_the_journal(tmp_path: Path) -> None:
    """No rerun makes them; a simulated venue makes them again, and is held against them."""
    told = VenueAccepted(TS + 2, "BTC-USDT", "a-1", "v1")
    simulated = successor(recorded(tmp_path, [told]))
    simulated.note("session_started", TS, {})
    assert None is simulated.outside_input()

    found = recorded(tmp_path, [told, Timer(TS + 3)])
    found.count_outside(get_args(VenueEvent))
    real = successor(found)
    real.note("session_started", TS, {})
    assert told == real.outside_input()
    real.extend([told])
    assert None is real.outside_input(), "a beat is made again"


@pytest.mark.parametrize(("data", "pause"), [({"paused_ns": 7}, 7), ({"epoch": 1}, 0)])
def test_a_pause_is_told_once(tmp_path: Path, data: object, pause: int) -> None:
    """It stands in the line of the resume before; a rerun lets as much time pass there."""
    journal = successor(recorded(tmp_path, [Timer(TS + 9)], data))
    journal.note("session_started", TS, {})
    assert None is journal.outside_input()
    assert [pause, 0] == [journal.take_pause(), journal.take_pause()]


def test_the_time_nobody_lived_through_does_not_count(tmp_path: Path) -> None:
    """A session of 100 s that was dead for 40 s has as much left as before."""
    recorded(tmp_path, [], {"paused_ns": 40_000_000_000})
    first, resumed = read_journal(tmp_path / "events.jsonl")
    span = Span(TS, 100.0, is_simulated=False)
    assert span is span.past(first)
    late = span.past(resumed)
    assert (60.0, 0.4) == span.left(TS + 40_000_000_000)
    assert 100.0 == late.left(TS + 40_000_000_000)[0]
    assert 60.0 == late.left(TS + 80_000_000_000)[0]
    assert 80_000_000_000 == late.past(resumed).paused_ns, "each resume adds its own"
    assert (None, None) == span._replace(duration_s=None).left(TS)
