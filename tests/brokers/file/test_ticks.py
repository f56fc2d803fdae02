"""Recorded tables of quotes and trades: rows that are none, rules that are missing."""

import gzip
from decimal import Decimal
from itertools import chain
from pathlib import Path

import pytest

from brokers.file.config import FileConfig, TradingRules
from brokers.file.feed import FileFeed
from brokers.link.tables import COLUMNS
from engine.model.errors import BrokenCapture
from engine.model.market import Malformed, Quote
from engine.model.orders import Side

AT = 1_700_000_000 * 10**9
HEADER = ",".join(COLUMNS["quotes"])
GOOD = f"{AT},0,60000.1,1.5,60000.2,2"


def table(path: Path, *rows: str, name: str = "BTCUSDT-quotes-00001.csv.gz") -> Path:
    file = path / name
    file.write_bytes(gzip.compress("".join(f"{row}\n" for row in rows).encode()))
    return file


def played(path: Path, config: FileConfig | None = None) -> list:
    return list(chain.from_iterable(FileFeed([path], config=config).batches()))


@pytest.mark.parametrize(
    ("row", "flaw"),
    [
        (f"{AT},0,60000.1,1.5,60000.2", "malformed"),
        (f"{AT},0,60000.15,1.5,60000.2,2", "off_grid"),
        (f"{AT},0,-1,1.5,60000.2,2", "non_positive"),
        (f"{AT},0,NaN,1.5,60000.2,2", "nan"),
        (f"{AT},{'9' * 5000},60000.1,1.5,60000.2,2", "malformed"),
        (f"{AT},-1,60000.1,1.5,60000.2,2", "malformed"),
        (f"{AT},0,{'1' * 5000},1.5,60000.2,2", "malformed"),
        ("yesterday,0,60000.1,1.5,60000.2,2", "malformed"),
        ("\x00\ufffd,,,,,,,,", "malformed"),
    ],
)
def test_a_row_that_is_no_quote(tmp_path: Path, row: str, flaw: str) -> None:
    """It is told as what it is, and what follows plays on."""
    events = played(table(tmp_path, HEADER, GOOD, row, GOOD))

    assert [Quote, Malformed, Quote] == [type(event) for event in events]
    assert (flaw, "BTCUSDT") == (events[1].flaw, events[1].symbol)
    assert len(events[1].detail) <= 120


def test_lines_of_json_that_are_none(tmp_path: Path) -> None:
    good = (
        f'{{"ts_ns":{AT},"ts_event_ns":0,"price":"60000.1","qty":"1","aggressor":"SELL",'
        '"trade_id":5}'
    )
    rows = (good, "[]", "{", good.replace("SELL", "HOLD"), good.replace('"1"', "{}"))
    events = played(table(tmp_path, *rows, name="BTCUSDT-trades-00001.jsonl.gz"))

    assert (600_001, Side.SELL) == (events[0].price_ticks, events[0].aggressor)
    assert ["malformed"] * 4 == [event.flaw for event in events[1:]]


def test_a_file_cut_short_ends_there(tmp_path: Path) -> None:
    path = table(tmp_path, HEADER, *[GOOD] * 5_000)
    path.write_bytes(path.read_bytes()[:-9])
    events = played(path)

    assert "cut gzip" == events[-1].detail
    assert {Quote} == {type(event) for event in events[:-1]}


def test_rules_come_from_settings_or_the_figures_where_none_were_written(tmp_path: Path) -> None:
    row = f"{AT},0,7.125,1.5,7.25,2"
    path = table(tmp_path, HEADER, row, name="ODDUSDT-quotes-00001.csv.gz")
    (inferred,) = FileFeed([path]).instruments
    stated = TradingRules(tick_size=Decimal("0.0005"), lot_size=Decimal("0.1"))
    (quote,) = played(path, FileConfig(instruments={"ODDUSDT": stated}))

    assert (Decimal("0.001"), Decimal("0.1")) == (inferred.tick_size, inferred.lot_size)
    assert 14_250 == quote.bid_ticks


@pytest.mark.parametrize(
    "rows", [(), (HEADER,), ("open,high,low",), (HEADER.replace("bid,", ""), GOOD)]
)
def test_what_is_no_table_is_refused(tmp_path: Path, rows: tuple[str, ...]) -> None:
    with pytest.raises(BrokenCapture, match="holds no quotes"):
        played(table(tmp_path, *rows))


@pytest.mark.parametrize("rules", [b"", b"[{}]", b"\xff", b"[" * 100_000])
def test_rules_that_can_not_be_read_are_done_without(tmp_path: Path, rules: bytes) -> None:
    (tmp_path / "instruments.json").write_bytes(rules)

    assert 1 == len(played(table(tmp_path, HEADER, GOOD)))
