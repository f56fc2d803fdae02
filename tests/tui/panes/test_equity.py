"""Pane equity: a line, its scale, its time, and what made it."""

import pytest

from engine.session.control.views import View
from tests.tui.fixtures import NOW_NS, SECOND, D, empty, view
from tui.curve import curve
from tui.panes.equity import EquityPane, draw
from tui.theme import palette

MONO = palette("mono", is_ascii=True)


def texts(shown: View, width: int = 60, height: int = 8, **chosen: int) -> list[str]:
    rows = draw(shown, width, height, MONO, **chosen)
    return ["".join(cell.text for cell in row) for row in rows]


def test_scale_time_and_causes() -> None:
    """Highest and lowest at the left, first and last below, causes with their signs."""
    rows = texts(view())

    assert rows[0].startswith("   10,012.34|")
    assert rows[3].startswith("   10,010.84|")
    assert ["11:57:19Z", "12:02:18Z"] == rows[6].split()
    assert " spread +9.15 inventory +4.63 slippage -0.50 fees -1.02" == rows[7]


def test_falls_and_inventory_have_a_line_each() -> None:
    """Deepest fall, present value held; short is another glyph than long."""
    fall, held = texts(view(), 40)[4:6]

    assert "   DD -0.01%|              ....:::::||||" == fall
    assert "   INV -1.2k||||:::::.....-----=====~~~~" == held


def test_ranges() -> None:
    """From a minute to everything there is; the title says how much that is."""
    second, minute = 1, 60
    old = tuple((NOW_NS - i * minute * SECOND, D(9_000), D(0)) for i in range(90, 5, -1))
    new = tuple((NOW_NS - i * second * SECOND, D(10_000), D(0)) for i in range(300, -1, -1))
    shown, pane = view(equity=(*old, *new)), EquityPane()
    said = [pane.caption(shown)]
    for _ in range(4):
        pane.action_range(-1)
        said.append(pane.caption(shown))

    assert ["last 1h", "last 1h", "last 5m", "last 1m", "last 1m"] == said
    assert texts(view(), 40)[0] != "".join(draw(view(), 40, 8, MONO, 0)[0][0])
    assert "9,000" not in "".join(texts(shown, 60, range_=1))


def test_time_is_even_however_points_lie() -> None:
    """A point a minute, then one a second: half of the time is half of the columns."""
    old = [(i * 60 * SECOND, D(i), D(0)) for i in range(60)]
    new = [(3_600 * SECOND + i * 12 * SECOND, D(100), D(0)) for i in range(301)]
    made = curve([*old, *new], 100)

    assert 50 == sum(value < 100 for value in made.equity)
    assert [10.0, 0.0] == [
        max(curve([(0, D(10), D(0)), (1, D(9), D(0))], 2).drawdowns),
        made.drawdowns[-1],
    ]


def test_a_column_without_a_point_repeats_the_last() -> None:
    """A gap is no fall to where it began."""
    points = [(0, D(1), D(5)), (10, D(2), D(6)), (90, D(3), D(7)), (100, D(4), D(8))]

    assert [1, 2, 2, 2, 2, 2, 2, 2, 2, 4] == curve(points, 10).equity
    assert 8 == curve(points, 10).net[-1]


def test_a_fall_too_small_to_show_is_not_zero() -> None:
    """And none is."""
    for amounts, words in (((1_000_000, 999_999), "DD <0.01%"), ((1, 1), "DD 0.00%")):
        line = tuple((NOW_NS + i * SECOND, D(amount), D(0)) for i, amount in enumerate(amounts))
        assert words in "".join(texts(view(equity=line)))


def test_before_there_is_a_line_it_says_so() -> None:
    """Warm-up is a count, not a zero."""
    assert " equity warm 0/2" == texts(empty())[0]
    assert " equity warm 1/2" == texts(view(equity=((NOW_NS, D(1), D(0)),)))[0]


@pytest.mark.parametrize("height", [0, 1, 2, 3, 6, 7, 8, 30])
@pytest.mark.parametrize("width", [1, 10, 14, 20, 80, 160])
def test_it_fits(width: int, height: int) -> None:
    """Flat, huge and negative lines, at any size."""
    for amounts in ([D(1)] * 3, [D("-1e15"), D("1e15")], [D(i) for i in range(1_000)]):
        line = tuple((NOW_NS + i * SECOND, amount, D(0)) for i, amount in enumerate(amounts))
        rows = texts(view(equity=line), width, height)
        assert height >= len(rows)
        assert all(width >= len(row) for row in rows)
