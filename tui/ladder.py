"""Levels of a book put together: by coarser prices, and added up from the touch. Pure.

Rule 1: a group never promises a better price than its levels have: asks round up, bids down.
Rule 2: what is added up is what was seen; our own sizes are part of it, as they are of the book.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import accumulate
from typing import Final

from engine.model.money import ROUNDED
from engine.model.orders import Side
from engine.session.control.views import Level
from tui import format as fmt
from tui.pane import Cell, Row
from tui.theme import Palette

GROUPS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
"""Ticks of a level."""
DEPTH_FROM_WIDTH: Final = 42
"""From this width on there is room for a bar of what stands up to each level."""
DEPTH_AT: Final = 37
"""Columns left of it."""
_ROUNDINGS: Final = {Side.BUY: ROUND_FLOOR, Side.SELL: ROUND_CEILING}


def stepped(group: int, by: int) -> int:
    """Return the group so many steps coarser, as far as there are any."""
    return GROUPS[max(0, min(GROUPS.index(group) + by, len(GROUPS) - 1))]


def group_of(price: Decimal, side: Side, step: Decimal) -> Decimal:
    """Return the price of the group that a price belongs to."""
    groups = ROUNDED.divide(price, step).to_integral_value(_ROUNDINGS[side])
    return groups * step


def grouped(levels: Iterable[Level], side: Side, step: Decimal) -> list[Level]:
    """Return levels by groups of a step, in the order they came."""
    sums: dict[Decimal, Decimal] = {}
    for price, qty in levels:
        group = group_of(price, side, step)
        sums[group] = sums.get(group, Decimal(0)) + qty
    return list(sums.items())


def shares(*sides: Sequence[Level]) -> Mapping[Decimal, float]:
    """Return what stands up to each level, from the touch, as a share of the deeper side."""
    totals = [list(accumulate(qty for _, qty in levels)) for levels in sides]
    most = max((side[-1] for side in totals if side), default=Decimal(0))
    return {
        price: float(total / most) if most else 0.0
        for levels, side in zip(sides, totals, strict=True)
        for (price, _), total in zip(levels, side, strict=True)
    }


def with_depth(row: Row, share: float | None, width: int, palette: Palette) -> Row:
    """Return the row of a level with the bar of what stands up to it, where there is room."""
    used = sum(len(cell.text) for cell in row)
    if share is None or width < DEPTH_FROM_WIDTH or used > DEPTH_AT:
        return row
    glyphs = (fmt.ASCII if palette.is_ascii else fmt.BLOCKS)._replace(empty=" ")
    drawn = fmt.bar(share, width - DEPTH_AT, glyphs)
    return [*row, Cell(" " * (DEPTH_AT - used)), Cell(drawn, "dim")]
