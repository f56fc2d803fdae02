"""Rows of cells as the body of a dialog: drawn like a pane's, safe and in the palette's colors."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from tui.pane import Row, strip
from tui.theme import Palette


class Rows(Widget):
    """Shows what it is given, as wide as its widest row."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(id="box")
        self._palette = palette
        self._rows: Sequence[Row] = ()

    def show(self, rows: Sequence[Row]) -> None:
        """Draw these rows, and ask for room where they need more or less."""
        is_resized = len(rows) != len(self._rows)
        self._rows = rows
        self.refresh(layout=is_resized)

    def render_line(self, y: int) -> Strip:
        """Return one row in exactly the width there is."""
        row = self._rows[y] if y < len(self._rows) else ()
        return strip(row, self.size.width, self._palette)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the cells of the widest row."""
        return max((sum(cell_len(cell.text) for cell in row) for row in self._rows), default=1)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of rows."""
        return len(self._rows)
