"""The Binance sandbox as a client of the venue meets it: REST, subscriptions, laggards."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect

from brokers.sandbox import outbox as module
from brokers.sandbox.market import ShownBook
from engine.model.market import Depth
from tests.brokers.binance.exchange import PATIENCE_S, Exchange, exchange


@contextlib.asynccontextmanager
async def line(venue: Exchange, path: str) -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://127.0.0.1:{venue.port}/{path}", proxy=None) as socket:
        yield socket


async def heard(socket: ClientConnection) -> dict:
    async with asyncio.timeout(PATIENCE_S):
        return json.loads(await socket.recv())


async def asked(venue: Exchange, path: str) -> tuple[int, object]:
    async with (
        aiohttp.ClientSession(trust_env=False) as session,
        session.get(f"http://127.0.0.1:{venue.port}{path}") as answer,
    ):
        return answer.status, await answer.json()


async def test_rest_answers_as_the_venue_does() -> None:
    """Time, listing, book; and its own words for what it does not know."""
    async with exchange() as venue:
        assert (200, {}) == await asked(venue, "/fapi/v1/ping")
        _, told = await asked(venue, "/fapi/v1/time")
        assert told["serverTime"] > 1_600_000_000_000
        _, told = await asked(venue, "/fapi/v1/exchangeInfo")
        assert ["BTCUSDT", "ETHUSDT"] == [item["symbol"] for item in told["symbols"]]
        assert 2_400 == told["rateLimits"][0]["limit"]
        assert (400, {"code": -1121, "msg": "Invalid symbol."}) == await asked(
            venue, "/fapi/v1/depth?symbol=NOPE"
        )
        status, told = await asked(venue, "/fapi/v1/depth?symbol=BTCUSDT&limit=7")
        assert (400, -4021) == (status, told["code"])
        status, told = await asked(venue, "/fapi/v1/depth?symbol=BTCUSDT&limit=5")
        assert 200 == status
        bids, asks = ([float(price) for price, _ in told[side]] for side in ("bids", "asks"))
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert len(bids) <= 5


async def test_a_raw_path_sends_payloads_and_a_combined_one_envelopes() -> None:
    """By path, by query, by message."""
    async with exchange() as venue:
        async with line(venue, "public/ws/btcusdt@bookTicker") as socket:
            assert ("bookTicker", "BTCUSDT") == ((told := await heard(socket))["e"], told["s"])
        async with line(venue, "public/stream?streams=ethusdt@bookTicker") as socket:
            told = await heard(socket)
            assert ("ethusdt@bookTicker", "ETHUSDT") == (told["stream"], told["data"]["s"])
        async with line(venue, "market/ws") as socket:
            await socket.send('{"method":"SUBSCRIBE","params":["btcusdt@aggTrade"],"id":1}')
            assert {"result": None, "id": 1} == await heard(socket)
            assert "aggTrade" == (await heard(socket))["e"]


async def test_streams_can_be_listed_and_left() -> None:
    """And what is no request is told so."""
    async with exchange() as venue, line(venue, "market/ws") as socket:
        for method, answer in (
            ("SUBSCRIBE", None), ("LIST_SUBSCRIPTIONS", ["btcusdt@kline_1m"]),
            ("UNSUBSCRIBE", None), ("LIST_SUBSCRIPTIONS", []),
        ):  # fmt: skip
            await socket.send(
                json.dumps({"method": method, "params": ["btcusdt@kline_1m"], "id": 7})
            )
            assert {"result": answer, "id": 7} == await heard(socket)
        for text in ("no json", "[]", '{"method":"SUBSCRIBE","params":5}'):
            await socket.send(text)
            assert 3 == (await heard(socket))["error"]["code"]
        await socket.send('{"method":"DANCE","id":9}')
        assert (2, 9) == ((told := await heard(socket))["error"]["code"], told["id"])


@pytest.mark.parametrize(
    ("path", "stream"), [("public", "btcusdt@aggTrade"), ("market", "btcusdt@bookTicker")]
)
async def test_a_stream_on_the_wrong_path_is_silent(path: str, stream: str) -> None:
    """No error, no data, while the right one flows."""
    async with (
        exchange() as venue,
        line(venue, f"{path}/ws/{stream}") as wrong,
        line(venue, "public/ws/btcusdt@bookTicker") as right,
    ):
        for _ in range(5):
            await heard(right)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await wrong.recv()


async def test_a_client_that_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The market goes on for the others."""
    monkeypatch.setattr(module, "BEHIND_MAX", 8)
    async with (
        exchange(5_000.0) as venue,
        line(venue, "public/stream?streams=btcusdt@bookTicker/ethusdt@bookTicker") as lazy,
        line(venue, "public/ws/btcusdt@depth") as awake,
    ):
        with contextlib.suppress(Exception):
            async with asyncio.timeout(PATIENCE_S):
                while lazy.close_code is None:
                    await asyncio.sleep(0.05)
        await heard(awake)
        assert not any("btcusdt@bookTicker" in one.streams for one in venue.sandbox._listeners)


def test_a_book_becomes_another_by_a_diff() -> None:
    """What changed, what is gone; numbers continue the chain."""
    book = ShownBook(None)
    numbers = iter(range(10, 20))

    def seen(bids: tuple, asks: tuple) -> Depth:
        return book.become(Depth(5, "BTCUSDT", bids, asks, is_snapshot=True), numbers)

    first = seen(((100, 1), (99, 2)), ((101, 3),))
    second = seen(((100, 1), (98, 4)), ((101, 5),))

    assert (((100, 1), (99, 2)), ((101, 3),)) == (first.bids, first.asks)
    assert (((98, 4), (99, 0)), ((101, 5),)) == (second.bids, second.asks)
    assert (0, 10, 11, 11, 12, 13) == (
        first.prev_seq, first.first_seq, first.last_seq,
        second.prev_seq, second.first_seq, second.last_seq,
    )  # fmt: skip
    assert not second.is_snapshot
