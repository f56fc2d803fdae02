"""The websocket trading API of the Binance sandbox: signatures, orders, faults."""

import asyncio
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError

from brokers.sandbox.binance_ws_api import PATH, covered
from tests.brokers.sandbox.client import PATIENCE_S, Stream, venue

ORDER = {
    "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
    "quantity": "0.01", "price": "90", "newClientOrderId": "ws-1",
}  # fmt: skip


async def ask(stream: Stream, method: str, *, secret: str = "sandbox-secret", **params: Any) -> Any:  # noqa: S107
    """Send one signed frame and return its answer."""
    words = {"apiKey": "sandbox-key", "timestamp": time.time_ns() // 1_000_000, **params}
    text = "&".join(f"{name}={words[name]}" for name in sorted(words))
    words["signature"] = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    await stream.socket.send(json.dumps({"id": "7", "method": method, "params": words}))
    async with asyncio.timeout(PATIENCE_S):
        return json.loads(await stream.socket.recv())


def test_what_a_signature_covers_is_the_sheets_vector() -> None:
    """Sheet section 4, the worked example."""
    words = {
        "apiKey": "demo_api_key_0001", "newClientOrderId": "la-1", "price": "60000",
        "quantity": "0.001", "recvWindow": "5000", "side": "BUY", "symbol": "BTCUSDT",
        "timeInForce": "GTX", "timestamp": "1700000000000", "type": "LIMIT", "signature": "x",
    }  # fmt: skip
    text = covered(dict(reversed(words.items()))).encode()
    assert (
        "e563b3231e99c75257991e2b96f427662630cf135f6c2f1776335aff340c6570"
        == hmac.new(b"demo_secret_key_0001", text, hashlib.sha256).hexdigest()
    )


async def test_an_order_lives_over_one_socket() -> None:
    """Placed, amended, asked for, canceled; REST sees the same order; counters in each answer."""
    async with venue() as at, at.stream(PATH) as stream:
        placed = await ask(stream, "order.place", **ORDER)
        assert ("7", 200, "NEW") == (placed["id"], placed["status"], placed["result"]["status"])
        assert [1, 1] == [row["count"] for row in placed["rateLimits"][1:]]
        change = {"symbol": "BTCUSDT", "side": "BUY", "origClientOrderId": "ws-1"}
        amended = await ask(stream, "order.modify", quantity="0.02", price="91", **change)
        assert ("0.02", "91") == tuple(amended["result"][key] for key in ("origQty", "price"))
        rest = await at.client.signed("GET", "/fapi/v1/openOrders")
        assert ["ws-1"] == [one["clientOrderId"] for one in rest.body]
        named = {"symbol": "BTCUSDT", "origClientOrderId": "ws-1"}
        assert "NEW" == (await ask(stream, "order.status", **named))["result"]["status"]
        assert "CANCELED" == (await ask(stream, "order.cancel", **named))["result"]["status"]
        gone = await ask(stream, "order.cancel", **named)
        assert (400, -2011) == (gone["status"], gone["error"]["code"])
        balance = await ask(stream, "v2/account.balance")
        assert "10000.00000000" == balance["result"][0]["balance"]


async def test_what_is_refused() -> None:
    """Wrong secret, unknown method, no JSON: an error each, and the socket lives on."""
    async with venue() as at, at.stream(PATH) as stream:
        wrong = await ask(stream, "order.place", secret="wrong", **ORDER)  # noqa: S106
        assert (400, -1022) == (wrong["status"], wrong["error"]["code"])
        assert -1104 == (await ask(stream, "dance"))["error"]["code"]
        for text in ("no json", "[]", '{"method":5}', "[" * 50_000):
            await stream.socket.send(text)
            told = json.loads(await stream.socket.recv())
            assert (None, -1135) == (told["id"], told["error"]["code"])
        assert 200 == (await ask(stream, "order.place", **ORDER))["status"]


async def test_faults_strike_here_too() -> None:
    """503 without acting, silence after acting, a cut line before acting."""
    async with venue() as at, at.stream(PATH) as stream:
        await at.client.fault("error_5xx", path=PATH)
        assert 503 == (await ask(stream, "order.place", **ORDER))["status"]
        await at.client.fault("rate_limit", path=PATH)
        assert 429 == (await ask(stream, "order.place", **ORDER))["status"]
        await at.client.fault("accept_then_timeout", path=PATH)
        silent = asyncio.create_task(ask(stream, "order.place", **ORDER))
        async with asyncio.timeout(PATIENCE_S):
            while not (await at.client.signed("GET", "/fapi/v1/openOrders")).body:
                await asyncio.sleep(0.01)
        assert not silent.done()
        silent.cancel()
        await asyncio.gather(silent, return_exceptions=True)
        await at.client.fault("drop", path=PATH)
        with pytest.raises(ConnectionClosedError):
            await ask(stream, "order.place", **{**ORDER, "newClientOrderId": "ws-2"})
        rest = await at.client.signed("GET", "/fapi/v1/openOrders")
        assert ["ws-1"] == [one["clientOrderId"] for one in rest.body]
