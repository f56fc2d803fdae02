"""What every key does, from the table that binds them."""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.events import Key
from textual.keys import key_to_character
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.danger import CHOICES

SCROLLS = frozenset({"up", "down", "pageup", "pagedown", "home", "end"})
SPELLED = {"escape": "esc"}


class HelpScreen(ModalScreen[None]):
    """Lists the keys of the app and of the focused pane; any key but scrolling closes it."""

    def __init__(self, groups: Iterable[tuple[str, Iterable[Binding]]]) -> None:
        super().__init__()
        self._text = help_text(groups)

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with VerticalScroll(id="box"):
            yield Static(self._text, markup=False)

    def on_key(self, event: Key) -> None:
        """Close."""
        if event.key not in SCROLLS:
            event.stop()
            self.dismiss()


def help_text(groups: Iterable[tuple[str, Iterable[Binding]]]) -> str:
    """Return a line a key, by group, and how the danger menu works."""
    lines: list[str] = []
    for title, bindings in groups:
        rows = [f"  {spelled(b.key):<12} {b.description}" for b in bindings if b.description]
        lines += [title, *rows, ""]
    lines += ["After ^x, within 5 s (any other key disarms)"]
    lines += [f"  {key:<12} {what}" for key, (_, what) in CHOICES.items()]
    lines += ["", "Select text with the mouse, or shift+drag where the terminal selects itself."]
    return "\n".join(lines)


def spelled(key: str) -> str:
    """Return a key as people write it: `question_mark,f1` is `? f1`."""
    return " ".join(_spelled(part) for part in key.split(","))


def _spelled(key: str) -> str:
    character = key_to_character(key)
    if character is not None and character.isprintable() and not character.isspace():
        return character
    return SPELLED.get(key, key.replace("ctrl+", "^"))
