"""The time series: whole after every row, exact, and honest about what is not known."""

import csv
import json
import os
import stat
from decimal import Decimal

import pytest

from engine.model.errors import StateDamaged
from engine.reports.latency import NOTHING_MEASURED, Quantiles
from engine.reports.view import PositionView, SessionView
from engine.session import metrics
from engine.session.health import HealthReading
from engine.session.metrics import MetricsWriter
from engine.session.run_folder import RunFolder

NS = 1_000_000_000
# Typed from interface.md, "metrics.json, metrics.csv".
COLUMNS = [
    "ts", "equity", "balance", "realised", "unrealised", "fees", "drawdown_pct",
    "position_BTCUSDT", "position_ETHUSDT", "mark_BTCUSDT", "mark_ETHUSDT", "open_orders",
    "events_per_s", "tick_to_order_us_p50", "tick_to_order_us_p99", "rss_mb", "cpu_pct",
]  # fmt: skip


def view_at(second: int, events: int = 0, realised: str = "1.10") -> SessionView:
    """See a session that is long in one of its two instruments."""
    won, zero = Decimal(realised), Decimal(0)
    held = PositionView(
        symbol="BTCUSDT",
        qty=Decimal("0.020"),
        entry_price=won,
        mark=Decimal("90000.1"),
        unrealised=zero,
    )
    return SessionView(
        ts_ns=second * NS, state="ACTIVE", equity=won + 100, balance=won + 100, realised=won,
        unrealised=zero, fees=zero, funding=zero, peak_equity=won, drawdown_pct=Decimal("0E-10"),
        open_orders=2, fills=1, positions=(held,), events=events,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Make a run folder."""
    return RunFolder.create(tmp_path / "home", "run")


@pytest.fixture
def writer(folder):
    """Open both files."""
    writer = MetricsWriter(folder, ("BTCUSDT", "ETHUSDT"))
    yield writer
    writer.close()


def read_json(folder):
    """Read numbers with all their digits."""
    return json.loads((folder.path / "metrics.json").read_text(), parse_float=Decimal)


def read_csv(folder):
    """Read rows as text."""
    with (folder.path / "metrics.csv").open(newline="") as file:
        return list(csv.reader(file))


def test_both_files_are_whole_after_every_row(folder, writer) -> None:
    """A session killed between two seconds leaves a valid document each time."""
    assert read_json(folder) == []
    for second in range(1, 5):
        assert writer.write(view_at(second), HealthReading(), NOTHING_MEASURED)
        assert len(read_json(folder)) == second
        assert len(read_csv(folder)) == second + 1


def test_columns_are_those_of_the_interface(folder, writer) -> None:
    """In CSV and in JSON, in the same order."""
    writer.write(view_at(1), HealthReading(), NOTHING_MEASURED)

    assert read_csv(folder)[0] == COLUMNS
    assert list(read_json(folder)[0]) == COLUMNS


def test_unknown_is_null_and_empty(folder, writer) -> None:
    """A first second has no rate, an instrument without a view no position."""
    writer.write(view_at(1), HealthReading(), NOTHING_MEASURED)

    row = read_json(folder)[0]
    unknown = {"position_ETHUSDT", "mark_ETHUSDT", *COLUMNS[-5:]}
    assert {name for name, value in row.items() if value is None} == unknown
    line = dict(zip(COLUMNS, read_csv(folder)[1], strict=True))
    assert {name for name, text in line.items() if text == ""} == unknown


def test_known_figures(folder, writer) -> None:
    """Rates are per second of the view's own time; money is exact; CSV has no exponents."""
    writer.write(view_at(1, 100), HealthReading(), NOTHING_MEASURED)
    health = HealthReading(rss_mb=91.5, cpu_pct=6.0)
    writer.write(view_at(3, 400, "0.1234567890123456789012"), health, Quantiles(5.0, 6.0, 7.0, 8.0))

    row = read_json(folder)[1]
    assert (150, 5, 7, Decimal("91.5"), 6) == tuple(row[name] for name in COLUMNS[-5:])
    assert row["equity"] == Decimal("100.1234567890123456789012")
    assert row["ts"] == 3 * NS
    line = dict(zip(COLUMNS, read_csv(folder)[2], strict=True))
    assert line["drawdown_pct"] == "0.0000000000"
    assert (line["position_BTCUSDT"], line["mark_BTCUSDT"]) == ("0.020", "90000.1")


def test_no_rate_without_time(folder, writer) -> None:
    """Two views of one moment have no events a second between them."""
    for events in (1, 2):
        writer.write(view_at(1, events), HealthReading(), NOTHING_MEASURED)

    assert read_json(folder)[1]["events_per_s"] is None


@pytest.mark.parametrize(
    ("failing", "rows"), [("metrics.csv", [1, 3]), ("metrics.json", [1, 2, 3])]
)
def test_a_full_disk_costs_rows_only(folder, writer, monkeypatch, failing, rows) -> None:
    """Half a row is taken back at once, the failure is named, and the next row goes on."""
    writer.write(view_at(1), HealthReading(), NOTHING_MEASURED)
    monkeypatch.setattr(metrics.os, "pwrite", filling_up(folder.path / failing))
    assert writer.write(view_at(2), HealthReading(), NOTHING_MEASURED) is False
    monkeypatch.undo()

    assert writer.failure == "No space left on device"
    assert [row["ts"] for row in read_json(folder)] == [NS]
    assert read_csv(folder)[-1][0] == str(NS * rows[-2])
    assert writer.write(view_at(3), HealthReading(), NOTHING_MEASURED) is True
    assert writer.failure is None
    assert [row["ts"] for row in read_json(folder)] == [NS, 3 * NS]
    assert [row[0] for row in read_csv(folder)] == ["ts", *(str(NS * row) for row in rows)]


def filling_up(path):
    """Write half of what the file is given, then refuse; what fits in it already still fits."""
    real, inode, size = os.pwrite, path.stat().st_ino, path.stat().st_size

    def pwrite(fd: int, content: bytes, offset: int) -> int:
        if os.fstat(fd).st_ino != inode or offset + len(content) <= size:
            return real(fd, content, offset)
        if offset > size:
            raise OSError(28, "No space left on device")
        return real(fd, content[: len(content) // 2], offset)

    return pwrite


def test_files_are_private_new_and_closed_twice(folder, writer) -> None:
    """0600, never reopened, and closing again is fine."""
    for name in ("metrics.csv", "metrics.json"):
        assert stat.S_IMODE((folder.path / name).stat().st_mode) == 0o600
    with pytest.raises(StateDamaged):
        MetricsWriter(folder, ())
    writer.close()
    writer.close()
