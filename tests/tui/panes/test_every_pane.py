"""What holds for every pane of rows, whatever the session, the size and the terminal."""

import re
from importlib import import_module

import pytest
from rich.cells import cell_len

from engine.session.control.views import View
from tests.tui import fixtures
from tests.tui.panes.drawn import line
from tui.panes import quotes, sessionbar
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


HOSTILE = fixtures.HOSTILE
FOREIGN = fixtures.view(
    markets=(fixtures.market(HOSTILE),),
    positions=(fixtures.position(HOSTILE, trips=(fixtures.trip(HOSTILE, agent=HOSTILE),)),),
    orders=(fixtures.order(symbol=HOSTILE, route=HOSTILE, agent=HOSTILE, order_id=HOSTILE),),
    blocked=(fixtures.deed(symbol=HOSTILE, agent=HOSTILE, reason=HOSTILE, reading=HOSTILE),),
    agents=(
        fixtures.agent(HOSTILE, deed=fixtures.deed(why=HOSTILE, reason=HOSTILE, symbol=HOSTILE)),
        fixtures.agent("b", deed=fixtures.deed(outcome=HOSTILE, intent_id=HOSTILE)),
    ),
    breakers=(fixtures.breaker(HOSTILE, action=HOSTILE, rearm=HOSTILE),),
    appetite=(fixtures.breaker(f"max_{HOSTILE}", action=HOSTILE),),
    fills=(fixtures.fill(symbol=HOSTILE, trade_id=HOSTILE, order_id=HOSTILE),),
    round_trips=(fixtures.round_trip(symbol=HOSTILE, order_ids=(HOSTILE,), agent=HOSTILE),),
    transitions=(fixtures.transition(HOSTILE, scope=HOSTILE, reasons=(HOSTILE,)),),
    lifecycle=fixtures.lifecycle(HOSTILE, reasons=(HOSTILE,), suspended=(HOSTILE,)),
    health=fixtures.health(
        streams=(fixtures.stream(HOSTILE, refused={HOSTILE: 3}),), errors={HOSTILE: 1},
        orders={HOSTILE: 2}, blocked={HOSTILE: 4}, journal_head=HOSTILE,
    ),
    log=(fixtures.line(HOSTILE, HOSTILE, severity=HOSTILE),),
)  # fmt: skip
"""Whatever may come from outside does, in every place a pane has for words."""
NARROWEST = 39
"""Cells of the narrowest place a table has: health and risk beside each other at 200x60."""


@pytest.mark.parametrize("view", [*VIEWS.values(), FOREIGN], ids=[*VIEWS, "hostile"])
@pytest.mark.parametrize("name", NAMES)
def test_every_width_from_the_narrowest_place_to_200(name: str, view: View) -> None:
    """No row is wider than its pane, none is obeyed by a terminal, no figure is cut."""
    for width in range(NARROWEST, 201):
        for row in rows(name, view, width, 12):
            assert cell_len(line(row)) <= width
            assert line(row).isprintable()


OTHERS = {
    "quotes": lambda view, width: quotes.draw(view, width, 8),
    "sessionbar": lambda view, width: sessionbar.draw(
        view, width, 3, palette("safe-dark", is_ascii=True), sessionbar.Surroundings(None, 4.0)
    ),
}


@pytest.mark.parametrize("view", [*VIEWS.values(), FOREIGN], ids=[*VIEWS, "hostile"])
@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_table_stays_within_its_edges(name: str, view: View) -> None:
    """The quotes and the head of the screen, from 40 columns on."""
    for width in range(40, 201):
        for row in OTHERS[name](view, width):
            assert line(row).isprintable()
            assert cell_len(line(row)) <= width or name == "sessionbar"


DIGITS = re.compile(r"(?<![\w-])[\d,.]*\d~")


@pytest.mark.parametrize("name", ["positions", "orders", "fills", "round_trips", "risk"])
def test_no_digit_is_ever_cut(name: str) -> None:
    """A figure that has no room is crossed out, or its column is not there at all."""
    for width in range(NARROWEST, 201):
        for row in rows(name, VIEWS["extremes"], width, 12)[:4]:
            assert not DIGITS.search(line(row)), line(row)
