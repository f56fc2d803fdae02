"""What happened, newest last: time, how grave, kind, words. Pane 9.

Rule 1: the path of an evidence is never cut; the words before it are.
Rule 2: whoever scrolls holds the lines as they are; the title counts what came since.
"""

from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

from textual.binding import Binding, BindingType

from engine.session.control.views import LogLine, View
from tui.columns import matching
from tui.evidence import EVIDENCE, words
from tui.format import clock, clock_ms, fit, text
from tui.nothing import nothing
from tui.pane import Cell, Pane, Row, window
from tui.scrollback import HOUR_NS, MINUTE_NS, Scrollback, Wanted, leapt, sought
from tui.theme import Palette

KIND_WIDTHS: Final = (12, 18)
"""Cells of a kind, and where there is room for every kind of ours, `agent_quarantined`."""
WIDE: Final = 110
"""From this many cells there is."""
NARROW: Final = 72
"""Below this many the milliseconds leave."""
LEVELS: Final = {
    "debug": "all levels", "info": "info+", "warning": "warning+", "critical": "critical",
}  # fmt: skip
"""Severities from the lowest, and what the title calls the lines from each on."""
RANKS: Final = {level: rank for rank, level in enumerate(LEVELS)}
LOOKS: Final = {
    "debug": ("  ", "dim"), "info": ("  ", "text"), "warning": ("! ", "warn"),
    "critical": ("!!", "danger"),
}  # fmt: skip
"""Mark and token of each."""
KINDS: Final = {
    "fsm_transition": "FSM",
    "operator_command": "OPERATOR",
    "round_trip": "TRIP",
    "router_decision": "ROUTER",
    "gate_verdict": "GATE",
    "meta_decision": "META",
    "heartbeat": "HEART",
}
"""Kinds whose name in the journal is longer than their column; the others are themselves."""
SPANS_NS: Final = {"minute": MINUTE_NS, "hour": HOUR_NS}
FIND_WIDTH: Final = 20


class Held(NamedTuple):
    """What a person reads while new lines come."""

    lines: tuple[LogLine, ...]
    at: int
    """The selected one of those that are shown."""


def shown(lines: Sequence[LogLine], lowest: str = "info", wanted: str = "") -> list[LogLine]:
    """Return the lines to show; a severity nobody knows counts as critical."""
    least = RANKS[lowest]
    grave = [line for line in lines if RANKS.get(line.severity, least) >= least]
    return matching(grave, wanted, told)


def told(line: LogLine) -> tuple[str, str, str]:
    """Return the words of a line that a filter looks at."""
    return line.text, kind(line), line.severity


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
    lines: Sequence[LogLine] | None = None,
    lowest: str = "info",
    wanted: str = "",
) -> list[Row]:
    """Return the newest lines; of held ones those around the selected.

    Args:
        lines: What the screen has seen so far; None for no more than the view has.
    """
    every = held.lines if held is not None else view.log if lines is None else lines
    told_of = shown(every, lowest, wanted)
    if not told_of:
        return nothing("log lines", view, wanted)
    at = len(told_of) if held is None else held.at
    return [
        _row(told_of[index], width, is_selected=index == at)
        for index in window(len(told_of), height, at)
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
    """Draws the log, as far back as this screen has seen it; follows it until a person scrolls."""

    NUMBER: ClassVar[str] = "9"
    TITLE: ClassVar[str] = "Log"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "tail", "Follow the newest lines", show=False, id="log-tail"),
        Binding("v", "lowest", "Lowest level shown", show=False, id="log-level"),
        Binding(
            "n",
            "find(1)",
            "Find the next line the filter matches, among all",
            show=False,
            id="log-next",
        ),
        Binding("N", "find(-1)", "Find the previous one", show=False, id="log-previous"),
        Binding("e", "evidence", "Next evidence", show=False, id="log-evidence"),
        Binding("m", "leap(1, 'minute')", "A minute on", show=False, id="log-minute-on"),
        Binding("M", "leap(-1, 'minute')", "A minute back", show=False, id="log-minute-back"),
        Binding("o", "leap(1, 'hour')", "An hour on", show=False, id="log-hour-on"),
        Binding("O", "leap(-1, 'hour')", "An hour back", show=False, id="log-hour-back"),
    ]

    lowest: str = "info"
    """The lowest severity shown, of `LEVELS`."""
    held: tuple[LogLine, ...] | None = None
    """The lines a person reads; None while the newest are followed."""
    find: str = ""
    """What `n` looks for, once a filter gave it."""

    def __init__(self) -> None:
        super().__init__()
        self.back = Scrollback()

    def show(self, view: View) -> None:
        """Remember the newest lines, and show them."""
        self.back.take(view.log)
        super().show(view)

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the lines for what is selected and looked for."""
        return draw(
            view,
            width,
            height,
            self.palette,
            held=None if self.held is None else Held(self.held, self.selected),
            lines=self.back.lines,
            lowest=self.lowest,
            wanted=self.filter,
        )

    def caption(self, view: View) -> str:
        """Return the level, whether it follows, what is looked for, what nobody saw."""
        following = "[tail]" if self.held is None else f"paused, {self._new()} new"
        finding = f" find {text(self.find, FIND_WIDTH)}" if self.find else ""
        missed = f" ({self.back.missed} unseen)" if self.back.missed else ""
        return f"{LEVELS[self.lowest]} {following}{finding}{missed}"

    def count(self, view: View) -> int:
        """Return how many lines can be selected."""
        return len(self._shown())

    def look_for(self, wanted: str | None) -> None:
        """Show only what matches; `n` finds it among all."""
        if wanted is not None:
            self.find = ""
        super().look_for(wanted)

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
            self._hold(len(self._shown()) - 1)
        super().action_move(by)
        if self.selected >= len(self._shown()) - 1 and by > 0:
            self.action_tail()

    def action_tail(self) -> None:
        """Follow the newest lines."""
        self.held, self.find = None, ""
        self.redraw()

    def action_lowest(self) -> None:
        """Show only graver lines; after the gravest, all."""
        here = self._here()
        levels = list(LEVELS)
        self.lowest = levels[(levels.index(self.lowest) + 1) % len(levels)]
        if self.held is not None:
            self._select(here)
        self.redraw()

    def action_find(self, by: int) -> None:
        """Go to the next line that the filter matches, among all lines."""
        here = self._here()
        self.find, self.filter = self.filter or self.find, ""
        if self.held is not None:
            self._select(here)
        if self.find:
            self._seek(here, by, lambda line: bool(matching([line], self.find, told)))

    def action_evidence(self) -> None:
        """Go to the next line that ends in the path of an evidence."""
        self._seek(self._here(), 1, lambda line: EVIDENCE in line.text)

    def action_leap(self, by: int, span: str) -> None:
        """Go to the next or the previous minute or hour that has lines."""
        here = self._here()
        if here is not None:
            lines = self._shown()
            self._hold(leapt(lines, lines.index(here), by, SPANS_NS[span]))

    def _seek(self, here: LogLine | None, by: int, wanted: Wanted) -> None:
        lines = self._shown()
        place = None if here is None else sought(lines, lines.index(here), by, wanted)
        if place is not None:
            self._hold(place)
        self.redraw()

    def _here(self) -> LogLine | None:
        """Return the line a person stands on, the newest while it follows; None without any."""
        lines = self._shown()
        at = self.selected if self.held is not None else len(lines) - 1
        return lines[at] if 0 <= at < len(lines) else None

    def _shown(self) -> list[LogLine]:
        """Return the lines that can be selected."""
        lines = self.back.lines if self.held is None else self.held
        return shown(lines, self.lowest, self.filter)

    def _hold(self, at: int) -> None:
        """Let the lines stand still, and select one."""
        if self.held is None:
            self.held = tuple(self.back.lines)
        self.selected = at
        self.redraw()

    def _select(self, line: LogLine | None) -> None:
        """Stay on a line, or where it would be, though others are shown now."""
        number = 0 if line is None else line.number
        lines = self._shown()
        at = next((i for i, other in enumerate(lines) if other.number >= number), len(lines) - 1)
        self.selected = max(0, at)

    def _new(self) -> int:
        """Return how many lines came since these are held, of those that would be shown."""
        last = self.held[-1].number if self.held else 0
        return sum(line.number > last for line in shown(self.back.lines, self.lowest, self.filter))
