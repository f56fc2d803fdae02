"""`kill -9` at random instants of a real session, each time resumed: nothing lost, nothing doubled.

The oracle is an undisturbed run of the same seed and start. The journal rotates on the way, so
kills also meet segments that are being packed.
"""

import json
import random
import signal
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.shell import START, Process, Run, session
from tests.end_to_end.test_resume import decided as decisions_of
from tests.sweeps import counted

WORDS: Final = (
    "--duration", "8", "--seed", "11", "--symbols", "BTCUSDT,ETHUSDT",
    "--set", f"session.start_ns={START}", "--set", "journal.segment_mb=1",
    "--set", "journal.sync_ms=20", "--set", "agents.quoter.half_spread_bps=0.5",
)  # fmt: skip
CYCLES: Final = counted(26, sample=7)
"""Of each seed; in `make sweeps` two make more than the 50 of reliability.md section 3."""


def size(run: Run) -> int:
    """Bytes the run has written to its open file."""
    return (run.path / "events.jsonl").stat().st_size


def acknowledged(run: Run) -> int:
    content = (run.path / "journal.head").read_bytes()
    return max(int(content[at : at + 20]) for at in (0, 512) if content[at : at + 20].isdigit())


def decided(run: Run) -> list[tuple[int, str, str]]:
    """All but what a resume adds: its note, its question to the venue, and the answer to that."""
    return [(ts, kind, json.dumps(data)) for ts, kind, data in decisions_of(run)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    done = session(tmp_path_factory.mktemp("whole"), *WORDS, "--speed", "max")
    assert 0 == done.code
    return done.run


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_kill_leaves_a_trace(tmp_path: Path, whole: Run, seed: int) -> None:
    """0 lost, 0 duplicate, 0 orphan; no acknowledged line ever goes back."""
    rng = random.Random(seed)  # noqa: S311 - instants, not secrets
    process = Process(tmp_path, "--headless", "-q", *WORDS, "--speed", "120")
    known = 0
    for _ in range(CYCLES):
        process.until(partial(grown, process, 0, 0))
        begun, more = size(process.run), rng.randrange(1_000, 40_000)
        process.until(partial(grown, process, begun, more))
        process.send(signal.SIGKILL)
        assert -signal.SIGKILL == process.end().code
        assert known <= (known := acknowledged(process.run))
        process = Process(tmp_path, "--headless", "-q", "--resume")
    done = process.end(120)
    run = done.run

    assert (0, "") == (done.code, done.err)
    assert decided(whole) == decided(run)
    # A kill that finds the resume still proving leaves no epoch of that writer.
    assert CYCLES // 2 < epochs(run) <= CYCLES + 1
    assert list((run.path).glob("events-*.jsonl.zst"))
    assert_no_orphans(run)


def grown(process: Process, before: int, more: int) -> bool:
    """Whether so much was written since, or a rotation began another file."""
    now = size(process.run)
    return now > before + more or now < before


def epochs(run: Run) -> int:
    content = (run.path / "journal.head").read_bytes()
    return max(int(content[at + 21 : at + 29]) for at in (0, 512))


def assert_no_orphans(run: Run) -> None:
    """Each order was sent once and came to one end; each fill counts once."""
    sent = Counter(line["data"]["order_id"] for line in run.lines("order_submitted"))
    ends = ("order_filled", "order_canceled", "order_rejected", "order_expired", "order_denied")
    ended = {line["data"]["order_id"] for line in run.lines(*ends)}
    fills = Counter(line["data"]["trade_id"] for line in run.lines("fill"))

    assert sent
    assert {1} == {*sent.values(), *fills.values()}
    assert set() == set(sent) - ended
