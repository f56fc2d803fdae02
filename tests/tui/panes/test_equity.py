"""Pane equity: a line, its scale, its time, and what made it."""

import pytest

from engine.session.control.views import View
from tests.tui.fixtures import NOW_NS, SECOND, D, empty, view
from tui.panes.equity import draw
from tui.theme import palette


def texts(shown: View, width: int = 60, height: int = 8) -> list[str]:
    rows = draw(shown, width, height, palette("mono", is_ascii=True))
    return ["".join(cell.text for cell in row) for row in rows]


def test_scale_time_and_causes() -> None:
    """Highest and lowest at the left, first and last below, causes with their signs."""
    rows = texts(view())

    assert rows[0].startswith("   10,012.34|")
    assert rows[5].startswith("   10,010.84|")
    assert ["11:57:19Z", "12:02:18Z"] == rows[6].split()
    assert " realised +10.81 unrealised +2.47 fees -1.02 funding +0.08" == rows[7]


def test_before_there_is_a_line_it_says_so() -> None:
    """Warm-up is a count, not a zero."""
    assert " equity warm 0/2" == texts(empty())[0]
    assert " equity warm 1/2" == texts(view(equity=((NOW_NS, D(1), D(0)),)))[0]


@pytest.mark.parametrize("height", [1, 2, 3, 30])
@pytest.mark.parametrize("width", [10, 20, 80, 160])
def test_it_fits(width: int, height: int) -> None:
    """Flat, huge and negative lines, at any size."""
    for amounts in ([D(1)] * 3, [D("-1e15"), D("1e15")], [D(i) for i in range(1_000)]):
        line = tuple((NOW_NS + i * SECOND, amount, D(0)) for i, amount in enumerate(amounts))
        rows = texts(view(equity=line), width, height)
        assert height >= len(rows)
        assert all(width >= len(row) for row in rows)
