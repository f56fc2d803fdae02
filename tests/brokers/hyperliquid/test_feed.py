"""The live feed against the sandbox: what it brings, and what a line that breaks does to it."""

import dataclasses
import socket
from decimal import Decimal

import pytest

from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.feed import HyperliquidFeed
from engine.market.book import BookSync
from engine.model.errors import DataUnavailable, UnknownInstrument
from engine.model.market import Depth, FeedStatus, Funding, Malformed, Quote, Trade
from engine.model.orders import Side
from tests.brokers.hyperliquid.exchange import COINS, Heard, exchange, heard

HOUR_NS = 3_600 * 10**9


async def all_kinds(hearing: Heard) -> None:
    for kind in (Quote, Trade, Depth, Funding):
        await hearing.until(lambda kind=kind: {e.symbol for e in hearing.of(kind)} == {*COINS})


async def test_everything_a_session_needs_arrives() -> None:
    """Quotes, prints, funding by the hour, and a book that is the venue's to the lot."""
    async with exchange() as venue, heard(venue.config) as hearing:
        await all_kinds(hearing)
        depth = [event for event in hearing.of(Depth) if event.symbol == "BTC"][-1]

        book = BookSync(1_000)
        assert book.apply(depth) is None
        assert book.is_synced
        assert len(list(book.book.levels(Side.BUY))) > 3
        assert [] == hearing.of(Malformed)
        assert [True] == [status.is_connected for status in hearing.of(FeedStatus)]
        quote = next(event for event in hearing.of(Quote) if event.symbol == "BTC")
        assert 0 < quote.bid_ticks < quote.ask_ticks
        assert abs(quote.ts_ns - quote.ts_event_ns) < 5 * 10**9
        funding = hearing.of(Funding)[0]
        assert 0 == funding.next_ns % HOUR_NS
        assert 0 < funding.next_ns - funding.ts_ns <= HOUR_NS
        assert abs(funding.rate) < Decimal("0.001")


async def test_the_instruments_are_the_venues() -> None:
    """Ticks from the price, lots from the listing, in the order asked for."""
    async with exchange() as venue:
        feed = HyperliquidFeed(("ETH", "BTC"), venue.config)
        await feed.discover()
    ether, bitcoin = feed.instruments

    assert ("ETH", "USDC", "USDC") == (ether.base, ether.quote, ether.settlement)
    assert (Decimal("0.1"), Decimal("0.0001")) == (ether.tick_size, ether.lot_size)
    assert (Decimal(1), Decimal("0.00001")) == (bitcoin.tick_size, bitcoin.lot_size)
    assert (Decimal(10), 40) == (bitcoin.min_notional, bitcoin.max_leverage)
    assert Decimal("0.0125") == bitcoin.maintenance_margin


async def test_the_book_shown_is_the_sandboxs() -> None:
    """Level by level, at one and the same moment."""
    async with exchange(50.0) as venue, heard(venue.config) as hearing:

        def is_same() -> bool:
            shown = venue.market.books["BTC"]
            told = [event for event in hearing.of(Depth) if event.symbol == "BTC"]
            return bool(told) and (
                dict(told[-1].bids) == shown.bids and dict(told[-1].asks) == shown.asks
            )

        await hearing.until(is_same)


async def test_a_line_that_breaks_is_told_and_comes_back() -> None:
    """Down once, up again, and everything flows as before."""
    async with exchange() as venue, heard(venue.config) as hearing:
        await all_kinds(hearing)
        before = len(hearing.events)
        for listener in list(venue.sandbox.lines.listeners):
            listener.outbox.is_behind = True
        await hearing.until(lambda: len(hearing.of(FeedStatus)) >= 3)
        hearing.events, since = [], hearing.events[before:]
        await all_kinds(hearing)

        statuses = [event for event in since if isinstance(event, FeedStatus)]
        assert [False, True] == [status.is_connected for status in statuses]
        assert {"hyperliquid.market"} == {status.source for status in statuses}
        assert statuses[0].reason


async def test_silence_is_noticed_and_a_pong_breaks_it() -> None:
    """Where nothing is traded, our ping keeps the line; without one it is given up."""
    async with exchange(0.5) as venue:
        config = dataclasses.replace(venue.config, silent_after_s=3.0, ping_s=0.25)
        async with HyperliquidFeed((), config) as feed:
            hearing = Heard(feed)
            await hearing.until(lambda: feed.streams["market"].frames > 16)
            assert [True] == [status.is_connected for status in hearing.of(FeedStatus)]
        mute = dataclasses.replace(config, silent_after_s=0.3, ping_s=50.0)
        async with HyperliquidFeed((), mute) as feed:
            hearing = Heard(feed)
            await hearing.until(
                lambda: any("silent" in status.reason for status in hearing.of(FeedStatus))
            )


@pytest.mark.parametrize("symbol", ["BTCUSDT", "BTCUSDC", "btc", "BTC-USD"])
async def test_another_name_of_a_coin_is_refused_with_its_own(symbol: str) -> None:
    """A coin is called as the venue calls it."""
    async with exchange() as venue:
        with pytest.raises(UnknownInstrument, match=r"this source offers BTC$"):
            await HyperliquidFeed((symbol,), venue.config).discover()


async def test_a_coin_that_is_delisted() -> None:
    """Is known, and can't be traded."""
    async with exchange() as venue:
        with pytest.raises(DataUnavailable, match="delisted"):
            await HyperliquidFeed(("OLD",), venue.config).discover()


async def test_a_venue_that_is_not_there() -> None:
    """In one line."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        config = HyperliquidConfig(rest_url=f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(DataUnavailable, match="hyperliquid can't be reached"):
        await HyperliquidFeed(COINS, config).discover()
