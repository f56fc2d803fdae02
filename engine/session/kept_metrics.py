"""The metrics an interrupted run left, up to the checkpoint its resume goes on from."""

from typing import NamedTuple

from engine.session.metrics import CSV_NAME, JSON_NAME
from engine.session.run_folder import RunFolder

_TS = b'"ts":'


class KeptRows(NamedTuple):
    """Whole rows, oldest first, without the newline; `csv` includes the line of names."""

    csv: list[bytes]
    json: list[bytes]


def kept_rows(folder: RunFolder, until_ns: int) -> KeptRows | None:
    """Return the rows up to `until_ns`; None where they do not reach it, or can't be read.

    After a power cut the rows of the last seconds may be missing. A resume then reruns the session
    from an older point and writes them again.
    """
    try:
        names, *rows = folder.file(CSV_NAME).read_bytes().splitlines()
        documents = folder.file(JSON_NAME).read_bytes().splitlines()[1:]
    except (OSError, ValueError):
        return None
    csv = [row for row in rows if _csv_ts(row) <= until_ns]
    json = [row.rstrip(b",") for row in documents if 0 < _json_ts(row) <= until_ns]
    if not csv or len(csv) != len(json) or _csv_ts(csv[-1]) != until_ns:
        return None
    return KeptRows([names, *csv], json)


def _csv_ts(row: bytes) -> int:
    cell = row.partition(b",")[0]
    return int(cell) if cell.isdigit() else 2**63


def _json_ts(row: bytes) -> int:
    digits = row.partition(_TS)[2].partition(b",")[0]
    return int(digits) if digits.isdigit() else 0
