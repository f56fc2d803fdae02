"""Every test of this room runs in the arithmetic of a session."""

import pytest

from tests.engine.factories import exactly

exact = pytest.fixture(autouse=True)(exactly)
