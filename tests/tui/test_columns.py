"""Tables: which column leaves first, and what never happens to one that stays."""

import pytest

from tests.tui.panes.drawn import line as text_of
from tui.columns import Column, kept, line, matching, table
from tui.pane import Cell

COLUMNS = [
    Column("AA", 4, Cell, align="right"),
    Column("BB", 4, lambda word: Cell(word[:1], "up"), rank=2),
    Column("CC", 4, lambda word: Cell(word * 9), rank=1),
    Column("DD", 4, lambda word: Cell("d")),
]

WIDTHS = [
    (20, "AA BB CC DD"),
    (19, "AA CC DD"),  # the highest rank first
    (14, "AA DD"),
    (10, "AA DD"),
    (9, "AA"),  # where no rank is left, from the right
    (0, "AA"),  # one stays whatever the width
]


@pytest.mark.parametrize(("width", "heads"), WIDTHS)
def test_kept(width: int, heads: str) -> None:
    """The least important leave first, whole."""
    assert heads == " ".join(column.head for column in kept(COLUMNS, width))


def test_line() -> None:
    """Marker, gaps, padding; too much is crossed out; the choice is a letter and reverse."""
    row = line(COLUMNS, "x", is_selected=True)

    assert ">   x x    #### d   " == text_of(row)
    assert ["text reverse", "text reverse", "up reverse"] == [cell.token for cell in row[:3]]
    assert " " == text_of(line(COLUMNS, "x"))[0]


@pytest.mark.parametrize(
    ("height", "expected"),
    [
        (0, []),
        (1, ["AA"]),
        (2, ["AA", ">5"]),
        (3, ["AA", "0", ">5"]),
        (5, ["AA", "0", "1", "4", ">5"]),
        (9, ["AA", "0", "1", "2", "3", "4", ">5"]),
    ],
)
def test_pinned(height: int, expected: list[str]) -> None:
    """The first two stay on top while the last is chosen."""
    items = [str(number) for number in range(6)]
    rows = table(COLUMNS[:1], items, width=20, height=height, selected=5, pinned=2)

    assert expected == [text_of(row).replace(" ", "") for row in rows]


def test_matching() -> None:
    """Any word, any case; nothing wanted is everything."""
    items = ["Alpha", "beta"]

    assert ["Alpha"] == matching(items, "LPH", lambda item: (item,))
    assert items == matching(items, "", lambda item: (item,))
    assert [] == matching(items, "gamma", lambda item: (item, "delta"))
