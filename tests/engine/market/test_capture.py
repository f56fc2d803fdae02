"""The room on recorded data: Binance USD-M BTC, 2024-08-08, clock 1.27 s slow, snapshot late.

The oracle is the data's README: no flawed message, a book that is never crossed, and a top equal to
the last bookTicker at 6,509 of the 6,545 diffs the snapshot does not cover.
"""

import gzip
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.market.config import MarketConfig
from engine.market.market import Market
from engine.model.market import Depth, Levels, Quote, Trade
from engine.model.orders import Side

from .build import SYMBOL, instrument

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("LAPTOP_AGENTS_DATA", ROOT.parent / "shared" / "data"))
CAPTURE = DATA / "raw" / "binance_usdm_btcusdt_20240808.jsonl.gz"

pytestmark = pytest.mark.skipif(not CAPTURE.exists(), reason=f"no recorded data at {CAPTURE}")

TICK, LOT = Decimal("0.1"), Decimal("0.001")


def steps(number: str, step: Decimal) -> int:
    return int(Decimal(number) / step)


def levels(raw: list[list[str]]) -> Levels:
    return tuple((steps(price, TICK), steps(qty, LOT)) for price, qty in raw)


def messages() -> Iterator[Quote | Trade | Depth]:
    for line in gzip.decompress(CAPTURE.read_bytes()).splitlines():
        recv, _, payload = line.partition(b" ")
        at_ns, frame = int(recv), msgspec.json.decode(payload)
        data = frame.get("data", frame)
        event_ns = data["E"] * 1_000_000
        if "stream" not in frame:
            sides = levels(data["bids"]), levels(data["asks"])
            yield Depth(at_ns, SYMBOL, *sides, True, 0, data["lastUpdateId"], 0, event_ns)
        elif data["e"] == "depthUpdate":
            seqs = data["U"], data["u"], data["pu"]
            yield Depth(at_ns, SYMBOL, levels(data["b"]), levels(data["a"]), False, *seqs, event_ns)
        elif data["e"] == "bookTicker":
            bid = steps(data["b"], TICK), steps(data["B"], LOT)
            ask = steps(data["a"], TICK), steps(data["A"], LOT)
            yield Quote(at_ns, SYMBOL, *bid, *ask, event_ns, data["u"])
        else:
            price, lots = steps(data["p"], TICK), steps(data["q"], LOT)
            side = Side.SELL if data["m"] else Side.BUY
            yield Trade(at_ns, SYMBOL, price, lots, side, data["t"], event_ns)


def test_the_recording_is_flawless_and_the_book_follows_the_touch() -> None:
    """Nothing is refused; once synced the book is never crossed and agrees with the quotes."""
    market = Market([instrument()], MarketConfig(), [1, 60], [])
    view = market.views[SYMBOL]
    book = view.book
    diffs = equal = quotes = trades = 0
    for message in messages():
        match message:
            case Quote():
                quotes += market.quote(message)
            case Trade():
                trades += market.trade(message)
            case Depth():
                is_covered = not book.is_synced or message.last_seq < book.last_seq
                market.depth(message)
                if message.is_snapshot or is_covered:
                    continue
                diffs += 1
                bid, ask = book.book.best(Side.BUY), book.book.best(Side.SELL)
                assert bid is not None
                assert ask is not None
                equal += (bid[0], ask[0]) == (view.bid_ticks, view.ask_ticks)
                assert not book.book.is_crossed

    assert market.refusals() == {}
    assert (quotes, trades, diffs) == (66_089, 21_313, 6_545)
    assert equal == 6_509
    minutes = [b for b in market.closed if b.interval_s == 60]
    seconds = [b for b in market.closed if b.interval_s == 1]
    assert len(minutes) == 5
    assert sum(b.volume_lots for b in minutes) == sum(
        b.volume_lots for b in seconds if b.open_ns < minutes[-1].open_ns + 60 * 10**9
    )


def test_losing_any_diff_is_noticed() -> None:
    """At each of a hundred places the next diff finds the gap, and the book is gone."""
    updates = [m for m in messages() if isinstance(m, Depth) and not m.is_snapshot]
    for lost in range(3, len(updates) - 2, len(updates) // 100):
        start, before, after = updates[lost - 3], updates[lost - 2 : lost], updates[lost + 1 :][:2]
        market = Market([instrument()], MarketConfig(), [], [])
        market.depth(Depth(start.ts_ns, SYMBOL, (), (), True, 0, start.last_seq))
        answers = [market.depth(update) for update in (*before, *after)]

        assert answers == [True, True, False, True]
        assert market.refusals() == {"sequence_gap": 1}
        assert not market.views[SYMBOL].book.is_synced
