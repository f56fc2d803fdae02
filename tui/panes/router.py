"""Pane 13, router and latency: what became of wishes, and which hop of an order is slowest."""

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, Final

from engine.reports.latency import Quantiles
from engine.session.control.views import RouteCount, RouterFace, View
from tui.columns import Column, table
from tui.format import big, latency, text
from tui.pane import Cell, Pane, Row
from tui.theme import Palette

LEFT_ALONE: Final = "NOOP"
"""The decision that sends nothing: each is a request saved."""
REFUSED: Final = "BLOCK"
WAYS: Final = {
    # hop, what lies between, in the words of the flow
    "feed": "venue > us",
    "request": "us > request",
    "ack": "request > ack",
    "fill": "ack > fill",
}
SHORT: Final = {"CANCEL_REPLACE": "REPL"}
"""Where all decisions share a line."""
COUNT: Final = 5
FIGURE: Final = 6
WAY: Final = 13
MARKS: Final = (" < slowest", " <")
"""Of the slowest hop, as much as there is room for."""
HOP_WIDTH: Final = 1 + WAY + 2 * (FIGURE + 5) + len(MARKS[0]) + 1
REASONS_MIN: Final = 3
"""Rows that a table of reasons is worth beginning for."""

Timed = tuple[str, Quantiles]


class RouterPane(Pane):
    """Draws `View.router`."""

    NUMBER: ClassVar[str] = "L"
    TITLE: ClassVar[str] = "Router"

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return hops and decisions."""
        return draw(view, width, height, self.palette, self.selected)

    def caption(self, view: View) -> str:
        """Return how many requests were not sent."""
        saved = requests_saved(view.router)
        return f"saved {big(saved)} requests" if saved else ""

    def count(self, view: View) -> int:
        """Return how many decisions can be scrolled through."""
        return len(view.router.decisions)


def requests_saved(router: RouterFace) -> int:
    """Return how often an order was left alone."""
    return sum(route.count for route in router.decisions if route.decision == LEFT_ALONE)


def draw(
    view: View,
    width: int,
    height: int,
    palette: Palette,  # noqa: ARG001  (the contract of a pane)
    selected: int = 0,
) -> list[Row]:
    """Return decisions, hops, and reasons as far as there is room; beside them where it is wide."""
    routes, columns = view.router.decisions, _reasons()
    hops = [_totals(routes, width), *_hop_rows(view.router.hops, width)]
    least = sum(column.width + 1 for column in columns) + 1
    if not routes or (height < len(hops) + REASONS_MIN and width < least + HOP_WIDTH):
        return hops[: max(0, height)]
    if width < least + HOP_WIDTH:
        below = height - len(hops)
        return [*hops, *table(columns, routes, width=width, height=below, selected=selected)]
    left = [_totals(routes, width - least - 1), *_hop_rows(view.router.hops, width - least - 1)]
    right = table(columns, routes, width=least, height=height, selected=selected)
    return _side_by_side(left[:height], right, width - least)


def _totals(routes: Sequence[RouteCount], width: int) -> Row:
    """Return how often each decision was taken, most frequent first, as many as fit."""
    if not routes:
        return [Cell(text(" No decisions yet.", width), "dim")]
    counts: Counter[str] = Counter()
    for route in routes:
        counts[route.decision] += route.count
    cells: list[Cell] = []
    for decision, count in counts.most_common():
        words, figure = f" {text(SHORT.get(decision, decision), 14)} ", f"{big(count)} "
        width -= len(words) + len(figure)
        if width < 0:
            break
        cells += [Cell(words, _look(decision)), Cell(figure)]
    return cells


def _look(decision: str) -> str:
    return {LEFT_ALONE: "dim", REFUSED: "warn"}.get(decision, "text")


def _reasons() -> Sequence[Column[RouteCount]]:
    return (
        Column("N", COUNT, lambda r: Cell(big(r.count)), 0, "right"),
        Column("DECISION", 14, lambda r: Cell(text(r.decision, 14), _look(r.decision)), 2),
        Column("REASON", 20, lambda r: Cell(text(r.reason, 20), "dim"), 1),
    )


def _hop_rows(hops: Sequence[Timed], width: int) -> list[Row]:
    """Return a row a hop; the one whose p99 is longest says so."""
    measured = [(q.p99, name) for name, q in hops if q.p99 is not None]
    slowest = max(measured)[1] if len(measured) > 1 else ""
    return [_hop(name, quantiles, name == slowest, width) for name, quantiles in hops]


def _hop(name: str, quantiles: Quantiles, is_slowest: bool, width: int) -> Row:  # noqa: FBT001
    way = WAYS.get(name, text(name, WAY))
    figures = (("p50", quantiles.p50), ("p99", quantiles.p99))
    line = f" {way:<{WAY}}" + "".join(f" {label} {latency(us):>{FIGURE}}" for label, us in figures)
    room = width - len(line)
    mark = next((mark for mark in MARKS if len(mark) <= room), "") if is_slowest else ""
    return [Cell(text(line, width), "warn" if is_slowest else "text"), Cell(mark, "warn bold")]


def _side_by_side(left: Sequence[Row], right: Sequence[Row], width: int) -> list[Row]:
    rows: list[Row] = []
    for place in range(max(len(left), len(right))):
        row = list(left[place]) if place < len(left) else []
        gap = width - sum(len(cell.text) for cell in row)
        row.append(Cell(" " * gap))
        rows.append([*row, *(right[place] if place < len(right) else ())])
    return rows
