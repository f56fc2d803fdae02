"""The live feed against the sandbox: what it brings, what it does when a line or a chain breaks."""

import dataclasses
import socket

import pytest
from aiohttp import web

from brokers.binance.config import BinanceConfig
from brokers.binance.feed import BinanceFeed
from brokers.link.stream import Down, Up
from brokers.sandbox.faults import Fault
from engine.market.book import BookSync
from engine.model.errors import DataUnavailable, UnknownInstrument
from engine.model.market import Depth, FeedStatus, Funding, Malformed, Quote, Trade
from engine.model.orders import Side
from tests.brokers.binance.exchange import SYMBOLS, Exchange, Heard, exchange, heard


def synced(hearing: Heard, symbol: str) -> BookSync | None:
    """The engine's book from what was heard, forgotten with each line that came back."""
    book = BookSync(1_000)
    for event in hearing.events:
        if isinstance(event, FeedStatus) and event.is_connected:
            book.forget()
        elif isinstance(event, Depth) and event.symbol == symbol:
            book.apply(event)
    return book if book.is_synced else None


async def test_everything_a_session_needs_arrives() -> None:
    """Quotes, prints, funding, and a book that is the venue's to the lot."""
    async with exchange() as venue, heard(venue.config) as hearing:
        for kind in (Quote, Trade, Funding):
            await hearing.until(
                lambda kind=kind: {e.symbol for e in hearing.of(kind)} == {*SYMBOLS}
            )
        await hearing.until(lambda: all(synced(hearing, symbol) for symbol in SYMBOLS))
        held = synced(hearing, "BTCUSDT")
        await hearing.until(
            lambda: (
                (held := synced(hearing, "BTCUSDT")) is not None
                and held.last_seq == venue.market.books["BTCUSDT"].last_seq
            )
        )

        held, shown = synced(hearing, "BTCUSDT"), venue.market.books["BTCUSDT"]
        assert sorted(shown.bids.items(), reverse=True) == list(held.book.levels(Side.BUY))
        assert sorted(shown.asks.items()) == list(held.book.levels(Side.SELL))
        assert [] == hearing.of(Malformed)
        assert [True, True] == [status.is_connected for status in hearing.of(FeedStatus)]
        quote = hearing.of(Quote)[0]
        assert abs(quote.ts_ns - quote.ts_event_ns) < 5 * 10**9
        assert ["BTCUSDT", "ETHUSDT"] == [item.symbol for item in hearing.feed.instruments]


async def test_a_line_that_breaks_is_told_and_the_books_start_over() -> None:
    """Down once, up again, a snapshot for each book."""
    async with exchange() as venue, heard(venue.config) as hearing:
        await hearing.until(lambda: all(synced(hearing, symbol) for symbol in SYMBOLS))
        before = len(hearing.events)
        venue.sandbox.faults.arm(Fault("kill_streams"))
        await hearing.until(lambda: len(hearing.of(FeedStatus)) >= 6)
        await hearing.until(lambda: all(synced(hearing, symbol) for symbol in SYMBOLS))

        since = hearing.events[before:]
        downs = [e for e in since if isinstance(e, FeedStatus) and not e.is_connected]
        assert {"binance.public", "binance.market"} == {down.source for down in downs}
        assert all(down.reason for down in downs)
        snapshots = [e.symbol for e in since if isinstance(e, Depth) and e.is_snapshot]
        assert {*SYMBOLS} <= {*snapshots}


async def test_a_hole_in_the_chain_is_mended_by_a_snapshot() -> None:
    """A diff lost on the way; the other book is left alone."""
    async with exchange() as venue, heard(venue.config) as hearing:
        await hearing.until(lambda: all(synced(hearing, symbol) for symbol in SYMBOLS))
        before = len(hearing.events)
        venue.market.books["BTCUSDT"].last_seq += 1  # the next diff follows one nobody saw
        await hearing.until(
            lambda: any(isinstance(e, Depth) and e.is_snapshot for e in hearing.events[before:])
        )
        await hearing.until(lambda: synced(hearing, "BTCUSDT") is not None)

        again = [
            e.symbol for e in hearing.events[before:] if isinstance(e, Depth) and e.is_snapshot
        ]
        assert ["BTCUSDT"] == again


async def test_streams_asked_for_on_the_wrong_path_are_silent() -> None:
    """As at the venue; the silence is noticed."""
    async with exchange() as venue:
        wrong = dataclasses.replace(
            venue.config, market_url=venue.config.public_url, silent_after_s=0.3
        )
        async with heard(wrong) as hearing:
            await hearing.until(
                lambda: any("silent" in status.reason for status in hearing.of(FeedStatus))
            )
            assert [] == hearing.of(Trade)
            assert hearing.of(Quote)


async def test_a_symbol_that_is_not_listed() -> None:
    """Is refused before a session begins."""
    async with exchange() as venue:
        with pytest.raises(UnknownInstrument, match="NOSUCHUSDT"):
            await BinanceFeed(("NOSUCHUSDT",), venue.config).discover()


async def test_a_venue_that_is_not_there() -> None:
    """In one line, without an address that could hold a key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        config = BinanceConfig(rest_url=f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(DataUnavailable, match="can't be reached"):
        await BinanceFeed(SYMBOLS, config).discover()


async def test_a_venue_that_refuses_says_why() -> None:
    """451, 403, 503: its own words, harmless."""

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=451, text="restricted \x1b[31mlocation")

    app = web.Application()
    app.router.add_get("/fapi/v1/exchangeInfo", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    venue = Exchange(1.0)
    venue.port = runner.addresses[0][1]
    with pytest.raises(DataUnavailable, match="answered 451: restricted") as refused:
        await BinanceFeed(SYMBOLS, venue.config).discover()
    await runner.cleanup()

    assert "\x1b" not in str(refused.value)


async def test_an_outage_is_told_once() -> None:
    """However often the line is tried meanwhile."""
    feed = BinanceFeed(SYMBOLS, BinanceConfig())
    for word in (Up(1, 1), Down(2, "reset", 0.1, False), Down(3, "refused", 0.2, False), Up(4, 2)):
        feed._hear("public", word)

    told = [(status.ts_ns, status.is_connected) for status in next(feed.batches())]
    assert [(1, True), (2, False), (4, True)] == told
