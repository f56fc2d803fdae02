"""The lines around the panes: tabs, alerts, keys. Each draws one row."""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from rich.cells import cell_len

from engine.session.control.views import View
from tui import format as fmt
from tui.alerts import GRAVITY, Alert
from tui.link import Glance
from tui.pane import Cell, Pane, Row
from tui.readonly import LOWERER

HOLDER: Final = re.compile(r"pid=\d{1,10}")
"""What of the holder's name is shown; the rest is in the takeover's question."""
GRAVEST: Final = GRAVITY[0]
FROZEN_S: Final = 2.0
"""A screen whose newest view is older says so."""

KEYS: Final = (
    # key as shown, what it does; the last ones go first where there is no room
    ("?", "help"),
    ("^x", "DANGER"),
    ("q", "quit"),
    ("^p", "commands"),
    ("0-9", "panes"),
    ("P", "pause"),
    ("w", "why"),
    ("b/s", "ticket"),
    ("z", "zoom"),
    ("[ ]", "symbol"),
    ("T", "theme"),
)


class StripPane(Pane):
    """Names the panes that share a place."""

    HAS_TITLE: ClassVar[bool] = False
    can_focus = False
    tabs: tuple[str, ...] = ()
    shown = ""
    names: Mapping[str, str] = {}
    """Pane id to its number and title."""

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return one row."""
        return [strip_row([self.names.get(tab, tab) for tab in self.tabs], self._at(), width)]

    def _at(self) -> int:
        return self.tabs.index(self.shown) if self.shown in self.tabs else 0


def strip_row(names: Sequence[str], shown: int, width: int) -> Row:
    """Return the names, the shown one in brackets and first where not all fit."""
    order = [*range(shown, len(names)), *range(shown)] if _too_wide(names, width) else None
    cells: list[Cell] = []
    for place in order or range(len(names)):
        text = f"[{names[place]}]" if place == shown else f" {names[place]} "
        if sum(cell_len(cell.text) for cell in cells) + cell_len(text) > width:
            break
        cells.append(Cell(text, "focus bold" if place == shown else "dim"))
    return cells


def _too_wide(names: Sequence[str], width: int) -> bool:
    return sum(cell_len(name) + 2 for name in names) > width


class AlertlinePane(Pane):
    """Shows the most severe open condition."""

    HAS_TITLE: ClassVar[bool] = False
    can_focus = False
    glance = Glance()
    said: Row = ()
    """What the app has to say: an outcome, a hint; stands behind what is worse."""
    alerts: Sequence[Alert] = ()
    """Open and not acknowledged, the gravest first."""

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return one row, empty when all is well."""
        return self.waiting(width)

    def waiting(self, width: int) -> list[Row]:
        """Return the same: there may be trouble before the first view."""
        return [counted(alert(self.glance, self.said, width, self.alerts), self.alerts, width)]


def counted(row: Row, alerts: Sequence[Alert], width: int) -> Row:
    """Return the row with the number of open conditions at its end, where there is room."""
    if len(alerts) < 2:
        return row
    more = f"  ({len(alerts)} alerts: A)"
    left = width - sum(cell_len(cell.text) for cell in row) - cell_len(more)
    return [*row, Cell(" " * left), Cell(more, "warn")] if left >= 0 else row


def alert(glance: Glance, said: Row, width: int, alerts: Sequence[Alert] = ()) -> Row:
    """Return the worst of: the screen is frozen, what was said, what keeps us from trading."""
    view = glance.view
    if view is None:
        return [Cell(f" {fmt.text(glance.trouble or 'connecting', width - 1)}", "warn")]
    if glance.farewell is not None:
        reason = fmt.text(glance.farewell.stop_reason, 40)
        return [Cell(f" session ended: {reason}", "warn bold")]
    if glance.age_s > FROZEN_S:
        return [frozen(view, glance, width)]
    if said:
        return said
    grave = [alert.condition for alert in alerts if alert.condition.token == GRAVEST]
    if grave:
        return [Cell(fmt.text(f" !! {grave[0].text}", width), GRAVEST)]
    suspended = ", ".join(fmt.text(symbol, 12) for symbol in view.lifecycle.suspended)
    if suspended:
        text = f" ! no new risk in {suspended}: {', '.join(view.lifecycle.reasons)}"
        return [Cell(fmt.text(text, width), "warn")]
    if view.lifecycle.reasons:
        text = f" ! {view.lifecycle.state}: {', '.join(view.lifecycle.reasons)}"
        return [Cell(fmt.text(text, width), "warn")]
    if alerts:
        first = alerts[0].condition
        return [Cell(fmt.text(f" ! {first.text}", width), first.token)]
    return []


def frozen(view: View, glance: Glance, width: int) -> Cell:
    """Return the banner of a screen whose figures are old, over the full width."""
    as_of = fmt.clock(view.session.ts_ns)
    why = f": {glance.trouble}" if glance.trouble else ""
    text = f" SCREEN FROZEN, figures as of {as_of}, engine {view.lifecycle.state}{why}"
    return Cell(fmt.fit(fmt.text(text, width), width, "left"), "live")


class KeylinePane(Pane):
    """Reminds of the keys, and of what this screen may not do."""

    HAS_TITLE: ClassVar[bool] = False
    names: Mapping[str, str] = {}
    """Keys that a person moved, by how they are spelled otherwise."""
    can_focus = False
    glance: Glance = Glance()
    keys: Sequence[tuple[str, str]] = KEYS

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return one row."""
        return self.waiting(width)

    def waiting(self, width: int) -> list[Row]:
        """Return the same: keys work from the first moment."""
        role = role_cells(self.glance)
        room = width - sum(cell_len(cell.text) for cell in role)
        return [[*role, *key_row(room, self.keys, self.names)]]


def role_cells(glance: Glance) -> Row:
    """Return why this screen can't raise risk; nothing where it can."""
    view, welcome = glance.view, glance.welcome
    if glance.is_watcher or (welcome is not None and welcome.is_watch_only):
        return [Cell(" READ-ONLY ", "warn bold reverse")]
    if glance.client == LOWERER:
        return [Cell(" LOWER-ONLY ", "warn bold reverse")]
    if view is None or welcome is None or view.controls in ("", welcome.you):
        return []
    words = HOLDER.search(view.controls)
    holder = f" of {words[0]}" if words else ""
    return [Cell(f" WATCHING, controls{holder}: C ", "warn bold reverse")]


def key_row(
    width: int, keys: Sequence[tuple[str, str]] = KEYS, names: Mapping[str, str] | None = None
) -> Row:
    """Return the keys that fit, the most important first, as a person has named them."""
    cells: list[Cell] = []
    left = width
    for usual, what in keys:
        key = (names or {}).get(usual, usual)
        left -= cell_len(key) + cell_len(what) + 4
        if left < 0:
            break
        cells += [Cell(f" {key} ", "text bold"), Cell(f"{what}  ", "dim")]
    return cells
