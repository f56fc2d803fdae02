"""Every test here runs in a session's exact arithmetic, so that hidden rounding raises."""

import pytest

from engine.model.money import use_exact_arithmetic


@pytest.fixture(autouse=True)
def _exact(_fresh_arithmetic: None) -> None:
    use_exact_arithmetic()
