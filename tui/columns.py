"""Tables of a pane: columns of fixed width, of which the least important leave first. Pure.

A table never wraps and never scrolls sideways: `rank` says which column leaves first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from tui.format import Align, fit, text
from tui.pane import Cell, Row, window

T = TypeVar("T")


@dataclass(frozen=True)
class Column(Generic[T]):
    """One figure of each row."""

    head: str
    width: int
    cell: Callable[[T], Cell]
    rank: int = 0
    """0 always stays; of the others the highest leaves first."""
    align: Align = "left"


def kept(columns: Sequence[Column[T]], width: int) -> list[Column[T]]:
    """Return the columns that fit beside a marker and a gap each.

    Where even those that always stay do not fit, the last of them leave too: no digit is cut.
    """
    staying = list(columns)
    while len(staying) > 1 and sum(column.width + 1 for column in staying) > width:
        least = max(staying, key=lambda column: column.rank)
        staying.remove(least if least.rank else staying[-1])
    return staying


def stretched(columns: Sequence[Column[T]], head: str, width: int) -> list[Column[T]]:
    """Return the columns that fit; one of words gets the room they leave, and is cut to it."""
    staying = kept(columns, width)
    left = max(0, width - sum(column.width + 1 for column in staying))
    return [_widened(column, left) if column.head == head else column for column in staying]


def _widened(column: Column[T], by: int) -> Column[T]:
    width, words = column.width + by, column.cell

    def cut(item: T) -> Cell:
        shown, token = words(item)
        return Cell(text(shown, width), token)

    return replace(column, width=width, cell=cut)


def table(
    columns: Sequence[Column[T]],
    items: Sequence[T],
    *,
    width: int,
    height: int,
    selected: int,
    pinned: int = 0,
) -> list[Row]:
    """Draw a head and as many items as fit, the selected one among them, marked and reversed.

    Args:
        pinned: So many of the first items never scroll away, while a line is left for the others.
    """
    staying = kept(columns, width)
    top = max(0, min(pinned, height - 2))
    moving = window(len(items) - top, height - 1 - top, selected - top)
    rows: list[Row] = [head(staying)]
    for index in (*range(top), *(top + step for step in moving)):
        rows.append(line(staying, items[index], is_selected=index == selected))
    return rows[: max(0, height)]


def head(columns: Sequence[Column[T]]) -> Row:
    """Return the names of the columns."""
    return [Cell(" ".join(["", *(fit(c.head, c.width, c.align) for c in columns)]), "dim")]


def line(columns: Sequence[Column[T]], item: T, *, is_selected: bool = False) -> Row:
    """Return one item as a row."""
    return laid([column.cell(item) for column in columns], columns, is_selected=is_selected)


def laid(cells: Sequence[Cell], columns: Sequence[Column[T]], *, is_selected: bool = False) -> Row:
    """Return one cell a column as a row; a selected row says so with a letter too."""
    tail = " reverse" if is_selected else ""
    row = [Cell(">" if is_selected else " ", f"text{tail}")]
    for (shown, token), column in zip(cells, columns, strict=True):
        gap = " " if len(row) > 1 else ""
        row.append(Cell(gap + fit(shown, column.width, column.align), token + tail))
    return row


def matching(items: Sequence[T], wanted: str, words: Callable[[T], Sequence[str]]) -> list[T]:
    """Return the items of which any word contains what is wanted, in any case."""
    if not wanted:
        return list(items)
    folded = wanted.casefold()
    return [item for item in items if any(folded in word.casefold() for word in words(item))]
