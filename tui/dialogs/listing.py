"""A list over the desk: one row chosen, and letters that do something with it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from textual.app import ComposeResult
from textual.content import Content
from textual.events import Click, Key, Resize
from textual.widgets import Static

from tui.dialogs.modal import Modal
from tui.format import text
from tui.pane import window

FRAME: Final = 6
"""Lines that border, title, keys and margins take."""
SIDES: Final = 5
"""Columns that border, padding and the mark of the choice take."""
WIDTH_SHARE: Final = 0.96
"""Of the screen, as the style sheet has it."""
MOVES: Final = {"up": -1, "k": -1, "down": 1, "j": 1, "home": -10_000, "g": -10_000,
                "end": 10_000, "G": 10_000}  # fmt: skip
PAGES: Final = {"pageup": -1, "pagedown": 1}


class Act(NamedTuple):
    """What a key does with the chosen row."""

    what: str
    do: Callable[[int], None]
    """Called with the place of the row."""
    closes: bool = False


class ListingScreen(Modal[None]):
    """Shows rows and acts on the chosen one; any other key closes it."""

    def __init__(
        self, title: str, rows: Callable[[], Sequence[str]], acts: Mapping[str, Act] | None = None
    ) -> None:
        super().__init__()
        self._title = title
        self._rows = rows
        self._acts = acts or {}
        self._at = self._count = 0

    def compose(self) -> ComposeResult:
        """Lay out the box."""
        yield Static(id="box", markup=False)

    def on_mount(self) -> None:
        """Show the rows, and again each second: they may be about what is going on."""
        self.draw()
        self.set_interval(1.0, self.draw)

    def on_resize(self, _: Resize) -> None:
        """Show as many as fit now."""
        self.draw()

    def draw(self) -> None:
        """Write the rows around the chosen one."""
        rows = self._rows()
        self._count = len(rows)
        self._at = max(0, min(self._at, len(rows) - 1))
        height = max(1, self.app.size.height - FRAME)
        shown = [(place, rows[place]) for place in window(len(rows), height, self._at)]
        room = max(1, int(self.app.size.width * WIDTH_SHARE) - SIDES)
        lines = [Content(self._title), Content("")]
        lines += [self._line(text(row, room), is_chosen=at == self._at) for at, row in shown]
        keys = [f"{key} {act.what}" for key, act in self._acts.items()]
        lines.append(Content("  ".join(["", *keys, "esc back"])))
        self.query_one("#box", Static).update(Content("\n").join(lines))

    def _line(self, row: str, *, is_chosen: bool) -> Content:
        if is_chosen and self._acts:
            return Content.styled(f">{row}", "reverse")
        return Content(f" {row}")

    def on_key(self, event: Key) -> None:
        """Move, act or close."""
        event.stop()
        event.prevent_default()
        if event.key in MOVES or event.key in PAGES:
            page = max(1, self.app.size.height - FRAME)
            self._at = max(0, self._at + MOVES.get(event.key, PAGES.get(event.key, 0) * page))
        elif event.key in self._acts and self._count:
            act = self._acts[event.key]
            act.do(self._at)
            if act.closes:
                self.dismiss()
                return
        else:
            self.dismiss()
            return
        self.draw()

    def on_click(self, event: Click) -> None:
        """Stay: a click is no answer."""
        event.stop()
