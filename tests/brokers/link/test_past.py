"""Bars of before a session, from the venue's own REST: only what has closed, and before all else."""

import time
from collections.abc import Sequence

import pytest

from brokers.binance import klines as of_binance
from brokers.bitunix import klines as of_bitunix
from brokers.hyperliquid import klines as of_hyperliquid
from brokers.link.past import UNREADABLE, Kline, closed, merged
from brokers.sandbox.faults import Fault
from engine.market.bars import flaw_of
from engine.model.market import BarHistory, FeedEvent, FeedStatus
from tests.brokers.link.klines import MINUTE_NS, SANDBOXES, SYMBOL, Past, past, ticks_at
from tests.brokers.sandbox.stage import instrument

BTC = instrument(SYMBOL)
HOUR_MS = 3_600_000


async def first_of(there: Past, intervals_s: Sequence[int], count: int = 30) -> list[FeedEvent]:
    """What a feed brings before its lines bring anything."""
    feed = there.feed()
    await feed.discover()
    feed.want_bars(intervals_s, count)
    async with feed:
        return list(next(feed.batches()))


@pytest.mark.parametrize("venue", SANDBOXES)
async def test_what_has_closed_comes_first(venue: str) -> None:
    """Each minute once, oldest first, the growing one left out; longer bars of whole ones."""
    async with past(venue) as there:
        feed = there.feed()
        await feed.discover()
        feed.want_bars((60, 300, 600), 30)
        before = time.time_ns() // MINUTE_NS
        async with feed:
            minutes, fives, tens = list(next(feed.batches()))[:3]
        after = time.time_ns() // MINUTE_NS

    assert isinstance(minutes, BarHistory)
    opens = [bar.open_ns // MINUTE_NS for bar in minutes.bars]
    assert 30 == len(opens)
    assert opens == list(range(opens[0], opens[0] + 30))
    assert before <= opens[-1] + 1 <= after
    price = feed.instruments[0].price
    assert [BTC.price(ticks_at(minute)) for minute in opens] == [
        price(bar.close_ticks) for bar in minutes.bars
    ]
    assert {5} == {bar.volume_lots for bar in minutes.bars}
    for told, length, least in ((fives, 5, 6), (tens, 10, 2)):
        assert isinstance(told, BarHistory)
        assert len(told.bars) >= least
        assert flaw_of(told) is None
        for bar in told.bars[1:]:
            first = bar.open_ns // MINUTE_NS
            # A bar opens at the close before it there.
            parts = [BTC.price(ticks_at(first + number)) for number in range(-1, length)]
            assert (parts[0], max(parts), min(parts), parts[-1]) == tuple(
                price(ticks)
                for ticks in (bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks)
            )
            assert 5 * length == bar.volume_lots


@pytest.mark.parametrize("venue", SANDBOXES)
async def test_lengths_no_venue_bar_divides_are_not_asked_for(venue: str) -> None:
    """A venue that was not asked can't have refused: nothing is told."""
    async with past(venue, 3) as there:
        there.faults.arm(Fault("maintenance", seconds=0.0))
        told = await first_of(there, (5, 90))
        assert [] == [event for event in told if isinstance(event, BarHistory)]


@pytest.mark.parametrize("fault", ["drop", "error_5xx", "rate_limit", "html_200", "truncated_json"])
@pytest.mark.parametrize("venue", SANDBOXES)
async def test_a_failure_is_told_once_and_the_lines_open(venue: str, fault: str) -> None:
    """Whatever it was, harmless to show; the feed then lives as ever."""
    async with past(venue) as there:
        feed = there.feed()
        await feed.discover()
        feed.want_bars((60, 300), 30)
        path = {"binance": "/fapi/v1/klines", "bitunix": "/api/v1/futures/market/kline"}
        there.faults.arm(Fault(fault, path=path.get(venue, "/info"), times=2))
        async with feed:
            (told,) = next(feed.batches())
            assert isinstance(told, BarHistory)
            assert (0, True) == (len(told.bars), bool(told.failure))
            assert told.failure.isprintable()
            await feed.arrived(10.0)
            assert any(isinstance(event, FeedStatus) for event in next(feed.batches()))


async def test_an_answer_that_takes_too_long_is_not_waited_for() -> None:
    async with past("binance") as there:
        there.faults.arm(Fault("delay", path="/fapi/v1/klines", times=1, seconds=20.0))
        began_s = time.monotonic()
        found, told = await first_of(there, (60, 300))
        assert time.monotonic() - began_s < 10.0
    assert (False, "1 of 2 answers took over 2 s") == (bool(found.failure), told.failure)


def row(minute: int, **changes: object) -> Kline:
    plain = Kline(minute * 60_000, "100.0", "100.2", "99.9", "100.1", "1.5")
    return plain._replace(**changes)


def test_what_grows_or_is_off_the_grid_is_left_out() -> None:
    """Prices of another tick go to the nearest; a row that comes twice counts once."""
    rows = [row(9), row(3), row(4), row(4), row(5, open_ms=5 * 60_000 + 1), row(2, open="100.04")]
    bars = closed(rows, BTC, 60, until_ns=5 * MINUTE_NS)
    assert [2, 3, 4] == [bar.open_ns // MINUTE_NS for bar in bars]
    assert (1_000, 1_500) == (bars[0].open_ticks, bars[0].volume_lots)
    assert [5 * MINUTE_NS] == [bars[-1].ts_ns]
    with pytest.raises(UNREADABLE):
        closed([row(1, high="nan")], BTC, 60, until_ns=10 * MINUTE_NS)
    with pytest.raises(UNREADABLE):
        closed([row(1, low="0")], BTC, 60, until_ns=10 * MINUTE_NS)
    with pytest.raises(UNREADABLE):
        closed([row(1, high="9" * 39)], BTC, 60, until_ns=10 * MINUTE_NS)


def test_a_hole_leaves_the_bar_around_it_out() -> None:
    rows = [row(minute) for minute in range(20) if minute != 7]
    bars = closed(rows, BTC, 60, until_ns=60 * MINUTE_NS)
    assert [0, 10, 15] == [bar.open_ns // MINUTE_NS for bar in merged(bars, 300)]


READERS = {
    "binance": of_binance.read,
    "bitunix": of_bitunix.read,
    "hyperliquid": of_hyperliquid.read,
}
GOOD = {
    "binance": b'[[3600000,"1","2","0.5","1.5","10",3659999,"15",3,"4","5","0"]]',
    "bitunix": b'{"code":0,"data":[{"time":"3600000","open":"1","high":2,"low":0.5,"close":"1.5",'
    b'"baseVol":"10","quoteVol":"1","type":"LAST_PRICE"}],"msg":"Success"}',
    "hyperliquid": b'[{"t":3600000,"T":3659999,"s":"BTC","i":"1m","o":"1","c":"1.5","h":"2",'
    b'"l":"0.5","v":"10","n":3}]',
}
BROKEN = [b"", b"{}", b"null", b"[[]]", b"[{}]", b"<html>", b"\xff", b"[" * 5_000]


@pytest.mark.parametrize("venue", READERS)
def test_rows_as_the_venues_write_them(venue: str) -> None:
    """Numbers stay as they came; what makes no sense is refused."""
    assert [Kline(HOUR_MS, "1", "2", "0.5", "1.5", "10")] == READERS[venue](GOOD[venue])
    for body in BROKEN:
        with pytest.raises(UNREADABLE):
            READERS[venue](body)
    with pytest.raises(UNREADABLE, match="10006 busy"):
        of_bitunix.read(b'{"code":10006,"data":null,"msg":"busy"}')
