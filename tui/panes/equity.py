"""Pane 10, equity: the session's worth over time, its falls, what it held, and what made it."""

from decimal import Decimal
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from engine.session.control.views import View
from tui import format as fmt
from tui.curve import Curve, curve, since, spark
from tui.grid import signed_token
from tui.pane import Cell, Row
from tui.plot import DOTS_WIDE, line
from tui.secondly import SecondlyPane
from tui.theme import Palette

LABEL: Final = 12
"""Cells of the scale at the left."""
SPARKS_FROM: Final = 7
"""From so many rows on drawdown and inventory have one each."""
SMALLEST_FALL: Final = 0.01
"""Percent that two decimals can show."""
RANGES: Final = ((60, "1m"), (300, "5m"), (3_600, "1h"), (0, "all"))
"""Seconds and name; 0 is everything a view has."""
ALL: Final = len(RANGES) - 1
CAUSES: Final = ("spread", "inventory", "slippage", "fees", "funding")
"""In the order of the identity; they sum to the profit and loss."""


class EquityPane(SecondlyPane):
    """Draws `View.equity` and `View.causes`."""

    NUMBER: ClassVar[str] = "E"
    TITLE: ClassVar[str] = "Equity"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "range(1)", "Longer range", id="equity-longer"),
        Binding("minus", "range(-1)", "Shorter range", id="equity-shorter"),
    ]
    range = ALL
    """Place in `RANGES`."""

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the line, its time axis, and profit and loss by cause."""
        return draw(view, width, height, self.palette, self.range)

    def caption(self, view: View) -> str:
        """Return how much of the past is shown."""
        points = since(view.equity, RANGES[self.range][0])
        if len(points) < 2:
            return ""
        return f"last {fmt.age((points[-1][0] - points[0][0]) / fmt.SECOND_NS)}"

    def action_range(self, by: int) -> None:
        """Show more or less of the past."""
        self.range = max(0, min(self.range + by, ALL))
        self.redraw()


def draw(view: View, width: int, height: int, palette: Palette, range_: int = ALL) -> list[Row]:
    """Return the plot, drawdown and inventory where there is room, and the causes."""
    points = since(view.equity, RANGES[range_][0])
    causes = _causes(view, width)
    sparks = 2 if height >= SPARKS_FROM else 0
    plot_height = height - 1 - sparks - len(causes)
    columns = width - LABEL - 1
    if len(points) < 2 or plot_height < 1 or columns < 2:
        warm: Row = [Cell(fmt.text(f" equity warm {len(view.equity)}/2", width), "dim")]
        return [warm, *causes][: max(0, height)]
    dots = curve(points, columns if palette.is_ascii else columns * DOTS_WIDE)
    rows = line(dots.equity, columns, plot_height, is_ascii=palette.is_ascii)
    token = signed_token(view.session.pnl)
    labels = _labels([equity for _, equity, _ in points], plot_height)
    plotted = [
        _labelled(label, row, token, palette) for label, row in zip(labels, rows, strict=True)
    ]
    if sparks:
        plotted += _sparks(curve(points, columns), points[-1][2], columns, palette)
    first, last = fmt.clock(points[0][0]), fmt.clock(points[-1][0])
    gap = columns - len(first) - len(last)
    axis: Row = [Cell(" " * (LABEL + 1) + first + " " * gap + last, "dim")] if gap > 0 else []
    return [*plotted, axis, *causes]


def _labels(amounts: list[Decimal], height: int) -> list[str]:
    """Return the scale: the highest on top, the lowest at the bottom."""
    labels = [""] * height
    labels[-1] = fmt.money(min(amounts))
    labels[0] = fmt.money(max(amounts))
    return labels


def _labelled(label: str, plotted: str, token: str, palette: Palette) -> Row:
    rule = "|" if palette.is_ascii else "│"
    return [Cell(fmt.fit(label, LABEL), "dim"), Cell(rule, "dim"), Cell(plotted, token)]


def _sparks(shown: Curve, net: Decimal | None, columns: int, palette: Palette) -> list[Row]:
    """Return how deep it fell, with the deepest, and what was held, with what is."""
    falls, is_ascii = shown.drawdowns, palette.is_ascii
    return [
        _labelled(_fall(max(falls)), spark(falls, columns, is_ascii=is_ascii), "down", palette),
        _labelled(
            f"INV {fmt.big(net)}", spark(shown.net, columns, is_ascii=is_ascii), "own", palette
        ),
    ]


def _fall(percent: float) -> str:
    """Return the deepest fall; one that is not zero is never shown as zero."""
    if 0 < percent < SMALLEST_FALL:
        return f"DD <{SMALLEST_FALL}%"
    return f"DD {-percent:z.2f}%"


def _causes(view: View, width: int) -> list[Row]:
    """Return profit and loss by cause, as many as fit on a line."""
    cells: list[Cell] = []
    for name in CAUSES:
        amount: Decimal = getattr(view.causes, name)
        cells += [Cell(f" {name} ", "dim"), Cell(fmt.pnl(amount), signed_token(amount))]
        if sum(len(cell.text) for cell in cells) > width:
            del cells[-2:]
    return [cells]
