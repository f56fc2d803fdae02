"""The account in the sentinel's hands, against the sandbox over real sockets."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from typing import TypeVar

import pytest

from brokers.bitunix.emergency import BitunixDesk, open_desk
from brokers.bitunix.requests import CAPABILITIES
from brokers.link.account import Accepted
from brokers.link.emergency_line import EmergencyLine
from brokers.link.secret import Credentials, Secret
from brokers.sandbox.orders import Ticket
from engine.model.orders import OrderType
from engine.venue import Holding, WorkingOrder
from tests.brokers.bitunix.test_conformance import BTC, KEYS, Running, sandbox, stood_on
from tests.brokers.conformance.ground import BUY, QTY, SELL, Ground, until
from tests.brokers.conformance.suite import bought, placed

T = TypeVar("T")
IDS = CAPABILITIES.ids_of("run1")
LONG = "an-agent-with-a-very-long-name-8"
DIGEST = IDS.of(LONG)
Make = Callable[..., BitunixDesk]


@pytest.fixture
async def ground() -> AsyncIterator[Ground]:
    async with sandbox() as running, stood_on(running) as found:
        found.running = running
        yield found


@pytest.fixture
def lines() -> Iterator[list[EmergencyLine]]:
    made: list[EmergencyLine] = []
    yield made
    for line in made:
        line.close()


@pytest.fixture
def desk_of(lines: list[EmergencyLine]) -> Make:
    def make(running: Running, keys: Credentials = KEYS) -> BitunixDesk:
        line = EmergencyLine(running.config().rest_url)
        lines.append(line)
        return BitunixDesk(keys, line, (BTC.symbol,), IDS)

    return make


async def done(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


async def test_it_clears_up_what_the_account_left(ground: Ground, desk_of: Make) -> None:
    """Cancels this run's orders, closes its position, tells both; a stranger's order stays."""
    await bought(ground)
    orders = [await placed(ground, ticks=ticks) for ticks in (990, 985)]
    reducing = ground.limit(SELL, 1_010, is_reduce_only=True)
    assert isinstance(await ground.account.place(reducing), Accepted)
    digest = Ticket(ground.symbol, BUY, OrderType.LIMIT, QTY, ground.price(984), DIGEST)
    stranger = digest._replace(client_id="web_1")
    others = digest._replace(client_id=CAPABILITIES.ids_of("run2").of(LONG))
    elsewhere = digest._replace(client_id="run1-x", symbol="ETHUSDT")
    ground.stage.quote(symbol="ETHUSDT")
    for ticket in (digest, stranger, others, elsewhere):
        ground.stage.exchange.place(ticket)
    desk = desk_of(ground.running)

    working = await done(desk.working)
    canceled = [await done(lambda one=one: desk.cancel(one, 5)) for one in working]
    fills = await done(lambda: desk.latest_fills(5))
    held = await done(desk.holdings)
    closed = [await done(lambda one=one: desk.flatten(one, 5)) for one in held]

    names = {order.client_id.removeprefix("run1-") for order in (*orders, reducing)}
    assert names | {DIGEST} == {order.order_id for order in working}
    assert {order.order_id for order in working} == {one.order_id for one in canceled}
    assert [False, False, False, True] == [order.is_reducing for order in working]
    assert ["agent-1"] == [fill.order_id for fill in fills]
    assert [("sentinel-1", SELL, QTY)] == [(one.order_id, one.side, one.qty) for one in closed]
    last = ground.stage.exchange.fills()[-1]
    assert (last.price, last.fee) == (closed[0].price, closed[0].fee)
    assert [] == await done(desk.working)
    assert [] == await done(desk.holdings)
    assert {"web_1", "run1-x", others.client_id} == set(ground.open_ids())


async def test_what_is_gone_is_not_confirmed(ground: Ground, desk_of: Make) -> None:
    """An order that has filled was not canceled."""
    order = await placed(ground)
    desk = desk_of(ground.running)
    (working,) = await done(desk.working)
    ground.meet(990, QTY)
    await until(ground.fills)
    assert await done(lambda: desk.cancel(working, 5)) is None
    never = WorkingOrder("nobody-1", ground.symbol, False)
    assert await done(lambda: desk.cancel(never, 5)) is None
    assert [order.client_id] == [
        f"run1-{f.order_id}" for f in await done(lambda: desk.latest_fills(5))
    ]


async def test_closing_what_is_not_there(ground: Ground, desk_of: Make) -> None:
    """Reduce-only: it can't turn."""
    desk = desk_of(ground.running)
    assert await done(lambda: desk.flatten(Holding(ground.symbol, Decimal(1)), 5)) is None
    assert 0 == ground.position()


async def test_a_clock_that_is_off_keeps_no_position_open(ground: Ground, desk_of: Make) -> None:
    """It asks again with the venue's time."""
    await bought(ground)
    ground.fault("clock_skew", ms=3_600_000)
    (held,) = await done(desk_of(ground.running).holdings)
    assert (ground.symbol, QTY) == held


@pytest.mark.parametrize(
    "fault", ["html_200", "truncated_json", "error_5xx", "drop", "maintenance"]
)
async def test_what_fails_is_an_os_error_without_the_key(
    ground: Ground, desk_of: Make, fault: str
) -> None:
    """Never an empty answer."""
    ground.fault(fault, times=2) if fault == "drop" else ground.fault(fault)
    with pytest.raises(OSError, match=r"bitunix|venue") as failed:
        await done(desk_of(ground.running).working)
    assert "sandbox-key" not in str(failed.value)


async def test_a_wrong_key(ground: Ground, desk_of: Make) -> None:
    """Says so."""
    keys = Credentials("sandbox-key", Secret("wrong"))
    with pytest.raises(OSError, match="10007"):
        await done(desk_of(ground.running, keys).holdings)


async def test_a_host_that_is_not_known() -> None:
    """Is found out before there is an emergency."""
    config = Running().config(rest_url="https://no-such-host.invalid")
    with pytest.raises(socket.gaierror):
        await done(lambda: open_desk(KEYS, config, (BTC,), "run1"))


def test_it_needs_no_web_client() -> None:
    """A sentinel starts fast."""
    code = (
        "import sys, brokers.bitunix.emergency;"
        "sys.exit(any(name in sys.modules for name in ('aiohttp', 'websockets', 'asyncio')))"
    )
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode
