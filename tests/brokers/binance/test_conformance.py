"""The account at Binance against its sandbox: the suite of every venue, and Binance's own traps."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from brokers.binance.account import BinanceAccount, open_account
from brokers.binance.config import BinanceConfig
from brokers.binance.emergency import BinanceDesk
from brokers.binance.requests import CAPABILITIES
from brokers.link.account import Accepted, FundingReport, LineDown, LineUp, Refused
from brokers.link.emergency_line import EmergencyLine
from brokers.link.secret import Credentials, Secret
from brokers.sandbox.orders import Ticket
from engine.model.errors import CredentialsRefused
from engine.model.orders import OrderType, TimeInForce
from engine.model.venue_events import RejectReason, Standing
from tests.brokers.conformance.ground import ASK, BUY, QTY, SELL, Ground, listening, until
from tests.brokers.conformance.suite import Conformance, bought, placed
from tests.brokers.sandbox.client import Venue, venue
from tests.brokers.sandbox.stage import instrument

KEYS = Credentials("sandbox-key", Secret("sandbox-secret"))
BTC = instrument("BTCUSDT")


def config_of(running: Venue) -> BinanceConfig:
    at = f"127.0.0.1:{running.client.port}"
    return BinanceConfig(
        rest_url=f"http://{at}", spot_url=f"http://{at}", private_url=f"ws://{at}/private",
        answer_s=1.0, reconnects_per_hour=3_600,
    )  # fmt: skip


def opened(running: Venue, keys: Credentials = KEYS, **config: object) -> BinanceAccount:
    return open_account(keys, replace(config_of(running), **config), (BTC,))


@pytest.fixture
async def running() -> AsyncIterator[Venue]:
    async with venue() as sandbox:
        yield sandbox


@pytest.fixture
async def ground(running: Venue) -> AsyncIterator[Ground]:
    async with opened(running) as account:
        await account.facts()
        stage = running.stage
        ground = Ground(
            account, stage, running.sandbox.faults, BTC,
            place_path="/fapi/v1/order", place_method="POST",
            batch_path="/fapi/v1/batchOrders", cancel_path="/fapi/v1/batchOrders",
            another=lambda: opened(running),
        )  # fmt: skip
        async with listening(ground):
            yield ground


class TestBinance(Conformance):
    """Every venue's."""


# --- Binance's own ---------------------------------------------------------------------------------


async def test_a_post_only_order_that_is_accepted_and_expires(ground: Ground) -> None:
    """Row post-only, the second path of the sheet: the same word as a refusal."""
    ground.fault("post_only_expires")
    outcome = await ground.account.place(ground.limit(ticks=ASK, is_post_only=True))
    assert isinstance(outcome, Refused)
    assert RejectReason.POST_ONLY_WOULD_CROSS is outcome.reason
    assert [] == ground.open_ids()


async def test_an_amend_that_would_cross_kills_a_post_only_order(ground: Ground) -> None:
    """It is canceled, and said so."""
    order = await placed(ground, is_post_only=True)

    outcome = await ground.account.amend(ground.ref(order), ground.price(ASK), QTY)

    assert isinstance(outcome, Accepted)
    assert outcome.report.standing in (Standing.CANCELED, Standing.EXPIRED)
    assert [] == ground.open_ids()
    assert 0 == ground.position()


async def test_an_amend_below_what_has_filled_kills(ground: Ground) -> None:
    """What has filled counts."""
    order = await placed(ground)
    ground.meet(990, QTY / 2)
    await until(ground.fills)

    outcome = await ground.account.amend(ground.ref(order), order.price, QTY / 2)

    assert isinstance(outcome, Accepted)
    assert (Standing.CANCELED, QTY / 2) == (outcome.report.standing, outcome.report.filled_qty)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_fill_overtakes_an_amend_and_a_cancel(ground: Ground, method: str) -> None:
    """Rows 35, 38: the request is on its way while the order fills; the fill counts."""
    order = await placed(ground)
    ref = ground.ref(order)
    ground.fault("delay", path="/fapi/v1/order", method=method, seconds=0.3)
    if method == "PUT":
        asking = asyncio.create_task(ground.account.amend(ref, ground.price(985), QTY * 2))
    else:
        asking = asyncio.create_task(ground.account.cancel(ref))
    await until(lambda: not ground.faults.listing()["armed"])
    ground.trade(SELL, 980, QTY)

    outcome = await asking

    assert isinstance(outcome, Refused)
    assert (RejectReason.ORDER_NOT_FOUND, "it is filled") == outcome
    await ground.stood(order, Standing.FILLED)
    assert QTY == ground.position() == sum(fill.qty for fill in ground.fills())


async def test_an_amend_that_changes_nothing_is_done_already(ground: Ground) -> None:
    """-5027."""
    order = await placed(ground)
    outcome = await ground.account.amend(ground.ref(order), order.price, QTY)
    assert isinstance(outcome, Accepted)
    assert Standing.WORKING is outcome.report.standing


async def test_a_clock_that_jumps_is_followed(ground: Ground) -> None:
    """Row 43: once, and the order is placed; pictures carry the venue's time."""
    for ms in (60_000, -60_000, 0):
        ground.fault("clock_skew", ms=ms)
        assert isinstance(await ground.account.place(ground.limit()), Accepted)
        facts = await ground.account.facts()
        assert abs(facts.clock_offset_ns - ms * 1_000_000) < 2 * 10**9


async def test_a_key_that_expires_is_made_anew(ground: Ground) -> None:
    """Row 48: the line goes on under another."""
    ground.fault("expire_listen_key")
    await until(lambda: 2 == len(ground.of(LineUp)))
    await placed(ground)


async def test_the_index_lags_behind_a_lost_answer(ground: Ground) -> None:
    """Row 25: not found twice is not "not there"."""
    ground.fault_placing("accept_then_timeout")
    order = ground.limit()
    await ground.account.place(order)
    ground.fault("not_found_twice")
    standings = [(await ground.account.order(ground.ref(order))).standing for _ in range(3)]
    assert [Standing.NOT_FOUND] * 2 + [Standing.WORKING] == standings


async def test_maintenance_refuses_and_a_ban_silences(ground: Ground) -> None:
    """Rows 30, 31: nothing is sent into a ban."""
    order = await placed(ground)
    ground.fault("ban", seconds=60.0)
    outcome = await ground.account.place(ground.limit())
    assert RejectReason.RATE_LIMIT is outcome.reason
    ground.faults._until_ns.clear()
    outcome = await ground.account.cancel(ground.ref(order))
    assert RejectReason.RATE_LIMIT is outcome.reason
    assert 1 == len(ground.open_ids())


async def settle(ground: Ground) -> None:
    """Let funding be paid: its time passes, and the next is announced."""
    next_ns = time.time_ns() + 1_000_000
    ground.stage.funding("100", "0.01", next_ns)
    await until(lambda: time.time_ns() > next_ns)
    ground.stage.funding("100", "0.01", next_ns + 10**12)


async def test_funding_is_told(running: Venue, ground: Ground) -> None:
    """What was paid, for what and when: after a break, by event, and to a later process."""
    await bought(ground)
    ground.fault("drop", path="/fapi/v1/listenKey", times=2)  # down until it was paid
    ground.fault("kill_streams")
    await until(lambda: ground.of(LineDown))
    await settle(ground)
    await until(lambda: len(ground.of(FundingReport)) == 1)
    await settle(ground)
    await until(lambda: len(ground.of(FundingReport)) == 2)

    paid = ground.of(FundingReport)
    assert {(ground.symbol, Decimal("-0.5"))} == {(told.symbol, told.amount) for told in paid}
    assert 2 == len({told.at_ns for told in paid})
    async with opened(running) as later:
        second = Ground(later, ground.stage, ground.faults, BTC)
        async with listening(second):
            assert [] == second.of(FundingReport)
            await later.picture(ground.began_ns)
            await until(lambda: second.of(FundingReport))
            assert paid == second.of(FundingReport)


async def test_another_process_finds_everything(running: Venue, ground: Ground) -> None:
    """A9: orders and fills under the names they were placed with."""
    first = await bought(ground)
    second = await placed(ground)
    async with opened(running) as later:
        picture = await later.picture(ground.began_ns)
        assert {first.client_id} == {fill.client_id for fill in picture.fills}
        assert [second.client_id] == [order.client_id for order in picture.orders]
        ref = ground.ref(second, is_remembered=False)
        assert isinstance(await later.cancel(ref), Accepted)


@pytest.mark.parametrize(
    ("key", "secret", "can_trade", "can_withdraw"),
    [
        ("sandbox-key", "sandbox-secret", True, False),
        ("sandbox-readonly", "sandbox-readonly-secret", False, False),
        ("sandbox-withdraw", "sandbox-withdraw-secret", True, True),
    ],
)
async def test_what_a_key_may_do(
    running: Venue, key: str, secret: str, can_trade: bool, can_withdraw: bool
) -> None:
    """Asked, never tried."""
    async with opened(running, Credentials(key, Secret(secret))) as account:
        facts = await account.facts()
    assert (can_trade, can_withdraw) == (facts.can_trade, facts.can_withdraw)
    assert key.endswith(facts.tail)


async def test_a_key_that_may_not_trade_is_refused_where_it_tries(running: Venue) -> None:
    """-2015."""
    keys = Credentials("sandbox-readonly", Secret("sandbox-readonly-secret"))
    async with opened(running, keys) as account:
        ground = Ground(account, running.stage, running.sandbox.faults, BTC)
        assert RejectReason.AUTH is (await account.place(ground.limit())).reason


@pytest.mark.parametrize(("key", "secret"), [("sandbox-key", "wrong"), ("nobody", "x")])
async def test_a_wrong_key_is_said_so_in_one_line(running: Venue, key: str, secret: str) -> None:
    """With the venue's reason."""
    async with opened(running, Credentials(key, Secret(secret))) as account:
        with pytest.raises(CredentialsRefused, match="does not take the key: -"):
            await account.facts()


async def test_the_limits_are_the_venues(ground: Ground) -> None:
    """Orders stop at the share that is kept for cancels, before the venue has to refuse."""
    reasons = set()
    outcomes = []
    for _ in range(300):
        outcome = await ground.account.place(ground.limit(ticks=1, type=OrderType.LIMIT))
        outcomes.append(outcome)
        if isinstance(outcome, Refused) and outcome.reason is RejectReason.RATE_LIMIT:
            reasons.add(outcome.detail)
            break
    assert {"no room left in the venue's request limits"} == reasons
    assert 200 <= len(outcomes) <= 241


async def test_the_sentinel_clears_up_what_the_account_left(ground: Ground) -> None:
    """Cancels this run's orders, closes its position, tells both; a stranger's order stays."""
    await bought(ground)
    orders = [await placed(ground, ticks=ticks) for ticks in (990, 980)]
    reducing = ground.limit(SELL, 1_050, is_reduce_only=True)
    assert isinstance(await ground.account.place(reducing), Accepted)
    stranger = Ticket(ground.symbol, BUY, OrderType.LIMIT, QTY, ground.price(970), "web_1")
    ground.stage.exchange.place(stranger)
    line = EmergencyLine(ground.account._config.rest_url)
    desk = BinanceDesk(KEYS, line, (ground.symbol,), "USDT", CAPABILITIES.ids_of("run1"))

    def clear() -> tuple:
        working = desk.working()
        canceled = [desk.cancel(order, 5) for order in working]
        fills = desk.latest_fills(5)
        return working, canceled, fills, [desk.flatten(one, 5) for one in desk.holdings()]

    with contextlib.closing(line):
        working, canceled, fills, closed = await asyncio.to_thread(clear)
        assert [] == await asyncio.to_thread(desk.working)
        assert [] == await asyncio.to_thread(desk.holdings)

    names = {order.client_id.removeprefix("run1-") for order in (*orders, reducing)}
    assert names == {order.order_id for order in working} == {one.order_id for one in canceled}
    assert [False, False, True] == [order.is_reducing for order in working]
    assert ["agent-1"] == [fill.order_id for fill in fills]
    assert [("sentinel-1", SELL, QTY)] == [(one.order_id, one.side, one.qty) for one in closed]
    exchange_fill = ground.stage.exchange.fills()[-1]
    assert (exchange_fill.price, exchange_fill.fee) == (closed[0].price, closed[0].fee)
    assert ["web_1"] == ground.open_ids()


async def test_ioc_takes_what_there_is(ground: Ground) -> None:
    """The rest expires; the answer and the stream agree on what filled."""
    ground.quote(lots=200)
    order = ground.limit(ticks=ASK, tif=TimeInForce.IOC)
    outcome = await ground.account.place(order)
    assert isinstance(outcome, Accepted)
    report = await ground.stood(order, Standing.EXPIRED)
    assert Decimal("0.2") == report.filled_qty == outcome.report.filled_qty == ground.position()
