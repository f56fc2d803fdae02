"""The first minute: three lines over the others that say what this is, until the first key.

Only the screen that started its session shows them: whoever attaches knows what runs.
"""

from collections.abc import Mapping
from typing import ClassVar, Final

from engine.session.control.views import View
from engine.session.control.words import Welcome
from tui import format as fmt
from tui.pane import Cell, Pane, Row

LINES: Final = 3
MONEY: Final = {
    "paper": "orders fill at a simulated venue, nothing real is bought or sold",
    "dry-run": "every order is signed and logged, none is sent",
    "shadow": "a real account is only looked at, orders fill at a simulated one",
    "live": "REAL ORDERS with REAL MONEY",
    "replay": "a recorded session, nothing is sent anywhere",
}
"""What a mode means for a person's money."""
NAMES_MAX: Final = 22


class BannerPane(Pane):
    """Draws what the session will do."""

    HAS_TITLE: ClassVar[bool] = False
    can_focus = False
    welcome: Welcome | None = None
    names: Mapping[str, str] = {}
    """Keys that a person moved, by how they are spelled otherwise."""

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return three lines."""
        return draw(view, width, self.welcome, self.names)


def draw(view: View, width: int, welcome: Welcome | None, names: Mapping[str, str]) -> list[Row]:
    """Return the mode and what it means, what will happen, and the two keys to know."""
    mode = "" if welcome is None else welcome.mode
    invented = ", on invented prices" if view.session.is_simulated else ""
    agents = fmt.text(", ".join(agent.name for agent in view.agents), NAMES_MAX) or "no agents"
    symbols = fmt.text(", ".join(market.symbol for market in view.markets), NAMES_MAX)
    left_s = view.session.remaining_s
    until = "until you stop them" if left_s is None else f"for {fmt.age(left_s)}"
    asks, danger = names.get("?", "?"), names.get("^x", "^x")
    lines = (
        f" {mode.upper() or '?'}: {MONEY.get(mode, 'a mode this screen does not know')}{invented}",
        f" {agents} trade {symbols} by themselves {until}",
        f" {asks} lists the keys   {danger} then k stops everything   any key closes this",
    )
    return [[Cell(fmt.fit(fmt.text(line, width), width, "left"), "text reverse")] for line in lines]
