"""The order of `make flake`: every test once, files together, back again by the seed."""

from itertools import pairwise
from pathlib import Path

from tests.shuffled import shuffled


class Item:
    """What the plugin asks of a test."""

    def __init__(self, file: int, number: int) -> None:
        self.path, self.number = Path(str(file)), number


ITEMS = [Item(file, number) for file in range(6) for number in range(9)]


def test_a_seed_is_an_order() -> None:
    """Nothing is lost; another seed is another order, the same one the same."""
    one, again, two = (shuffled(list(ITEMS), seed) for seed in (1, 1, 2))

    assert set(ITEMS) == set(one)
    assert one == again
    assert one != two
    assert one != ITEMS


def test_tests_of_a_file_stay_together() -> None:
    """What a file prepares once is prepared once."""
    files = [item.path for item in shuffled(list(ITEMS), 1)]

    assert 6 == 1 + sum(a != b for a, b in pairwise(files))
