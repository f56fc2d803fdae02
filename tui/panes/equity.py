"""Pane 10, equity: the session's worth over time, and what made it."""

from decimal import Decimal
from typing import ClassVar, Final

from engine.session.control.views import View
from tui import format as fmt
from tui.grid import signed_token
from tui.pane import Cell, Pane, Row
from tui.plot import line
from tui.theme import Palette

LABEL: Final = 12
"""Cells of the scale at the left."""
CAUSES: Final = (
    # label, what of the session it is, whether it is a cost
    ("realised", "realised", False),
    ("unrealised", "unrealised", False),
    ("fees", "fees", True),
    ("funding", "funding", False),
)


class EquityPane(Pane):
    """Draws `View.equity`."""

    TITLE: ClassVar[str] = "Equity"

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the line, its time axis, and profit and loss by cause."""
        return draw(view, width, height, self.palette)

    def caption(self, view: View) -> str:
        """Return how much of the past is shown."""
        if len(view.equity) < 2:
            return ""
        return f"last {fmt.age((view.equity[-1][0] - view.equity[0][0]) / 1e9)}"


def draw(view: View, width: int, height: int, palette: Palette) -> list[Row]:
    """Return the plot above one line of causes."""
    causes = _causes(view, width)
    plot_height = height - 1 - len(causes)
    if len(view.equity) < 2 or plot_height < 1 or width <= LABEL + 2:
        warm = fmt.text(f" equity warm {len(view.equity)}/2", width)
        return [*([[Cell(warm, "dim")]] if plot_height >= 0 else []), *causes][: max(1, height)]
    values = [float(equity) for _, equity, _ in view.equity]
    rows = line(values, width - LABEL - 2, plot_height, is_ascii=palette.is_ascii)
    labels = _labels(view, plot_height)
    token = signed_token(view.session.pnl)
    rule = "|" if palette.is_ascii else "│"
    plotted: list[Row] = [
        [Cell(fmt.fit(label, LABEL), "dim"), Cell(rule, "dim"), Cell(row, token)]
        for label, row in zip(labels, rows, strict=True)
    ]
    return [*plotted, _axis(view, width), *causes]


def _labels(view: View, height: int) -> list[str]:
    """Return the scale: the highest on top, the lowest at the bottom."""
    amounts = [equity for _, equity, _ in view.equity]
    labels = [""] * height
    labels[-1] = fmt.money(min(amounts))
    labels[0] = fmt.money(max(amounts))
    return labels


def _axis(view: View, width: int) -> Row:
    first, last = fmt.clock(view.equity[0][0]), fmt.clock(view.equity[-1][0])
    gap = width - LABEL - 2 - len(first) - len(last)
    if gap < 1:
        return []
    return [Cell(" " * (LABEL + 1) + first + " " * gap + last, "dim")]


def _causes(view: View, width: int) -> list[Row]:
    """Return profit and loss by cause, as many as fit on a line."""
    cells: list[Cell] = []
    for label, name, is_cost in CAUSES:
        amount: Decimal = getattr(view.session, name)
        signed = -amount if is_cost else amount
        cells += [Cell(f" {label} ", "dim"), Cell(fmt.pnl(signed), signed_token(signed))]
        if sum(len(cell.text) for cell in cells) > width:
            del cells[-2:]
    return [cells]
