"""What opens over the desk by a key: one row each, so that the app need not know them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual.binding import Binding

from tui import acting
from tui.dialogs.help import HelpScreen
from tui.dialogs.why import WhyScreen
from tui.pane import Pane

if TYPE_CHECKING:
    from tui.app import Workstation


def open_help(app: "Workstation") -> None:
    """List the keys, those of the focused pane too."""
    own = [b for b in getattr(app.focused, "BINDINGS", ()) if isinstance(b, Binding)]
    title = getattr(app.focused, "TITLE", "")
    app.push_screen(HelpScreen([("Everywhere", app.KEYS), (f"In {title}", own)]))


def open_why(app: "Workstation") -> None:
    """Ask about what the focused pane stands on, else about the chosen instrument."""
    glance = app.source.glance()
    view = glance.view
    pane = app.focused
    subject = pane.subject(view) if isinstance(pane, Pane) and view is not None else ""
    target = subject or app.desk.symbol
    if target:
        app.push_screen(WhyScreen(target, app.surface.why, glance.mode, app.looks))


OVERLAYS: Final[dict[str, Callable[["Workstation"], None]]] = {
    "help": open_help,
    "why": open_why,
    "buy": acting.buy,
    "sell": acting.sell,
    "amend": acting.amend,
    "cancel": acting.cancel,
    "cancel-symbol": acting.cancel_symbol,
    "flatten": acting.flatten,
    "agent-pause": acting.pause_agent,
    "agent-up": acting.weigh_up,
    "agent-down": acting.weigh_down,
    "controls": acting.take_controls,
    "reset": acting.reset,
}
"""By the argument of the binding's action `open('...')`."""
