"""What opens over the desk by a key: one row each, so that the app need not know them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

from tui import acting, details
from tui.alerts import Alert, line
from tui.copying import copy, copy_record
from tui.dialogs.help import HelpScreen, spelled
from tui.dialogs.jump import JumpScreen
from tui.dialogs.listing import Act, ListingScreen
from tui.dialogs.why import WhyScreen
from tui.keymap import own_bindings, rebound
from tui.pane import Pane
from tui.tuning import settings_rows

if TYPE_CHECKING:
    from tui.app import Workstation


def open_help(app: "Workstation") -> None:
    """List the keys, those of the focused pane too, as a person has bound them."""
    title = getattr(app.focused, "TITLE", "")
    chosen = app.surface.config.keys
    everywhere = [rebound(binding, chosen) for binding in app.KEYS]
    app.push_screen(HelpScreen((("Everywhere", everywhere), (f"In {title}", own_keys(app)))))


def own_keys(app: "Workstation") -> list[Binding]:
    """Return what the focused pane's keys do here, without those the app takes before it."""
    chosen = app.surface.config.keys
    everywhere = [rebound(binding, chosen) for binding in app.KEYS if binding.priority]
    taken = {key for binding in everywhere for key in binding.key.split(",")}
    own = [b for b in own_bindings(type(app.focused)) if b.id not in app.DEAD]
    left = [(b, [k for k in rebound(b, chosen).key.split(",") if k not in taken]) for b in own]
    return [replace(binding, key=",".join(keys)) for binding, keys in left if keys]


def open_why(app: "Workstation") -> None:
    """Ask about what the focused pane stands on, else about the chosen instrument."""
    glance = app.source.glance()
    view = glance.view
    pane = app.focused
    subject = pane.subject(view) if isinstance(pane, Pane) and view is not None else ""
    target = subject or app.desk.symbol
    if target:
        app.push_screen(WhyScreen(target, app.surface.why, glance.mode, app.looks))


def open_details(app: "Workstation") -> None:
    """Show every field of the row a person stands on, exact, as it was when they asked."""
    pane = app.focused
    of = details.record(pane) if isinstance(pane, Pane) else None
    if of is None or not isinstance(pane, Pane):
        app.say("nothing to show here: choose a row with the arrow keys", "warn")
        return
    lines = details.as_lines(of)
    acts = {
        "y": Act("copy as text", lambda _: copy_record(app, of, "text")),
        "Y": Act("copy as JSON", lambda _: copy_record(app, of, "JSON")),
    }
    app.push_screen(ListingScreen(f"{pane.TITLE}: all of it", lambda: lines, acts))


def open_alerts(app: "Workstation") -> None:
    """List what is wrong; a person may take note of it or go there."""
    listed: list[Alert] = []

    def rows() -> list[str]:
        listed[:] = app.desk.alerts.open()
        return [line(alert) for alert in listed] or ["nothing is wrong"]

    def acknowledge(at: int) -> None:
        if at < len(listed):
            app.desk.alerts.acknowledge(listed[at].condition.key)

    def go(at: int) -> None:
        if at < len(listed):
            app.call_later(app.desk.go_to, listed[at].condition.pane)

    acts = {"x": Act("acknowledge", acknowledge), "enter": Act("go there", go, closes=True)}
    app.push_screen(ListingScreen("Alerts: open conditions", rows, acts))


def open_jump(app: "Workstation") -> None:
    """Let one letter lead to any pane on the screen."""

    def go(name: str | None) -> None:
        if name and not app.desk.pane(name).has_focus:
            app.desk.go_to(name)

    app.push_screen(JumpScreen(app.desk.seen()), go)


def open_settings(app: "Workstation") -> None:
    """List every setting with its origin; those of this screen can be changed here."""
    app.push_screen(ListingScreen("Settings", *settings_rows(app)))


ACTS: Final[dict[str, Callable[["Workstation"], None]]] = {
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
"""What leads to a command; the others only show."""
OVERLAYS: Final[dict[str, Callable[["Workstation"], None]]] = {
    **ACTS,
    "help": open_help,
    "why": open_why,
    "details": open_details,
    "alerts": open_alerts,
    "jump": open_jump,
    "settings": open_settings,
    "copy": lambda app: copy(app, "text"),
    "copy-json": lambda app: copy(app, "JSON"),
}
"""By the argument of the binding's action `open('...')`."""


KEYLESS: Final = (("Settings: values, origins, and how this screen looks", "open('settings')"),)
"""What only the command palette offers: words and action."""


def commands(
    app: "Workstation", screen: Screen[object]
) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Yield every action in plain words for the command palette: the app's, the focused pane's."""
    for words, action in KEYLESS:
        yield words, "no key", _runs(app, app, action)
    offered: dict[str, tuple[Binding, DOMNode]] = {b.action: (b, app) for b in app.KEYS}
    if isinstance(screen.focused, Pane):
        for binding in own_keys(app):
            offered.setdefault(binding.action, (binding, screen.focused))
    for binding, owner in offered.values():
        key = spelled(rebound(binding, app.surface.config.keys).key)
        yield binding.description, f"key {key}", _runs(app, owner, binding.action)


def _runs(app: "Workstation", owner: DOMNode, action: str) -> Callable[[], None]:
    def run() -> None:
        app.call_later(app.run_action, action, owner)

    return run
