"""Toxics on the market's lines: told when they break, and no book that the venue never had."""

from collections import Counter
from typing import NamedTuple

import pytest

from brokers.binance.feed import BinanceFeed
from brokers.bitunix.feed import BitunixFeed
from brokers.hyperliquid.feed import HyperliquidFeed
from brokers.sandbox.faults import Fault
from engine.model.errors import DataUnavailable
from engine.model.market import Malformed, Trade
from tests.brokers.proxy import (
    BOTH,
    DOWN,
    UP,
    Bandwidth,
    Down,
    Latency,
    LimitData,
    Proxy,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)
from tests.brokers.toxic.witness import VENUES, Witness, witness


class Row(NamedTuple):
    name: str
    toxic: Toxic
    ways: tuple[str, ...]
    breaks: bool
    fault: str = ""
    """What the venue does meanwhile."""


ROWS = [
    Row("latency", Latency(0.2, 0.1), BOTH, False),
    Row("down", Down(), BOTH, True),
    Row("bandwidth", Bandwidth(200_000), BOTH, False),
    Row("slow close", SlowClose(0.3), BOTH, True, "kill_streams"),
    Row("timeout", Timeout(), (DOWN,), True),
    Row("reset", ResetPeer(), (DOWN,), True),
    Row("slices", Slicer(50), BOTH, False),
    Row("cut short", LimitData(3_000), (DOWN,), True),
]


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_no_book_is_one_that_never_was(venue: str, row: Row) -> None:
    async with witness(venue, is_quick=row.breaks) as there:
        for line in there.lines:
            line.strike(row.toxic, *row.ways)
        if row.fault:
            there.venue.sandbox.faults.arm(Fault(row.fault))
        if row.breaks:
            await there.hearing.until(lambda: not there.is_connected())
        else:
            await there.go_on(4)
        for line in there.lines:
            await line.heal()
        await there.go_on(4)

        assert [] == there.hearing.of(Malformed)
        prints = Counter((one.symbol, one.trade_id) for one in there.hearing.of(Trade))
        assert 1 == max((n for (_, number), n in prints.items() if number), default=1)


SNAPSHOTS = [
    Row("down", Down(), BOTH, True),
    Row("cut short", LimitData(300), (DOWN,), True),
    Row("bandwidth", Bandwidth(20_000), (DOWN,), False),
    Row("slices", Slicer(20), BOTH, False),
]


@pytest.mark.parametrize("row", SNAPSHOTS, ids=lambda row: row.name)
async def test_a_book_whose_snapshot_does_not_come_stays_empty(row: Row) -> None:
    """Binance alone has to ask for it; diffs alone are no book."""
    async with witness("binance", is_quick=False) as there:
        there.rest.strike(row.toxic, *row.ways)
        for line in there.lines:
            line.strike(ResetPeer(), DOWN)
        await there.hearing.until(lambda: not there.is_connected())
        for line in there.lines:
            await line.heal()
        if row.breaks:
            await there.hearing.until(lambda: waits(there))
            await there.rest.heal()
        await there.go_on(4)
        assert [] == there.hearing.of(Malformed)


def waits(there: Witness) -> bool:
    """Whether the lines are back and diffs pile up on a book that is not there."""
    there.judge()
    assert not (there.is_connected() and all(book.is_synced for book in there.books.values()))
    return there.is_connected() and all(len(book.buffer) > 2 for book in there.books.values())


FEEDS = {"binance": BinanceFeed, "bitunix": BitunixFeed, "hyperliquid": HyperliquidFeed}
LISTINGS = [
    Row("latency", Latency(0.2, 0.1), BOTH, False),
    Row("down", Down(), BOTH, True),
    Row("bandwidth", Bandwidth(20_000), BOTH, False),
    Row("slow close", SlowClose(0.2), BOTH, False),
    Row("timeout", Timeout(0.1), (DOWN,), True),
    Row("reset", ResetPeer(), (UP,), True),
    Row("slices", Slicer(5), BOTH, False),
    Row("cut short", LimitData(400), (DOWN,), True),
]


@pytest.mark.parametrize("venue", VENUES)
async def test_a_listing_comes_whole_or_not_at_all(venue: str) -> None:
    """And the address of the venue is in no error."""
    place = VENUES[venue]
    async with place.exchange() as there:
        for row in LISTINGS:
            async with Proxy(there.port) as proxy:
                proxy.strike(row.toxic, *row.ways)
                feed = FEEDS[venue](
                    tuple(there.market.books),
                    type(there.config)(rest_url=f"http://127.0.0.1:{proxy.port}"),
                )
                if row.breaks:
                    with pytest.raises(DataUnavailable, match="can't be reached") as refused:
                        await feed.discover()
                    assert "127.0.0.1" not in str(refused.value)
                    assert () == feed.instruments
                else:
                    await feed.discover()
                    assert list(there.market.books) == [one.symbol for one in feed.instruments]
