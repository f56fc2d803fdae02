"""The live feed against the sandbox: what it brings, what it does when a line breaks or lies."""

import asyncio
import dataclasses
import json
import socket
from decimal import Decimal

import pytest
from websockets.asyncio.server import ServerConnection, serve

from brokers.bitunix.config import BitunixConfig
from brokers.bitunix.feed import BitunixFeed
from brokers.link.stream import Down, Frame, Up
from engine.market.book import BookSync
from engine.model.errors import DataUnavailable, UnknownInstrument
from engine.model.market import Depth, FeedStatus, Funding, Malformed, Quote, Trade
from engine.model.orders import Side
from tests.brokers.bitunix.exchange import SYMBOLS, exchange, heard


async def test_everything_a_session_needs_arrives() -> None:
    """Quotes, prints, funding, fifteen levels; nothing that can't be read."""
    async with exchange() as venue, heard(venue.config) as hearing:
        for kind in (Quote, Trade, Funding, Depth):
            await hearing.until(
                lambda kind=kind: {e.symbol for e in hearing.of(kind)} == {*SYMBOLS}
            )
        assert [] == hearing.of(Malformed)
        assert [("bitunix.public", True)] == [
            (status.source, status.is_connected) for status in hearing.of(FeedStatus)
        ]
        assert hearing.events[0] == hearing.of(FeedStatus)[0], "before what comes behind it"
        quote = hearing.of(Quote)[0]
        assert abs(quote.ts_ns - quote.ts_event_ns) < 5 * 10**9
        assert ["BTCUSDT", "ETHUSDT"] == [item.symbol for item in hearing.feed.instruments]
        assert Decimal("0.1") == hearing.feed.instruments[0].tick_size


async def test_the_book_is_the_venues_best_fifteen() -> None:
    """Level by level, as the engine keeps it."""
    async with exchange() as venue, heard(venue.config) as hearing:
        await hearing.until(lambda: "BTCUSDT" in {e.symbol for e in hearing.of(Depth)})
        shown = venue.market.books["BTCUSDT"]

        def is_same() -> bool:
            book = BookSync(1_000)
            for depth in hearing.of(Depth):
                if depth.symbol == "BTCUSDT":
                    assert book.apply(depth) is None
            return (
                list(book.book.levels(Side.BUY)) == (sorted(shown.bids.items(), reverse=True)[:15])
                and list(book.book.levels(Side.SELL)) == sorted(shown.asks.items())[:15]
            )

        await hearing.until(is_same)


async def test_a_line_that_breaks_is_told_and_comes_back() -> None:
    """Down once, up with the first push."""
    async with exchange() as venue, heard(venue.config) as hearing:
        await hearing.until(lambda: hearing.of(Quote))
        before = len(hearing.events)
        for line in list(venue.sandbox._lines):
            line.outbox.is_behind = True
        await hearing.until(lambda: 3 == len(hearing.of(FeedStatus)))
        await hearing.until(lambda: isinstance(hearing.events[-1], Quote))

        since = [e for e in hearing.events[before:] if isinstance(e, FeedStatus)]
        assert [False, True] == [status.is_connected for status in since]
        assert since[0].reason


class Script:
    """A venue that does what one test wants on its public line."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines
        """Sent after the subscription, once."""
        self.greets = True
        self.said: list[dict] = []
        self.connections = 0

    async def __call__(self, line: ServerConnection) -> None:
        self.connections += 1
        if self.greets:
            await line.send('{"op":"connect","data":{"result":true}}')
        async for text in line:
            word = json.loads(text)
            self.said.append(word)
            if word["op"] == "ping":
                await line.send(json.dumps({"op": "ping", "pong": word["ping"], "ping": 1}))
            if word["op"] == "subscribe":
                for frame in self.lines:
                    await line.send(frame)


QUICK = {"first_push_s": 0.3, "silent_after_s": 0.3, "open_timeout_s": 0.3, "ping_s": 0.05}
TOUCH = '{"ch":"%s","symbol":"%s","ts":5,"data":{"b":[["100","1"]],"a":[["100.1","1"]]}}'
ALL = [TOUCH % (ch, symbol) for ch in ("depth_book1", "depth_book15") for symbol in SYMBOLS]


async def caused(script: Script, needle: str) -> None:
    """Wait until the feed has given the line up for a reason, and come back."""
    async with exchange() as venue, serve(script, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        wrong = dataclasses.replace(venue.config, public_url=f"ws://127.0.0.1:{port}/", **QUICK)
        async with heard(wrong) as hearing:
            await hearing.until(
                lambda: any(needle in status.reason for status in hearing.of(FeedStatus))
            )
            await hearing.until(lambda: script.connections > 1)


async def test_a_venue_that_does_not_greet() -> None:
    """Is not subscribed to, and left."""
    script = Script()
    script.greets = False
    await caused(script, "no answer to greeting")
    assert "subscribe" not in {word["op"] for word in script.said}


async def test_pongs_are_no_market() -> None:
    """A subscription is never confirmed: what brings nothing was refused."""
    script = Script(*ALL[:3])
    await caused(script, "nothing came of ETHUSDT depth_book15")
    pings = [word for word in script.said if word["op"] == "ping"]
    assert pings
    assert pings[0]["ping"] > 1_600_000_000


async def test_a_line_that_falls_silent_while_it_still_pongs() -> None:
    """Is noticed, though frames arrive."""
    await caused(Script(*ALL), "silent for 0.3 s")


async def test_one_message_asks_for_everything() -> None:
    """Five a second are allowed, pings included."""
    script = Script(*ALL)
    async with exchange() as venue, serve(script, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        config = dataclasses.replace(venue.config, public_url=f"ws://127.0.0.1:{port}/")
        async with heard(config) as hearing:
            await hearing.until(lambda: hearing.of(Quote))
    assert ["subscribe"] == [word["op"] for word in script.said]
    channels = ("depth_book1", "depth_book15", "trade", "price")
    assert {(s, ch) for s in SYMBOLS for ch in channels} == {
        (arg["symbol"], arg["ch"]) for arg in script.said[0]["args"]
    }


async def test_a_symbol_that_is_not_listed() -> None:
    """Is refused before a session begins."""
    async with exchange() as venue:
        with pytest.raises(UnknownInstrument, match="NOSUCHUSDT"):
            await BitunixFeed(("NOSUCHUSDT",), venue.config).discover()


async def test_a_venue_that_is_not_there() -> None:
    """In one line."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        config = BitunixConfig(rest_url=f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(DataUnavailable, match="bitunix can't be reached"):
        await BitunixFeed(SYMBOLS, config).discover()


async def test_the_coming_rate_is_asked_for() -> None:
    """The stream tells the one that was settled; the answer of REST is what will be paid."""
    async with exchange() as venue, heard(venue.config) as hearing:
        await hearing.until(lambda: hearing.of(Funding))
        async with asyncio.timeout(20):
            while set(hearing.feed._parser._coming) != {*SYMBOLS}:
                await asyncio.sleep(0.01)


async def test_an_outage_is_told_once() -> None:
    """However often the line is tried meanwhile."""
    async with exchange() as venue:
        feed = BitunixFeed(SYMBOLS, venue.config)
        await feed.discover()
    feed._talks["public"] = feed._talk(SYMBOLS)
    touch = Frame(2, (TOUCH % ("depth_book1", "BTCUSDT")).encode())
    words = (
        Up(1, 1), touch, Down(3, "reset", 0.1, False), Down(4, "refused", 0.2, False), Up(5, 2),
        touch._replace(received_ns=6),
    )  # fmt: skip
    for word in words:
        feed._hear("public", word)

    told = [e for e in next(feed.batches()) if isinstance(e, FeedStatus)]
    assert [(2, True), (3, False), (6, True)] == [(s.ts_ns, s.is_connected) for s in told]
