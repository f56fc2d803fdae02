"""One line of text: what a pane shall look for."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.dialogs.modal import Modal

FILTER_MAX: Final = 40
"""Characters; no symbol, agent or kind of line is longer."""


class FilterLine(Modal[str | None]):
    """Returns the text at enter; None at escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back")]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        yield Input(self._text, placeholder="filter", max_length=FILTER_MAX, compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return what was typed."""
        self.dismiss(event.value.strip())
