"""What every key does, from the table that binds them."""

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.events import Key
from textual.keys import KEY_NAME_REPLACEMENTS, key_to_character
from textual.widgets import Static

from tui.danger import CHOICES
from tui.dialogs.modal import Modal

SCROLLS = frozenset({"up", "down", "pageup", "pagedown", "home", "end"})
SPELLED = {"escape": "esc"}
UNICODE = {short: long for long, short in KEY_NAME_REPLACEMENTS.items()}
"""Keys that Textual calls by a shorter name than Unicode."""


class HelpScreen(Modal[None]):
    """Lists the keys of the app and of the focused pane; any key but scrolling closes it."""

    def __init__(self, groups: Iterable[tuple[str, Sequence[Binding]]]) -> None:
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


def help_text(groups: Iterable[tuple[str, Sequence[Binding]]]) -> str:
    """Return a line a key, by group, and how the danger menu works."""
    lines: list[str] = []
    has_danger = False
    for title, bindings in groups:
        rows = [
            f"  {spelled(b.key):<12} {b.description}{_id(b)}" for b in bindings if b.description
        ]
        lines += [title, *rows, ""]
        has_danger = has_danger or any(binding.action == "danger" for binding in bindings)
    if has_danger:
        lines += ["After ^x, within 5 s (any other key disarms)"]
        lines += [f"  {key:<12} {what}" for key, (_, what) in CHOICES.items()]
        lines += [""]
    lines += ["Names in brackets are those of the settings tui.keys.NAME."]
    lines += ["Select text with the mouse, or shift+drag where the terminal selects itself."]
    return "\n".join(lines)


def _id(binding: Binding) -> str:
    """Return the name under which `tui.keys` moves an action."""
    return f"  ({binding.id})" if binding.id else ""


def spelled(key: str) -> str:
    """Return a key as people write it: `question_mark,f1` is `? f1`."""
    return " ".join(_spelled(part) for part in key.split(","))


def _spelled(key: str) -> str:
    typed = character(key)
    if typed is not None and typed.isprintable() and not typed.isspace():
        return typed
    return SPELLED.get(key, key.replace("ctrl+", "^"))


def character(key: str) -> str | None:
    """Return what a key types, `/` for `slash`; None for one that types nothing."""
    return key_to_character(UNICODE.get(key, key))
