"""What opens over the desk by a key: one row each, so that the app need not know them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual.binding import Binding

from tui.dialogs.help import HelpScreen

if TYPE_CHECKING:
    from tui.app import Workstation


def open_help(app: "Workstation") -> None:
    """List the keys, those of the focused pane too."""
    own = [b for b in getattr(app.focused, "BINDINGS", ()) if isinstance(b, Binding)]
    title = getattr(app.focused, "TITLE", "")
    app.push_screen(HelpScreen([("Everywhere", app.KEYS), (f"In {title}", own)]))


OVERLAYS: Final[dict[str, Callable[["Workstation"], None]]] = {
    "help": open_help,
}
"""By the argument of the binding's action `open('...')`."""
