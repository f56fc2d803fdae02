"""A recorded session for the screen."""

from pathlib import Path

import pytest

from tests.engine.session.playback.recordings import record_short


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """See `record_short`."""
    return record_short(tmp_path_factory)
