"""Klines: Parquet and CSV say the same, floats land on the grid or are refused."""

import math
import sys
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from brokers.file.feed import FileFeed
from engine.model.errors import BrokenCapture, UsageError
from engine.model.market import Bar, FeedEvent, Malformed

OPEN_MS = 1_746_372_780_000
MINUTE_NS = 60_000_000_000
NAMES = ("open_time_ms", "open", "high", "low", "close", "volume")
NAME = "binance_usdm_btcusdt_1m_2025"
ROWS = [
    (OPEN_MS, 95490.1, 95510.0, 95480.3, 95502.7, 12.345),
    (OPEN_MS + 60_000, 95502.7, 95502.7, 95502.7, 95502.7, 0.0),
    (OPEN_MS + 120_000, 95502.6, 95600.0, 95400.0, 95555.5, 1234.567),
]


def csv_file(path: Path, rows=ROWS, header: str | None = ",".join(NAMES)) -> Path:
    lines = [",".join(map(str, row)) for row in rows]
    path.write_text("\n".join([*([header] if header else []), *lines]) + "\n")
    return path


def parquet_file(path: Path, rows=ROWS) -> Path:
    columns = zip(*rows, strict=True)
    pq.write_table(pa.table(dict(zip(NAMES, map(list, columns), strict=True))), path)
    return path


def play(path: Path | str, **kw) -> list[FeedEvent]:
    return list(chain.from_iterable(FileFeed([Path(path)], **kw).batches()))


def test_bar(tmp_path: Path) -> None:
    """A row is a closed bar in ticks and lots that arrives when its minute is over."""
    bars = play(parquet_file(tmp_path / f"{NAME}.parquet"))
    open_ns = OPEN_MS * 1_000_000

    assert len(bars) == 3
    assert bars[0] == Bar(
        open_ns + MINUTE_NS, "BTCUSDT", 60, open_ns, 954901, 955100, 954803, 955027, 12345
    )
    assert bars[1].volume_lots == 0


def test_parquet_and_csv_agree(tmp_path: Path) -> None:
    """Formats, headers and units don't change a bar."""
    expected = play(parquet_file(tmp_path / f"{NAME}.parquet"))
    vision = "open_time,open,high,low,close,volume,close_time,quote_volume,count"
    full = [(*row, row[0] + 59_999, 1.0, 7) for row in ROWS]
    micro = [(row[0] * 1_000, *row[1:]) for row in ROWS]

    assert expected == play(csv_file(tmp_path / f"{NAME}.csv"))
    assert expected == play(csv_file(tmp_path / "BTCUSDT-1m-2025-05.csv", full, vision))
    assert expected == play(csv_file(tmp_path / "BTCUSDT-1m-2024-05.csv", full, None))
    assert expected == play(csv_file(tmp_path / "BTCUSDT-1m-2025-06.csv", micro))


def test_symbol_comes_from_prefix_column_or_name(tmp_path: Path) -> None:
    """In that order; a file that says nothing is refused with the way out."""
    plain = csv_file(tmp_path / "bars.csv")
    named = csv_file(
        tmp_path / "x.csv", [(*row, "btcusdt") for row in ROWS], ",".join((*NAMES, "symbol"))
    )

    assert {"BTCUSDT"} == {e.symbol for e in play(f"BTCUSDT={plain}")}
    assert {"BTCUSDT"} == {e.symbol for e in play(named)}
    with pytest.raises(BrokenCapture, match=r"does not say its symbol: write SYMBOL=.*bars\.csv"):
        FileFeed([plain])


CELLS = [
    # column, cell,     flaw
    (1, 95490.15, "off_grid"),
    (1, 95490.1001, "off_grid"),
    (1, math.nan, "nan"),
    (2, math.inf, "nan"),
    (3, 0.0, "non_positive"),
    (3, -95480.3, "non_positive"),
    (2, 1e300, "malformed"),
    (2, 95485.0, "malformed"),
    (5, -1.0, "non_positive"),
    (5, 12.3456, "off_grid"),
    (0, OPEN_MS + 60_001, "malformed"),
    (0, OPEN_MS, "duplicate"),
    (0, OPEN_MS - 60_000, "out_of_order"),
    (0, 0, "malformed"),
]


@pytest.mark.parametrize(("column", "cell", "flaw"), CELLS)
def test_bad_cell(tmp_path: Path, column: int, cell: float, flaw: str) -> None:
    """One bad cell costs its row, not the file; both formats agree on why."""
    bad = list(ROWS[0])
    bad[0] += 60_000
    bad[column] = cell
    rows = [ROWS[0], tuple(bad), *((row[0] + 120_000, *row[1:]) for row in ROWS)]
    for path in (
        csv_file(tmp_path / f"{NAME}.csv", rows),
        parquet_file(tmp_path / f"{NAME}.parquet", rows),
    ):
        played = play(path)

        assert [Bar, Malformed, Bar, Bar, Bar] == [type(e) for e in played]
        assert (flaw, played[0].ts_ns) == (played[1].flaw, played[1].ts_ns)


@pytest.mark.parametrize("cell", ["", "abc", "None"])
def test_cell_that_is_no_number(tmp_path: Path, cell: str) -> None:
    """Text where a price should be is malformed; so is a row that is too short."""
    rows = [*ROWS, (OPEN_MS + 180_000, cell, 1, 1, 1, 1), (OPEN_MS + 240_000,)]
    played = play(csv_file(tmp_path / f"{NAME}.csv", rows))

    assert [e.flaw for e in played if isinstance(e, Malformed)] == ["malformed"] * 2


def test_float_noise_is_not_off_grid(tmp_path: Path) -> None:
    """What arithmetic did to a price is forgiven, half a tick is not."""
    rows = [(OPEN_MS, 0.1 + 0.2, 0.1 * 3, 0.3, 0.3, 0.0), *ROWS[1:]]

    assert play(csv_file(tmp_path / f"{NAME}.csv", rows))[0].open_ticks == 3


def test_other_intervals_are_refused(tmp_path: Path) -> None:
    """Five-minute bars must not pass for one-minute bars."""
    rows = [(OPEN_MS + i * 300_000, *ROWS[0][1:]) for i in range(3)]

    with pytest.raises(BrokenCapture, match="holds no one-minute klines"):
        FileFeed([csv_file(tmp_path / f"{NAME}.csv", rows)])


def test_unknown_symbol_gets_the_grid_of_its_floats(tmp_path: Path) -> None:
    """Inference reads floats as people wrote them, tiny ones too."""
    rows = [(OPEN_MS + i * 60_000, 1.2e-5, 1.3e-5, 1.1e-5, 1.2e-5, 1500.0) for i in range(2)]
    path = csv_file(tmp_path / "x_pepeusdt_1m_.csv", rows)
    [item] = FileFeed([path]).instruments

    assert (str(item.tick_size), str(item.lot_size)) == ("0.000001", "1")
    assert [e.close_ticks for e in play(path)] == [12, 12]


def test_missing_extra_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyarrow, Parquet is refused with the command that helps."""
    path = parquet_file(tmp_path / f"{NAME}.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(UsageError, match=r"pip install 'laptop-agents\[parquet\]'"):
        FileFeed([path])
