"""Checkpoint files: whole or not at all, bound to a line, never in the way of the session."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from engine.session.checkpoint import (
    KEPT,
    Checkpoint,
    Checkpoints,
    ShellState,
    decode,
    encode,
    stored,
    usable,
)
from engine.session.envelope import Plain
from engine.session.run_folder import RunFolder

SHELL = ShellState(
    began_ns=1, planned_end_ns=None, next_timer_ns=2, deadline_ns=3, close_by_ns=4, taken=5
)


async def durable() -> bool:
    """A journal whose lines are all on the disk."""
    return True


def checkpoint(seq: int, program: str = "1") -> Checkpoint:
    return Checkpoint(
        program=program,
        seq=seq,
        hash=f"{seq:064x}",
        offset=10 * seq,
        ts_ns=seq,
        shell=SHELL,
        kernel=b"kernel",
        venue=b"venue",
    )


def saved(folder: RunFolder, *wanted: Checkpoint) -> Checkpoints:
    async def save() -> Checkpoints:
        checkpoints = Checkpoints(folder, 0, Plain(), "r", durable)
        for one in wanted:
            checkpoints.save(one)
            await checkpoints.close()
        return checkpoints

    return asyncio.run(save())


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "home", "run")


def test_every_byte_counts() -> None:
    """No byte of the file can change, be missing or be added."""
    content = encode(checkpoint(7))
    flipped = [
        content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] for at in range(len(content))
    ]
    cut = [content[:length] for length in range(len(content))]

    assert decode(content) == checkpoint(7)
    assert {None} == {decode(damaged) for damaged in (*flipped, *cut, content + b"\0")}


def test_another_shape_is_not_read() -> None:
    """A file that proves itself but holds something else is passed over."""
    content = encode(checkpoint(7))
    other = msgspec.to_builtins(checkpoint(7)) | {"seq": "seven"}

    assert decode(content) is not None
    assert decode(encode(other)) is None


def test_only_the_newest_are_kept(folder: RunFolder) -> None:
    """Older ones go once a newer one is whole; files are the user's alone."""
    saved(folder, *(checkpoint(seq) for seq in (9, 10, 11, 100)))
    names = sorted(path.name for path in folder.path.glob("checkpoint*"))

    assert ["checkpoint-000000000011.bin", "checkpoint-000000000100.bin"] == names
    assert len(names) == KEPT
    assert {0o600} == {path.stat().st_mode & 0o777 for path in folder.path.glob("checkpoint*")}


def test_the_newest_whole_one_of_this_program_comes_first(folder: RunFolder) -> None:
    """Damage and strangers are passed over."""
    saved(folder, checkpoint(1), checkpoint(2))
    (folder.path / "checkpoint-000000000003.bin").write_bytes(encode(checkpoint(3, "2")))
    (folder.path / "checkpoint-000000000004.bin").write_bytes(encode(checkpoint(4))[:-1])

    assert [2, 1] == [found.seq for found in stored(folder.path, "1", Plain(), "r")]


def test_it_must_be_of_a_line_the_journal_holds() -> None:
    """Beyond the journal's end, or of another run's line, it is no use."""
    found = [checkpoint(3), checkpoint(2), checkpoint(1)]

    assert checkpoint(2) == usable(found, {1: f"{1:064x}", 2: f"{2:064x}"})
    assert checkpoint(1) == usable(found, {1: f"{1:064x}", 2: f"{9:064x}"})
    assert usable(found, {}) is None


def test_a_full_disk_is_told_and_survived(folder: RunFolder) -> None:
    """The failure stays readable until one is written again."""
    (folder.path / ".checkpoint-000000000001.bin.tmp").mkdir()  # nothing can be written beside
    checkpoints = saved(folder, checkpoint(1))
    assert checkpoints.failure is not None
    assert "can't write" in checkpoints.failure
    assert not stored(folder.path, "1", Plain(), "r")


def test_one_at_a_time(folder: RunFolder) -> None:
    """While one is being written the next is not due, nor before its time."""

    async def scene() -> list[bool]:
        eager, patient = (
            Checkpoints(folder, 0, Plain(), "r", durable),
            Checkpoints(folder, 60, Plain(), "r", durable),
        )
        seen = [eager.is_due(), patient.is_due()]
        eager.save(checkpoint(1))
        seen.append(eager.is_due())
        await eager.close()
        return [*seen, eager.is_due()]

    assert [True, False, False, True] == asyncio.run(scene())
