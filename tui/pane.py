"""What all panes share: rows of cells in, dirty lines out.

The contract of a pane, one file each in `tui/panes/`:

    def draw(view: View, width: int, height: int, palette: Palette) -> list[Row]: ...

    class PositionsPane(Pane):
        NUMBER, TITLE = "4", "Positions"

        def draw(self, view: View, width: int, height: int) -> list[Row]:
            return draw(view, width, height, self.palette)

Rule 1: `draw` is pure. Ages count from `view.session.ts_ns`; what a person chose (`selected`,
        `filter`) are attributes of the widget that its method passes on.
Rule 2: the base draws the title line, cuts and pads rows, leaves out what is below `height`, and
        repaints only lines that differ.
Rule 3: whatever `draw` raises is shown in its pane, which tries again with the next view.
Rule 4: every cell is sanitised again here and drawn without markup, always with a style.
"""

from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.events import Blur, Focus, Resize, Show
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from engine.session.control.views import View
from engine.session.sanitize import sanitize
from tui.ordering import OWN, Sort, is_newest_first, ordered, stepped
from tui.standing import followed, identity
from tui.theme import Palette, palette

CELL_MAX: Final = 400
"""Characters of one cell: more than the widest terminal shows."""
ERROR_MAX: Final = 500
"""Characters of an error shown in a pane."""


class Cell(NamedTuple):
    """Text and the token that says what it means, perhaps with attributes: `up bold`."""

    text: str
    token: str = "text"  # noqa: S105 - a token of color


Row = Sequence[Cell]


class Pane(Widget, can_focus=True):
    """A titled part of the screen that shows one thing of a view."""

    NUMBER: ClassVar[str] = ""
    """The key that focuses it."""
    TITLE: ClassVar[str] = ""
    HAS_TITLE: ClassVar[bool] = True
    LEADS: ClassVar[bool] = False
    """Whether other panes show what is chosen here, so that it counts without the focus too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="up"),
        Binding("down,j", "move(1)", "Down", show=False, id="down"),
        Binding("home,g", "move(-100000)", "First", show=False, id="first"),
        Binding("end,G", "move(100000)", "Last", show=False, id="last"),
        Binding("comma", "sort(-1)", "Sort by the column before", show=False, id="sort-previous"),
        Binding("full_stop", "sort(1)", "Sort by the next column", show=False, id="sort-next"),
        Binding("r", "reverse", "Reverse the order", show=False, id="sort-reverse"),
    ]

    selected: int = 0
    """Row a person stands on, from 0; panes without a choice of rows ignore it."""
    is_below: bool = False
    """Whether another pane stands right above: then their rules join."""
    edge: str = "dim"
    """Token of the rules around the pane."""
    is_beside: bool = False
    """Whether another pane stands at the left."""
    filter: str = ""
    """What `/` looks for; empty shows all."""
    sort: Sort = OWN
    """The order of its rows."""

    class Failed(Message):
        """`draw` raised something new."""

        def __init__(self, pane: str, error: str, bug: Exception) -> None:
            super().__init__()
            self.pane = pane
            self.error = error
            self.bug = bug

    class Arranged(Message):
        """A person chose an order of rows."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id or type(self).__name__.removesuffix("Pane").lower())
        self.palette: Palette = palette("safe-dark")
        self._view: View | None = None
        self._lines: list[Row] = []
        self._error = ""

    # --- what a pane says of itself ------------------------------------------------------------

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the rows below the title, at most `height` of at most `width` cells."""
        raise NotImplementedError

    def caption(self, view: View) -> str:
        """Return what stands in the title after the name: a count, a symbol, a filter."""
        return ""

    def waiting(self, width: int) -> list[Row]:
        """Return what stands here before the first view."""
        return [(Cell(" waiting for the engine", "dim"),)]

    def count(self, view: View) -> int:
        """Return how many rows can be selected."""
        return 0

    def subject(self, view: View) -> str:
        """Return the order `w` asks about here; empty for the chosen instrument."""
        return ""

    def chosen(self, view: View) -> object | None:
        """Return the row a person stands on; None where a pane has no rows of its own."""
        return None

    def ordered(self, view: View) -> View:
        """Return the view with this pane's rows in the order a person wants."""
        return ordered(view, self.id or "", self.sort)

    # --- what the app does with it -------------------------------------------------------------

    def show(self, view: View) -> None:
        """Take the newest view and repaint what it changes; a choice stays with its row."""
        if self._view is not None and (self.has_focus or self.LEADS):
            self._follow(self._view, view)
        self._view = view
        self.redraw()

    @property
    def view(self) -> View | None:
        """What it shows now; None before the first view."""
        return self._view

    def standing(self) -> object | None:
        """Return the row a person stands on, as it was painted."""
        return None if self._view is None else self.chosen(self._view)

    def wear(self, palette: Palette) -> None:
        """Change the palette."""
        self.palette = palette
        self.redraw()
        self.refresh()

    def look_for(self, wanted: str | None) -> None:
        """Show only what matches, from its first row; None changes nothing."""
        if wanted is not None:
            self.filter, self.selected = wanted, 0
            self.redraw()

    def redraw(self) -> None:
        """Draw again from what is there; nothing while hidden."""
        width, height = self.size
        if not width or not height or not self.display:
            return
        before, self._lines = self._lines, self._compose_lines(width, height)
        if len(before) != len(self._lines):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            if old != new:
                self.refresh(Region(0, y, width, 1))

    def render_line(self, y: int) -> Strip:
        """Return one line, exactly as wide as the pane."""
        cells = self._lines[y] if y < len(self._lines) else ()
        return strip(cells, self.size.width, self.palette)

    def _compose_lines(self, width: int, height: int) -> list[Row]:
        edge = 1 if self.is_beside else 0  # a rule towards the pane on the left
        top = 1 if self.HAS_TITLE else 0
        rows = self._safely_drawn(max(0, width - edge), max(0, height - top))
        if self.can_focus and not self.has_focus:
            rows = [[_unmarked(cell) for cell in row] for row in rows]
        rule = Cell("|" if self.palette.is_ascii else "│", self.edge)
        lines: list[Row] = [self._title(width, edge)] if top else []
        lines += [(rule, *row) if edge else row for row in rows[: height - top]]
        while edge and len(lines) < height:
            lines.append((rule,))
        return lines

    def _safely_drawn(self, width: int, height: int) -> list[Row]:
        if self._view is None or not width or not height:
            return self.waiting(width)
        try:
            rows = self.draw(self.ordered(self._view), width, height)
        except Exception as error:  # noqa: BLE001 - the supervisor seam of panes
            text = f"{type(error).__name__}: {error}"[:ERROR_MAX]
            if text != self._error:
                self._error = text
                self.post_message(self.Failed(self.TITLE, text, error))
            return [
                (Cell(" ! this pane can't be drawn, a bug of ours:", "danger"),),
                (Cell(f" {text}", "warn"),),
                (Cell(" the engine and all else go on; trying again", "dim"),),
            ]
        self._error = ""
        return rows

    def _title(self, width: int, edge: int) -> Row:
        is_ascii = self.palette.is_ascii
        line, cross = ("-", "+") if is_ascii else ("─", "├" if self.is_below else "┬")
        number = f"{self.NUMBER} " if self.NUMBER else ""
        caption = "" if self._view is None or self._error else self._caption(self._view)
        name = f"{number}{self.TITLE}{caption}"[: max(0, width - edge - 2)]
        look = "focus bold reverse" if self.has_focus else "title bold"
        rest = width - edge - 1 - len(name)
        return (
            Cell(cross if edge else "", self.edge),
            Cell(line, self.edge),
            Cell(name, look),
            Cell(line * max(0, rest), self.edge),
        )

    def _caption(self, view: View) -> str:
        text = self.caption(view)
        filtered = f" /{self.filter}" if self.filter else ""
        arranged = f" {'v' if self.sort.is_falling else '^'}{self.sort.column}"
        return f"{' ' if text else ''}{text}{filtered}{arranged if self.sort.column else ''}"

    def _follow(self, before: View, after: View) -> None:
        at = self.selected
        wanted = identity(self.chosen(before))
        if wanted is None or wanted == identity(self.chosen(after)):
            return
        if at == 0 and is_newest_first(self.id or ""):
            return  # whoever stands on the newest stays there

        def record(place: int) -> object:
            self.selected = place
            return self.chosen(after)

        self.selected = followed(wanted, at, self.count(after), record)

    def action_move(self, by: int) -> None:
        """Select another row."""
        last = self.count(self._view) - 1 if self._view else 0
        self.selected = max(0, min(self.selected + by, last))
        self.redraw()

    def action_sort(self, by: int) -> None:
        """Sort by another column; past the last comes the pane's own order."""
        self.sort = stepped(self.id or "", self.sort, by)
        self._arranged()

    def action_reverse(self) -> None:
        """Turn the order of a sorted pane round."""
        if self.sort.column:
            self.sort = self.sort._replace(is_falling=not self.sort.is_falling)
            self._arranged()

    def _arranged(self) -> None:
        self.redraw()
        self.post_message(self.Arranged())

    def on_resize(self, _: Resize) -> None:
        """Draw for the new size."""
        self.redraw()
        self.refresh()

    def on_show(self, _: Show) -> None:
        """Draw what came while hidden."""
        self.redraw()

    def on_focus(self, _: Focus) -> None:
        """Mark the title."""
        self.redraw()

    def on_blur(self, _: Blur) -> None:
        """Unmark it."""
        self.redraw()


def _unmarked(cell: tuple[str, str]) -> Cell:
    """Return a cell without the mark of a choice: only the focused pane shows one."""
    return Cell(cell[0], cell[1].replace(" reverse", ""))


def strip(row: Row, width: int, palette: Palette) -> Strip:
    """Return a row as what Textual paints: safe, styled, and exactly `width` cells wide."""
    segments = [
        Segment(sanitize(text, CELL_MAX), palette.style(token)) for text, token in row if text
    ]
    return Strip(segments).adjust_cell_length(width, palette.style("text")).simplify()


def window(count: int, height: int, selected: int) -> range:
    """Return which of `count` rows to show in `height` lines so that the selected one is seen."""
    first = max(0, min(selected - height // 2, count - height))
    return range(first, min(count, first + max(0, height)))
