"""`w`: the way of an intent through consensus, gate, router and venue, over the whole screen."""

import asyncio
from typing import ClassVar, Final

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.dialogs.modal import Modal
from tui.format import text
from tui.pane import Cell, Row, strip, window
from tui.story import Asked, JournalLine, Reply, Told
from tui.theme import Palette
from tui.why import Entry, entries

DETAIL_ROWS: Final = 8
"""For a line of the journal in full."""
HEADLINE: Final = "focus bold reverse"
DETAIL_MAX: Final = 4_000
FOOT: Final = " up/down   enter: journal line or that intent   backspace: back   esc: close"


class WhyScreen(Modal[None]):
    """Asks, shows what is told, and lets a person walk on from it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,w", "dismiss(None)", "Close")]

    def __init__(self, target: str, asked: Asked, mode: str, palette: Palette) -> None:
        super().__init__()
        self._view = WhyView(mode, palette)
        self._asked = asked
        self._target = target

    def compose(self) -> ComposeResult:
        """Lay out the one view."""
        yield self._view

    def on_mount(self) -> None:
        """Ask for what the screen was opened for."""
        self._view.focus()
        self.ask(self._target)

    def ask(self, target: str) -> None:
        """Ask on a thread, for it may take seconds; what was asked before is dropped."""
        self._view.wait_for(target)
        self.run_worker(self._ask(target), exclusive=True)

    async def _ask(self, target: str) -> None:
        self._view.take(await asyncio.to_thread(self._asked, target))


class WhyView(Widget, can_focus=True):
    """The story as rows to walk on, and below it one line of the journal in full."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "move(-10)", "Up ten", show=False),
        Binding("pagedown", "move(10)", "Down ten", show=False),
        Binding("home,g", "move(-100000)", "First", show=False),
        Binding("end,G", "move(100000)", "Last", show=False),
        Binding("enter", "open", "Show the journal line, or why of another intent", show=False),
        Binding("backspace", "back", "Back to the intent before", show=False),
    ]

    def __init__(self, mode: str, palette: Palette) -> None:
        super().__init__(id="why")
        self._mode = mode
        self._palette = palette
        self._target = ""
        self._trail: list[str] = []
        """Asked before, oldest first."""
        self._told: Told | None = None
        self._words = ""
        self._selected = 0
        self._detail: JournalLine | None = None

    def wait_for(self, target: str) -> None:
        """Say that the journal is being asked."""
        self._target, self._told = target, None
        self._selected, self._detail = 0, None
        self._words = "asking the journal..."
        self.refresh()

    def take(self, reply: Reply) -> None:
        """Show an answer."""
        self._told, self._words = reply.told, reply.trouble
        self.refresh()

    # --- keys ----------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """Choose another row; the open journal line follows."""
        last = max(0, len(self._entries()) - 1)
        self._selected = max(0, min(self._selected + by, last))
        if self._detail is not None:
            self._detail = self._chosen().line
        self.refresh()

    def action_open(self) -> None:
        """Open what stands on the row."""
        chosen = self._chosen()
        if chosen.intent_id and chosen.intent_id != self._target:
            self._trail.append(self._target)
            self._ask(chosen.intent_id)
        else:
            self._detail = chosen.line if self._detail is None else None
            self.refresh()

    def action_back(self) -> None:
        """Return to what was asked before."""
        if self._trail:
            self._ask(self._trail.pop())

    def _ask(self, target: str) -> None:
        if isinstance(self.screen, WhyScreen):
            self.screen.ask(target)

    # --- looks ---------------------------------------------------------------------------------

    def _entries(self) -> list[Entry]:
        return [] if self._told is None else entries(self._told, self.size.width)

    def _chosen(self) -> Entry:
        found = self._entries()
        return found[self._selected] if self._selected < len(found) else Entry(())

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines asked for, drawn anew: this changes by keys alone."""
        rows = self._rows()
        lines = [
            strip(rows[y] if y < len(rows) else (), self.size.width, self._palette)
            for y in range(crop.y, crop.bottom)
        ]
        return [line.crop(crop.x, crop.right) for line in lines]

    def _rows(self) -> list[Row]:
        found = self._entries()
        subject = self._target if self._told is None else self._told.intent_id
        rows: list[Row] = [
            (Cell(f" {self._mode} ", "title bold"), Cell(f" WHY {text(subject, 40)} ", HEADLINE))
        ]
        if self._words:
            rows += [(), (Cell(f" {text(self._words, 400)}", "warn"),)]
        below = self._detail_rows()
        room = max(0, self.size.height - len(rows) - len(below) - 1)
        for place in window(len(found), room, self._selected):
            rows.append(_marked(found[place].row) if place == self._selected else found[place].row)
        rows += [()] * (self.size.height - len(rows) - len(below) - 1)
        return [*rows, *below, (Cell(FOOT, "dim"),)]

    def _detail_rows(self) -> list[Row]:
        if self._detail is None:
            return []
        line, width = self._detail, max(20, self.size.width - 2)
        told = text(msgspec.json.encode(line.data).decode(), DETAIL_MAX)
        parts = [told[at : at + width] for at in range(0, len(told), width)][: DETAIL_ROWS - 1]
        head = (Cell(f" line {line.seq:,}  {text(line.type, 40)}", "title bold"),)
        return [head, *((Cell(f" {part}", "text"),) for part in parts)]


def _marked(row: Row) -> Row:
    return [Cell(shown, f"{token} reverse") for shown, token in row]
