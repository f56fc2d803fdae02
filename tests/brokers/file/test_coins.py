"""Recordings of Hyperliquid: what was heard live is what plays back, and what is wrong with some."""

import gzip
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from brokers.file.config import FileConfig, TradingRules
from brokers.file.feed import FileFeed
from brokers.hyperliquid.feed import HyperliquidFeed
from brokers.link.tape import Tape, TapeConfig
from engine.model.errors import BrokenCapture
from engine.model.market import Depth, FeedStatus, Funding, Malformed, Quote, Trade
from tests.brokers.hyperliquid.exchange import COINS, Heard, exchange
from tests.brokers.hyperliquid.test_parse import asset, bbo, book, level, prints

AT = 1_723_161_255_000_000_000
FRAMES = [bbo(), book([level("61800")], [level("61801")]), prints({}, {"tid": 2}), asset()]
COIN = {"name": "BTC", "szDecimals": 5, "maxLeverage": 40}
CONTEXT = {"funding": "0.0000125", "markPx": "61800.5", "midPx": "61800.5", "oraclePx": "61800"}
LISTING = [{"universe": [COIN]}, [CONTEXT]]


def recorded(path: Path, *messages: object) -> Path:
    bodies = [
        message if isinstance(message, bytes) else json.dumps(message, separators=(",", ":")).encode()
        for message in messages
    ]  # fmt: skip
    lines = [b"%d %b" % (AT + number, body) for number, body in enumerate(bodies)]
    path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    return path


def played(path: Path, symbols: Sequence[str] | None = None) -> list:
    return [event for batch in FileFeed([path], symbols).batches() for event in batch]


async def test_what_was_heard_is_what_plays(tmp_path: Path) -> None:
    """A sandbox's market on a real line, to files and back: the same events, with the same rules."""
    tape = Tape(tmp_path, TapeConfig())
    for coin in COINS:
        tape.open(coin, "jsonl")

    def keep(coin: str, at_ns: int, message: bytes) -> None:
        if coin in COINS:
            tape.take(coin, b"%d %b" % (at_ns, message))

    async with exchange() as venue:
        feed = HyperliquidFeed(COINS, venue.config, keep)
        await feed.discover()
        async with feed:
            heard = Heard(feed)
            for kind in (Quote, Trade, Depth, Funding):
                await heard.until(lambda kind=kind: len(heard.of(kind)) > 4)
    tape.write(tape.cut())
    heard.events += next(feed.batches())

    paths = sorted(tmp_path.iterdir())
    again = FileFeed(paths, COINS)
    told = [event for event in heard.events if not isinstance(event, FeedStatus)]
    assert sorted(told, key=repr) == sorted(
        (event for batch in again.batches() for event in batch), key=repr
    )
    assert feed.instruments == again.instruments
    assert [] == [event for event in told if isinstance(event, Malformed)]


def test_each_message_at_its_time(tmp_path: Path) -> None:
    """Two prints of one frame arrive at once; the listing is no event."""
    events = played(recorded(tmp_path / "a.jsonl.gz", LISTING, *FRAMES))
    assert [Quote, Depth, Trade, Trade, Funding] == [type(event) for event in events]
    assert [AT + n for n in (1, 2, 3, 3, 4)] == [event.ts_ns for event in events]


def test_the_listing_has_the_rules(tmp_path: Path) -> None:
    """What the user states goes before it; without either, the numbers themselves decide."""
    path = recorded(tmp_path / "a.jsonl.gz", LISTING, *FRAMES)
    (btc,) = FileFeed([path]).instruments
    assert (Decimal(1), Decimal("0.00001"), Decimal(10), 40, "USDC") == (
        btc.tick_size, btc.lot_size, btc.min_notional, btc.max_leverage, btc.settlement,
    )  # fmt: skip
    rules = TradingRules(tick_size=Decimal("0.1"), lot_size=Decimal("0.01"))
    (stated,) = FileFeed([path], None, FileConfig(instruments={"BTC": rules})).instruments
    assert (Decimal("0.1"), "USDC") == (stated.tick_size, stated.settlement)
    bare = recorded(tmp_path / "b.jsonl.gz", *FRAMES)
    (own,) = FileFeed([bare]).instruments
    assert (Decimal(1), Decimal("0.001"), "BTC", "USDC") == (
        own.tick_size, own.lot_size, own.base, own.quote,
    )  # fmt: skip
    (both,) = FileFeed([path, bare]).instruments
    assert (Decimal("0.00001"), 40) == (both.lot_size, both.max_leverage), "after a rotation"


@pytest.mark.parametrize(
    "listing", [b'[{"universe":', b'[{"universe":[]},[]]', b'[{"universe":[{"name":5}]},[{}]]']
)
def test_a_listing_that_makes_no_sense_teaches_nothing(tmp_path: Path, listing: bytes) -> None:
    path = recorded(tmp_path / "a.jsonl.gz", listing, *FRAMES)
    assert Decimal("0.001") == FileFeed([path]).instruments[0].lot_size
    assert [] == [event for event in played(path) if isinstance(event, Malformed)]


def test_what_nobody_wants_is_left_out(tmp_path: Path) -> None:
    """And is no flaw."""
    path = recorded(tmp_path / "a.jsonl.gz", *FRAMES, bbo(coin="ETH", bid="2600.1", ask="2600.2"))
    assert ["ETH"] == [event.symbol for event in played(path, ("ETH",))]


def test_flaws_are_events(tmp_path: Path) -> None:
    """A line without a time, one that is no message, one too long, a price of nothing, a cut end."""
    bad = bbo(bid="0")
    path = recorded(tmp_path / "a.jsonl.gz", *FRAMES, b"{", b"{" * 1_100_000, bad)
    with gzip.open(path, "ab") as file:
        file.write(b"soon {}\n")
    path.write_bytes(path.read_bytes()[:-4])
    flaws = [event.flaw for event in played(path) if isinstance(event, Malformed)]
    assert ["malformed", "oversize", "non_positive", "malformed", "malformed"] == flaws


def test_a_file_without_a_market(tmp_path: Path) -> None:
    """Is refused before anything plays."""
    for messages in ([LISTING], [asset()]):
        with pytest.raises(BrokenCapture, match="no usable market message of Hyperliquid"):
            FileFeed([recorded(tmp_path / "a.jsonl.gz", *messages)])
