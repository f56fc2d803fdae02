"""Where each pane stands: one tree a size class, split by fixed cells and weights. Pure.

A screen's class is the smaller of what its width and its height allow; Textual's own breakpoints
know each axis alone. Panes that share a place are tabs: one is seen, digits and the strip choose.

Source: tui-expectations section 2.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from textual.geometry import Offset, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

SIZES: Final = (
    # class, from columns, from rows
    ("l", 200, 60),
    ("m", 120, 40),
    ("s", 80, 24),
    ("compact", 40, 10),
    ("tiny", 0, 0),
)
STRIP: Final = "strip"
INSET: Final = Offset(1, 0)


class Part(NamedTuple):
    """A share of a stack: a fixed number of cells, or a weight of what is left."""

    node: "Node"
    cells: int = 0
    weight: int = 0


class Stack(NamedTuple):
    """Parts side by side, or one above the other."""

    is_row: bool
    parts: tuple[Part, ...]


class Tabs(NamedTuple):
    """Panes in one place, with a strip below that names them."""

    panes: tuple[str, ...]


Node = str | Stack | Tabs
"""A pane by its id, or what holds panes."""


def across(*parts: Part) -> Stack:
    """Return parts side by side."""
    return Stack(True, parts)


def down(*parts: Part) -> Stack:
    """Return parts one above the other."""
    return Stack(False, parts)


def fixed(cells: int, node: Node) -> Part:
    """Return a part of so many rows or columns."""
    return Part(node, cells=cells)


def share(weight: int, node: Node) -> Part:
    """Return a part that gets its weight of what is left."""
    return Part(node, weight=weight)


def _framed(header: int, floor: Node) -> Stack:
    return down(
        fixed(header, "sessionbar"), share(1, floor), fixed(1, "alertline"), fixed(1, "keyline")
    )


PLANS: Final[dict[str, Node]] = {
    "tiny": "card",
    "compact": _framed(
        2,
        down(
            fixed(4, "quotes"),
            share(
                1,
                Tabs(
                    (
                        "orders", "book", "chart", "positions", "fills", "agents", "risk", "log",
                        "equity", "tape", "router", "roundtrips", "health", "fsm",
                    )
                ),
            ),
        ),
    ),
    "s": _framed(
        2,
        down(
            fixed(5, "quotes"),
            share(
                1,
                across(
                    fixed(32, "book"),
                    share(
                        1,
                        Tabs(
                            (
                                "orders", "positions", "fills", "agents", "risk", "chart",
                                "equity", "tape", "router", "roundtrips", "health", "fsm",
                            )
                        ),
                    ),
                ),
            ),
            fixed(5, "log"),
        ),
    ),
    "m": _framed(
        2,
        down(
            share(
                28,
                across(
                    share(
                        72,
                        down(
                            fixed(5, "quotes"),
                            share(11, across(fixed(33, "book"), share(1, "chart"))),
                            fixed(5, "positions"),
                            share(
                                7, Tabs(("orders", "fills", "roundtrips", "equity", "tape", "fsm"))
                            ),
                        ),
                    ),
                    share(
                        48,
                        down(
                            fixed(6, "health"), share(10, "risk"), share(6, "agents"),
                            share(6, "router"),
                        ),
                    ),
                ),
            ),
            share(8, "log"),
        ),
    ),
    "l": _framed(
        3,
        down(
            fixed(
                12, across(fixed(120, "quotes"), share(1, "health"), share(1, "risk"))
            ),
            share(
                27,
                across(
                    fixed(44, "book"),
                    fixed(26, "tape"),
                    share(1, down(share(18, "chart"), share(9, "equity"))),
                    fixed(40, down(share(15, "agents"), share(12, "fsm"))),
                ),
            ),
            share(
                7, across(share(1, "positions"), share(1, "orders"), fixed(40, "router"))
            ),
            share(9, across(share(1, Tabs(("fills", "roundtrips"))), share(1, "log"))),
        ),
    ),
}  # fmt: skip


def size_class(width: int, height: int) -> str:
    """Return the largest class that both the width and the height allow."""
    for name, columns, rows in SIZES:
        if width >= columns and height >= rows:
            return name
    raise AssertionError("the last row of SIZES takes every size")


def tabs_of(node: Node) -> tuple[str, ...]:
    """Return the panes that share a place in a plan; a plan has one such place at most."""
    match node:
        case Tabs(panes):
            return panes
        case Stack(_, parts):
            return next((tabs for part in parts if (tabs := tabs_of(part.node))), ())
        case _:
            return ()


def placed(node: Node, region: Region, tab: str) -> Iterator[tuple[str, Region]]:
    """Yield each visible pane and its region, in reading order; `tab` is the tab to show."""
    match node:
        case Tabs(panes):
            shown = tab if tab in panes else panes[0]
            yield shown, Region(region.x, region.y, region.width, max(0, region.height - 1))
            yield STRIP, Region(region.x, region.bottom - 1, region.width, 1)
        case Stack(is_row, parts):
            at = 0
            for part, cells in zip(
                parts, split(parts, region.width if is_row else region.height), strict=True
            ):
                inner = (
                    Region(region.x + at, region.y, cells, region.height)
                    if is_row
                    else Region(region.x, region.y + at, region.width, cells)
                )
                yield from placed(part.node, inner, tab)
                at += cells
        case str():
            yield node, region


def split(parts: Sequence[Part], total: int) -> list[int]:
    """Share cells out: fixed parts first, weights of the rest, what is over to the last weight."""
    left = max(0, total - sum(part.cells for part in parts))
    weights = sum(part.weight for part in parts)
    cells = [part.cells or left * part.weight // max(1, weights) for part in parts]
    weighted = [place for place, part in enumerate(parts) if part.weight]
    if weighted:
        cells[weighted[-1]] += left - sum(cells[place] for place in weighted)
    return cells


def arrangement(
    size: Size, tab: str, zoomed: str, name: str = "", *, below: int = 0
) -> dict[str, Region]:
    """Return where every visible pane stands on a screen of this size.

    Args:
        size: Of the screen; it decides the plan.
        tab: The tab to show.
        zoomed: The pane that has the whole floor; empty for none.
        name: The size class, where a border takes of what the terminal has; else that of `size`.
        below: Rows at the bottom that belong to somebody else.
    """
    plan = PLANS[name or size_class(size.width, size.height)]
    if zoomed and plan != "card":
        plan = _framed(2, zoomed)
    return dict(placed(plan, Region(0, 0, size.width, size.height - below), tab))


def bordered(size: Size, tab: str, zoomed: str) -> dict[str, Region]:
    """Return the same with a cell left free at both sides and below, for a border.

    The first lines keep the whole width: the badge of the mode is the first cell of every screen.
    A card has no room for a border.
    """
    name = size_class(size.width, size.height)
    if name == "tiny":
        return arrangement(size, tab, zoomed)
    inner = Size(size.width - 2, size.height - 1)
    regions = {
        pane: region.translate(INSET)
        for pane, region in arrangement(inner, tab, zoomed, name).items()
    }
    head = regions["sessionbar"]
    return regions | {"sessionbar": Region(0, 0, size.width, head.height)}


class Floor(Layout):
    """Puts the children of the floor where the plan says."""

    name = "floor"

    def __init__(self) -> None:
        self.regions: dict[str, Region] = {}

    def arrange(
        self,
        parent: Widget,
        children: list[Widget],
        size: Size,
        greedy: bool = True,  # noqa: FBT001, FBT002 - Textual's signature
    ) -> ArrangeResult:
        """Return the placements of the children that have a place."""
        return [
            WidgetPlacement(region, region.offset * 0, child.styles.margin, child)
            for child in children
            if (region := self.regions.get(child.id or ""))
        ]
