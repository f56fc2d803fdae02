"""The whole session on a card, for a terminal too small for panes."""

from collections.abc import Mapping
from typing import ClassVar

from engine.session.control.views import View
from tui import format as fmt
from tui.grid import signed_token
from tui.pane import Cell, Pane, Row
from tui.panes.sessionbar import Surroundings, badges, state


class CardPane(Pane):
    """Draws eight figures, the most important first."""

    HAS_TITLE: ClassVar[bool] = False
    TITLE: ClassVar[str] = "Card"
    around = Surroundings()
    names: Mapping[str, str] = {}
    """Keys that a person moved, by how they are spelled otherwise."""

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return what fits."""
        return draw(view, height, self.around, self.names)


def draw(
    view: View, height: int, around: Surroundings, names: Mapping[str, str] | None = None
) -> list[Row]:
    """Return one figure a line."""
    session = view.session
    danger = (names or {}).get("^x", "^x")
    held = sum(1 for position in view.positions if position.qty)
    rows: list[Row] = [
        [*badges(view, around.welcome)],
        [*state(view)],
        [Cell(" Eq  ", "dim"), Cell(fmt.money(session.equity), "text bold")],
        [Cell(" PnL ", "dim"), Cell(fmt.pnl(session.pnl), signed_token(session.pnl))],
        [Cell(f" {held} pos {session.open_orders} orders")],
        [Cell(f" {fmt.countdown(session.remaining_s)}")],
        [Cell(f" {danger} DANGER", "warn bold"), Cell("  q quit", "dim")],
    ]
    return rows[:height]
