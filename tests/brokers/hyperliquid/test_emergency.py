"""The sentinel's desk on the sandbox: what it touches, what not, and what it says it did."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from decimal import Decimal
from typing import NamedTuple

import msgspec
import pytest

from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.emergency import HyperliquidDesk, open_desk
from brokers.link.account import Accepted
from brokers.link.secret import Credentials, Secret
from brokers.sandbox.faults import Fault
from brokers.sandbox.orders import Ticket
from engine.model.account import Liquidity
from engine.model.orders import OrderType, Side
from engine.model.venue_events import VenueCanceled, VenueFill
from engine.venue import Holding, WorkingOrder
from tests.brokers.hyperliquid.accounts import BUY, SELL, Trader, credentials, trader
from tests.brokers.hyperliquid.exchange import Exchange, exchange

RUN = "20261121T090000Z-test"
AT = 5
run = asyncio.to_thread


class Scene(NamedTuple):
    venue: Exchange
    trading: Trader
    desk: HyperliquidDesk


@contextlib.contextmanager
def desk_of(
    venue: Exchange, keys: Credentials | None = None, config: HyperliquidConfig | None = None
) -> Iterator[HyperliquidDesk]:
    instruments = tuple(venue.core.instruments.values())
    desk = open_desk(keys or credentials(venue), config or venue.config, instruments, RUN)
    yield desk
    desk._reach.line.close()


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with exchange() as venue, trader(venue) as trading:
        with desk_of(venue) as desk:
            yield Scene(venue, trading, desk)


async def rest(scene: Scene, order_id: str, run_id: str = RUN, **changed):
    client_id = scene.trading.account.capabilities.ids_of(run_id).of(order_id)
    order = scene.trading.limit(BUY, "0.01", scene.trading.far("0.97"))
    order = order._replace(client_id=client_id, **changed)
    assert isinstance(await scene.trading.account.place(order), Accepted)
    return client_id


async def test_this_runs_orders_those_that_add_risk_first(scene: Scene) -> None:
    """Another run's and a person's are left alone; a name too long for the venue is a digest."""
    await scene.trading.account.place(scene.trading.market(BUY, "0.02"))
    await rest(scene, "trend-1", side=SELL, price=scene.trading.far("1.03"), is_reduce_only=True)
    await rest(scene, "quoter-7")
    await rest(scene, "quoter-7", "20261121T080000Z-test")
    digest = await rest(scene, "a-very-long-agent-name-8")
    unnamed = Ticket("BTC", BUY, OrderType.LIMIT, Decimal("0.01"), scene.trading.far("0.97"))
    scene.venue.core.place(unnamed)

    assert [
        WorkingOrder("quoter-7", "BTC", False),
        WorkingOrder(digest, "BTC", False),
        WorkingOrder("trend-1", "BTC", True),
    ] == await run(scene.desk.working)
    assert 5 == len(scene.venue.core.open_orders())


async def test_a_cancel_is_told_once_it_is_one(scene: Scene) -> None:
    """A second one finds nothing to cancel."""
    await rest(scene, "quoter-7")
    digest = await rest(scene, "a-very-long-agent-name-8")
    for order_id in ("quoter-7", digest):
        order = WorkingOrder(order_id, "BTC", False)
        assert VenueCanceled(AT, "BTC", order_id) == await run(scene.desk.cancel, order, AT)
        assert await run(scene.desk.cancel, order, AT) is None

    assert [] == scene.venue.core.open_orders()


@pytest.mark.parametrize("side", Side)
async def test_a_position_is_closed(scene: Scene, side: Side) -> None:
    """Reduce-only, near the touch; its fills are told as one, and are the account's."""
    await scene.trading.account.place(scene.trading.market(side, "0.02"))
    (holding,) = await run(scene.desk.holdings)
    assert Holding("BTC", side.sign * Decimal("0.02")) == holding

    fill = await run(scene.desk.flatten, holding, AT)

    assert isinstance(fill, VenueFill)
    assert (side.opposite, Decimal("0.02"), Liquidity.TAKER) == (
        fill.side,
        fill.qty,
        fill.liquidity,
    )
    assert fill.order_id.startswith("sentinel-")
    done = [one for one in scene.venue.core.fills() if one.side is side.opposite]
    assert sum(one.fee for one in done) == fill.fee
    assert [] == list(await run(scene.desk.holdings))
    assert await run(scene.desk.flatten, holding, AT) is None  # nothing is left to reduce
    told = await run(scene.desk.latest_fills, AT)
    assert {fill.order_id} <= {one.order_id for one in told}
    assert sum(side.sign * one.qty for one in told if one.side is side) == holding.qty


async def test_a_market_without_prices_is_not_guessed(scene: Scene) -> None:
    """It is asked again later."""
    await scene.trading.account.place(scene.trading.market(BUY, "0.02"))
    (holding,) = await run(scene.desk.holdings)
    scene.venue.market.books["BTC"].bids.clear()
    with contextlib.suppress(KeyError):
        scene.venue.market.books["BTC"].bids.clear()

    assert (
        await run(scene.desk.flatten, holding, AT) is None
        or not scene.venue.core.position("BTC").qty
    )


FAULTS = ["drop", "error_5xx", "error_5xx_after", "html_200", "truncated_json"]


@pytest.mark.parametrize("name", FAULTS)
async def test_whatever_fails_is_one_kind_of_error(scene: Scene, name: str) -> None:
    """An OSError without a key in it; the next question is answered."""
    await rest(scene, "quoter-7")
    scene.venue.sandbox.faults.arm(Fault(name))
    with pytest.raises(OSError, match=r".") as failed:
        await run(scene.desk.working)

    assert credentials(scene.venue).secret.reveal()[2:] not in str(failed.value)
    (order,) = await run(scene.desk.working)
    scene.venue.sandbox.faults.arm(Fault(name, times=2))  # a kept connection is tried once more
    with pytest.raises(OSError, match=r"."):
        await run(scene.desk.cancel, order, AT)


async def test_settings_come_as_they_were_written_down(scene: Scene) -> None:
    """Over a pipe, as JSON: a decimal is a text then."""
    written = msgspec.json.decode(msgspec.json.encode(asdict(scene.venue.config)))
    await scene.trading.account.place(scene.trading.market(BUY, "0.02"))
    with desk_of(scene.venue, config=HyperliquidConfig(**written)) as desk:
        (holding,) = await run(desk.holdings)
        assert await run(desk.flatten, holding, AT) is not None


async def test_a_stranger_can_do_nothing(scene: Scene) -> None:
    """A refusal as a whole confirms nothing."""
    await rest(scene, "quoter-7")
    stranger = Credentials(scene.venue.sandbox.door.master, Secret("0x" + "11" * 32))
    with desk_of(scene.venue, stranger) as desk:
        (order,) = await run(desk.working)
        assert await run(desk.cancel, order, AT) is None
    assert scene.venue.core.open_orders()


def test_it_loads_neither_a_loop_nor_a_web_client() -> None:
    """The sentinel starts with it."""
    code = "import sys, brokers.hyperliquid.emergency\nprint(sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    for name in ("aiohttp", "websockets", "pydantic"):
        assert f"'{name}'" not in loaded
