"""Tables of quotes and trades: what is written plays back as it was, in every format."""

import sys
from itertools import chain
from pathlib import Path

import pytest

from brokers.file.feed import FileFeed, paths_of
from brokers.link.parquet_table import ParquetTable
from brokers.link.tables import COLUMNS, FORMATS, Table, TextTable, row_of, write_rules
from brokers.link.tape import TapeConfig
from engine.model.errors import StateDamaged, UsageError
from engine.model.market import Quote, Trade
from engine.model.orders import Side
from tests.brokers.sandbox.stage import instrument

BTC = instrument("BTCUSDT")
START_NS = 1_700_000_000 * 10**9
S = 10**9
FORMAT_NAMES = (*FORMATS, "parquet")
EVENTS = [
    Quote(START_NS, "BTCUSDT", 600_001, 5, 600_002, 2**40, START_NS - 7),
    Trade(START_NS + 1, "BTCUSDT", 1, 1, Side.BUY, 2**62, START_NS),
    Quote(START_NS + 2, "BTCUSDT", 599_999, 1, 600_000, 1),
    Trade(START_NS + 3, "BTCUSDT", 600_000, 3, Side.SELL),
]


class Clock:
    """Seconds, moved by hand."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def opened(folder: Path, name: str, clock: Clock | None = None, **config: float) -> Table:
    settings = TapeConfig(**config)
    table: Table = (
        TextTable(folder, settings, name)
        if name in FORMATS
        else ParquetTable(folder, settings, clock or Clock())
    )
    for kind in COLUMNS:
        table.open(kind, BTC)
    write_rules(folder, [BTC])
    return table


def take(table: Table, *events: Quote | Trade) -> None:
    for event in events:
        kind, row = row_of(event, BTC)
        table.take(kind, event.symbol, row)


def played(folder: Path) -> list:
    feed = FileFeed(paths_of(str(folder)))
    assert (BTC,) == tuple(feed.instruments)
    return list(chain.from_iterable(feed.batches()))


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_what_is_recorded_plays_back(tmp_path: Path, name: str) -> None:
    """Each figure exactly, also after the stream went on in another file."""
    table = opened(tmp_path, name, rotate_mb=0.000_001)
    take(table, *EVENTS[:2])
    table.write(table.cut(is_last=True))
    take(table, *EVENTS[2:])
    table.write(table.cut(is_last=True))

    assert EVENTS == played(tmp_path)
    assert 4 == table.lines
    files = [path for path in tmp_path.iterdir() if path.suffix != ".json"]
    assert 4 == len(files)
    assert table.bytes == sum(path.stat().st_size for path in files)
    assert {0o600} == {path.stat().st_mode & 0o777 for path in files}


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_a_disk_that_refuses_ends_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateDamaged, match="can't record to"):
        opened(tmp_path / "file", name)
    table = opened(tmp_path / "gone", name)
    take(table, EVENTS[0])
    (tmp_path / "gone" / "instruments.json").unlink()
    (tmp_path / "gone").rmdir()
    with pytest.raises(StateDamaged, match="can't record to"):
        table.write(table.cut(is_last=True))


def test_a_parquet_file_is_a_minute_or_many_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole or not there: what a crash loses is in the raw messages."""
    clock = Clock()
    table = opened(tmp_path, "parquet", clock)
    take(table, EVENTS[0])
    clock.now_s += 59.9
    assert [] == table.cut()
    clock.now_s += 0.1
    table.write(table.cut())
    assert EVENTS[:1] == played(tmp_path)
    monkeypatch.setattr("brokers.link.parquet_table.ROWS_MAX", 2)
    take(table, EVENTS[2])
    assert [] == table.cut()
    take(table, EVENTS[2])
    assert 1 == len(table.cut())


def test_the_oldest_parquet_files_go(tmp_path: Path) -> None:
    table = opened(tmp_path, "parquet", keep_mb=0.004)
    for number in range(6):
        take(table, EVENTS[0])
        table.write(table.cut(is_last=True))
        assert (tmp_path / f"BTCUSDT-quotes-{number + 1:05}.parquet").exists()
    kept = sorted(path.name for path in tmp_path.glob("*.parquet"))
    assert "BTCUSDT-quotes-00006.parquet" == kept[-1]
    assert 1 <= len(kept) < 6


def test_parquet_without_its_extra_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'laptop-agents\[parquet\]'"):
        opened(tmp_path, "parquet")
