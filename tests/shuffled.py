"""A pytest plugin: files in another order, and the tests of each file; `--shuffle SEED`.

Tests of one file stay together, so that what a file prepares once is prepared once.
"""

import random
from itertools import groupby
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the seed; without one nothing is shuffled."""
    parser.addoption("--shuffle", type=int, default=None, metavar="SEED")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shuffle; every worker of a run comes to the same order by the same seed."""
    seed = config.getoption("--shuffle")
    if seed is not None:
        items[:] = shuffled(items, seed)


def shuffled(items: list[pytest.Item], seed: int) -> list[pytest.Item]:
    """Return the tests in the order of a seed."""
    rng = random.Random(seed)  # noqa: S311 - an order, no secret
    files = [list(tests) for _, tests in groupby(items, key=_file)]
    for tests in files:
        rng.shuffle(tests)
    rng.shuffle(files)
    return [test for tests in files for test in tests]


def _file(item: pytest.Item) -> Path:
    return item.path
