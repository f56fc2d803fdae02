"""One line over the others while a person holds the display: figures stand, the session goes on."""

from collections.abc import Mapping
from typing import ClassVar

from engine.session.control.views import View
from tui import format as fmt
from tui.pane import Cell, Pane, Row


class HeldPane(Pane):
    """Draws since when the display is held."""

    HAS_TITLE: ClassVar[bool] = False
    can_focus = False
    since_ns = 0
    """Session time of what the other panes show."""
    names: Mapping[str, str] = {}
    """Keys that a person moved, by how they are spelled otherwise."""

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return one line."""
        return [draw(view, width, self.since_ns, self.names.get("space", "space"))]


def draw(view: View, width: int, since_ns: int, key: str) -> Row:
    """Return when the figures were true, how long ago that is, and what goes on."""
    ago_s = fmt.between(since_ns, view.session.ts_ns) or 0.0
    words = (
        f" HELD at {fmt.clock(since_ns)}, {fmt.age(ago_s)} ago: {key} lets go; the session goes on"
    )
    return [Cell(fmt.fit(fmt.text(words, width), width, "left"), "warn reverse")]
