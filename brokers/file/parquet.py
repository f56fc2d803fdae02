"""Rows of a Parquet file, a few thousand at a time."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from engine.model.errors import BrokenCapture, DataUnavailable, UsageError

_ROWS: Final = 4_096


def parquet_rows(
    path: Path, choose: Callable[[Sequence[str]], list[str]]
) -> Iterator[Sequence[object]]:
    """Yield each row's cells.

    Args:
        choose: Picks columns among the file's, in the order of the cells.

    Raises:
        DataUnavailable: It can't be read.
        BrokenCapture: It is no Parquet file, or lacks a column.
        UsageError: The extra is not installed.
    """
    try:
        # Loaded here: it is an extra, takes 40 MB, and no session without Parquet needs it.
        import pyarrow  # type: ignore[import-untyped]  # noqa: PLC0415
        import pyarrow.parquet  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            "reading Parquet needs the extra: pip install 'laptop-agents[parquet]'"
        ) from error
    try:
        with pyarrow.parquet.ParquetFile(path) as table:
            columns = choose(table.schema_arrow.names)
            if missing := set(columns).difference(table.schema_arrow.names):
                raise BrokenCapture(f"{path} lacks the columns {', '.join(sorted(missing))}")
            for batch in table.iter_batches(_ROWS, columns=columns):
                yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
    except pyarrow.ArrowInvalid as error:
        raise BrokenCapture(f"{path} is not a Parquet file") from error
    except FileNotFoundError as error:
        raise DataUnavailable(f"file not found: {path}") from error
    except OSError as error:
        raise DataUnavailable(f"can't read {path}: {error.strerror or error}") from error
