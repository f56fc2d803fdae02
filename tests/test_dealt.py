"""Long tests come first in the part of every worker, and none is lost."""

from types import SimpleNamespace
from typing import Any

from tests.dealt import dealt


def made(folder: str, files: int, each: int) -> list[Any]:
    return [
        SimpleNamespace(nodeid=f"tests/{folder}/test_{number}.py::test[{place}]")
        for number in range(files)
        for place in range(each)
    ]


def test_every_part_begins_with_long_ones() -> None:
    """Of whole files, each in its order; the parts are as long as xdist cuts them."""
    short, long = made("model", 30, 4), made("end_to_end", 6, 5)
    order = dealt([*short, *long], 3)
    parts = [order[:50], order[50:100], order[100:]]

    assert sorted(map(id, order)) == sorted(map(id, [*short, *long]))
    for place, part in enumerate(parts):
        begins, files = part[:10], long[place * 5 : place * 5 + 5] + long[place * 5 + 15 :][:5]
        assert files == begins
        assert not [one for one in part[10:] if one in long]


def test_many_long_ones_are_dealt_too() -> None:
    """More than the parts have room for: still each of them once."""
    short, long = made("model", 1, 2), made("crash", 5, 7)

    assert 37 == len({id(one) for one in dealt([*short, *long], 4)})
