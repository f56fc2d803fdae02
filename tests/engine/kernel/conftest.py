"""Every test here runs in the session's exact context, so that hidden rounding raises."""

import decimal
from collections.abc import Iterator

import pytest

from engine.model.money import use_exact_arithmetic


@pytest.fixture(autouse=True)
def _exact() -> Iterator[None]:
    before = decimal.getcontext()
    use_exact_arithmetic()
    yield
    decimal.setcontext(before)
