"""Whatever a test here does, the secrets of its environment stay there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.canary import leaks
from tests.end_to_end import warm


@pytest.fixture(autouse=True)
def _no_secret_is_left(tmp_path: Path) -> Iterator[None]:
    """Search every artefact of the test, in every spelling (reliability.md F2)."""
    yield
    assert [] == list(leaks(tmp_path))


@pytest.fixture
def fresh_interpreters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start every program of the test from nothing, as a person does: slower, and the whole of it."""
    monkeypatch.setattr(warm, "is_fresh", True)
