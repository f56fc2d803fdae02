"""Recorded quotes and trades as Parquet: whole files, each a minute or less of one table.

Rule 1: a file is complete under its name or not there at all: a crash loses the minute since, which
        the raw messages beside it still have.
Rule 2: figures are decimals of the instrument's own scale, so nothing is rounded.

Needs the extra `parquet`.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from brokers.link.tables import COLUMNS, Row, name_of
from brokers.link.tape import FLAGS, TapeConfig, Written, forget_oldest, made
from engine.model.errors import StateDamaged, UsageError
from engine.model.instrument import Instrument

FILE_S: Final = 60.0
ROWS_MAX: Final = 100_000
"""Rows of one table that wait for its next file."""
PRECISION: Final = 38


@dataclass(slots=True)
class _Part:
    """One table."""

    schema: Any
    waiting: list[Row] = field(default_factory=list)
    since_s: float = 0.0
    number: int = 0


class ParquetTable:
    """Tables in one folder."""

    def __init__(
        self, folder: Path, config: TapeConfig, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Write into a folder, which is made.

        Raises:
            StateDamaged: It can't be made.
            UsageError: The extra is not installed.

        """
        try:
            # Loaded here: it is an extra, takes 40 MB, and no session needs it.
            import pyarrow  # type: ignore[import-untyped]  # noqa: PLC0415
            import pyarrow.parquet  # type: ignore[import-untyped]  # noqa: PLC0415
        except ImportError as error:
            raise UsageError(
                "writing Parquet needs the extra: pip install 'laptop-agents[parquet]'"
            ) from error
        self._arrow: Any = pyarrow
        self._folder = made(folder)
        self._config = config
        self._clock = clock
        self._parts: dict[str, _Part] = {}
        self.lines = 0
        self.bytes = 0

    def open(self, kind: str, instrument: Instrument) -> None:
        """Begin a table of `COLUMNS` for an instrument."""
        arrow = self._arrow
        price = arrow.decimal128(PRECISION, _decimals(instrument.tick_size))
        size = arrow.decimal128(PRECISION, _decimals(instrument.lot_size))
        of = {
            "bid": price, "ask": price, "price": price, "bid_qty": size, "ask_qty": size,
            "qty": size, "aggressor": arrow.string(),
        }  # fmt: skip
        schema = arrow.schema([(name, of.get(name, arrow.int64())) for name in COLUMNS[kind]])
        self._parts[name_of(kind, instrument.symbol)] = _Part(schema, since_s=self._clock())

    def take(self, kind: str, symbol: str, row: Row) -> None:
        """Let a row wait for the next file."""
        self._parts[name_of(kind, symbol)].waiting.append(row)
        self.lines += 1

    def cut(self, *, is_last: bool = False) -> Sequence[Written]:
        """Hand over the tables whose file is due; at the end all that have rows."""
        now_s = self._clock()
        cuts = []
        for name, part in self._parts.items():
            is_due = now_s - part.since_s >= FILE_S or len(part.waiting) >= ROWS_MAX or is_last
            if part.waiting and is_due:
                cuts.append(Written(name, part.waiting))
                part.waiting, part.since_s = [], now_s
        return cuts

    def write(self, cuts: Sequence[Written]) -> None:
        """Write each as a file.

        Raises:
            StateDamaged: The disk refuses.

        """
        try:
            for name, rows in cuts:
                self._write(name, self._parts[name], rows)
            forget_oldest(self._folder, "*.parquet", self._config.keep_mb, kept=())
        except OSError as error:
            raise StateDamaged(
                f"can't record to {self._folder}: {error.strerror or error}"
            ) from error

    def _write(self, name: str, part: _Part, rows: Sequence[Row]) -> None:
        part.number += 1
        path = self._folder / f"{name}-{part.number:05}.parquet"
        unfinished = path.with_suffix(".part")
        columns = [list(column) for column in zip(*rows, strict=True)]
        table = self._arrow.table(columns, schema=part.schema)
        os.close(os.open(unfinished, FLAGS, 0o600))
        self._arrow.parquet.write_table(table, unfinished, compression="zstd")
        unfinished.rename(path)
        self.bytes += path.stat().st_size


def _decimals(step: object) -> int:
    exponent = step.as_tuple().exponent  # type: ignore[attr-defined]
    return max(0, -int(exponent))
