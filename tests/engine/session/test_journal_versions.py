"""Lines of other versions: a newer one is refused in words, an older one brought up to date."""

from hashlib import sha256
from pathlib import Path

import pytest

from engine.model.errors import JournalDamaged
from engine.model.events import SCHEMA_VERSION
from engine.session.journal_line import GENESIS
from engine.session.journal_reader import JournalReading, Line
from engine.session.journal_versions import UPCASTERS


def written(path: Path, *versions: int) -> Path:
    """A journal whose lines were written by releases of these versions."""
    prev, content = GENESIS, b""
    for seq, version in enumerate(versions, start=1):
        body = b'{"v":%d,"seq":%d,"ts":%d,"type":"tick","data":{"px":%d},"prev":"%b"}' % (
            version, seq, seq, seq, prev.encode(),
        )  # fmt: skip
        prev = sha256(body).hexdigest()
        content += b'%b,"hash":"%b"}\n' % (body[:-1], prev.encode())
    path.write_bytes(content)
    return path


def renamed(line: Line) -> Line:
    """A made-up step: version 0 said `px` where version 1 says `price`."""
    return line._replace(data=line.data.replace(b"px", b"price"))


def test_a_newer_line_is_refused_in_words(tmp_path: Path) -> None:
    """File, line, both versions, and what to do; exit 6."""
    path = written(tmp_path / "events.jsonl", 1, 1, SCHEMA_VERSION + 1)
    lines = JournalReading(path).lines()

    assert [1, 2] == [next(lines).seq, next(lines).seq]
    with pytest.raises(JournalDamaged, match="version 2, and this release reads up to 1") as caught:
        next(lines)
    assert (3, 6) == (caught.value.line, caught.value.exit_code)


def test_an_older_line_passes_through_its_steps(tmp_path: Path) -> None:
    """Only that line; its hash stays the one on disk, and the chain goes on from it."""
    path = written(tmp_path / "events.jsonl", 0, 1, 0)
    lines = list(JournalReading(path, {0: renamed}).lines())

    assert [b'{"price":1}', b'{"px":2}', b'{"price":3}'] == [line.data for line in lines]


def test_an_older_line_nobody_can_read_is_refused(tmp_path: Path) -> None:
    """There is no step for it in this release."""
    path = written(tmp_path / "events.jsonl", 0)
    with pytest.raises(JournalDamaged, match="version 0, which this release can't read"):
        list(JournalReading(path).lines())


@pytest.mark.parametrize("claimed", [b"2", b"0", b"01", b"-1", b"x", b"9" * 4_000])
def test_a_changed_version_is_damage(tmp_path: Path, claimed: bytes) -> None:
    """A version counts only where the line is proven with it."""
    path = written(tmp_path / "events.jsonl", 1)
    path.write_bytes(path.read_bytes().replace(b'{"v":1', b'{"v":' + claimed))
    with pytest.raises(JournalDamaged, match=r"changed|torn|not next"):
        list(JournalReading(path, {0: renamed}).lines())


def test_there_is_a_step_for_every_version_there_was() -> None:
    """A new version fails here until someone writes the step from the one before."""
    assert set(range(1, SCHEMA_VERSION)) == set(UPCASTERS)
