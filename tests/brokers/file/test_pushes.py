"""Recordings of Bitunix: whose a file is, what plays back, and what is wrong with some."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from brokers.file.config import FileConfig, TradingRules
from brokers.file.feed import FileFeed
from engine.model.errors import BrokenCapture
from engine.model.market import Depth, Funding, Malformed, Quote, Trade
from tests.brokers.bitunix.test_parse import answer as pairs
from tests.brokers.bitunix.test_parse import pair

AT = 1_733_312_207_000_000_000
BOOK = {"b": [["60000.1", "0.0020"]], "a": [["60000.3", "3.34"]]}
PRINT = {"t": "2024-12-04T11:36:47.959908526Z", "p": "60000.5", "v": "0.0001", "s": "buy"}
PRICE = {"mp": "60000.123", "fr": "0.05", "nft": "1733328000000"}


def push(channel: str, data: object, symbol: str = "BTCUSDT") -> bytes:
    return json.dumps(
        {"ch": channel, "symbol": symbol, "ts": AT // 10**6, "data": data}, separators=(",", ":")
    ).encode()


RATE = b'{"code":0,"data":{"symbol":"BTCUSDT","fundingRate":"0.01"},"msg":"Success"}'
LINES = [
    RATE, push("depth_book1", BOOK), push("depth_book15", BOOK), push("trade", [PRINT]),
    push("trade", [PRINT]), push("price", PRICE), push("depth_book1", BOOK, "ETHUSDT"),
]  # fmt: skip


def recorded(path: Path, *bodies: bytes) -> Path:
    lines = [b"%d %b" % (AT + number, body) for number, body in enumerate(bodies)]
    path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    return path


def played(path: Path, symbols: tuple[str, ...] | None = None) -> tuple[FileFeed, list]:
    feed = FileFeed([path], symbols)
    return feed, [event for batch in feed.batches() for event in batch]


def test_a_recording_plays_back(tmp_path: Path) -> None:
    """Each message at its receive time; a trade that comes twice once; the coming rate counts."""
    feed, events = played(recorded(tmp_path / "a.jsonl.gz", *LINES))
    assert [Quote, Depth, Trade, Funding, Quote] == [type(event) for event in events]
    assert [AT + n for n in (1, 2, 3, 5, 6)] == [event.ts_ns for event in events]
    assert Decimal("0.0001") == events[3].rate
    assert ["BTCUSDT", "ETHUSDT"] == [item.symbol for item in feed.instruments]
    assert (Decimal("0.1"), Decimal("0.0001")) == (
        feed.instruments[0].tick_size, feed.instruments[0].lot_size,
    )  # fmt: skip


def test_a_listing_at_the_head_has_the_rules(tmp_path: Path) -> None:
    """As the venue told them; what the user states goes before it."""
    listing = pairs(pair(quotePrecision=2, basePrecision=5), {"symbol": 5, "quote": "USDT"})
    path = recorded(tmp_path / "a.jsonl.gz", listing, *LINES)
    btc = FileFeed([path]).instruments[0]
    assert (Decimal("0.01"), Decimal("0.00001"), 125) == (
        btc.tick_size, btc.lot_size, btc.max_leverage,
    )  # fmt: skip
    rules = TradingRules(tick_size=Decimal("0.1"), lot_size=Decimal("0.0001"))
    stated = FileFeed([path], None, FileConfig(instruments={"BTCUSDT": rules}))
    assert Decimal("0.1") == stated.instruments[0].tick_size


def test_what_nobody_wants_is_left_out(tmp_path: Path) -> None:
    """And is no flaw."""
    _, events = played(recorded(tmp_path / "a.jsonl.gz", *LINES), ("ETHUSDT",))
    assert ["ETHUSDT"] == [event.symbol for event in events]


def test_flaws_are_events(tmp_path: Path) -> None:
    """A line without a time, one that is no message, one too long, a cut end."""
    path = recorded(tmp_path / "a.jsonl.gz", *LINES, b"{", b"{" * 1_100_000)
    with gzip.open(path, "ab") as file:
        file.write(b"soon {}\n")
    packed = path.read_bytes()
    path.write_bytes(packed[:-4])
    _, events = played(path)
    flaws = [event.flaw for event in events if isinstance(event, Malformed)]
    assert ["malformed", "oversize", "malformed", "malformed"] == flaws
    assert "cut gzip" == events[-1].detail


def test_a_file_without_a_market(tmp_path: Path) -> None:
    """Is refused before anything plays."""
    with pytest.raises(BrokenCapture, match="no usable market message"):
        FileFeed([recorded(tmp_path / "a.jsonl.gz", RATE)])
