"""What every test gets."""

import decimal
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _fresh_arithmetic() -> Iterator[None]:
    """Undo the exact arithmetic a session switches on: it must not leak into the next test."""
    with decimal.localcontext(decimal.DefaultContext):
        yield
