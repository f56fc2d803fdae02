"""What every test gets."""

import decimal
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# An example's wall time says how crowded the machine is, nothing about the promise under test.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _fresh_process() -> Iterator[None]:
    """Undo what a session sets for its process: exact arithmetic, and files for its user alone."""
    before = os.umask(0o022)
    with decimal.localcontext(decimal.DefaultContext):
        yield
    os.umask(before)
