"""What every test gets."""

import decimal
import gc
import os
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.dealt import pytest_collection_modifyitems

__all__ = ["pytest_collection_modifyitems"]

# An example's wall time says how crowded the machine is, nothing about the promise under test.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the collector from looking through 11,000 tests, while they are found and ever after."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def _fresh_arithmetic() -> Iterator[None]:
    """Undo the exact arithmetic a session switches on: it must not leak into the next test."""
    with decimal.localcontext(decimal.DefaultContext):
        yield


@pytest.fixture(autouse=True)
def _fresh_umask() -> Iterator[None]:
    """Undo what a session does with its files' modes: a test may want a folder open to others."""
    before = os.umask(0o022)
    yield
    os.umask(before)
