"""The recorded data itself; the oracle is its README, counted by somebody else.

Skipped where the data is absent.
"""

import gzip
from collections import Counter
from itertools import chain, islice, pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from brokers.file.feed import FileFeed, paths_of
from engine.model.errors import BrokenCapture, UsageError
from engine.model.market import Bar, Depth, FeedEvent, Funding, Malformed, Quote, Trade
from engine.model.orders import Side
from tests.brokers.file.captures import DATA, needs_data

pytestmark = needs_data

RAW = DATA / "raw"
BTC_2024 = RAW / "binance_usdm_btcusdt_20240808.jsonl.gz"
BTC_2023 = RAW / "binance_usdm_btcusdt_20230405.jsonl.gz"
KLINES = DATA / "klines" / "binance_usdm_btcusdt_1m_2025-05-04_2025-06-24.parquet"

COUNTS = [
    # file,                              quotes, trades, depth diffs, snapshots, funding
    ("binance_usdm_btcusdt_20240808", 66_089, 21_313, 6_551, 1, 0),
    ("binance_usdm_btcusdt_20230405", 37_440, 10_738, 11_788, 0, 415),
    ("binance_usdm_btcusdt_20230404", 6_765, 2_197, 4_322, 1, 99),
    ("binance_spot_btcusdt_20240808", 28_040, 9_757, 3_451, 1, 0),
]


def events(*paths: Path, symbols: list[str] | None = None) -> list[FeedEvent]:
    return list(chain.from_iterable(FileFeed(paths, symbols).batches()))


@pytest.mark.parametrize(("name", "quotes", "trades", "diffs", "snapshots", "funding"), COUNTS)
def test_counts(
    name: str, quotes: int, trades: int, diffs: int, snapshots: int, funding: int
) -> None:
    """Every message of the README is there, not one is malformed, time never goes back."""
    played = events(RAW / f"{name}.jsonl.gz")
    kinds = Counter(type(e) for e in played)

    assert (quotes, trades, funding) == (kinds[Quote], kinds[Trade], kinds[Funding])
    assert diffs + snapshots == kinds[Depth]
    assert snapshots == sum(e.is_snapshot for e in played if isinstance(e, Depth))
    assert kinds[Malformed] == 0
    assert all(a.ts_ns <= b.ts_ns for a, b in pairwise(played))


def test_trades_equal_the_derived_table() -> None:
    """Row by row, prices and sizes are those somebody else parsed to floats."""
    table = pq.read_table(DATA / "ticks" / "binance_usdm_btcusdt_20240808_trades.parquet")
    trades = [e for e in events(BTC_2024) if isinstance(e, Trade)]

    for row, event in zip(table.to_pylist(), trades, strict=True):
        assert (row["trade_id"], row["ts_recv_ns"]) == (event.trade_id, event.ts_ns)
        assert row["ts_event_ms"] * 1_000_000 == event.ts_event_ns
        assert (round(row["price"] * 10), round(row["qty"] * 1000)) == (
            event.price_ticks,
            event.qty_lots,
        )
        assert Side(row["side"].upper()) is event.aggressor


def test_funding_settles_at_midnight() -> None:
    """Between the first two marks of the day the next settlement moves by eight hours."""
    first, second = islice((e for e in events(BTC_2023) if isinstance(e, Funding)), 2)

    assert first.next_ns == 1_680_652_800_000 * 1_000_000
    assert second.next_ns == 1_680_681_600_000 * 1_000_000


def test_depth_sequence_has_no_gap() -> None:
    """Each diff names the one before it, and the snapshot falls into the sequence."""
    depth = [e for e in events(BTC_2024) if isinstance(e, Depth)]
    diffs = [e for e in depth if not e.is_snapshot]
    [snapshot] = [e for e in depth if e.is_snapshot]

    assert all(a.last_seq == b.prev_seq for a, b in pairwise(diffs))
    assert any(e.first_seq <= snapshot.last_seq <= e.last_seq for e in diffs)
    assert (len(snapshot.bids), len(snapshot.asks)) == (1_000, 1_000)


def test_days_follow_each_other_over_midnight() -> None:
    """The first diff of 07-19 names the last of 07-18: one market, two files."""
    days = sorted(RAW.glob("binance_usdm_btcusdt_202407*.jsonl.gz"))
    diffs = [e for e in events(*days) if isinstance(e, Depth) and not e.is_snapshot]

    assert len(days) == 2
    assert all(a.last_seq == b.prev_seq for a, b in pairwise(diffs))


def test_two_symbols_merge_in_order() -> None:
    """Bitcoin and ether of one evening are one stream in order of arrival."""
    feed = FileFeed(paths_of(f"{RAW}/binance_usdm_*usdt_20240718.jsonl.gz"))
    played = list(chain.from_iterable(feed.batches()))

    assert {"BTCUSDT", "ETHUSDT"} == {item.symbol for item in feed.instruments}
    assert len(played) == 11_414 + 14_003
    assert all(a.ts_ns <= b.ts_ns for a, b in pairwise(played))
    assert sum(a.symbol != b.symbol for a, b in pairwise(played)) > 1_000


def test_cut_capture_plays_to_its_cut(tmp_path: Path) -> None:
    """A recorder that died at 70 % leaves a prefix and one flaw."""
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(BTC_2024.read_bytes()[: BTC_2024.stat().st_size * 7 // 10])
    played = events(cut)
    whole = events(BTC_2024)

    assert (played[-1].flaw, played[-1].detail) == ("malformed", "cut gzip")
    assert whole[: len(played) - 1] == played[:-1]
    assert 0.6 < len(played) / len(whole) < 0.8


def test_garbage_in_a_capture_is_counted_exactly(tmp_path: Path) -> None:
    """Fifty bad lines among ten thousand are fifty flaws, and every good line is played."""
    with gzip.open(BTC_2024) as source:
        good = list(islice(source, 10_000))
    bad = [b"garbage\n", b"\xff\n", good[100][:80] + b"\n", b'17231612553193025 {"a":1}\n', b"{}\n"]
    lines = list(chain.from_iterable([line, bad[i // 200 % 5]] if i % 200 == 7 else [line]
                                     for i, line in enumerate(good)))  # fmt: skip
    dirty = tmp_path / "dirty.jsonl.gz"
    dirty.write_bytes(gzip.compress(b"".join(lines), 1))
    played = events(dirty)

    assert len(lines) == 10_050
    assert sum(isinstance(e, Malformed) for e in played) == 50
    assert events(BTC_2024)[:10_000] == [e for e in played if not isinstance(e, Malformed)]


def test_klines_of_a_month_equal_in_both_formats(tmp_path: Path) -> None:
    """All 73,139 minutes, on the grid, gapless, and the same from CSV."""
    table = pq.read_table(KLINES)
    rows = (",".join(map(str, row.values())) for row in table.to_pylist())
    csv = tmp_path / "binance_usdm_btcusdt_1m_.csv"
    csv.write_text("\n".join([",".join(table.schema.names), *rows]))
    bars = events(KLINES)

    assert len(bars) == 73_139
    assert {Bar} == {type(e) for e in bars}
    assert all(b.open_ns - a.open_ns == 60_000_000_000 for a, b in pairwise(bars))
    assert bars == events(csv)


@pytest.mark.parametrize("path", sorted((DATA / "klines").glob("*.parquet")), ids=lambda p: p.name)
def test_known_rules_fit_every_coin(path: Path) -> None:
    """No row of any file is refused, but two of SOL that hold a price between two ticks."""
    refused = [e for e in events(path) if isinstance(e, Malformed)]

    assert ["off_grid"] * (2 if "solusdt" in path.name else 0) == [e.flaw for e in refused]


def test_other_venues_are_refused_in_a_sentence() -> None:
    """Formats that are not Binance's, and contracts that are not linear, don't half-play."""
    for name in ("bybit_v5_xrpusdt_ob500_20241201.jsonl", "cryptofeed_OKX.ws.1.0"):
        with pytest.raises(BrokenCapture, match="no usable market message"):
            FileFeed([RAW / f"{name}.gz"])
    with pytest.raises(BrokenCapture, match="inverse"):
        FileFeed([RAW / "binance_coinm_btcusd_perp_20240808.jsonl.gz"])
    with pytest.raises(UsageError, match="two different markets named BTCUSDT"):
        FileFeed([BTC_2024, RAW / "binance_spot_btcusdt_20240808.jsonl.gz"])
