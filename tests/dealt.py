"""The order of a run on several workers: each begins with what takes long, and ends with the rest.

xdist gives every worker a part of the list, one after the other; whoever is done takes from the
end of the longest part. So files that start programs are dealt to the beginnings of the parts: at
the end of a run only short tests are left, and no worker waits for another's long one.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import pytest

LONG: Final = (
    "end_to_end",
    "documents",
    "scripts",
    "crash",
    "simulation",
    "live_simulation",
    "toxic",
)
"""Folders of tests that wait for programs, or for seconds."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deal; every worker of a run comes to the same order."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        items[:] = dealt(items, workers)


def dealt(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return the tests in the order of the workers' parts; those of a long file stay together."""
    long = [list(tests) for _, tests in groupby(filter(_is_long, items), key=_file)]
    hands = [
        [test for tests in long[worker::workers] for test in tests] for worker in range(workers)
    ]
    rest = [item for item in items if not _is_long(item)]
    parts: list[pytest.Item] = []
    for place, hand in enumerate(hands):
        size = (len(items) - len(parts)) // (workers - place) - len(hand)
        parts += hand + rest[: max(0, size)]
        del rest[: max(0, size)]
    return parts + rest


def _is_long(item: pytest.Item) -> bool:
    return not set(LONG).isdisjoint(_file(item).split("/"))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
