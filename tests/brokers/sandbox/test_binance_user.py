"""The account's stream of the Binance sandbox and its dead-man switch; the oracle is the sheet."""

import pytest

from tests.brokers.sandbox.client import Venue, venue
from tests.brokers.sandbox.stage import SELL

ORDER = "/fapi/v1/order"


async def test_a_countdown_really_fires_for_its_symbol() -> None:
    """Set, renewed, stopped; the other symbol is left alone."""
    async with venue() as at:
        client, path = at.client, "/fapi/v1/countdownCancelAll"
        await client.place("BUY", "0.01", "90", newClientOrderId="btc")
        await client.place("BUY", "0.01", "90", symbol="ETHUSDT", newClientOrderId="eth")
        for symbol in ("BTCUSDT", "ETHUSDT"):
            await client.signed("POST", path, symbol=symbol, countdownTime=60_000)
        await client.signed("POST", path, symbol="ETHUSDT", countdownTime=0)
        async with at.stream() as stream:
            await client.signed("POST", path, symbol="BTCUSDT", countdownTime=50)
            await stream.until(lambda frames: frames)
        assert ("btc", "CANCELED") == tuple(stream.frames[0]["o"][key] for key in ("c", "X"))
        left = (await client.signed("GET", "/fapi/v1/openOrders")).body
        assert ["eth"] == [one["clientOrderId"] for one in left]


async def story(at: Venue) -> None:
    await at.client.place("BUY", "0.010", "100", newClientOrderId="la-1")
    words = {"symbol": "BTCUSDT", "side": "BUY", "origClientOrderId": "la-1"}
    await at.client.signed("PUT", ORDER, **words, quantity="0.012", price="100")
    at.stage.trade(SELL, 1000, 15)
    await at.client.signed("DELETE", ORDER, symbol="BTCUSDT", origClientOrderId="la-1")


async def test_the_stream_tells_the_story() -> None:
    """New, amended, partly filled, canceled, each once, money and position beside it."""
    async with venue() as at, at.stream() as stream:
        await story(at)
        await stream.until(lambda _: len(stream.of("ORDER_TRADE_UPDATE")) == 4)

        told = [frame["o"] for frame in stream.of("ORDER_TRADE_UPDATE")]
        assert [
            ("NEW", "NEW"), ("AMENDMENT", "NEW"), ("TRADE", "PARTIALLY_FILLED"),
            ("CANCELED", "CANCELED"),
        ] == [(one["x"], one["X"]) for one in told]  # fmt: skip
        fill = told[2]
        assert ("0.005", "0.005", "100", 1, True, "0.00010000", "la-1") == tuple(
            fill[key] for key in ("l", "z", "L", "t", "m", "n", "c")
        )
        assert [0, 0, 0] == [told[n]["t"] for n in (0, 1, 3)]
        money = stream.of("ACCOUNT_UPDATE")[0]["a"]
        assert ("ORDER", "9999.99990000") == (money["m"], money["B"][0]["wb"])
        assert ("BTCUSDT", "0.005") == (money["P"][0]["s"], money["P"][0]["pa"])
        assert [1] == [frame["t"] for frame in stream.of("TRADE_LITE")]


async def test_a_stream_tells_only_what_was_asked_for() -> None:
    """By `events`; by a key in the path; nothing at all to a wrong key."""
    async with venue() as at:
        key = (await at.client.keyed("POST", "/fapi/v1/listenKey")).body["listenKey"]
        again = (await at.client.keyed("POST", "/fapi/v1/listenKey")).body["listenKey"]
        assert key == again
        wanted = f"/private/ws?listenKey={key}&events=ACCOUNT_UPDATE"
        async with at.stream(wanted) as some, at.stream(f"/private/ws/{key}") as every:
            await story(at)
            await every.until(lambda _: len(every.of("ORDER_TRADE_UPDATE")) == 4)
            await some.until(lambda frames: frames)
        assert ["ACCOUNT_UPDATE"] == [frame["e"] for frame in some.frames]
        with pytest.raises(Exception, match="401"):
            async with at.stream("/private/ws?listenKey=wrong"):
                pass


async def test_listen_keys_end() -> None:
    """Deleted: told on the stream, then unknown, then another one."""
    async with venue() as at, at.stream() as stream:
        key = (await at.client.keyed("PUT", "/fapi/v1/listenKey")).body["listenKey"]
        assert 200 == (await at.client.keyed("DELETE", "/fapi/v1/listenKey")).status
        await stream.until(lambda frames: frames)
        assert "listenKeyExpired" == stream.frames[0]["e"]
        for method in ("PUT", "DELETE"):
            assert -1125 == (await at.client.keyed(method, "/fapi/v1/listenKey")).code
        new = (await at.client.keyed("POST", "/fapi/v1/listenKey")).body["listenKey"]
        assert key != new


async def test_funding_and_leverage_are_told() -> None:
    """FUNDING_FEE without positions; a change of leverage."""
    async with venue() as at:
        await at.client.place("BUY", "0.01")
        async with at.stream() as stream:
            stage = at.stage
            due_ns = stage.now_ns + 10**9
            stage.funding("100", "0.001", due_ns)
            stage.now_ns = due_ns
            stage.is_live = False
            stage.funding("100", "0.001", due_ns + 10**13)
            await at.client.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=3)
            await stream.until(lambda frames: len(frames) == 2)
        paid, config = stream.frames
        assert ("FUNDING_FEE", "-0.00100000", []) == (
            paid["a"]["m"], paid["a"]["B"][0]["bc"], paid["a"]["P"],
        )  # fmt: skip
        assert {"s": "BTCUSDT", "l": 3} == config["ac"]
