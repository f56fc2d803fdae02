"""What every test gets."""

import decimal
import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _fresh_process() -> Iterator[None]:
    """Undo what a session sets for its process: exact arithmetic, and files for its user alone."""
    before = os.umask(0o022)
    with decimal.localcontext(decimal.DefaultContext):
        yield
    os.umask(before)
