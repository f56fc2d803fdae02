"""Whole files: opening, choosing, merging, cuts and garbage, on files made here."""

import gzip
from itertools import chain, pairwise
from pathlib import Path

import pytest

from brokers.binance.parse import LINE_BYTES_MAX
from brokers.file.capture import blocks
from brokers.file.feed import BATCH_MAX, FileFeed, paths_of
from engine.model.errors import BrokenCapture, DataUnavailable, UnknownInstrument, UsageError
from engine.model.market import Depth, FeedEvent, Malformed, Quote, Trade
from engine.venue import Feed
from tests.brokers.file.captures import T0_NS, depth, snapshot, stamped, ticker, trade, write


def events(feed: Feed) -> list[FeedEvent]:
    return list(chain.from_iterable(feed.batches()))


def flaws(feed: Feed) -> list[str]:
    return [e.flaw for e in events(feed) if isinstance(e, Malformed)]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.gz"])
def test_contract_and_reading_twice(tmp_path: Path, name: str) -> None:
    """Packed or not, a capture plays the same, and plays again."""
    path = write(tmp_path / name, depth(), snapshot(), ticker(), trade())
    feed: Feed = FileFeed([path])

    assert (feed.name, feed.is_simulated) == ("file", False)
    assert [item.symbol for item in feed.instruments] == ["BTCUSDT"]
    assert [Depth, Depth, Quote, Trade] == [type(e) for e in events(feed)]
    assert events(feed) == events(feed)


def test_garbage_is_counted_between_good_lines(tmp_path: Path) -> None:
    """Bad lines become values of their kind; the good ones around them are all there."""
    long = b"x" * (3 * LINE_BYTES_MAX)
    lines = [ticker(), b"garbage", trade(), long, b"\xff\xfe", b"", ticker('"1.23"'), ticker()]
    feed = FileFeed([write(tmp_path / "a.jsonl.gz", *lines)])

    assert flaws(feed) == ["malformed", "oversize", "malformed", "off_grid"]
    assert len(events(feed)) == 7


def test_garbage_before_the_first_good_line(tmp_path: Path) -> None:
    """The instruments are found past any garbage, which is stamped with the first good time."""
    lines = [b"garbage"] * 5_000 + [ticker()]
    feed = FileFeed([write(tmp_path / "a.jsonl", *lines)])
    played = events(feed)

    assert len(flaws(feed)) == 5_000
    assert {e.ts_ns for e in played} == {T0_NS}


def test_last_line_without_newline_counts(tmp_path: Path) -> None:
    """A file that ends without a newline loses nothing; a torn last line is a flaw."""
    whole, torn = tmp_path / "whole.jsonl", tmp_path / "torn.jsonl"
    whole.write_bytes(ticker() + b"\n" + trade())
    torn.write_bytes(ticker() + b"\n" + trade()[:60])

    assert [Quote, Trade] == [type(e) for e in events(FileFeed([whole]))]
    assert [Quote, Malformed] == [type(e) for e in events(FileFeed([torn]))]


def test_cut_gzip_ends_with_a_flaw(tmp_path: Path) -> None:
    """Wherever the file is cut, what unpacks is played and the last event says so."""
    lines = [trade(at=T0_NS + n, trade_id=n + 1) for n in range(3_000)]
    packed = gzip.compress(b"\n".join(lines) + b"\n")
    path = tmp_path / "cut.jsonl.gz"
    for size in range(len(packed) // 2, len(packed), 997):
        path.write_bytes(packed[:size])
        played = events(FileFeed([path]))

        assert (played[-1].flaw, played[-1].detail) == ("malformed", "cut gzip")
        assert played[-1].ts_ns == played[-2].ts_ns
        assert list(range(1, len(played))) == [e.trade_id for e in played[:-1]]


def test_damaged_gzip_ends_with_a_flaw(tmp_path: Path) -> None:
    """A flipped checksum is no reason to lose the rest."""
    path = write(tmp_path / "a.jsonl.gz", ticker(), trade())
    path.write_bytes(path.read_bytes()[:-8] + b"\0" * 8)

    assert [Quote, Trade, Malformed] == [type(e) for e in events(FileFeed([path]))]


def test_long_line_is_cut_not_held(tmp_path: Path) -> None:
    """No line is kept past the limit, and the line after it is whole."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"x" * (5 * LINE_BYTES_MAX) + b"\nafter\n" + b"y" * (2 * LINE_BYTES_MAX))
    found = [line for lines in blocks(path) for line in lines]

    assert [len(line) for line in found] == [LINE_BYTES_MAX + 1, 5, LINE_BYTES_MAX + 1]
    assert found[1] == b"after"


def test_files_merge_by_time_ties_by_file(tmp_path: Path) -> None:
    """Two files interleave; at equal times the first named file goes first."""
    at = [T0_NS + n for n in (0, 10, 20)]
    btc = write(tmp_path / "btc.jsonl", *(trade(at=t) for t in at))
    eth = write(
        tmp_path / "eth.jsonl",
        *(trade("2600.01", at=t, symbol="ETHUSDT") for t in (at[0], at[1] + 5, at[2])),
    )
    played = events(FileFeed([eth, btc]))

    assert [e.symbol[:3] for e in played] == ["ETH", "BTC", "BTC", "ETH", "ETH", "BTC"]
    assert all(a.ts_ns <= b.ts_ns for a, b in pairwise(played))


def test_files_of_one_symbol_follow_each_other(tmp_path: Path) -> None:
    """Two days of one symbol are one market, in order of time whatever the order typed."""
    first = write(tmp_path / "1.jsonl", trade(trade_id=1), trade(trade_id=2))
    second = write(tmp_path / "2.jsonl", trade(trade_id=3, at=T0_NS + 99))
    feed = FileFeed([second, first])

    assert [e.trade_id for e in events(feed)] == [1, 2, 3]
    assert len(feed.instruments) == 1


def test_symbols_choose_and_order(tmp_path: Path) -> None:
    """What is not asked for is left out silently; what is not offered is refused."""
    path = write(tmp_path / "a.jsonl", trade(), trade("2600.01", symbol="ETHUSDT"))

    assert [e.symbol for e in events(FileFeed([path], ["BTCUSDT"]))] == ["BTCUSDT"]
    both = FileFeed([path], ["ETHUSDT", "BTCUSDT"])
    assert [item.symbol for item in both.instruments] == ["ETHUSDT", "BTCUSDT"]
    with pytest.raises(UnknownInstrument, match=r"unknown symbol XRPUSDT.*BTCUSDT, ETHUSDT"):
        FileFeed([path], ["XRPUSDT"])


def test_aggregates_beside_single_trades_are_not_counted_twice(tmp_path: Path) -> None:
    """The same print in two streams is one trade; alone, aggregates are the trades."""
    both = write(tmp_path / "both.jsonl", trade(kind="aggTrade"), trade(trade_id=5))
    alone = write(tmp_path / "alone.jsonl", trade(kind="aggTrade"))

    assert [e.trade_id for e in events(FileFeed([both]))] == [5]
    assert [e.trade_id for e in events(FileFeed([alone]))] == [11]


def test_batches_are_short(tmp_path: Path) -> None:
    """No batch exceeds the limit and none is empty."""
    feed = FileFeed([write(tmp_path / "a.jsonl", *[ticker()] * (2 * BATCH_MAX + 1))])

    assert [len(batch) for batch in feed.batches()] == [BATCH_MAX, BATCH_MAX, 1]


def test_missing_file(tmp_path: Path) -> None:
    """One sentence with the path, exit code 5."""
    with pytest.raises(DataUnavailable, match=r"file not found: .*nope\.jsonl") as caught:
        FileFeed([tmp_path / "nope.jsonl"])
    assert caught.value.exit_code == 5


UNUSABLE = [
    # name,       content,                                       message
    ("a.jsonl", b"", "is empty"),
    ("a.jsonl.gz", gzip.compress(b"", mtime=0), "no usable market message"),
    ("a.jsonl", b"hello\nworld\n", "no usable market message"),
    ("a.jsonl.gz", b"\x1f\x8bbroken", "no usable market message"),
    ("a.jsonl", snapshot() + b"\n", "no usable market message"),
    ("a.xml", b"<a/>", "of no known format"),
    ("a.csv", b"", "holds no klines"),
    ("a.csv", b"a,b\n1,2\n", "no column open, high, low, close, volume"),
    ("a.csv", b"\xff\xfe\x00,\n", "not a CSV file"),
    ("a.parquet", b"PAR1", "not a Parquet file"),
]


@pytest.mark.parametrize(
    ("name", "content", "message"), UNUSABLE, ids=[f"{row[0]}-{row[2]}" for row in UNUSABLE]
)
def test_unusable_file(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """A file without anything to play is refused with one clear sentence, when it is opened."""
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(BrokenCapture, match=message) as caught:
        FileFeed([path])
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_inverse_contract_is_refused(tmp_path: Path) -> None:
    """Sizes in dollars and profit in coin would be booked wrongly, so they are not."""
    line = stamped(
        '{"stream":"btcusd_perp@bookTicker","data":{"u":1,"e":"bookTicker","s":"BTCUSD_PERP",'
        '"ps":"BTCUSD","b":"61804.7","B":"35","a":"61804.8","A":"1645","T":1,"E":1}}'
    )
    with pytest.raises(BrokenCapture, match=r"BTCUSD_PERP is an inverse \(COIN-M\) contract"):
        FileFeed([write(tmp_path / "a.jsonl", line)])


def test_no_path_is_a_usage_error() -> None:
    """`--source file:` alone says what is missing."""
    with pytest.raises(UsageError, match="needs a path"):
        FileFeed([])


def test_paths_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists, folders, globs and prefixes expand in order; what matches nothing is refused."""
    a, b = write(tmp_path / "a.jsonl", ticker()), write(tmp_path / "b.jsonl.gz", ticker())
    (tmp_path / "notes.txt").write_text("no data")

    assert [b, a] == paths_of(f"{b}, {a}")
    assert [a, b] == paths_of(str(tmp_path))
    assert [a, b] == paths_of(f"{tmp_path}/*.jsonl*")
    assert [Path(f"XRPUSDT={a}")] == paths_of(f"XRPUSDT={a}")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [a] == paths_of(f"~/{a.name}")
    for nothing in (f"{tmp_path}/*.csv", f"{tmp_path}/c.jsonl"):
        with pytest.raises(DataUnavailable, match="file not found: "):
            paths_of(nothing)


def test_prefix_is_for_klines_only(tmp_path: Path) -> None:
    """A capture names its symbols; renaming them is refused rather than ignored."""
    path = write(tmp_path / "a.jsonl", ticker())

    with pytest.raises(UsageError, match="XRPUSDT= is for klines"):
        FileFeed([Path(f"XRPUSDT={path}")])
