"""metrics.csv and metrics.json: the session as a time series, one row a second.

Rule 1: rows go to the disk as they come; memory holds the last one.
Rule 2: both files are whole after every row. The JSON file is one array: an append overwrites the
        closing bracket and writes it again in the same call, so a killed session leaves a valid
        document and no row is ever written twice. (A reader in the very same microsecond may see
        the file without its bracket; renaming megabytes each second would be the alternative.)
Rule 3: a figure that isn't known is null in JSON and empty in CSV, never 0. Money is a JSON number
        with every digit it has.
"""

import contextlib
import csv
import errno
import io
import os
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from engine.model.errors import StateDamaged
from engine.reports.latency import Quantiles
from engine.reports.view import SessionView
from engine.session.health import HealthReading
from engine.session.run_folder import RunFolder

if TYPE_CHECKING:
    from engine.session.kept_metrics import KeptRows

CSV_NAME: Final = "metrics.csv"
JSON_NAME: Final = "metrics.json"
NS: Final = 1_000_000_000
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")

Cell = Decimal | float | int | None


class MetricsWriter:
    """Appends a row to both files; a full disk costs rows, never the session."""

    def __init__(
        self, folder: RunFolder, symbols: Sequence[str], kept: "KeptRows | None" = None
    ) -> None:
        """Create both files, with the rows an interrupted run left.

        Raises:
            StateDamaged: One exists already, or can't be written.

        """
        self.failure: str | None = None
        """Why the last row could not be written; None when all is well."""
        self._symbols = tuple(symbols)
        self._events: tuple[int, int] | None = None
        self._rows = 0
        self._csv = _Growing(folder.create_file(CSV_NAME), foot=b"")
        self._json = _Growing(folder.create_file(JSON_NAME), foot=b"\n]\n")
        head, array = _csv_line(columns(self._symbols)), b"["
        if kept is not None:
            head = b"\n".join([*kept.csv, b""])
            array = b"[\n" + b",\n".join(kept.json)
            self._rows = len(kept.json)
        if not self._try(head, array):
            raise StateDamaged(f"can't write metrics in {folder.path}: {self.failure}")

    def write(self, view: SessionView, health: HealthReading, latency: Quantiles) -> bool:
        """Append the row of this second; `latency` is of this second alone.

        Returns:
            Whether it reached the files. `failure` says why not; the next row tries again.

        """
        row = self._row(view, health, latency)
        document = _ENCODER.encode(row)
        comma = b"," if self._rows else b""
        is_written = self._try(
            _csv_line([_text(cell) for cell in row.values()]), comma + b"\n" + document
        )
        self._rows += is_written
        return is_written

    def close(self) -> None:
        """Make both files durable and close them; twice is fine."""
        for file in (self._csv, self._json):
            file.close()

    def _try(self, csv_line: bytes, json_text: bytes) -> bool:
        try:
            self._csv.append(csv_line)
            self._json.append(json_text)
        except OSError as error:
            self.failure = error.strerror or type(error).__name__
            return False
        self.failure = None
        return True

    def _row(self, view: SessionView, health: HealthReading, latency: Quantiles) -> dict[str, Cell]:
        positions = {position.symbol: position for position in view.positions}
        held = [positions.get(symbol) for symbol in self._symbols]
        cells: list[Cell] = [
            view.ts_ns, view.equity, view.balance, view.realised, view.unrealised, view.fees,
            view.drawdown_pct,
            *(None if position is None else position.qty for position in held),
            *(None if position is None else position.mark for position in held),
            view.open_orders, self._events_per_s(view), latency.p50, latency.p99,
            health.rss_mb, health.cpu_pct,
        ]  # fmt: skip
        return dict(zip(columns(self._symbols), cells, strict=True))

    def _events_per_s(self, view: SessionView) -> float | None:
        before, self._events = self._events, (view.ts_ns, view.events)
        if before is None or view.ts_ns <= before[0]:
            return None
        return round((view.events - before[1]) * NS / (view.ts_ns - before[0]), 1)


def columns(symbols: Sequence[str]) -> list[str]:
    """Return the names of a row's figures, in order; `ts` is Unix nanoseconds as in the journal."""
    return [
        "ts", "equity", "balance", "realised", "unrealised", "fees", "drawdown_pct",
        *(f"position_{symbol}" for symbol in symbols),
        *(f"mark_{symbol}" for symbol in symbols),
        "open_orders", "events_per_s", "tick_to_order_us_p50", "tick_to_order_us_p99",
        "rss_mb", "cpu_pct",
    ]  # fmt: skip


class _Growing:
    """A file that ends in `foot` after every append."""

    def __init__(self, fd: int, foot: bytes) -> None:
        self._fd, self._foot, self._end = fd, foot, 0
        self._is_open = True

    def append(self, chunk: bytes) -> None:
        try:
            _write_at(self._fd, chunk + self._foot, self._end)
        except OSError:
            self._undo()
            raise
        self._end += len(chunk)

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            with contextlib.suppress(OSError):  # a disk that can't sync: the rows are as they are
                os.fsync(self._fd)
            os.close(self._fd)

    def _undo(self) -> None:
        # The old foot's place is allocated, so this succeeds on a full disk.
        with contextlib.suppress(OSError):
            _write_at(self._fd, self._foot, self._end)
            os.ftruncate(self._fd, self._end + len(self._foot))


def _write_at(fd: int, content: bytes, offset: int) -> None:
    rest = memoryview(content)
    while rest:
        written = os.pwrite(fd, rest, offset)
        if not written:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        offset += written
        rest = rest[written:]


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    return format(cell, "f") if isinstance(cell, Decimal) else str(cell)


def _csv_line(cells: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode("utf-8")
