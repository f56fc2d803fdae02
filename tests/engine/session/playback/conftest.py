"""Sessions that real processes recorded, to be played back."""

from pathlib import Path

import pytest
from zstandard import ZstdCompressor

from engine.session.journal_parts import JOURNAL_NAME, PACKED, segment_path
from tests.engine.session.playback.recordings import record_long, record_short


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """See `record_short`."""
    return record_short(tmp_path_factory)


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """See `record_long`."""
    return record_long(tmp_path_factory)


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
