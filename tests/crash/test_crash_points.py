"""A crash after every call to the operating system, under three models of what survives it.

The scenario runs once, for real, and logs its calls: first start, appends, head updates, two
rotations with sealing, a clean end. For each call every legal disk is put in a folder and recovered
by the code a resume runs. What was acknowledged before the crash must be there; what else is there
must be lines that were written; and the journal must go on from it.
"""

import asyncio
import os
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from engine.model.errors import LaptopAgentsError, UsageError
from engine.model.events import Timer
from engine.session import journal_emergency
from engine.session.file_system import OS
from engine.session.journal import Journal
from engine.session.journal_head import read_head
from engine.session.journal_keeper import Keeper, begin, take_over
from engine.session.journal_parts import twin
from engine.session.journal_reader import read_journal
from engine.session.recorded import Recorded
from tests.crash.disks import MODELS, Call, Disk, LoggingFileSystem, Model, disks, place

pytestmark = pytest.mark.timeout(300)

TS: Final = 1_700_000_000_000_000_000
SEGMENT: Final = 9_000
"""Bytes; a rotation each second beat of 20 lines."""
BEATS: Final = 5
SHARDS: Final = 4


class Scenario(NamedTuple):
    """What was called, what was acknowledged after how many calls, and every line's hash."""

    calls: list[Call]
    acknowledged: list[tuple[int, int]]
    hashes: list[str]


@pytest.fixture(scope="module", autouse=True)
def _small_reserve() -> Iterator[None]:
    """The reserve is one write of zeros on each disk: a page of it says as much as a megabyte."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_emergency, "EMERGENCY_BYTES", 4_096)
        yield


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory, _small_reserve: None) -> Scenario:
    path = tmp_path_factory.mktemp("run") / "events.jsonl"
    files = LoggingFileSystem()
    keeper = begin(path, segment_bytes=SEGMENT, files=files)
    log = Journal(keeper)
    log.note("session_started", TS, {"run_id": "crash", "epoch": 1})
    acknowledged = [(0, 0)]
    for beat in range(BEATS):
        log.extend([Timer(TS + beat * 100 + n) for n in range(20)])
        log.flush()
        log.extend([Timer(TS + beat * 100 + n) for n in range(20, 24)])
        if beat == 3:
            rotate_late(log, keeper)
        asyncio.run(log.sync() if beat % 2 else log.commit())
        assert log.failure is None
        acknowledged.append((len(files.calls), log.events))
        join(keeper)
    log.close()
    acknowledged.append((len(files.calls), log.events))
    return Scenario(files.calls, acknowledged, [line.hash for line in read_journal(path)])


def rotate_late(log: Journal, keeper: Keeper) -> None:
    """Begin a segment while lines go on coming, as they do beside the thread that prepares it."""
    assert keeper.is_full(log.bytes)
    keeper.prepare()
    log.extend([Timer(TS + 1_000 + n) for n in range(10)])
    asyncio.run(log._rotate(keeper))
    log.extend([Timer(TS + 2_000)])
    log.flush()


def join(keeper: Keeper) -> None:
    if keeper._sealing is not None:
        keeper._sealing.join()


def test_the_scenario_has_it_all(scenario: Scenario) -> None:
    """Every kind of call, two sealed segments, and acknowledgements on the way."""
    kinds = {call.kind for call in scenario.calls}
    sealed = [c for c in scenario.calls if c.kind == "rename" and c.name.endswith(".zst")]

    assert {"create", "write", "sync", "sync_folder", "link", "rename", "unlink"} <= kinds
    assert 2 == len(sealed)
    assert 132 == len(scenario.hashes)


def recovered(folder: Path) -> list[str]:
    """Resume what a crash left, add a line, end cleanly; return the hashes of the lines before."""
    path = folder / "events.jsonl"
    if not path.exists():
        return []
    fd = OS.append(path)
    try:
        recorded = Recorded(path)
    except UsageError:  # not one whole line: a new run is started, nothing was lost
        os.close(fd)
        return []
    lines = [line.hash for line in read_journal_to(path, recorded.count)]
    log = Journal(take_over(path, fd, recorded, segment_bytes=SEGMENT), recorded)
    for digest in lines:
        recorded.take()
        log._chain.adopt(digest)
    log._end_catching_up()
    log.note("session_resumed", TS, {"epoch": log.epoch})
    log.close()
    assert log.failure is None
    again = [line.hash for line in read_journal(path)]
    assert [*lines, log.head] == again
    assert twin(path) is None
    assert {"events.jsonl", "journal.head"} == {
        entry.name for entry in folder.iterdir() if not entry.name.endswith(".zst")
    }
    return lines


def read_journal_to(path: Path, count: int) -> Iterator[object]:
    for line in read_journal(path):
        yield line
        if line.seq == count:
            return


def durable_before(scenario: Scenario, calls: int) -> int:
    return max(events for at, events in scenario.acknowledged if at <= calls)


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("model", MODELS)
def test_every_crash_is_recovered(
    scenario: Scenario, tmp_path: Path, model: Model, shard: int
) -> None:
    """Nothing acknowledged is lost, nothing is invented, and the run goes on."""
    count = 0
    for calls in range(shard, len(scenario.calls) + 1, SHARDS):
        least = durable_before(scenario, calls)
        for disk in distinct(disks(scenario.calls[:calls], model)):
            count += 1
            folder = place(disk, tmp_path / f"{calls}-{count}")
            assert least == 0 or read_head(folder / "journal.head") is not None
            try:
                lines = recovered(folder)
            except LaptopAgentsError as error:
                raise AssertionError(f"after call {calls}: {scenario.calls[calls - 1]}") from error

            assert least <= len(lines), f"after call {calls}"
            assert scenario.hashes[: len(lines)] == lines
    assert count >= len(scenario.calls) // SHARDS


def distinct(found: Iterator[Disk]) -> Iterator[Disk]:
    """Leave out disks that are the same: most lost calls make no difference."""
    rows = sorted(tuple(sorted(disk.items())) for disk in found)
    return (dict(row) for row, _ in groupby(rows))
