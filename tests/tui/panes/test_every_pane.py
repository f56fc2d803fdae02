"""What holds for every pane of rows, whatever the session, the size and the terminal."""

from importlib import import_module

import pytest
from rich.cells import cell_len

from engine.session.control.views import View
from tests.tui import fixtures
from tests.tui.panes.drawn import line
from tui.theme import TOKENS, palette

NAMES = (
    "agents", "fills", "fsm", "health", "log", "orders", "positions", "risk", "round_trips", "router",
)  # fmt: skip
VIEWS = {
    "usual": fixtures.view(),
    "empty": fixtures.empty(),
    "crowded": fixtures.crowded(),
    "extremes": fixtures.extremes(),
}
SIZES = [(46, 8), (80, 4), (119, 12), (199, 50)]
ATTRIBUTES = {"bold", "dim", "underline", "reverse"}


def rows(name: str, view: View, width: int, height: int, *, is_ascii: bool = True):
    """Return what a pane draws."""
    looks = palette("safe-dark", is_ascii=is_ascii)
    return import_module(f"tui.panes.{name}").draw(view, width, height, looks)


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("name", NAMES)
def test_stays_within_its_edges(name: str, view: View) -> None:
    """From the narrowest pane at 80 columns on, no row is wider than the pane or below it."""
    for width, height in SIZES:
        drawn = rows(name, view, width, height)
        assert 0 < len(drawn) <= height
        assert width >= max(cell_len(line(row)) for row in drawn)


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("name", NAMES)
def test_uses_tokens_there_are(name: str, view: View) -> None:
    """A color that no palette has would take the pane down while it is painted."""
    cells = [cell for row in rows(name, view, 199, 50) for cell in row]

    assert {cell.token.split()[0] for cell in cells} <= set(TOKENS)
    assert {word for cell in cells for word in cell.token.split()[1:]} <= ATTRIBUTES


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("name", NAMES)
def test_plain_letters_where_the_terminal_has_no_others(name: str, view: View) -> None:
    """LANG=C: every glyph of ours has a letter."""
    assert all(line(row).isascii() for row in rows(name, view, 199, 50))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_said_by_color_alone(name: str) -> None:
    """Cells with another token than their neighbor in the same column differ in text too."""
    texts: dict[str, set[str]] = {}
    for row in rows(name, VIEWS["usual"], 199, 50):
        for cell in row:
            texts.setdefault(cell.text.strip(), set()).add(cell.token.removesuffix(" reverse"))
    ambiguous = {text: looks for text, looks in texts.items() if len(looks) > 1 and text}

    assert {} == {t: k for t, k in ambiguous.items() if k & {"danger", "warn", "up", "down"}}
