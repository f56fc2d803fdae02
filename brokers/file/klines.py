"""One-minute klines from Parquet or CSV to closed bars.

These files hold binary floats, the one place where a recorded price is not a decimal string; the
edge from float to ticks is `_steps`. A bar enters when it closes.
"""

import csv
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Final

from brokers.file.config import TradingRules
from brokers.file.parquet import parquet_rows
from brokers.file.rules import Sample, instrument_of
from brokers.link.grid import STEPS_MAX, Refused
from engine.model.errors import BrokenCapture, DataUnavailable
from engine.model.instrument import Instrument
from engine.model.market import Bar, FeedEvent, Malformed

Row = Sequence[object]
"""Open time, open, high, low, close, volume, and the symbol where the file has one."""

INTERVAL_S: Final = 60
INTERVAL_NS: Final = INTERVAL_S * 1_000_000_000
GRID_TOLERANCE: Final = 1e-6
"""Steps a float may lie beside the grid and still mean the point on it."""
HEAD_ROWS: Final = 2_000
"""Rows looked at to learn the grid of an unknown symbol."""

_COLUMNS: Final = ("open", "high", "low", "close", "volume")
_TIME_COLUMNS: Final = ("open_time_ms", "open_time")
_UNIT_NS: Final = {10: 1_000_000_000, 13: 1_000_000, 16: 1_000, 19: 1}
"""Nanoseconds in one unit of the open time, by digits; Binance went from ms to us in 2025."""
_NAMED: Final = re.compile(r"(?:^|_)([a-z0-9]+)_1m(?:_|\.|$)|^([A-Z0-9]+)-1m-")
"""`binance_usdm_btcusdt_1m_...` as here, `BTCUSDT-1m-...` as Binance Vision has it."""


class KlineFile:
    """One file of one instrument's minutes."""

    def __init__(self, path: Path, symbol: str | None, stated: Mapping[str, TradingRules]) -> None:
        """Look at the head.

        Args:
            symbol: As typed before the path; otherwise the `symbol` column or the name says it.

        Raises:
            DataUnavailable: The file can't be read.
            BrokenCapture: It holds no one-minute klines, or doesn't say whose.
            UsageError: Parquet without pyarrow.
        """
        self._path = path
        head = list(itertools.islice(rows(path), HEAD_ROWS))
        if not head:
            raise BrokenCapture(f"{path} holds no klines")
        self._symbol = symbol or _symbol_of(path, head[0])
        _check_interval(path, head)
        sample = Sample(
            {_text(cell) for row in head for cell in row[1:5]}, {_text(row[5]) for row in head}
        )
        self.instruments: Mapping[str, Instrument] = {
            self._symbol: instrument_of(self._symbol, sample, stated)
        }

    def events(self, wanted: Mapping[str, Instrument]) -> Iterator[FeedEvent]:
        """Yield bars in order; a row that goes back in time or off the grid is a `Malformed`."""
        if self._symbol not in wanted:
            return
        instrument = wanted[self._symbol]
        last_ns = 0
        for row in rows(self._path):
            try:
                bar = _bar(row, instrument, last_ns)
            except Refused as refused:
                yield Malformed(last_ns, self._symbol, refused.flaw, refused.detail)
            else:
                last_ns = bar.ts_ns
                yield bar


def rows(path: Path) -> Iterator[Row]:
    """Yield raw rows in the order of `Row`; cells are what the format makes of them.

    Raises:
        DataUnavailable: The file can't be read.
        BrokenCapture: It has other columns than klines have.
        UsageError: Parquet without pyarrow.
    """
    try:
        is_parquet = path.suffix == ".parquet"
        yield from parquet_rows(path, partial(_columns, path)) if is_parquet else _csv_rows(path)
    except FileNotFoundError as error:
        raise DataUnavailable(f"file not found: {path}") from error
    except OSError as error:
        raise DataUnavailable(f"can't read {path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BrokenCapture(f"{path} is not a CSV file") from error


def _csv_rows(path: Path) -> Iterator[Row]:
    """Read with or without a header: Binance Vision's older files have none."""
    with path.open(encoding="utf-8", newline="") as text:
        lines = csv.reader(text)
        first = next(lines, None)
        if first is None:
            return
        if first[0].isdigit():
            places: Iterable[int] = range(1 + len(_COLUMNS))
            lines = itertools.chain([first], lines)  # type: ignore[assignment]
        else:
            places = [first.index(name) for name in _columns(path, first)]
        picked = list(places)
        for cells in lines:
            yield [cells[i] if i < len(cells) else "" for i in picked]


def _columns(path: Path, names: Sequence[str]) -> list[str]:
    time = next((name for name in _TIME_COLUMNS if name in names), "")
    missing = [name for name in _COLUMNS if name not in names]
    if missing or not time:
        lacking = ", ".join(missing or [_TIME_COLUMNS[1]])
        raise BrokenCapture(f"{path} holds no klines: no column {lacking}")
    return [time, *_COLUMNS, *(["symbol"] if "symbol" in names else [])]


def _symbol_of(path: Path, row: Row) -> str:
    if len(row) > 1 + len(_COLUMNS):
        return str(row[-1]).upper()
    if match := _NAMED.search(path.name):
        return (match[1] or match[2]).upper()
    raise BrokenCapture(f"{path} does not say its symbol: write SYMBOL={path}")


def _check_interval(path: Path, head: Sequence[Row]) -> None:
    """Refuse other intervals: the commonest step between bars is the interval."""
    times = sorted({time for row in head if (time := _open_ns(row[0]))})
    steps = Counter(b - a for a, b in itertools.pairwise(times))
    if not times or (steps and steps.most_common(1)[0][0] != INTERVAL_NS):
        raise BrokenCapture(f"{path} holds no one-minute klines")


def _open_ns(cell: object) -> int:
    """Return the open time, 0 where it can't be one."""
    text = str(cell)
    return int(text) * _UNIT_NS[len(text)] if text.isdigit() and len(text) in _UNIT_NS else 0


def _bar(row: Row, instrument: Instrument, last_ns: int) -> Bar:
    open_ns = _open_ns(row[0])
    close_ns = open_ns + INTERVAL_NS
    if not open_ns or open_ns % INTERVAL_NS:
        raise Refused("malformed", "open time is not a minute")
    if close_ns <= last_ns:
        raise Refused("duplicate" if close_ns == last_ns else "out_of_order", "minute goes back")
    if len(row) > 1 + len(_COLUMNS) and str(row[-1]).upper() != instrument.symbol:
        raise Refused("unknown_symbol", "row of another symbol")
    first, high, low, last = (_steps(cell, instrument.tick_size) for cell in row[1:5])
    volume = _steps(row[5], instrument.lot_size)
    if min(first, high, low, last) <= 0 or volume < 0:
        raise Refused("non_positive", "price or volume below what can be")
    if not low <= min(first, last) <= max(first, last) <= high:
        raise Refused("malformed", "high or low inside the body")
    return Bar(close_ns, instrument.symbol, INTERVAL_S, open_ns, first, high, low, last, volume)


def _steps(cell: object, step: Decimal) -> int:
    """Convert a float, or its text, to ticks or lots: the edge named in architecture.md rule 5."""
    try:
        count = float(cell) / float(step)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise Refused("malformed", "not a number") from None
    if not math.isfinite(count):
        raise Refused("nan", "not finite")
    nearest = round(count)
    if abs(nearest) > STEPS_MAX:
        raise Refused("malformed", "no price or size")
    if abs(count - nearest) > GRID_TOLERANCE:
        raise Refused("off_grid", f"{count:.6f} steps")
    return nearest


def _text(cell: object) -> str:
    """Write a number out in plain decimals, for inferring a grid; what is none stays as it is."""
    try:
        return f"{Decimal(str(cell)):f}"
    except InvalidOperation:
        return str(cell)
