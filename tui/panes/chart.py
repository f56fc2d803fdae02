"""Pane 11, chart: bars of the chosen instrument with our fills, orders and average entry."""

from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from engine.session.control.views import MarketFace, View
from tui import format as fmt
from tui.bars import Chart, automatic, framed, name, stepped
from tui.chart_sheet import GUTTER, INDICATORS, RULE, Sheet, Wish
from tui.pane import Cell, Row
from tui.panes.book import chosen
from tui.secondly import SecondlyPane
from tui.theme import Palette

PAN_BARS: Final = 8
"""Bars that left and right move by."""
FOLLOWING: Final = Wish()
"""What a chart shows while nobody has chosen."""


class ChartPane(SecondlyPane):
    """Draws the bars of one of `View.markets`."""

    NUMBER: ClassVar[str] = "K"
    TITLE: ClassVar[str] = "Chart"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "frame(1)", "Longer bars", id="chart-longer"),
        Binding("minus", "frame(-1)", "Shorter bars", id="chart-shorter"),
        Binding("left", "pan(-1)", "Earlier", id="chart-earlier"),
        Binding("right", "pan(1)", "Later", id="chart-later"),
        Binding("end", "now", "Now", id="chart-now"),
        Binding("i", "indicator", "Next indicator, or none", id="chart-indicator"),
        Binding("v", "form", "Candles or a line", id="chart-form"),
    ]
    wish = FOLLOWING

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the plot between its axes."""
        return draw(view, width, height, self.palette, self._wish())

    def caption(self, view: View) -> str:
        """Return instrument, length of a bar, indicator, and where the past is shown."""
        market = chosen(view, self.symbol)
        return "" if market is None else caption(market, self._wish())

    def action_frame(self, by: int) -> None:
        """Merge more or fewer seconds into a bar."""
        chart = self._chart()
        if chart is not None:
            longer_s = stepped(chart.frame_s, by)
            self._choose(self.wish._replace(frame_s=longer_s, until_s=None))

    def action_pan(self, by: int) -> None:
        """Look further back, or forward until now."""
        chart = self._chart()
        if chart is not None and chart.bars:
            end_s = chart.end_s if self.wish.until_s is None else self.wish.until_s
            until_s = max(chart.first_s, end_s + by * PAN_BARS * chart.frame_s)
            is_past = until_s < chart.end_s
            self._choose(self.wish._replace(until_s=until_s if is_past else None))

    def action_now(self) -> None:
        """Follow the market."""
        self._choose(self.wish._replace(until_s=None))

    def action_indicator(self) -> None:
        """Show the next indicator, or none."""
        place = INDICATORS.index(self.wish.indicator) + 1
        self._choose(self.wish._replace(indicator=INDICATORS[place % len(INDICATORS)]))

    def action_form(self) -> None:
        """Draw a line of closes instead of candles, and back."""
        self._choose(self.wish._replace(is_line=not self.wish.is_line))

    def _choose(self, wish: Wish) -> None:
        self.wish = wish
        self.redraw()

    def _wish(self) -> Wish:
        return self.wish._replace(symbol=self.symbol)

    def _chart(self) -> Chart | None:
        market = chosen(self._view, self.symbol) if self._view else None
        return None if market is None else wished(market, self.wish)


def wished(market: MarketFace, wish: Wish) -> Chart:
    """Return all bars of the chosen length."""
    return framed(market.bars, wish.frame_s) if wish.frame_s else automatic(market.bars)


def caption(market: MarketFace, wish: Wish) -> str:
    """Return what a title says of a chart."""
    chart = wished(market, wish)
    words = [fmt.text(market.symbol, 12), name(chart.frame_s)]
    if wish.indicator:
        words.append(wish.indicator)
    if chart.bars and not any(bar.prints for bar in chart.bars):
        words.append("mids")
    if wish.until_s is not None:
        words.append(f"until {fmt.clock(wish.until_s * fmt.SECOND_NS)}")
    return " ".join(words)


def draw(
    view: View, width: int, height: int, palette: Palette, wish: Wish = FOLLOWING
) -> list[Row]:
    """Return the plot; why there is none, where there is none."""
    market = chosen(view, wish.symbol)
    if market is None:
        return said(" no instruments in this session", width, height)
    chart = wished(market, wish).until(wish.until_s)
    symbol = fmt.text(market.symbol, 12)
    if len(chart.bars) < 2:
        words = f" {symbol} warm {len(chart.bars)}/2 bars of {name(chart.frame_s)}"
        return said(words, width, height)
    sheet = Sheet(view, market, chart, palette, wish)
    if width - sheet.labels - RULE - GUTTER < 2 or height < 2:
        return said(f" {symbol}: no room for a chart", width, height)
    return sheet.rows(width, height)


def said(words: str, width: int, height: int) -> list[Row]:
    """Return a line of text in place of a plot."""
    row: Row = [Cell(fmt.text(words, width), "dim")]
    return [row][:height]
