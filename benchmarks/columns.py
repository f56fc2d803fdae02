"""Streams the integer columns of a workload file without loading it, or numpy.

An `.npz` that `numpy.savez` wrote is a zip of uncompressed `.npy` members: a short header, then the
raw little-endian numbers. Reading them a chunk at a time keeps the engine's memory the engine's.
"""

import ast
import zipfile
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

CHUNK_ROWS: Final = 8_192


def chunks(
    path: Path, names: tuple[str, ...], limit: int | None = None
) -> Iterator[list["array[int]"]]:
    """Yield the int64 columns in chunks of rows in file order, at most `limit` rows in all."""
    with zipfile.ZipFile(path) as archive:
        columns = [archive.open(f"{name}.npy") for name in names]
        count = min(_header(column) for column in columns)
        left = count if limit is None else min(limit, count)
        while left:
            take = min(left, CHUNK_ROWS)
            left -= take
            yield [_chunk(column, take) for column in columns]


def _header(column: IO[bytes]) -> int:
    magic = column.read(8)
    assert magic[:6] == b"\x93NUMPY", "not an .npy member"
    size = int.from_bytes(column.read(2 if magic[6] == 1 else 4), "little")
    header = ast.literal_eval(column.read(size).decode("latin1"))
    assert header["descr"] == "<i8", header
    return int(header["shape"][0])


def _chunk(column: IO[bytes], count: int) -> "array[int]":
    numbers = array("q")
    numbers.frombytes(column.read(8 * count))
    return numbers
