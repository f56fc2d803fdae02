"""Whatever a test here does, the secrets of its environment stay there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.canary import leaks


@pytest.fixture(autouse=True)
def _no_secret_is_left(tmp_path: Path) -> Iterator[None]:
    """Search every artefact of the test, in every spelling (reliability.md F2)."""
    yield
    assert [] == list(leaks(tmp_path))
