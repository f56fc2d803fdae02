"""Floor plans at many sizes: every cell belongs to one pane, every pane can be reached."""

import itertools

import pytest
from textual.geometry import Region, Size

from tui.desk import PANES
from tui.floor import PLANS, SIZES, arrangement, bordered, size_class, tabs_of

SCREENS = [(40, 10), (60, 16), (80, 24), (100, 30), (120, 40), (160, 50), (200, 60), (300, 90)]
AROUND = {"card", "strip", "sessionbar", "alertline", "keyline", "banner", "held"}
PANE_IDS = {kind.__name__.removesuffix("Pane").lower() for kind in PANES}


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (200, 60, "l"), (199, 60, "m"), (200, 59, "m"), (120, 40, "m"), (120, 39, "s"), (119, 99, "s"),
        (80, 24, "s"), (79, 24, "compact"), (80, 23, "compact"), (40, 10, "compact"), (39, 10, "tiny"),
        (300, 9, "tiny"), (20, 5, "tiny"), (1, 1, "tiny"),
    ],
)  # fmt: skip
def test_size_class(width: int, height: int, expected: str) -> None:
    """The smaller of what width and height allow."""
    assert expected == size_class(width, height)


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_panes_fill_the_screen_without_overlap(width: int, height: int) -> None:
    """Every cell is somebody's, and nobody's twice."""
    regions = list(arrangement(Size(width, height), "", "").values())

    assert width * height == sum(region.area for region in regions)
    assert not [(a, b) for a, b in itertools.combinations(regions, 2) if a.overlaps(b)]
    assert all(region in Region(0, 0, width, height) for region in regions)


@pytest.mark.parametrize("name", [name for name, *_ in SIZES if name != "tiny"])
def test_every_pane_has_a_way_in(name: str) -> None:
    """Seen at once, or a tab."""
    columns, rows = next((c, r) for n, c, r in SIZES if n == name)
    seen = set(arrangement(Size(columns, rows), "", "")) | set(tabs_of(PLANS[name]))

    assert set() == PANE_IDS - AROUND - seen


def test_a_tab_takes_the_place_of_another() -> None:
    """The same cells, another pane."""
    before, after = (arrangement(Size(80, 24), tab, "") for tab in ("", "risk"))

    assert before["orders"] == after["risk"]
    assert "orders" not in after


def test_a_zoomed_pane_has_all_but_head_and_foot() -> None:
    """And the card stays a card."""
    assert Region(0, 2, 80, 20) == arrangement(Size(80, 24), "", "log")["log"]
    assert {"card"} == set(arrangement(Size(20, 5), "", "log"))


PICTURES = {
    # size: pane: x, y, width, height, as tui-expectations section 2 has them
    (80, 24): {
        "sessionbar": (0, 0, 80, 2), "quotes": (0, 2, 80, 5), "log": (0, 17, 80, 5),
        "alertline": (0, 22, 80, 1), "keyline": (0, 23, 80, 1),
    },
    (120, 40): {
        "sessionbar": (0, 0, 120, 2), "quotes": (0, 2, 72, 5), "health": (72, 2, 48, 6),
        "book": (0, 7, 33, 11), "chart": (33, 7, 39, 11), "risk": (72, 8, 48, 10),
        "positions": (0, 18, 72, 5), "agents": (72, 18, 48, 6), "router": (72, 24, 48, 6),
        "orders": (0, 23, 72, 6), "strip": (0, 29, 72, 1), "log": (0, 30, 120, 8),
        "alertline": (0, 38, 120, 1), "keyline": (0, 39, 120, 1),
    },
    (200, 60): {
        "sessionbar": (0, 0, 200, 3), "quotes": (0, 3, 120, 12), "health": (120, 3, 40, 12),
        "risk": (160, 3, 40, 12), "book": (0, 15, 44, 27), "tape": (44, 15, 26, 27),
        "chart": (70, 15, 90, 18), "equity": (70, 33, 90, 9), "agents": (160, 15, 40, 15),
        "fsm": (160, 30, 40, 12), "positions": (0, 42, 80, 7), "orders": (80, 42, 80, 7),
        "router": (160, 42, 40, 7), "fills": (0, 49, 100, 8), "strip": (0, 57, 100, 1),
        "log": (100, 49, 100, 9), "alertline": (0, 58, 200, 1), "keyline": (0, 59, 200, 1),
    },
}  # fmt: skip


@pytest.mark.parametrize("size", PICTURES)
def test_panes_stand_where_the_specification_has_them(size: tuple[int, int]) -> None:
    """To the cell, at the three sizes it draws."""
    regions = arrangement(Size(*size), "", "")

    assert {
        name: Region(*cells) for name, cells in PICTURES[size].items()
    }.items() <= regions.items()
    assert size == (80, 24) or set(PICTURES[size]) == set(regions)


@pytest.mark.parametrize("size", [(200, 60), (120, 40), (80, 24), (40, 10)])
@pytest.mark.parametrize("zoomed", ["", "book"])
def test_a_border_has_its_cells_to_itself(size: tuple[int, int], zoomed: str) -> None:
    """Both sides and the bottom; the first lines keep the first cell, for the badge of the mode."""
    columns, rows = size
    regions = bordered(Size(columns, rows), "", zoomed)
    head = regions.pop("sessionbar")

    assert (0, 0, columns) == (head.x, head.y, head.width)
    assert set(arrangement(Size(columns, rows), "", zoomed)) == {*regions, "sessionbar"}
    assert 1 == min(region.x for region in regions.values())
    assert columns - 1 == max(region.right for region in regions.values())
    assert rows - 1 == max(region.bottom for region in regions.values())
    assert {"card"} == set(bordered(Size(20, 5), "", zoomed))
