"""What a pane drew, as a person reads it."""

from collections.abc import Callable, Sequence

from rich.cells import cell_len

from engine.session.control.views import View
from tests.tui import fixtures
from tui.pane import Row
from tui.theme import palette

MONO = palette("mono", is_ascii=True)
Draw = Callable[..., Sequence[Row]]


def drawn(draw: Draw, view: View, width: int = 80, height: int = 12, **chosen: object) -> str:
    """Return the lines, without what is blank at their ends."""
    rows = draw(view, width, height, MONO, **chosen)
    return "\n".join(line(row).rstrip() for row in rows)


def line(row: Row) -> str:
    """Return one row as text."""
    return "".join(cell.text for cell in row)


def tokens(draw: Draw, view: View, text: str, width: int = 160, **chosen: object) -> set[str]:
    """Return how the cells that contain a text are drawn."""
    rows = draw(view, width, 40, MONO, **chosen)
    return {cell.token for row in rows for cell in row if text in cell.text}


def assert_fits(draw: Draw, view: View) -> None:
    """No size makes a pane draw past its edges, or break."""
    for width in (1, 10, 20, 39, 49, 72, 80, 120, 200):
        for height in (0, 1, 2, 3, 8, 40):
            rows = draw(view, width, height, MONO)
            assert len(rows) <= max(height, 2)
            if width >= 60:
                assert all(cell_len(line(row)) <= width for row in rows)


def assert_harmless(text: str) -> None:
    """Outside text is there, cut, and obeyed by no terminal."""
    assert "[@c" in text
    assert text.replace("\n", "").isprintable()
    assert "A" * 300 not in text


HOSTILE = fixtures.HOSTILE
