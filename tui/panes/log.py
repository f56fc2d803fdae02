"""What happened, newest last: time, how grave, kind, words. Pane 9.

Rule 1: the path of an evidence is never cut; the words before it are.
Rule 2: whoever scrolls holds the lines as they are; the title counts what came since.
"""

from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

from textual.binding import Binding, BindingType

from engine.session.control.views import LogLine, View
from tui.columns import matching
from tui.evidence import words
from tui.format import clock, clock_ms, fit, text
from tui.nothing import nothing
from tui.pane import Cell, Pane, Row, window
from tui.theme import Palette

KIND_WIDTHS: Final = (12, 18)
"""Cells of a kind, and where there is room for every kind of ours, `agent_quarantined`."""
WIDE: Final = 110
"""From this many cells there is."""
NARROW: Final = 72
"""Below this many the milliseconds leave."""
LEVELS: Final = {"info": "all levels", "warning": "warning+", "critical": "critical"}
"""Severities from the lowest, and what the title calls the lines from each on."""
LOOKS: Final = {"info": ("  ", "text"), "warning": ("! ", "warn"), "critical": ("!!", "danger")}
"""Mark and token of each."""
KINDS: Final = {
    "fsm_transition": "FSM",
    "operator_command": "OPERATOR",
    "round_trip": "TRIP",
}
"""Kinds whose name in the journal is longer than their column; the others are themselves."""


class Held(NamedTuple):
    """What a person reads while new lines come."""

    lines: tuple[LogLine, ...]
    at: int
    """The selected one of those that are shown."""


def shown(lines: Sequence[LogLine], lowest: str = "info", wanted: str = "") -> list[LogLine]:
    """Return the lines to show; a severity nobody knows counts as critical."""
    ranks = list(LEVELS)
    least = ranks.index(lowest)
    grave = [line for line in lines if _rank(line) >= least]
    return matching(grave, wanted, lambda line: (line.text, kind(line), line.severity))


def _rank(line: LogLine) -> int:
    ranks = list(LEVELS)
    return ranks.index(line.severity) if line.severity in LEVELS else len(ranks) - 1


def kind(line: LogLine) -> str:
    """Return the word for a kind of line."""
    return KINDS.get(line.kind, line.kind.upper())


def draw(
    view: View,
    width: int,
    height: int,
    palette: Palette,  # noqa: ARG001  (the contract of a pane)
    *,
    held: Held | None = None,
    lowest: str = "info",
    wanted: str = "",
) -> list[Row]:
    """Return the newest lines; of held ones those around the selected."""
    lines = shown(view.log if held is None else held.lines, lowest, wanted)
    if not lines:
        return nothing("log lines", view, wanted)
    at = len(lines) if held is None else held.at
    return [
        _row(lines[index], width, is_selected=index == at)
        for index in window(len(lines), height, at)
    ]


def _row(line: LogLine, width: int, *, is_selected: bool) -> Row:
    mark, token = LOOKS.get(line.severity, LOOKS["critical"])
    when = clock_ms(line.ts_ns) if width >= NARROW else clock(line.ts_ns)
    tail = " reverse" if is_selected else ""
    cells = KIND_WIDTHS[width >= WIDE]
    front = f"{'>' if is_selected else ' '}{when} "
    word = f"{mark}{fit(text(kind(line), cells), cells, 'left')} "
    room = max(0, width - len(front) - len(word))
    return [
        Cell(front, f"dim{tail}"),
        Cell(word, token + tail),
        Cell(words(line.text, room), f"text{tail}"),
    ]


class LogPane(Pane):
    """Draws `View.log`; follows it until a person scrolls."""

    NUMBER: ClassVar[str] = "9"
    TITLE: ClassVar[str] = "Log"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "tail", "Follow the newest", show=False, id="log-tail"),
        Binding("v", "lowest", "Lowest level shown", show=False, id="log-level"),
    ]

    lowest: str = "info"
    """The lowest severity shown, of `LEVELS`."""
    held: tuple[LogLine, ...] | None = None
    """The lines a person reads; None while the newest are followed."""

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the lines for what is selected and looked for."""
        return draw(
            view,
            width,
            height,
            self.palette,
            held=None if self.held is None else Held(self.held, self.selected),
            lowest=self.lowest,
            wanted=self.filter,
        )

    def caption(self, view: View) -> str:
        """Return the level, and whether it follows."""
        following = "[tail]" if self.held is None else f"paused, {self._missed(view)} new"
        return f"{LEVELS[self.lowest]} {following}"

    def count(self, view: View) -> int:
        """Return how many lines can be selected."""
        return len(shown(view.log if self.held is None else self.held, self.lowest, self.filter))

    def chosen(self, view: View) -> LogLine | None:
        """Return the line a person stands on; the newest while they are followed."""
        lines = shown(view.log if self.held is None else self.held, self.lowest, self.filter)
        at = len(lines) - 1 if self.held is None else self.selected
        return lines[at] if 0 <= at < len(lines) else None

    def action_move(self, by: int) -> None:
        """Hold the lines and select another one; the last one follows again."""
        if self._view is None:
            return
        if self.held is None:
            self.held = self._view.log
            self.selected = self.count(self._view) - 1
        super().action_move(by)
        if self.selected >= self.count(self._view) - 1 and by > 0:
            self.action_tail()

    def action_tail(self) -> None:
        """Follow the newest lines."""
        self.held = None
        self.redraw()

    def action_lowest(self) -> None:
        """Show only graver lines; after the gravest, all again."""
        levels = list(LEVELS)
        self.lowest = levels[(levels.index(self.lowest) + 1) % len(levels)]
        self.redraw()

    def _missed(self, view: View) -> str:
        """Return how many lines came since these are held; a view forgets the oldest."""
        last = self.held[-1] if self.held else None
        since = 0
        for line in reversed(view.log):
            if line == last:
                return str(since)
            since += 1
        return f"{since}+" if last else str(since)
