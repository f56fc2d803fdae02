"""Lines of values as cells."""

import pytest

from tui.plot import line


@pytest.mark.parametrize(
    ("values", "width", "height", "expected"),
    [
        ([0, 1, 2, 3, 4, 5], 6, 2, ["   .-'", ".-'   "]),
        ([5, 5, 5], 4, 1, ["--- "]),
        ([1, 9], 2, 3, [" '", "  ", ". "]),
        ([], 3, 2, ["   ", "   "]),
        ([1, 2], 0, 2, ["", ""]),
    ],
)
def test_marks(values: list[float], width: int, height: int, expected: list[str]) -> None:
    """The largest on top, the newest at the right; a flat line in the middle."""
    assert expected == line(values, width, height, is_ascii=True)


def test_dots_rise_from_corner_to_corner() -> None:
    """Two columns of dots a cell, four rows."""
    assert ["⣠⠞"] == line([0, 1, 2, 3], 2, 1, is_ascii=False)


@pytest.mark.parametrize("is_ascii", [True, False])
def test_many_values_are_averaged_into_the_width(is_ascii: bool) -> None:
    """A thousand values need no more cells than there are; nothing is cut off at an end."""
    rows = line([float(i) for i in range(1_000)], 10, 4, is_ascii=is_ascii)

    assert [10] * 4 == [len(row) for row in rows]
    assert " " != rows[0][-1]
    assert " " != rows[-1][0]


def test_a_given_span_leaves_room() -> None:
    """Values keep their height when the scale is not theirs alone."""
    rows = line([1.0, 1.0], 2, 4, is_ascii=True, span=(0.0, 4.0))

    assert ["  ", "  ", "..", "  "] == rows
