"""What stands up to each level of a book, added up from the touch and drawn as a bar. Pure.

What is added up is what was seen; our own sizes are part of it, as they are of the book.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Final

from tui import format as fmt
from tui.ladder import Rung, Spot
from tui.pane import Cell, Row
from tui.theme import Palette

FROM_WIDTH: Final = 42
"""From this width on there is room for a bar."""
AT: Final = 37
"""Columns left of it."""


def shares(*sides: Sequence[Rung]) -> Mapping[Spot, float]:
    """Return what stands up to each rung, as a share of the deeper side.

    Args:
        sides: The rungs of each side, from the touch outwards.

    """
    totals = [list(accumulate(rung.size or Decimal(0) for rung in side)) for side in sides]
    most = max((side[-1] for side in totals if side), default=Decimal(0))
    return {
        rung.spot: float(total / most) if most else 0.0
        for side, sums in zip(sides, totals, strict=True)
        for rung, total in zip(side, sums, strict=True)
        if rung.size is not None
    }


def with_depth(row: Row, share: float | None, width: int, palette: Palette) -> Row:
    """Return the row of a level with its bar, where there is room."""
    used = sum(len(cell.text) for cell in row)
    if share is None or width < FROM_WIDTH or used > AT:
        return row
    glyphs = (fmt.ASCII if palette.is_ascii else fmt.BLOCKS)._replace(empty=" ")
    return [*row, Cell(" " * (AT - used)), Cell(fmt.bar(share, width - AT, glyphs), "dim")]
