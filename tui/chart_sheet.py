"""One drawing of a chart: bars, volume, axes, and what is ours on them. Pure.

Rule 1: what a mark means is a glyph: `^` we bought, `v` we sold, `o` an order of ours rests at this
        price, `e` our average entry, `>` the last price.
Rule 2: nothing of ours is drawn where it does not stand: what is off the scale is said in words.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from engine.model.orders import Side
from engine.session.control.views import MarketFace, View
from tui import format as fmt
from tui.axis import Scale, price_marks, scale, time_marks
from tui.bars import Chart, emas, vwaps
from tui.candles import candles, closes, marks, volume
from tui.canvas import Canvas
from tui.grid import side_token, signed_token
from tui.pane import Cell, Row
from tui.theme import Palette

VOLUME_ROWS: Final = ((16, 3), (9, 2), (7, 1))
"""From how many rows of the pane on the volume gets so many."""
LEGEND_FROM: Final = 8
"""From so many rows on one is for figures."""
GUTTER: Final = 2
"""Columns at the right for marks of our orders."""
RULE: Final = 2
"""Columns between the named prices and the bars."""
EMA_WINDOW: Final = 20
INDICATORS: Final = ("", f"EMA {EMA_WINDOW}", "VWAP")


class Wish(NamedTuple):
    """What a person chose of a chart."""

    symbol: str = ""
    """Empty for the first."""
    frame_s: int = 0
    """0 leaves it to the chart."""
    until_s: int | None = None
    """Unix seconds at the right edge; None follows the market."""
    indicator: str = ""
    is_line: bool = False


class Sheet(NamedTuple):
    """What is shown, of what, for whom."""

    view: View
    market: MarketFace
    chart: Chart
    palette: Palette
    wish: Wish

    @property
    def labels(self) -> int:
        """Cells of the named prices."""
        return max(len(self._price(bar.high_ticks)) for bar in self.chart.bars)

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the plot, the time axis, and a line of figures where there is room."""
        columns = width - self.labels - RULE - GUTTER
        cut = self._replace(chart=self.chart.last(columns))
        legend = [cut.legend(width)] if height >= LEGEND_FROM else []
        below = next((rows for least, rows in VOLUME_ROWS if height >= least), 0)
        shown = cut.scale(height - 1 - len(legend) - below)
        canvas = Canvas(columns + GUTTER, shown.rows + below)
        cut.plot(canvas, shown, below)
        cut.own(canvas, shown)
        axis = cut.axis(shown, below, self.labels)
        plotted: list[Row] = [[*left, *row] for left, row in zip(axis, canvas.rows(), strict=True)]
        return [*plotted, cut.times(columns, self.labels), *legend]

    def scale(self, rows: int) -> Scale:
        """Return a scale that holds every bar."""
        bars = self.chart.bars
        return scale(min(b.low_ticks for b in bars), max(b.high_ticks for b in bars), rows)

    def plot(self, canvas: Canvas, shown: Scale, below: int) -> None:
        """Draw what the market did."""
        bars, is_ascii = self.chart.bars, self.palette.is_ascii
        form = closes if self.wish.is_line else candles
        form(canvas, bars, shown, is_ascii=is_ascii)
        marks(canvas, self._indicator(), shown, "~" if is_ascii else "·")
        if below:
            volume(canvas, bars, shown.rows, below, is_ascii=is_ascii)

    def own(self, canvas: Canvas, shown: Scale) -> None:
        """Draw our entry beneath it, our fills over it, our orders beside it."""
        chart, symbol, entry = self.chart, self.market.symbol, self._entry()
        if entry is not None and shown.holds(self._ticks(entry)):
            rule = "." if self.palette.is_ascii else "┄"
            for x in range(canvas.width - GUTTER):
                canvas.under(x, shown.row(self._ticks(entry)), rule, "own dim")
        for fill in self.view.fills:
            x = (fill.ts_ns // fmt.SECOND_NS - chart.first_s) // chart.frame_s
            ticks = self._ticks(fill.price)
            if fill.symbol == symbol and 0 <= x < len(chart.bars) and shown.holds(ticks):
                canvas.put(x, shown.row(ticks), "^" if fill.side is Side.BUY else "v", "own bold")
        for order in self.view.orders:
            if order.symbol == symbol and order.price is not None:
                ticks = self._ticks(order.price)
                if shown.holds(ticks):
                    token = f"{side_token(order.side)} bold"
                    canvas.put(canvas.width - 1, shown.row(ticks), "o", token)

    def axis(self, shown: Scale, below: int, labels: int) -> list[Row]:
        """Return what stands left of each row of the canvas."""
        tick = self.market.tick_size
        rule, cross = ("|", "+") if self.palette.is_ascii else ("│", "┤")

        def left(words: str, mark: str, token: str = "dim") -> Row:  # noqa: S107 - a color
            return [Cell(fmt.fit(words, labels), token), Cell(mark, token)]

        rows = [left("", f" {rule}") for _ in range(shown.rows + below)]
        for row, ticks in price_marks(shown).items():
            rows[row] = left(self._price(ticks), f" {cross}")
        entry, last = self._entry(), self.chart.bars[-1].close_ticks
        if entry is not None and shown.holds(self._ticks(entry)):
            rows[shown.row(self._ticks(entry))] = left(fmt.price(entry, tick), f"e{cross}", "own")
        rows[shown.row(last)] = left(self._price(last), f">{rule}", "text bold")
        if below:
            most = max(bar.lots for bar in self.chart.bars) * self.market.lot_size
            rows[shown.rows] = left(fmt.big(most), f" {rule}")
        return rows

    def times(self, columns: int, labels: int) -> Row:
        """Return the time axis."""
        canvas = Canvas(columns + GUTTER, 1)
        for column, words in time_marks(self.chart.first_s, self.chart.frame_s, columns).items():
            if column + len(words) <= canvas.width:
                canvas.text(column, 0, words, "dim")
        corner = "+" if self.palette.is_ascii else "└"
        return [Cell(" " * labels, "dim"), Cell(f" {corner}", "dim"), *canvas.rows()[0]]

    def legend(self, width: int) -> Row:
        """Return the figures of the last bar, as many as fit, and what is beyond the scale."""
        market, bar = self.market, self.chart.bars[-1]
        delta = (2 * bar.buy_lots - bar.lots) * market.lot_size
        parts = [
            *self._beyond(),
            ("O", self._price(bar.open_ticks), "text"),
            ("H", self._price(bar.high_ticks), "text"),
            ("L", self._price(bar.low_ticks), "text"),
            ("C", self._price(bar.close_ticks), "text"),
            ("V", fmt.big(bar.lots * market.lot_size), "text"),
            ("delta", fmt.position(delta, market.lot_size), signed_token(delta)),
            *((k, f"{v:,.6g}", "text") for k, v in market.features.items() if v is not None),
        ]
        cells: list[Cell] = []
        for label, figure, token in parts:
            width -= len(label) + len(figure) + 2
            if width < 0:
                break
            cells += [Cell(f" {label} ", "dim"), Cell(figure, token)]
        return cells

    def _beyond(self) -> list[tuple[str, str, str]]:
        """Return our average entry where the chart does not reach it."""
        entry = self._entry()
        if entry is None or self.scale(1).holds(self._ticks(entry)):
            return []
        price = fmt.price(entry, self.market.tick_size)
        side = "above" if self._ticks(entry) > self.chart.bars[-1].close_ticks else "below"
        return [("entry", f"{price} {side}", "own")]

    def _indicator(self) -> Sequence[float]:
        bars = self.chart.bars
        if self.wish.indicator == "VWAP":
            return vwaps(bars)
        if self.wish.indicator:
            return emas([float(bar.close_ticks) for bar in bars], EMA_WINDOW)
        return ()

    def _entry(self) -> Decimal | None:
        held = (p for p in self.view.positions if p.symbol == self.market.symbol and p.qty)
        position = next(held, None)
        return None if position is None else position.entry_price

    def _ticks(self, price: Decimal) -> float:
        return float(price / self.market.tick_size)

    def _price(self, ticks: int) -> str:
        return fmt.price(self.market.tick_size * ticks, self.market.tick_size)
