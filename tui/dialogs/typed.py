"""A question answered by typing a word: what leaves EMERGENCY is meant, letter by letter."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui.dialogs.modal import Modal


class TypedDialog(Modal[bool]):
    """Returns whether the word was typed; enter with any other word says so and stays."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)", "Stay")]

    def __init__(self, question: str, word: str) -> None:
        super().__init__()
        self._question = question
        self._word = word

    def compose(self) -> ComposeResult:
        """Lay out the question and the line."""
        with Vertical(id="box"):
            yield Static(self._question, markup=False)
            yield Input(max_length=len(self._word), compact=True)
            yield Static("", id="wrong", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Accept the very word."""
        if event.value.strip().casefold() == self._word.casefold():
            self.dismiss(True)
        else:
            self.query_one("#wrong", Static).update("not these letters: nothing was sent")
