"""The account at Bitunix against its sandbox: the suite of every venue, and Bitunix's own traps."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from brokers.bitunix.account import BitunixAccount, open_account
from brokers.bitunix.config import BitunixConfig
from brokers.link.account import Accepted, LineDown, LineUp, Refused, Unclear
from brokers.link.secret import Credentials, Secret
from brokers.sandbox.bitunix import RULES, BitunixSandbox
from engine.model.venue_events import RejectReason, Standing
from tests.brokers.conformance.ground import Ground, listening, until
from tests.brokers.conformance.suite import Conformance, placed
from tests.brokers.sandbox.stage import Stage, instrument

KEYS = Credentials("sandbox-key", Secret("sandbox-secret"))
BTC = instrument("BTCUSDT")
BAND = {"rules": RULES}


class Running:
    """A sandbox whose market moves when told."""

    def __init__(self) -> None:
        self.stage = Stage(is_live=True, **BAND)
        self.sandbox = BitunixSandbox(self.stage.market, self.stage.exchange)
        self.port = 0

    def config(self, **changes: object) -> BitunixConfig:
        at = f"127.0.0.1:{self.port}"
        words: dict = {
            "rest_url": f"http://{at}", "public_url": f"ws://{at}/public/",
            "private_url": f"ws://{at}/private/", "answer_s": 1.0, "reconnects_per_hour": 3_600,
            "ping_s": 0.5,
        }  # fmt: skip
        return BitunixConfig(**{**words, **changes})

    def opened(self, **changes: object) -> BitunixAccount:
        return open_account(KEYS, self.config(**changes), (BTC,))


@contextlib.asynccontextmanager
async def sandbox() -> AsyncIterator[Running]:
    running = Running()
    runner = web.AppRunner(running.sandbox.app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.port = runner.addresses[0][1]
    try:
        yield running
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def stood_on(running: Running, **changes: object) -> AsyncIterator[Ground]:
    async with running.opened(**changes) as account:
        await account.facts()
        ground = Ground(
            account, running.stage, running.sandbox.faults, BTC,
            place_path="/api/v1/futures/trade/place_order", place_method="POST", burst=5,
            batch_path="/api/v1/futures/trade/batch_order",
            cancel_path="/api/v1/futures/trade/cancel_orders",
            another=lambda: running.opened(**changes),
        )  # fmt: skip
        async with listening(ground):
            yield ground


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with sandbox() as found:
        yield found


@pytest.fixture
async def ground(running: Running) -> AsyncIterator[Ground]:
    async with stood_on(running) as found:
        yield found


class TestBitunix(Conformance):
    """Every venue's."""


# --- Bitunix's own ---------------------------------------------------------------------------------


async def test_a_clock_that_jumps_is_followed(ground: Ground) -> None:
    """Row 43: there is no question for the time; the second in each answer will do."""
    for ms in (60_000, -60_000, 0):
        ground.fault("clock_skew", ms=ms)
        assert isinstance(await ground.account.place(ground.limit()), Accepted)
        facts = await ground.account.facts()
        assert abs(facts.clock_offset_ns - ms * 1_000_000) < 2 * 10**9


async def test_the_index_lags_behind_a_lost_answer(ground: Ground) -> None:
    """Row 25: what the question does not find is looked for among the open orders."""
    ground.fault_placing("accept_then_timeout")
    order = ground.limit()
    assert isinstance(await ground.account.place(order), Unclear)
    ground.fault("not_found_twice")
    ref = ground.ref(order)
    standings = [(await ground.account.order(ref)).standing for _ in range(3)]
    assert [Standing.WORKING] * 3 == standings


async def test_maintenance_refuses_and_a_ban_silences(ground: Ground) -> None:
    """Rows 30, 31."""
    order = await placed(ground)
    ground.fault("maintenance", seconds=60.0)
    outcome = await ground.account.place(ground.limit())
    assert RejectReason.VENUE_UNAVAILABLE is outcome.reason
    ground.faults._until_ns.clear()
    ground.fault("ban", seconds=60.0)
    outcome = await ground.account.place(ground.limit())
    assert isinstance(outcome, Refused)
    assert RejectReason.RATE_LIMIT is outcome.reason
    ground.faults._until_ns.clear()
    assert isinstance(await ground.account.cancel(ground.ref(order)), Accepted)
    assert [] == ground.open_ids()


async def test_a_line_that_says_nothing_any_more_is_given_up(running: Running) -> None:
    """Row 3: pongs are frames; where not even they come, the line is broken."""
    async with stood_on(running, silent_after_s=0.5) as ground:
        ground.fault("silent_stream", seconds=2.0)
        await until(lambda: ground.of(LineDown))
        await until(lambda: 2 == len(ground.of(LineUp)))
        await placed(ground)
