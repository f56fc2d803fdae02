"""Reading a journal from anywhere in it is reading it from its start."""

from pathlib import Path

import pytest

from engine.model.errors import JournalDamaged
from engine.model.events import INPUT_TYPES
from engine.session.journal_reader import JournalReading, Line, read_journal
from engine.session.playback.turns import Place, lines_after, turns

GENESIS = Place(0, 0, "0" * 64)


def places(lines: list[Line]) -> list[Place]:
    found = [GENESIS]
    for line in lines:
        found.append(found[-1].after(line))
    return found


@pytest.mark.parametrize("journal", ["short", "sealed"])
def test_the_lines_after_any_place_are_the_rest(
    journal: str, request: pytest.FixtureRequest
) -> None:
    """Within a file, at the seams of files, at both ends."""
    path: Path = request.getfixturevalue(journal)
    reading = JournalReading(path)
    lines = list(reading.lines())
    found = places(lines)
    seams = [start.seq - 1 for start in reading.starts]
    for seq in sorted({0, 1, len(lines) // 3, len(lines) - 1, len(lines), *seams}):
        assert lines[seq:] == list(lines_after(path, found[seq], reading.starts))


def test_a_turn_is_one_input_and_what_follows_it(short: Path) -> None:
    """No line is lost, none is in two turns, and each turn ends where the next begins."""
    lines = list(read_journal(short))
    found = list(turns(iter(lines[1:]), GENESIS.after(lines[0])))

    assert lines[1:] == [line for turn in found for line in turn.lines]
    for turn in found:
        assert 1 == sum(line.type in INPUT_TYPES for line in turn.lines)
        assert turn.end.seq == turn.lines[-1].seq
    assert "session_ended" == found[-1].lines[-1].type
    assert places(lines)[-1] == found[-1].end


def test_lines_without_an_input_are_no_turn(short: Path) -> None:
    """A session that ended before its first event has no instants but its start."""
    first = next(read_journal(short))

    assert [] == list(turns(iter([first]), GENESIS))


def test_another_place_is_refused(short: Path) -> None:
    """A place of another journal, or of another line, proves nothing here."""
    reading = JournalReading(short)
    found = places(list(reading.lines()))
    wrong = found[50]._replace(hash=found[51].hash)

    with pytest.raises(JournalDamaged, match=r"events\.jsonl:51"):
        next(lines_after(short, wrong, reading.starts))
