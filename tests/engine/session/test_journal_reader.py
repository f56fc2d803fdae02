"""Chained lines no session writes: refused with their number, whatever they hold."""

from hashlib import sha256
from pathlib import Path

import pytest

from engine.model.errors import JournalDamaged, StateDamaged
from engine.model.events import OperatorCommand
from engine.session.journal_head import Head, encode
from engine.session.journal_line import Chain
from engine.session.journal_reader import TS_MAX, event_of, input_of, proven_line, read_journal


def forged(path: Path, middle: bytes) -> Path:
    """Write a good first line, and a second one whose hash fits what it should not hold."""
    chain = Chain()
    first = chain.data("session_started", 1, {})
    body = b'{"v":1,"seq":2,"ts":%b,"prev":"%b"}' % (middle, chain.head.encode())
    second = b'%b,"hash":"%b"}\n' % (body[:-1], sha256(body).hexdigest().encode())
    path.write_bytes(first + second)
    return path


ODD = [
    b'x,"type":"quote","data":{}',
    b',"type":"quote","data":{}',
    b'1e9,"type":"quote","data":{}',
    b'-1,"type":"quote","data":{}',
    b'%d,"type":"quote","data":{}' % (TS_MAX + 1),
    b'%b,"type":"quote","data":{}' % (b"9" * 5_000),
    b'1,"data":{}',
    b'1,"type":"quote"',
    b'1,"type":"\xff","data":{}',
    b'1,"type":"\x1b[31m","data":{}',
    b'1,"type":"%b","data":{}' % (b"q" * 65),
]


@pytest.mark.parametrize("middle", ODD, ids=lambda middle: ascii(middle[:30]))
def test_what_no_session_writes(tmp_path: Path, middle: bytes) -> None:
    """The line before it is good and is told."""
    lines = read_journal(forged(tmp_path / "events.jsonl", middle))

    assert 1 == next(lines).seq
    with pytest.raises(JournalDamaged, match="no session wrote this line") as caught:
        next(lines)
    assert 2 == caught.value.line


def test_the_last_moment_passes(tmp_path: Path) -> None:
    """The limits are the last values that pass."""
    middle = b'%d,"type":"%b","data":{}' % (TS_MAX, b"q" * 64)

    assert [1, TS_MAX] == [x.ts_ns for x in read_journal(forged(tmp_path / "x", middle))]


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b'{"command":"stop","by":"\xff"}',
        b'{"command":1,"by":2}',
        b"[" * 9_000,
        b'{"x":' + b"[" * 9_000,
    ],
    ids=["empty", "no text", "other types", "no object", "too deep"],
)
def test_an_input_no_session_wrote(tmp_path: Path, data: bytes) -> None:
    """It is chained, so the line is read; what it says is refused by its number, exit 6."""
    middle = b'1,"type":"operator_command","data":%b' % data
    _, line = read_journal(forged(tmp_path / "events.jsonl", middle))

    for reading in (input_of, lambda line: event_of(line, OperatorCommand)):
        with pytest.raises(StateDamaged, match="line 2 is chained, but no session wrote it so"):
            reading(line)
    assert 6 == StateDamaged.exit_code


def test_a_diagnosis_says_what_happened_to_the_line() -> None:
    """Torn, out of its place, or changed: what a person does next is not the same."""
    chain = Chain()
    first, second, third = (chain.data("timer", ts, {}) for ts in (1, 2, 3))
    prev = first[-67:-3].decode()

    assert "the line is torn: it has no end" == proven_line(second[:-1], prev, 2)
    assert "line 2 is not next in the chain" in str(proven_line(third, prev, 2))
    assert "the line was changed" in str(proven_line(second.replace(b"timer", b"tamer"), prev, 2))


def whole_copy(folder: Path, content: bytes) -> Path:
    (folder / "copy.jsonl").write_bytes(content)
    return folder / "copy.jsonl"


def test_head_and_segments_are_of_the_runs_own_journal(tmp_path: Path) -> None:
    """A copy beside it may end before what the run acknowledged, and no segment precedes it."""
    chain = Chain()
    content = chain.data("session_started", 1, {})
    (tmp_path / "events-000001.jsonl").write_bytes(b"another run's\n")
    assert 1 == len(list(read_journal(whole_copy(tmp_path, content))))
    (tmp_path / "events-000001.jsonl").unlink()
    (tmp_path / "journal.head").write_bytes(encode(Head(1, 7, "ab" * 32)))
    (tmp_path / "events.jsonl").write_bytes(content)

    assert 1 == len(list(read_journal(whole_copy(tmp_path, content))))
    with pytest.raises(JournalDamaged, match="ends at its line 1"):
        list(read_journal(tmp_path / "events.jsonl"))
