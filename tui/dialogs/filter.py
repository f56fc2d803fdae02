"""One line of text: what a pane shall look for."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.dialogs.modal import Modal

FILTER_MAX: Final = 80
"""Characters; no symbol, agent, kind of line or hash is longer."""


class FilterLine(Modal[str | None]):
    """Returns the text at enter; None at escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back")]

    def __init__(self, text: str, hint: str = "filter") -> None:
        super().__init__()
        self._text = text
        self._hint = hint

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        yield Input(self._text, placeholder=self._hint, max_length=FILTER_MAX, compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return what was typed."""
        self.dismiss(event.value.strip())
