"""Whatever a client sends, a Binance sandbox answers in the venue's words and never breaks."""

import asyncio
import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.sandbox.binance_account import AccountDesk
from brokers.sandbox.binance_codes import ApiError
from brokers.sandbox.binance_endpoints import (
    account_endpoints,
    countdown_endpoint,
    order_endpoints,
    price_endpoints,
)
from brokers.sandbox.binance_http import Endpoint
from brokers.sandbox.binance_limits import Limits
from brokers.sandbox.binance_orders import OrderDesk
from brokers.sandbox.binance_params import Params
from brokers.sandbox.binance_prices import PriceDesk
from brokers.sandbox.dead_man import DeadMan
from tests.brokers.sandbox.client import venue
from tests.brokers.sandbox.stage import Stage

NAMES = (
    "symbol", "side", "type", "timeInForce", "quantity", "price", "newClientOrderId", "orderId",
    "origClientOrderId", "reduceOnly", "positionSide", "batchOrders", "orderIdList", "leverage",
    "marginType", "dualSidePosition", "countdownTime", "limit", "fromId", "startTime", "endTime",
    "interval", "incomeType", "newOrderRespType",
)  # fmt: skip
LIKELY = (
    "BTCUSDT", "BUY", "SELL", "LIMIT", "MARKET", "GTC", "GTX", "FOK", "0.01", "90", "100.1", "0",
    "-1", "true", "false", "1", "999999999999999999", "1e9", "NaN", "Infinity", "5", "1000", "1m",
    "LONG", "BOTH", "RESULT", '[{"symbol":"BTCUSDT"}]', "[1]", "[[]]", "{}", "[", "\x00", "é",
    "8000000001", "0.00000000000000000001", "99999999999999999999.9",
)  # fmt: skip
WORDS = st.dictionaries(
    st.sampled_from(NAMES), st.one_of(st.sampled_from(LIKELY), st.text(max_size=12)), max_size=9
)


def endpoints() -> list[Endpoint]:
    stage = Stage()
    stage.quote()
    exchange, limits = stage.exchange, Limits()
    prices = PriceDesk(stage.market, exchange, limits, lambda: 1_700_000_000_000)
    return [
        *order_endpoints(OrderDesk(exchange)), *account_endpoints(AccountDesk(exchange)),
        *price_endpoints(prices), countdown_endpoint(exchange, DeadMan(exchange.cancel_all)),
    ]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100), WORDS), min_size=1, max_size=15))
def test_no_words_break_a_desk(calls: list[tuple[int, dict[str, str]]]) -> None:
    """An answer or a code, whatever came before."""

    async def ask() -> None:  # the countdown needs a loop
        every = endpoints()
        for number, words in calls:
            with contextlib.suppress(ApiError):
                every[number % len(every)].act(Params(words))

    asyncio.run(ask())


BODIES = [b"\xff\xfe", b"%ff", b"a" * 100_000, b"batchOrders=" + b"[" * 50_000, b"&&&=;="]


@pytest.mark.parametrize("body", BODIES)
async def test_no_bytes_break_a_request(body: bytes) -> None:
    """Refused with a code, signed or not; the next request is served."""
    async with venue() as at:
        headers = {"X-MBX-APIKEY": "sandbox-key"}
        url = at.client.url("/fapi/v1/order")
        async with at.client.session.post(url, data=body, headers=headers) as answer:
            assert (400, True) == (answer.status, (await answer.json())["code"] < 0)
        assert 200 == (await at.client.place("BUY", "0.01", "90")).status


@pytest.mark.parametrize("text", ["no json", "[" * 50_000, "null", "5", '{"method":"SUBSCRIBE"}'])
async def test_no_frame_breaks_the_stream(text: str) -> None:
    """The account's stream goes on."""
    async with venue() as at, at.stream() as stream:
        await stream.socket.send(text)
        await at.client.place("BUY", "0.01", "90")
        told: list[dict[str, Any]] = stream.of("ORDER_TRADE_UPDATE")
        await stream.until(lambda _: stream.of("ORDER_TRADE_UPDATE"))
        assert [] == told


async def test_an_unknown_call_is_answered_in_json() -> None:
    """-5000, also for a method that a path does not have."""
    async with venue() as at:
        for method, path in (("GET", "/fapi/v1/nothing"), ("PATCH", "/fapi/v1/order")):
            answer = await at.client.raw(method, path)
            assert (404, -5000) == (answer.status, answer.code)
