"""Recordings: whole after a crash, rotated, forgotten in time, ended by a disk that can't keep up."""

import gzip
import stat
from pathlib import Path

import pytest

from brokers.link import tape as module
from brokers.link.tape import Tape, TapeConfig
from engine.model.errors import StateDamaged


def opened(folder: Path, **config: float) -> Tape:
    tape = Tape(folder, TapeConfig(**config))
    tape.open("btc", "jsonl", b"head\n")
    tape.open("eth", "csv")
    return tape


def write(tape: Tape, name: str, *lines: bytes) -> None:
    for line in lines:
        tape.take(name, line)
    tape.write(tape.cut())


def content(folder: Path, pattern: str) -> list[bytes]:
    return [gzip.decompress(path.read_bytes()) for path in sorted(folder.glob(pattern))]


def test_each_stream_has_its_files_and_every_write_counts_by_itself(tmp_path: Path) -> None:
    """Also the one before a crash: members join to one file, and the next write only adds."""
    tape = opened(tmp_path / "a" / "b")
    write(tape, "btc", b"1", b"2")
    (path,) = tape.folder.glob("btc-*")
    before = path.read_bytes()
    assert b"head\n1\n2\n" == gzip.decompress(before)
    tape.take("btc", b"lost in a crash")
    tape.cut()
    write(tape, "btc", b"a\nb")
    write(tape, "eth", b"x")

    assert path.read_bytes().startswith(before)
    assert [b"head\n1\n2\na b\n"] == content(tape.folder, "btc-*.jsonl.gz")
    assert [b"x\n"] == content(tape.folder, "eth-*.csv.gz")
    assert (5, True) == (
        tape.lines,
        tape.bytes == sum(p.stat().st_size for p in tape.folder.iterdir()),
    )
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert 0o700 == stat.S_IMODE(tape.folder.stat().st_mode) & 0o700


def test_a_full_file_is_left_behind(tmp_path: Path) -> None:
    """The next one begins with the header and goes on where it ended."""
    tape = opened(tmp_path, rotate_mb=0.000_01)
    for number in range(3):
        write(tape, "btc", b"%d" % number)

    assert [b"head\n0\n", b"head\n1\n", b"head\n2\n"] == content(tmp_path, "btc-*")
    assert "btc-00003.jsonl.gz" == sorted(path.name for path in tmp_path.iterdir())[-1]


def test_the_oldest_files_go(tmp_path: Path) -> None:
    """Beyond what shall be kept; one that is being written stays, however large."""
    tape = opened(tmp_path, rotate_mb=0.000_01, keep_mb=0.000_06)
    for number in range(6):
        write(tape, "btc", b"%d" % number)

    kept = content(tmp_path, "btc-*")
    assert b"head\n5\n" == kept[-1]
    assert kept == [b"head\n%d\n" % number for number in range(6 - len(kept), 6)]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 63
    lone = opened(tmp_path / "lone", keep_mb=0.0)
    write(lone, "btc", b"1")
    assert [b"head\n1\n"] == content(lone.folder, "btc-*")


def test_a_disk_that_refuses_ends_it(tmp_path: Path) -> None:
    """In one line, without a trace."""
    (tmp_path / "file").touch()
    with pytest.raises(StateDamaged, match="can't record to"):
        opened(tmp_path / "file")
    tape = opened(tmp_path / "gone")
    tape.folder.rmdir()
    with pytest.raises(StateDamaged, match="can't record to"):
        write(tape, "btc", b"1")


def test_a_disk_that_is_too_slow_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is no buffer without end."""
    monkeypatch.setattr(module, "PENDING_MAX", 10)
    tape = opened(tmp_path)
    write(tape, "btc", b"123456789")
    tape.take("btc", b"12345")
    with pytest.raises(StateDamaged, match="takes less than what arrives"):
        tape.take("eth", b"12345")


def test_a_file_that_is_there_is_not_touched(tmp_path: Path) -> None:
    """Two recordings in one folder would mix."""
    (tmp_path / "btc-00001.jsonl.gz").write_bytes(b"mine")
    with pytest.raises(StateDamaged, match="File exists"):
        write(opened(tmp_path), "btc", b"1")

    assert b"mine" == (tmp_path / "btc-00001.jsonl.gz").read_bytes()
