"""What every key does, from the table that binds them."""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.events import Key
from textual.widgets import Static

from tui.danger import CHOICES
from tui.dialogs.modal import Modal

SCROLLS = frozenset({"up", "down", "pageup", "pagedown", "home", "end"})
SPELLED = {
    "question_mark": "?",
    "exclamation_mark": "!",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "slash": "/",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "plus": "+",
    "minus": "-",
    "asterisk": "*",
    "apostrophe": "'",
    "quotation_mark": '"',
}


class HelpScreen(Modal[None]):
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
    """Return a key as people write it."""
    parts = key.split(",")
    return " ".join(SPELLED.get(part, part.replace("ctrl+", "^")) for part in parts)
