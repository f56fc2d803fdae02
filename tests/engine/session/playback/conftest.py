"""Sessions that real processes recorded, to be played back."""

from pathlib import Path

import pytest
from zstandard import ZstdCompressor

from engine.model.money import use_exact_arithmetic
from engine.session.journal_parts import JOURNAL_NAME, PACKED, segment_path
from tests.laptop_agents.recorded import record

BUSY = (
    "--set", "agents.quoter.half_spread_bps=0.5", "--set", "risk.max_consecutive_losses=none",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _exact(_fresh_arithmetic: None) -> None:
    """Reckon as a session does."""
    use_exact_arithmetic()


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds with fills, round trips and a breaker's pause: some 700 inputs."""
    home = tmp_path_factory.mktemp("short")
    words = ("--set", "risk.max_consecutive_losses=1", "--set", "agents.quoter.half_spread_bps=0.5")
    return record(home, *words, minutes="0.35") / "events.jsonl"


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes of one instrument."""
    return record(tmp_path_factory.mktemp("long"), *BUSY, minutes="10") / "events.jsonl"


@pytest.fixture(scope="session")
def sealed(long: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first lines of the long one in four files, the older three packed."""
    lines = long.read_bytes().splitlines(keepends=True)[:8_000]
    journal = tmp_path_factory.mktemp("sealed") / JOURNAL_NAME
    for number, start in enumerate(range(0, 6_000, 2_000), start=1):
        packed = ZstdCompressor().compress(b"".join(lines[start : start + 2_000]))
        path = segment_path(journal, number)
        path.with_name(path.name + PACKED).write_bytes(packed)
    journal.write_bytes(b"".join(lines[6_000:]))
    return journal
