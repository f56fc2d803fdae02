"""The venue's own library trades on the sandbox: nothing of it is changed but its base URL."""

import asyncio
import queue
import time
from collections.abc import Callable
from typing import Any

import pytest

from brokers.sandbox.hyperliquid_door import AGENT_KEY, MASTER_KEY
from tests.brokers.hyperliquid.exchange import PATIENCE_S, Exchange, exchange

WHY = "the official SDK (hyperliquid-python-sdk, in the dev group) is not installed"
eth_account = pytest.importorskip("eth_account", reason=WHY)
pytest.importorskip("hyperliquid", reason=WHY)

GTC = {"limit": {"tif": "Gtc"}}
ALO = {"limit": {"tif": "Alo"}}


class Client:
    """What a user of the library has."""

    def __init__(self, venue: Exchange, key: str = AGENT_KEY) -> None:
        from hyperliquid.exchange import Exchange as Trading  # noqa: PLC0415 - may be missing
        from hyperliquid.info import Info  # noqa: PLC0415 - may be missing

        self.url = f"http://127.0.0.1:{venue.port}"
        self.master = eth_account.Account.from_key(MASTER_KEY).address
        wallet = eth_account.Account.from_key(key)
        self.trading = Trading(wallet, self.url, account_address=self.master, timeout=PATIENCE_S)
        self.info = Info(self.url, skip_ws=True, timeout=PATIENCE_S)

    def far_bid(self, coin: str = "BTC") -> int:
        return int(float(self.info.all_mids()[coin]) * 0.97)

    def open(self) -> list[dict[str, Any]]:
        return self.info.frontend_open_orders(self.master)

    def status(self, oid: int) -> str:
        return self.info.query_order_by_oid(self.master, oid)["order"]["status"]


async def used(venue: Exchange, script: Callable[[Client], None], **kw: Any) -> None:
    """Run a synchronous script beside the exchange."""
    await asyncio.to_thread(lambda: script(Client(venue, **kw)))


def only(told: dict[str, Any]) -> dict[str, Any]:
    assert "ok" == told["status"], told
    (status,) = told["response"]["data"]["statuses"]
    return status


def place_amend_cancel(client: Client) -> None:
    from hyperliquid.utils.types import Cloid  # noqa: PLC0415 - may be missing

    bid, name = client.far_bid(), Cloid.from_int(7)
    first = only(client.trading.order("BTC", True, 0.01, bid, ALO, cloid=name))["resting"]["oid"]
    (shown,) = client.open()
    assert ("BTC", "B", str(bid), "0.01", name.to_raw(), "Alo") == tuple(
        shown[key] for key in ("coin", "side", "limitPx", "sz", "cloid", "tif")
    )

    amended = only(client.trading.modify_order(first, "BTC", True, 0.02, bid - 1, GTC, cloid=name))
    second = amended["resting"]["oid"]
    assert second != first
    assert ("canceled", "open") == (client.status(first), client.status(second))
    by_name = client.info.query_order_by_cloid(client.master, name)["order"]["order"]
    assert (second, "0.02") == (by_name["oid"], by_name["origSz"])

    assert "error" in only(client.trading.cancel("BTC", first))
    assert "success" == only(client.trading.cancel_by_cloid("BTC", name))
    assert "already canceled" in only(client.trading.cancel_by_cloid("BTC", name))["error"]
    assert [] == client.open()
    assert "canceled" == client.status(second)


async def test_an_order_is_placed_amended_and_canceled() -> None:
    """By number and by name; the number changes with the amendment."""
    async with exchange() as venue:
        await used(venue, place_amend_cancel)


def several_at_once(client: Client) -> None:
    from hyperliquid.utils.types import Cloid  # noqa: PLC0415 - may be missing

    bid = client.far_bid()
    names = [Cloid.from_int(number) for number in (71, 72, 73)]

    def order(number: int, price: float, size: float = 0.01) -> dict[str, Any]:
        return {
            "coin": "BTC", "is_buy": True, "sz": size, "limit_px": price, "order_type": ALO,
            "reduce_only": False, "cloid": names[number],
        }  # fmt: skip

    some = [order(0, bid), order(1, bid * 4 // 3), order(2, bid - 1)]
    first, crossing, third = client.trading.bulk_orders(some)["response"]["data"]["statuses"]
    assert "would have immediately matched" in crossing["error"]
    assert {first["resting"]["oid"], third["resting"]["oid"]} == {
        shown["oid"] for shown in client.open()
    }
    gone = [{"coin": "BTC", "cloid": name} for name in names]
    told = client.trading.bulk_cancel_by_cloid(gone)["response"]["data"]["statuses"]
    assert ("success", True, "success") == (told[0], "error" in told[1], told[2])
    assert [] == client.open()


async def test_several_orders_at_once() -> None:
    """Element by element: one that is refused leaves the others."""
    async with exchange() as venue:
        await used(venue, several_at_once)


def buy_and_close(client: Client) -> None:
    before = float(client.info.user_state(client.master)["marginSummary"]["accountValue"])
    assert 10_000 == before
    bought = only(client.trading.market_open("ETH", True, 0.5))["filled"]
    assert "0.5" == bought["totalSz"]
    (held,) = client.info.user_state(client.master)["assetPositions"]
    assert ("ETH", "0.5") == (held["position"]["coin"], held["position"]["szi"])
    only(client.trading.market_close("ETH"))
    assert [] == client.info.user_state(client.master)["assetPositions"]

    fills = client.info.user_fills(client.master)
    assert {bought["oid"]} < {fill["oid"] for fill in fills}
    assert {True} == {fill["crossed"] for fill in fills}
    paid = sum(float(fill["fee"]) for fill in fills)
    gained = sum(float(fill["closedPnl"]) for fill in fills)
    after = float(client.info.user_state(client.master)["marginSummary"]["accountValue"])
    assert pytest.approx(before - paid + gained, abs=1e-4) == after
    assert fills[::-1] == client.info.user_fills_by_time(client.master, 0)


async def test_a_position_is_opened_and_closed() -> None:
    """Fills, fees, balance and position agree."""
    async with exchange() as venue:
        await used(venue, buy_and_close)


def refusals(client: Client) -> None:
    bid = client.far_bid()

    def said(*args: Any, **kw: Any) -> str:
        return only(client.trading.order(*args, **kw))["error"]

    assert "would have immediately matched" in said("BTC", True, 0.01, bid * 4 // 3, ALO)
    assert "minimum value of $10" in said("BTC", True, 0.00009, bid, GTC)
    assert "divisible by tick size" in said("ETH", True, 1, 2400.12, GTC)
    assert "Insufficient margin" in said("BTC", True, 5, bid, GTC)
    assert "Reduce only" in said("BTC", False, 0.01, bid, GTC, reduce_only=True)
    assert "away from the reference" in said("BTC", True, 0.01, bid * 3, GTC)
    assert "could not immediately" in said("BTC", True, 0.01, bid, {"limit": {"tif": "Ioc"}})
    assert [] == client.open()


async def test_refusals_are_elements_of_an_answer_that_is_ok() -> None:
    """In the venue's words, each."""
    async with exchange() as venue:
        await used(venue, refusals)


def controls(client: Client) -> None:
    assert "ok" == client.trading.update_leverage(3, "BTC")["status"]
    assert "ok" == client.trading.update_leverage(7, "BTC", is_cross=False)["status"]
    now_ms = time.time_ns() // 10**6
    assert "ok" == client.trading.schedule_cancel(now_ms + 60_000)["status"]
    assert "ok" == client.trading.schedule_cancel(None)["status"]
    (bar, *_) = client.info.candles_snapshot("BTC", "1m", now_ms - 600_000, now_ms)
    assert ("BTC", "1m", True) == (bar["s"], bar["i"], float(bar["l"]) <= float(bar["h"]))
    early = client.trading.schedule_cancel(now_ms + 1_000)
    assert ("err", True) == (early["status"], "too early" in early["response"])
    client.trading.set_expires_after(now_ms - 1)
    late = client.trading.order("BTC", True, 0.01, client.far_bid(), GTC)
    assert ("err", True) == (late["status"], "expired" in late["response"])


async def test_leverage_dead_man_and_expiry() -> None:
    """Each accepted where it should be."""
    async with exchange() as venue:
        await used(venue, controls)


def stranger(client: Client) -> None:
    told = client.trading.order("BTC", True, 0.01, client.far_bid(), GTC)
    assert "err" == told["status"]
    assert f"{client.trading.wallet.address.lower()} does not exist" in told["response"]
    assert [] == client.info.frontend_open_orders(client.trading.wallet.address)


async def test_a_wallet_nobody_knows_is_named() -> None:
    """And is an account that has nothing, not an error."""
    async with exchange() as venue:
        await used(venue, stranger, key="0x" + "11" * 32)


def streams(client: Client) -> None:
    from hyperliquid.info import Info  # noqa: PLC0415 - may be missing

    told: queue.Queue[dict[str, Any]] = queue.Queue()
    info = Info(client.url, skip_ws=False, timeout=PATIENCE_S)
    try:
        for kind in ("orderUpdates", "userFills"):
            info.subscribe({"type": kind, "user": client.master}, told.put)
        info.subscribe({"type": "bbo", "coin": "BTC"}, told.put)
        seen: dict[str, list[Any]] = {}

        def until(holds: Callable[[], bool]) -> None:
            while not holds():
                message = told.get(timeout=PATIENCE_S)
                seen.setdefault(message["channel"], []).append(message["data"])

        until(lambda: "userFills" in seen and "bbo" in seen)
        assert seen["userFills"][0]["isSnapshot"]
        only(client.trading.market_open("BTC", True, 0.01))
        until(lambda: len(seen["userFills"]) > 1 and "orderUpdates" in seen)
        until(lambda: "filled" in {row["status"] for some in seen["orderUpdates"] for row in some})
        assert "BTC" == seen["userFills"][-1]["fills"][0]["coin"]
    finally:
        info.disconnect_websocket()


async def test_streams() -> None:
    """What happened is told, to a client that did not ask for anything else."""
    async with exchange() as venue:
        await used(venue, streams)
