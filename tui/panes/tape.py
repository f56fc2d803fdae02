"""The tape: public trades of the chosen instrument, newest first, and our own fills among them.

Rule 1: prints of one side within a millisecond are one taker's sweep: one line, its last price, all
        of its size, and how many there were.
Rule 2: what came and went between two frames is counted: `+n`.
"""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import ClassVar, Final, NamedTuple

from engine.model.orders import Side
from engine.session.control.views import MarketFace, Print, View
from tui import format as fmt
from tui.grid import side_token, signed_token
from tui.pane import Cell, Pane, Row
from tui.panes.book import chosen
from tui.theme import Palette

SWEEP_NS: Final = 1_000_000
LINES_MAX: Final = 50
"""Lines of a frame; nobody reads more in a quarter of a second."""
WINDOW_S: Final = 60
"""Seconds that the sums at the top are of, or as many as there are bars for."""
TIMES: Final = (slice(0, 12), slice(0, 8), slice(3, 8), slice(0, 0))
"""Of `12:02:19.500`, as much as there is room for: all, seconds, minutes and seconds, nothing."""


class Line(NamedTuple):
    """What one line tells."""

    ts_ns: int
    price: str
    side: Side
    qty: str
    prints: int
    is_own: bool


class TapePane(Pane):
    """Draws the prints of one of `View.markets`."""

    NUMBER: ClassVar[str] = "D"
    TITLE: ClassVar[str] = "Tape"
    symbol = ""
    """The chosen instrument; empty for the first."""
    new = 0
    """Prints since the frame before."""
    _before = ("", 0, 0)

    def show(self, view: View) -> None:
        """Count what is new in this view."""
        market = chosen(view, self.symbol)
        if market is not None and view.number != self._before[2]:
            symbol, seen, _ = self._before
            self.new = market.prints_seen - seen if symbol == market.symbol else 0
            self._before = (market.symbol, market.prints_seen, view.number)
        super().show(view)

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the sums of the last minute above the prints."""
        return draw(view, width, height, self.palette, self.symbol, new=self.new)

    def caption(self, view: View) -> str:
        """Return which instrument."""
        market = chosen(view, self.symbol)
        return "" if market is None else fmt.text(market.symbol, 12)


def draw(
    view: View,
    width: int,
    height: int,
    palette: Palette,  # noqa: ARG001  (the contract of a pane)
    symbol: str = "",
    *,
    new: int = 0,
) -> list[Row]:
    """Return the newest prints; `new` of them came since the frame before."""
    market = chosen(view, symbol)
    if market is None:
        return [[Cell(" no instruments in this session", "dim")]]
    lines = sorted([*_swept(market), *_own(view, market)], key=attrgetter("ts_ns"))[::-1]
    if not lines:
        return [[Cell(f" {fmt.text(market.symbol, 12)}: no trades yet", "dim")]]
    room = min(height - 1, LINES_MAX)
    missed = new - sum(line.prints for line in lines[:room])
    if missed > 0:
        missed = new - sum(line.prints for line in lines[: room - 1])
        more: list[Row] = [[Cell(f" +{fmt.big(missed)} more since the last frame", "dim")]]
    else:
        more = []
    shown = lines[: max(0, room - len(more))]
    return [sums(market, width), *_rows(shown, width), *more][: max(0, height)]


def sums(market: MarketFace, width: int) -> Row:
    """Return what takers bought less what they sold, and how often, of the newest seconds."""
    bars = market.bars[0].bars[-WINDOW_S:] if market.bars else ()
    lots, bought = sum(bar.lots for bar in bars), sum(bar.buy_lots for bar in bars)
    delta = (2 * bought - lots) * market.lot_size
    rate = sum(bar.prints for bar in bars) / max(1, len(bars))
    parts = (
        (f"{len(bars)}s delta", fmt.position(delta, market.lot_size), signed_token(delta)),
        ("B", fmt.big(bought * market.lot_size), "bid"),
        ("S", fmt.big((lots - bought) * market.lot_size), "ask"),
        ("per s", f"{rate:.1f}", "text"),
    )
    cells: list[Cell] = []
    for label, figure, token in parts:
        width -= len(label) + len(figure) + 2
        if width < 0:
            break
        cells += [Cell(f" {label} ", "dim"), Cell(figure, token)]
    return cells


def _swept(market: MarketFace) -> Iterable[Line]:
    """Return the prints as lines, sweeps merged."""
    sweep: list[Print] = []
    for trade in market.prints:
        if sweep and (
            trade.is_buy is not sweep[-1].is_buy or trade.ts_ns - sweep[-1].ts_ns > SWEEP_NS
        ):
            yield _line(sweep, market)
            sweep = []
        sweep.append(trade)
    if sweep:
        yield _line(sweep, market)


def _line(sweep: Sequence[Print], market: MarketFace) -> Line:
    last, tick, lot = sweep[-1], market.tick_size, market.lot_size
    qty = sum(trade.lots for trade in sweep) * lot
    side = Side.BUY if last.is_buy else Side.SELL
    price = fmt.price(last.ticks * tick, tick)
    return Line(last.ts_ns, price, side, fmt.quantity(qty, lot), len(sweep), is_own=False)


def _own(view: View, market: MarketFace) -> Iterable[Line]:
    """Return our fills since the oldest print."""
    since_ns = market.prints[0].ts_ns if market.prints else 0
    tick, lot = market.tick_size, market.lot_size
    for fill in view.fills:
        if fill.symbol == market.symbol and fill.ts_ns >= since_ns:
            price, qty = fmt.price(fill.price, tick), fmt.quantity(fill.qty, lot)
            yield Line(fill.ts_ns, price, fill.side, qty, 0, is_own=True)


def _rows(lines: Sequence[Line], width: int) -> list[Row]:
    price = max((len(line.price) for line in lines), default=0)
    qty = max((len(line.qty) for line in lines), default=0)
    room = width - len("o ") - price - len(" B ") - qty
    time = next((part for part in TIMES if part.stop - part.start <= room), TIMES[-1])
    return [_row(line, time, price, qty, width) for line in lines]


def _row(line: Line, time: slice, price: int, qty: int, width: int) -> Row:
    token = side_token(line.side)
    tail = " bold" if line.is_own else ""
    row = [
        Cell("o" if line.is_own else " ", "own bold"),
        Cell(f"{fmt.clock_ms(line.ts_ns)[time]} " if time.stop else "", "dim"),
        Cell(fmt.fit(line.price, price), token + tail),
        Cell(f" {fmt.side(line.side)} ", token + tail),
        Cell(fmt.fit(line.qty, qty), f"text{tail}"),
    ]
    if sum(len(cell.text) for cell in row) > width:
        return [Cell(fmt.fit(line.price, max(0, width)), token + tail)]
    times = f" x{line.prints}" if line.prints > 1 else ""
    if sum(len(cell.text) for cell in row) + len(times) <= width:
        row.append(Cell(times, "dim"))
    return row
