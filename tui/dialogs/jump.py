"""A letter over every pane: the one that is pressed is gone to. Any other key leaves."""

from collections.abc import Mapping
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Click, Key
from textual.geometry import Region
from textual.widgets import Static

from tui.dialogs.modal import Modal

LETTERS: Final = "asdfghjklweruiopzxcvbnm"
"""In the order panes are read; the ones under the fingers first."""


class JumpScreen(Modal[str | None]):
    """Returns the id of the pane, or None."""

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, places: Mapping[str, Region]) -> None:
        """Take where the panes stand, by their ids, in the order they are read."""
        super().__init__()
        self._panes = dict(zip(LETTERS, places, strict=False))
        self._places = places

    def compose(self) -> ComposeResult:
        """Put a letter on the title of each."""
        for letter, pane in self._panes.items():
            label = Static(f" {letter} ", classes="letter", markup=False)
            label.styles.offset = self._places[pane].offset
            yield label

    def on_key(self, event: Key) -> None:
        """Go, or leave."""
        event.stop()
        event.prevent_default()
        self.dismiss(self._panes.get(event.key))

    def on_click(self, event: Click) -> None:
        """Leave."""
        event.stop()
        self.dismiss(None)
