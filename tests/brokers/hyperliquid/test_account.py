"""An account against the sandbox: what is sent, what is told, what a refusal means."""

import dataclasses
from decimal import Decimal

import pytest

from brokers.hyperliquid.account import open_account
from brokers.hyperliquid.cloid import client_id_of
from brokers.link.account import Accepted, LineDown, LineUp, OrderRef, Picture, Refused
from brokers.sandbox.faults import Fault
from brokers.sandbox.hyperliquid_door import AGENT_KEY, MASTER_KEY
from engine.model.account import Liquidity
from engine.model.errors import CredentialsRefused, DataUnavailable
from engine.model.orders import OrderType, TimeInForce
from engine.model.venue_events import RejectReason, Standing
from tests.brokers.hyperliquid.accounts import BUY, SELL, Trader, credentials, ref, trader
from tests.brokers.hyperliquid.exchange import exchange

STRANGER = "0x" + "11" * 32


async def test_facts() -> None:
    """What has to be known: money, fees, leverage, what the wallet may do."""
    async with exchange() as venue, trader(venue) as trading:
        facts = await trading.account.facts()

        assert (Decimal(10_000), ()) == (facts.balance, facts.positions)
        assert (True, False, True) == (facts.can_trade, facts.can_withdraw, facts.is_one_way)
        assert (Decimal(2), Decimal(5)) == (facts.maker_fee_bps, facts.taker_fee_bps)
        assert (Decimal(5), 0) == (facts.leverage, facts.open_orders)
        assert abs(facts.clock_offset_ns) < 10**9
        assert venue.sandbox.door.master[-4:] == facts.tail


REFUSED = [
    # whose wallet, which address, what is said
    (AGENT_KEY, "agent", "of which the venue shows nothing: give the master's, 0x5881...c831"),
    (AGENT_KEY, "0x" + "ab" * 20, "knows no account 0xabab...abab"),
    (STRANGER, "master", "the wallet 0x19e7...ff2a is no agent of 0x5881...c831"),
]


@pytest.mark.parametrize(("key", "address", "said"), REFUSED)
async def test_a_wallet_and_an_address_that_do_not_belong_together(key, address, said) -> None:
    """The venue would only show an empty account; here it is one line."""
    async with exchange() as venue:
        door = venue.sandbox.door
        told = {"agent": door.agent, "master": door.master}.get(address, address)
        account = open_account(credentials(venue, key, told), venue.config, ())
        async with account:
            with pytest.raises(CredentialsRefused) as refused:
                await account.facts()

    assert said in str(refused.value)
    assert key[2:] not in str(refused.value)


async def test_the_masters_own_wallet_could_withdraw() -> None:
    """Which whoever arms a session has to know."""
    async with (
        exchange() as venue,
        open_account(credentials(venue, MASTER_KEY), venue.config, ()) as account,
    ):
        assert (await account.facts()).can_withdraw


async def test_a_venue_that_is_not_there() -> None:
    """Has no facts, refuses nothing for good, and has an unanswered picture."""
    async with exchange() as venue:
        config = venue.config
    async with open_account(credentials(venue), config, ()) as account:
        with pytest.raises(DataUnavailable, match="not sent"):
            await account.facts()
        assert "not sent" in (await account.picture(0)).cause


async def rested(trading: Trader, side=BUY, share: str = "0.97", **kw):
    order = trading.limit(side, "0.01", trading.far(share), **kw)
    told = await trading.account.place(order)
    assert isinstance(told, Accepted), told
    await trading.until(lambda: trading.orders(order))
    return order, told.venue_order_id


async def test_an_order_rests_and_is_canceled() -> None:
    """Accepted with its number, told on the stream, canceled once."""
    async with exchange() as venue, trader(venue) as trading:
        order, number = await rested(trading, is_post_only=True)
        (told,) = trading.orders(order)
        assert (Standing.WORKING, number) == (told.standing, told.venue_order_id)
        assert (order.qty, order.price, 0) == (told.qty, told.price, told.filled_qty)
        (shown,) = venue.core.open_orders()
        assert order.client_id == client_id_of(shown.client_id)
        assert shown.ticket.is_post_only

        assert isinstance(await trading.account.cancel(ref(order)), Accepted)
        await trading.until(lambda: len(trading.orders(order)) == 2)
        assert Standing.CANCELED is trading.orders(order)[-1].standing
        again = await trading.account.cancel(ref(order))
        assert (number, Standing.CANCELED) == (again.venue_order_id, again.report.standing)
        never = await trading.account.cancel(ref(trading.limit(BUY, "0.01", order.price)))
        assert (RejectReason.ORDER_NOT_FOUND, "it is not_found") == never


async def test_a_market_order_fills() -> None:
    """At once by its answer, fill by fill on the stream; fees and sides as they are."""
    async with exchange() as venue, trader(venue) as trading:
        order = trading.market(BUY, "0.01")
        told = await trading.account.place(order)
        assert (Standing.FILLED, order.qty) == (told.report.standing, told.report.filled_qty)
        await trading.until(lambda: sum(f.qty for f in trading.fills(order)) == order.qty)
        fill = trading.fills(order)[0]
        assert (BUY, Liquidity.TAKER, told.venue_order_id) == (
            fill.side, fill.liquidity, fill.venue_order_id,
        )  # fmt: skip
        assert (
            pytest.approx(fill.price * fill.qty * Decimal("0.0005"), abs=Decimal("0.000001"))
            == fill.fee
        )
        await trading.until(lambda: trading.orders(order))
        assert Standing.FILLED is trading.orders(order)[-1].standing

        closing = trading.market(SELL, "0.01", is_reduce_only=True)
        assert Standing.FILLED is (await trading.account.place(closing)).report.standing
        assert not venue.core.position("BTC").qty


async def test_a_limit_that_is_immediate_and_meets_nobody() -> None:
    """Came in and ended: no refusal, nothing filled."""
    async with exchange() as venue, trader(venue) as trading:
        order = trading.limit(BUY, "0.01", trading.far("0.97"), tif=TimeInForce.IOC)
        told = await trading.account.place(order)

        assert isinstance(told, Accepted), told
        assert (Standing.EXPIRED, 0) == (told.report.standing, told.report.filled_qty)


REFUSALS = [
    # what, side, qty, share of the mark, changes, reason, sent
    ("crossing", BUY, "0.01", "1.03", {"is_post_only": True}, RejectReason.POST_ONLY_WOULD_CROSS, True),
    ("no money", BUY, "9", "0.97", {}, RejectReason.INSUFFICIENT_BALANCE, True),
    ("too small", BUY, "0.00009", "0.97", {}, RejectReason.INVALID_ORDER, True),
    ("far away", BUY, "0.01", "2", {}, RejectReason.INVALID_ORDER, True),
    ("nothing to reduce", SELL, "0.01", "1.03", {"is_reduce_only": True}, RejectReason.REDUCE_ONLY_REJECTED, True),
    ("off the lot", BUY, "0.0000001", "0.97", {}, RejectReason.INVALID_ORDER, False),
    ("off the tick", BUY, "0.01", "0.97", {"price": Decimal("100000.5")}, RejectReason.INVALID_ORDER, False),
    ("no price", BUY, "0.01", "0.97", {"price": None}, RejectReason.INVALID_ORDER, False),
    ("fill or kill", BUY, "0.01", "0.97", {"tif": TimeInForce.FOK}, RejectReason.INVALID_ORDER, False),
    ("a stop", BUY, "0.01", "0.97", {"type": OrderType.STOP}, RejectReason.INVALID_ORDER, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("side", "qty", "share", "changed", "reason", "is_sent"),
    [row[1:] for row in REFUSALS],
    ids=[row[0] for row in REFUSALS],
)
async def test_refusals(side, qty, share, changed, reason, is_sent) -> None:
    """By the venue in its words, or here before anything is sent."""
    async with exchange() as venue, trader(venue) as trading:
        used = venue.sandbox.door.budget.used
        order = trading.limit(side, qty, trading.far(share))._replace(**changed)
        told = await trading.account.place(order)

        assert isinstance(told, Refused), told
        assert reason is told.reason
        assert told.detail
        assert used + is_sent == venue.sandbox.door.budget.used


async def test_a_wallet_the_venue_does_not_know() -> None:
    """Says auth, and names the address it saw: the sign of a wrong hash, too."""
    async with exchange() as venue:
        account = open_account(credentials(venue, STRANGER), venue.config, ())
        async with account, trader(venue) as trading:
            told = await account.place(trading.limit(BUY, "0.01", trading.far("0.97")))

    assert (RejectReason.AUTH, True) == (told.reason, "0x19e7e376" in told.detail)


async def test_how_an_order_stands() -> None:
    """By our name for it; by the venue's where it has none of ours."""
    async with exchange() as venue, trader(venue) as trading:
        order, number = await rested(trading)
        told = await trading.account.order(ref(order))
        assert (Standing.WORKING, number) == (told.standing, told.venue_order_id)
        unnamed = OrderRef("", number, None, "BTC")
        assert Standing.WORKING is (await trading.account.order(unnamed)).standing
        nobody = trading.limit(BUY, "0.01", order.price)
        assert Standing.NOT_FOUND is (await trading.account.order(ref(nobody))).standing
        await trading.account.cancel(unnamed)
        assert Standing.CANCELED is (await trading.account.order(ref(order))).standing


async def test_another_process_knows_its_orders_by_name() -> None:
    """Nothing but the venue remembers them."""
    async with exchange() as venue:
        async with trader(venue) as first:
            order, _ = await rested(first)
            bought = first.market(BUY, "0.01")
            await first.account.place(bought)
        async with trader(venue) as second:
            picture = await second.account.picture(0)
            assert isinstance(picture, Picture), picture
            (shown,) = picture.orders
            assert order.client_id == shown.client_id
            assert {bought.client_id} == {fill.client_id for fill in picture.fills}
            assert Decimal("0.01") == sum(fill.qty for fill in picture.fills)
            (held,) = picture.positions
            assert ("BTC", Decimal("0.01")) == (held.symbol, held.qty)
            paid = sum(fill.fee for fill in picture.fills)
            assert pytest.approx(10_000 - paid, abs=Decimal("0.0001")) == picture.balance
            assert [] == second.fills(bought)  # history is not told as news
            later = await second.account.picture(picture.taken_ns + 10**9)
            assert () == later.fills


async def test_a_line_that_breaks_comes_back_with_what_happened_meanwhile() -> None:
    """Down, up, and the fill of in between, once."""
    async with exchange() as venue, trader(venue) as trading:
        for listener in list(venue.sandbox.lines.listeners):
            listener.outbox.is_behind = True
            listener.outbox.offer(b"{}")
        await trading.until(lambda: trading.of(LineDown))
        order = trading.market(BUY, "0.01")
        await trading.account.place(order)
        await trading.until(lambda: len(trading.of(LineUp)) == 2)
        await trading.until(lambda: sum(f.qty for f in trading.fills(order)) == order.qty)

        trades = [fill.trade_id for fill in trading.fills(order)]
        assert len(set(trades)) == len(trades)


async def test_a_line_whose_streams_are_not_confirmed_is_given_up() -> None:
    """Else it stays open, brings prices, and counts as down for ever."""
    async with exchange() as venue, trader(venue, open_timeout_s=0.5) as trading:
        venue.sandbox.faults.arm(Fault("silent_stream", seconds=1.0))
        venue.sandbox.faults.arm(Fault("kill_streams"))
        await trading.until(lambda: len(trading.of(LineUp)) == 2)
        assert 1 == len(trading.of(LineDown))


async def test_a_fill_that_is_told_twice_counts_once() -> None:
    """Whatever the venue repeats."""
    async with exchange() as venue, trader(venue) as trading:
        venue.sandbox.faults.arm(Fault("duplicate_fills", times=50))
        order = trading.market(BUY, "0.01")
        await trading.account.place(order)
        last, _ = await rested(trading)
        told = [fill.trade_id for fill in trading.fills(order)]
        assert [str(fill.trade_id) for fill in venue.core.fills()] == told
        assert last


async def test_a_message_that_can_not_be_read_ends_the_line() -> None:
    """What it said is not guessed."""
    async with exchange() as venue, trader(venue) as trading:
        venue.sandbox.lines.tell("orderUpdates", venue.sandbox.door.master, [{"order": 5}])
        await trading.until(lambda: trading.of(LineDown))

        assert "can't be read" in trading.of(LineDown)[0].cause


async def test_a_word_of_tomorrow_ends_nothing() -> None:
    """It is counted, and nothing is concluded from it."""
    async with exchange() as venue, trader(venue) as trading:
        order, _ = await rested(trading)
        row = venue.sandbox.account.blotter.row_of(venue.core.open_orders()[0])
        venue.sandbox.account.blotter._say(row, "pausedByDao", 5)
        await trading.until(lambda: trading.account._listener.words_unheard)

        assert 1 == len(trading.orders(order))
        assert "pausedByDao" in (await trading.account.order(ref(order))).cause


AMENDING = {"amends": True}


async def test_an_amendment_is_one_order_with_another_number() -> None:
    """The cancel of the old number is nobody's end."""
    async with exchange() as venue, trader(venue, **AMENDING) as trading:
        order, number = await rested(trading)
        told = await trading.account.amend(ref(order, number), order.price - 5, Decimal("0.02"))
        assert isinstance(told, Accepted), told
        assert told.report.is_amendment
        assert number != told.venue_order_id
        assert (order.price - 5, Decimal("0.02")) == (told.report.price, told.report.qty)
        await trading.account.cancel(ref(order))
        await trading.until(lambda: trading.orders(order)[-1].standing is Standing.CANCELED)

        ends = [r for r in trading.orders(order) if r.standing is not Standing.WORKING]
        assert [told.venue_order_id] == [end.venue_order_id for end in ends]


async def test_an_amendment_that_is_refused_changes_nothing() -> None:
    """The order works on as it was."""
    async with exchange() as venue, trader(venue, **AMENDING) as trading:
        order, _ = await rested(trading)
        told = await trading.account.amend(ref(order), order.price, Decimal("0.00001"))
        assert (RejectReason.INVALID_ORDER, True) == (told.reason, "$10" in told.detail)
        assert Standing.WORKING is (await trading.account.order(ref(order))).standing
        bought = trading.limit(BUY, "0.01", trading.far("1.03"))
        await trading.account.place(bought)
        gone = await trading.account.amend(ref(bought), order.price, Decimal("0.02"))
        assert RejectReason.ORDER_NOT_FOUND is gone.reason


async def test_orders_are_not_amended_unless_asked_for() -> None:
    """It says so in its capabilities, and sends nothing."""
    async with exchange() as venue, trader(venue) as trading:
        order, _ = await rested(trading)
        used = venue.sandbox.door.budget.used
        told = await trading.account.amend(ref(order), order.price, Decimal("0.02"))

        assert isinstance(told, Refused)
        assert not trading.account.capabilities.can_amend_price
        assert used == venue.sandbox.door.budget.used


async def test_the_dead_man_switch() -> None:
    """Set once for many beats, fires, cancels all, and is told."""
    async with exchange() as venue, trader(venue) as trading:
        order, _ = await rested(trading)
        used = venue.sandbox.door.budget.used
        assert [True] * 3 == [await trading.account.renew(30) for _ in range(3)]
        assert used + 1 == venue.sandbox.door.budget.used
        assert await trading.account.renew(0) is False
        assert venue.sandbox.desk.cancel_at_ms is None
        assert await trading.account.renew(30)

        venue.sandbox.desk.cancel_at_ms = 1
        await trading.until(lambda: len(trading.orders(order)) == 2)
        told = trading.orders(order)[-1]
        assert (Standing.CANCELED, "scheduledCancel") == (told.standing, told.detail)


async def test_a_key_that_is_refused_for_a_moment_costs_no_switch() -> None:
    """That is nothing the venue says of the switch: the next beat sets it."""
    async with exchange() as venue, trader(venue) as trading:
        venue.sandbox.faults.arm(Fault("revoke_key"))
        assert not await trading.account.renew(30)
        venue.sandbox.faults.mend()

        assert await trading.account.renew(30)


async def test_who_leaves_takes_the_switch_back_where_it_guards_nothing() -> None:
    """That it fires is counted; while an order works it stays."""
    async with exchange() as venue:
        async with trader(venue) as trading:
            assert await trading.account.renew(30)
        assert venue.sandbox.desk.cancel_at_ms is None
        async with trader(venue) as trading:
            await rested(trading)
            assert await trading.account.renew(30)
        assert venue.sandbox.desk.cancel_at_ms is not None


async def test_an_address_that_has_used_its_requests_up_sends_cancels_only() -> None:
    """By the venue's own count, before it refuses."""
    async with exchange() as venue, trader(venue) as trading:
        order, _ = await rested(trading)
        venue.sandbox.door.budget.used = 10_000
        await trading.account.facts()
        told = await trading.account.place(trading.limit(BUY, "0.01", order.price))
        assert RejectReason.RATE_LIMIT is told.reason
        assert 10_000 == venue.sandbox.door.budget.used
        assert isinstance(await trading.account.cancel(ref(order)), Accepted)


async def test_too_much_from_this_machine_is_obeyed() -> None:
    """After a 429 nothing but cancels leaves for a while."""
    async with exchange() as venue, trader(venue) as trading:
        order, _ = await rested(trading)
        venue.sandbox._budget.spend({"ip": 1_200}, 10.0**9)
        told = await trading.account.place(trading.limit(BUY, "0.01", order.price))
        assert (RejectReason.RATE_LIMIT, "429: null") == (told.reason, told.detail)
        again = await trading.account.place(trading.limit(BUY, "0.01", order.price))
        assert "no room left" in again.detail


async def test_a_request_that_comes_too_late_has_no_effect() -> None:
    """By the venue's clock."""
    async with exchange() as venue, trader(venue, expires_after_s=0.001) as trading:
        trading.account._caller._clock.sample(
            sent_ns=0, received_ns=0, wall_ns=10 * 10**9, venue_ns=0
        )
        told = await trading.account.place(trading.limit(BUY, "0.01", trading.far("0.97")))

        assert RejectReason.CLOCK_SKEW is told.reason
        assert [] == venue.core.open_orders()


async def test_nothing_of_the_key_is_shown() -> None:
    """Not by an account, nor by what it is made of."""
    async with exchange() as venue:
        account = open_account(credentials(venue), dataclasses.replace(venue.config), ())
        shown = repr(account) + repr(vars(account)) + repr(vars(account._caller))

    assert AGENT_KEY[2:] not in shown.lower()
