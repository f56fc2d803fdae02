"""Chained lines no session writes: refused with their number, whatever they hold."""

from hashlib import sha256
from pathlib import Path

import pytest

from engine.model.errors import JournalDamaged, StateDamaged
from engine.model.events import OperatorCommand
from engine.session.journal_line import Chain
from engine.session.journal_reader import TS_MAX, event_of, input_of, read_journal


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
    "data", [b"{}", b'{"command":"stop","by":"\xff"}', b'{"command":1,"by":2}', b"[" * 9_000]
)
def test_an_input_no_session_wrote(tmp_path: Path, data: bytes) -> None:
    """It is chained, so the line is read; what it says is refused by its number, exit 6."""
    middle = b'1,"type":"operator_command","data":%b' % data
    _, line = read_journal(forged(tmp_path / "events.jsonl", middle))

    for reading in (input_of, lambda line: event_of(line, OperatorCommand)):
        with pytest.raises(StateDamaged, match="line 2 is chained, but no session wrote it so"):
            reading(line)
    assert 6 == StateDamaged.exit_code
