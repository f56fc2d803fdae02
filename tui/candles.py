"""Bars as candles, closes as a line, volume as columns: characters on a canvas. Pure.

A rise and a fall differ by their glyph, not by color alone: a heavy line and a double one, or `#`
and `:` where there is only ASCII.
"""

from collections.abc import Sequence
from typing import Final

from engine.session.control.views import BarFace
from tui.axis import Scale
from tui.canvas import BLANK, Canvas
from tui.plot import line

EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
ASCII_EIGHTHS: Final = " ...:::||"
_GLYPHS: Final = {
    # is ASCII, is a rise: by upper half * 3 + lower half, where 0 is nothing, 1 wick, 2 body
    (False, True): " ╷╻╵│╽╹╿┃",
    (False, False): " ╷║╵│║║║║",
    (True, True): " .#'|####",
    (True, False): " .:'|::::",
}
NOTHING, WICK, BODY = 0, 1, 2


def direction(bar: BarFace) -> str:
    """Return the token of a bar."""
    return "up" if bar.close_ticks >= bar.open_ticks else "down"


def candles(canvas: Canvas, bars: Sequence[BarFace], scale: Scale, *, is_ascii: bool) -> None:
    """Draw a bar a column from the left."""
    for x, bar in enumerate(bars):
        token = direction(bar)
        glyphs = _GLYPHS[is_ascii, bar.close_ticks >= bar.open_ticks]
        top, bottom = scale.level(bar.high_ticks), scale.level(bar.low_ticks)
        one, other = scale.level(bar.open_ticks), scale.level(bar.close_ticks)
        body = range(min(one, other), max(one, other) + 1)
        for y in range(top // 2, bottom // 2 + 1):
            upper, lower = (
                BODY if half in body else WICK if top <= half <= bottom else NOTHING
                for half in (2 * y, 2 * y + 1)
            )
            canvas.put(x, y, glyphs[upper * 3 + lower], token)


def closes(canvas: Canvas, bars: Sequence[BarFace], scale: Scale, *, is_ascii: bool) -> None:
    """Draw the closes as one line."""
    values = [float(bar.close_ticks) for bar in bars for _ in range(1 if is_ascii else 2)]
    span = (float(scale.low), float(scale.high))
    rows = line(values, canvas.width, scale.rows, is_ascii=is_ascii, span=span)
    token = "up" if bars[-1].close_ticks >= bars[0].open_ticks else "down"
    for y, row in enumerate(rows):
        for x, char in enumerate(row):
            if char != BLANK:
                canvas.put(x, y, char, token)


def volume(canvas: Canvas, bars: Sequence[BarFace], top: int, rows: int, *, is_ascii: bool) -> None:
    """Draw the volume of each bar below `top`, the largest over all the rows."""
    eighths = ASCII_EIGHTHS if is_ascii else EIGHTHS
    most = max(bar.lots for bar in bars)
    for x, bar in enumerate(bars):
        left = -(-bar.lots * rows * 8 // most) if most else 0
        for y in range(top + rows - 1, top - 1, -1):
            canvas.put(x, y, eighths[min(8, left)], f"{direction(bar)} dim")
            left = max(0, left - 8)


def marks(canvas: Canvas, values: Sequence[float], scale: Scale, char: str) -> None:
    """Draw an indicator beneath the bars, where there is room."""
    for x, value in enumerate(values):
        if scale.holds(value):
            canvas.under(x, scale.row(value), char, "title")
