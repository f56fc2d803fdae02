"""A line of values in text cells: braille dots, or marks where there is only ASCII. Pure."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

DOTS_WIDE, DOTS_HIGH = 2, 4
BRAILLE: Final = 0x2800
DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a cell, by row and column."""
ASCII_MARKS: Final = "'-."
"""A third of a cell each, from the top."""


def line(
    values: Sequence[float],
    width: int,
    height: int,
    *,
    is_ascii: bool,
    span: tuple[float, float] | None = None,
) -> list[str]:
    """Return `height` rows of `width` cells, the largest value on top, the newest at the right.

    Args:
        values: Evenly spaced; more than fit are averaged, fewer begin at the left.
        is_ascii: Draw with three marks instead of dots.
        span: What bottom and top stand for; the smallest and largest value if not given.
    """
    if not values or width <= 0 or height <= 0:
        return [" " * width] * max(0, height)
    columns = width if is_ascii else width * DOTS_WIDE
    levels = height * (len(ASCII_MARKS) if is_ascii else DOTS_HIGH)
    averaged = _averaged(values, columns)
    heights = _heights(averaged, levels, span or (min(averaged), max(averaged)))
    return _marks(heights, width, height) if is_ascii else _dots(heights, width, height)


def _averaged(values: Sequence[float], columns: int) -> list[float]:
    count = len(values)
    if count <= columns:
        return list(values)
    edges = [count * column // columns for column in range(columns + 1)]
    return [sum(values[start:end]) / (end - start) for start, end in pairwise(edges)]


def _heights(values: Sequence[float], levels: int, span: tuple[float, float]) -> list[int]:
    """Return each value's level, 0 at the bottom; a flat line lies in the middle."""
    low, high = span
    if high <= low:
        return [levels // 2] * len(values)
    return [min(levels - 1, int((value - low) / (high - low) * levels)) for value in values]


def _dots(heights: Sequence[int], width: int, height: int) -> list[str]:
    cells = [[0] * width for _ in range(height)]
    before = heights[0]
    for x, level in enumerate(heights):
        for filled in range(min(before, level), max(before, level) + 1):  # no gaps in a steep line
            y = height * DOTS_HIGH - 1 - filled
            cells[y // DOTS_HIGH][x // DOTS_WIDE] |= DOTS[y % DOTS_HIGH][x % DOTS_WIDE]
        before = level
    return ["".join(chr(BRAILLE + bits) if bits else " " for bits in row) for row in cells]


def _marks(heights: Sequence[int], width: int, height: int) -> list[str]:
    third = len(ASCII_MARKS)
    cells = [[" "] * width for _ in range(height)]
    for x, level in enumerate(heights):
        y = height * third - 1 - level
        cells[y // third][x] = ASCII_MARKS[y % third]
    return ["".join(row) for row in cells]
