"""Figures as text, by the rules of section 8 of the screen's specification. Pure.

Rule 1: money stays `Decimal`; only times, ages and shares of a bar are floats.
Rule 2: unknown is `-`, never zero; what does not fit is `#####`, never a cut digit.
Rule 3: a sign, a letter or a glyph says what a color will only repeat.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

from engine.model.money import ROUNDED
from engine.model.orders import Side
from engine.session.sanitize import sanitize
from tui import zone

UNKNOWN: Final = "-"
OVERFLOW: Final = "#####"
CUT: Final = "~"
"""Stands for the rest of a text that is longer than its column."""
SECOND_NS: Final = 1_000_000_000
DAY_S: Final = 86_400
MONEY_PLACES: Final = 4
"""Decimals a table has room for; smaller amounts are shown as below the smallest of them."""
TEXT_MAX: Final = 1_000
"""Characters of outside text that are looked at; no terminal is wider."""

Align = Literal["left", "right"]

_OF_NUMBERS: Final = "0123456789.,"

_AGES: Final = ((60, 1, "s"), (3_600, 60, "m"), (DAY_S, 3_600, "h"), (1_000 * DAY_S, DAY_S, "d"))
"""Below how many seconds, the seconds of one unit, its letter."""

_LATENCIES: Final = (
    (999.5, 1, 0, "us"),
    (9_950, 1_000, 1, "ms"),
    (999_500, 1_000, 0, "ms"),
    (99.95e6, 1e6, 1, "s"),
    (9_999.5e6, 1e6, 0, "s"),
)
"""Like `_MAGNITUDES`, of microseconds."""

_MAGNITUDES: Final = (
    ("9.995", 1, 2, ""),
    ("99.95", 1, 1, ""),
    ("999.5", 1, 0, ""),
    ("9950", 10**3, 1, "k"),
    ("999500", 10**3, 0, "k"),
    ("9995000", 10**6, 2, "M"),
    ("99950000", 10**6, 1, "M"),
    ("999500000", 10**6, 0, "M"),
    ("9995000000", 10**9, 2, "B"),
    ("999500000000", 10**9, 0, "B"),
)
"""Below what, in which unit, with how many decimals; each bound is where rounding reaches it."""


class Glyphs(NamedTuple):
    """Marks of one cell each; the letters of a terminal without UTF-8, or blocks and triangles."""

    up: str
    down: str
    flat: str
    full: str
    empty: str


ASCII: Final = Glyphs("^", "v", "=", "#", ".")
BLOCKS: Final = Glyphs("▲", "▼", "●", "█", "░")


def places(step: Decimal) -> int:
    """Return the decimals that a tick or lot size has: 1 for `0.5`, 0 for `10`."""
    exponent = step.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def number(value: Decimal | None, decimals: int) -> str:
    """Return a plain figure with thousands commas, rounded half even; `-` when unknown."""
    if value is None or not value.is_finite():
        return UNKNOWN
    return f"{value:z,.{decimals}f}"


def signed(value: Decimal | None, decimals: int) -> str:
    """Return a figure that always says which side of zero it is on; zero has no sign."""
    text = number(value, decimals)
    return f"+{text}" if text[0] != "-" and any("1" <= digit <= "9" for digit in text) else text


def price(value: Decimal | None, tick_size: Decimal) -> str:
    """Return a price with the decimals of its tick; an average between ticks is rounded to them."""
    return _stepped(value, places(tick_size), number)


def quantity(value: Decimal | None, lot_size: Decimal) -> str:
    """Return a size with the decimals of its lot."""
    return _stepped(value, places(lot_size), number)


def position(value: Decimal | None, lot_size: Decimal) -> str:
    """Return a signed size with the decimals of its lot."""
    return _stepped(value, places(lot_size), signed)


def money(value: Decimal | None) -> str:
    """Return an amount: two decimals, below one as many as it has, up to `MONEY_PLACES`."""
    return _amount(value, number)


def pnl(value: Decimal | None) -> str:
    """Return a gain or a loss, signed."""
    return _amount(value, signed)


def paid(cost: Decimal | None) -> str:
    """Return a cost as what it does to the account: paid is negative, a rebate is positive."""
    return pnl(None if cost is None else -cost)


def percent(value: Decimal | None, decimals: int = 2) -> str:
    """Return a signed share; `value` is in percent already."""
    text = signed(value, decimals)
    return text if text == UNKNOWN else f"{text}%"


def bps(value: Decimal | None) -> str:
    """Return basis points with one decimal; the letters stand in the head of the column."""
    return number(value, 1)


def big(value: Decimal | int | None) -> str:
    """Return a count or a volume in at most five cells: `412`, `1.2k`, `44k`, `3.41M`."""
    if value is None or not Decimal(value).is_finite():
        return UNKNOWN
    exact = Decimal(value)
    for below, unit, decimals, suffix in _MAGNITUDES:
        if abs(exact) < Decimal(below):
            shown = 0 if unit == 1 and exact == exact.to_integral_value() else decimals
            return f"{ROUNDED.divide(exact, Decimal(unit)):z.{shown}f}{suffix}"
    return OVERFLOW


def age(seconds: float | None) -> str:
    """Return how old something is in at most four cells: `0.3s`, `12s`, `3m`, `2h`, `9d`."""
    if seconds is None:
        return UNKNOWN
    whole = int(seconds)
    if whole < 10:
        return f"{max(0.0, int(seconds * 10) / 10):.1f}s"
    for below, unit, suffix in _AGES:
        if whole < below:
            return f"{whole // unit}{suffix}"
    return OVERFLOW


def between(from_ns: int, to_ns: int) -> float | None:
    """Return the seconds from one event to another; None when the first never was."""
    return (to_ns - from_ns) / SECOND_NS if from_ns else None


def latency(us: float | None) -> str:
    """Return a time the machine took, in at most five cells: `180us`, `1.4ms`, `12ms`, `2.5s`."""
    if us is None:
        return UNKNOWN
    for below, unit, decimals, suffix in _LATENCIES:
        if us < below:
            return f"{us / unit:.{decimals}f}{suffix}"
    return OVERFLOW


def countdown(remaining_s: float | None) -> str:
    """Return the time to the planned end, `T-07:41`."""
    if remaining_s is None:
        return "no limit"
    minutes, seconds = divmod(max(0, int(remaining_s)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"T-{hours}:{minutes:02}:{seconds:02}" if hours else f"T-{minutes:02}:{seconds:02}"


def clock(ts_ns: int) -> str:
    """Return the time of day to the second, `12:02:19Z`; in another zone than UTC without the Z."""
    return f"{_time(ts_ns)}{'Z' if zone.is_utc() else ''}"


def clock_zoned(ts_ns: int) -> str:
    """Return the time of day with how far it is from UTC, `14:02:19+02:00`."""
    return f"{_time(ts_ns)}{zone.offset(ts_ns)}"


def clock_ms(ts_ns: int) -> str:
    """Return the time of day to the millisecond, `12:02:19.204`."""
    return f"{_time(ts_ns)}.{ts_ns // 1_000_000 % 1_000:03}"


def side(value: Side) -> str:
    """Return the letter of a side."""
    return "B" if value is Side.BUY else "S"


def direction(value: Decimal | None, glyphs: Glyphs = ASCII) -> str:
    """Return the mark of a rise, a fall or neither; blank when unknown."""
    if value is None or value.is_nan():
        return " "
    return glyphs.flat if not value else glyphs.up if value > 0 else glyphs.down


def bar(share: Decimal | float, width: int, glyphs: Glyphs = ASCII) -> str:
    """Return a bar of `width` cells; what is used at all shows, and only what is full is full."""
    used = min(max(float(share), 0.0), 1.0)
    full = int(used * width) or (1 if used else 0)
    return glyphs.full * full + glyphs.empty * (width - full)


def text(outside: str, width: int) -> str:
    """Return text of others in at most `width` cells, harmless, with `~` for what was cut.

    A cut leaves no part of a number behind: `0.0~` would read like one.
    """
    harmless = sanitize(outside, TEXT_MAX)
    if cell_len(harmless) <= width:
        return harmless
    if width <= 0:
        return ""
    kept = set_cell_size(harmless, width - 1).rstrip()
    return (kept.rstrip(_OF_NUMBERS).rstrip() or kept) + CUT


def fit(figure: str, width: int, align: Align = "right") -> str:
    """Pad to exactly `width` cells; a figure that needs more is `#####`, as far as that fits."""
    if cell_len(figure) > width:
        figure = OVERFLOW[:width]
    padding = " " * (width - cell_len(figure))
    return figure + padding if align == "left" else padding + figure


def aligned(figure: str, whole: int, decimals: int) -> str:
    """Pad a figure so that its point stands `whole` cells in, for a column of `decimals`."""
    if figure == UNKNOWN:
        return fit(figure, whole) + " " * _tail(decimals)
    before, _, after = figure.partition(".")
    if len(before) > whole or len(after) > decimals:
        return fit(OVERFLOW, whole + _tail(decimals))
    return fit(before, whole) + fit(f".{after}" if after else "", _tail(decimals), "left")


def _tail(decimals: int) -> int:
    """Return the cells of a point and its decimals; a column without has no point."""
    return decimals + 1 if decimals else 0


def _time(ts_ns: int) -> str:
    minutes, seconds = divmod((ts_ns // SECOND_NS + zone.offset_s(ts_ns)) % DAY_S, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


Written = Callable[[Decimal | None, int], str]
"""`number` or `signed`."""


def _stepped(value: Decimal | None, decimals: int, written: Written) -> str:
    """Write a figure; one that is not zero is never shown as zero."""
    if value is None or not value.is_finite() or not value:
        return written(value, decimals)
    smallest = Decimal(1).scaleb(-decimals)
    if abs(value) * 2 > smallest:
        return written(value, decimals)
    return f"{'-' if value < 0 else '+' if written is signed else ''}<{smallest}"


def _amount(value: Decimal | None, written: Written) -> str:
    if value is None or not value.is_finite() or not value or abs(value) >= 1:
        return written(value, 2)
    whole, _, rest = _stepped(value, MONEY_PLACES, written).partition(".")
    return f"{whole}.{rest.rstrip('0'):0<2}"
