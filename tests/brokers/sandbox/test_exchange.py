"""The trading core of the sandboxes: orders, rules, money; no sockets."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.sandbox.orders import FundingTold, OrderRecord, Refusal, State, Why
from brokers.sandbox.trading_rules import TradingRules
from brokers.sandbox.venue_ledger import VenueLedger
from engine.model.errors import DataUnavailable
from engine.model.market import Trade
from tests.brokers.sandbox.stage import BUY, FOK, IOC, LIMIT, LOT, MS, SELL, TICK, Stage


def ready(**config: object) -> Stage:
    stage = Stage(**config)
    stage.quote()
    stage.quote(symbol="ETHUSDT")
    return stage


def test_an_order_lives_and_is_remembered() -> None:
    """In, filled in part, filled; found by both names; each step told once."""
    stage = ready()
    order = stage.place(BUY, 5, 1000, client_id="a")
    assert (State.NEW, [order]) == (order.state, stage.exchange.open_orders())
    stage.trade(SELL, 1000, 12)
    assert (State.PARTIALLY_FILLED, 2 * LOT) == (order.state, order.filled_qty)
    stage.trade(SELL, 1000, 3)

    assert (State.FILLED, 5 * LOT) == (order.state, order.filled_qty)
    assert order is stage.exchange.order(client_id="a")
    assert order is stage.exchange.order(order_id=order.order_id)
    assert [] == stage.exchange.open_orders()
    assert [2 * LOT, 3 * LOT] == [fill.qty for fill in stage.exchange.fills()]
    assert [1, 2] == [fill.trade_id for fill in stage.exchange.fills()]
    assert 5 == stage.lots()
    assert ["new a", "filled a", "MoneyTold", "filled a", "MoneyTold"] == stage.kinds()


def test_ids_rise_and_are_the_same_again() -> None:
    """Deterministic, wider than 32 bits; the core names what has no name."""
    first, second = (ready().place(BUY, 5, 900) for _ in range(2))
    assert first.order_id == second.order_id > 1 << 32
    stage = ready()
    one, two = stage.place(BUY, 5, 900), stage.place(BUY, 5, 900)
    assert one.order_id + 1 == two.order_id
    assert f"auto-{one.order_id}" == one.client_id


def test_a_client_id_is_unique_among_open_orders_only() -> None:
    """Taken while open, free afterwards, and then it names the newer order."""
    stage = ready()
    old = stage.place(BUY, 5, 900, client_id="a")
    assert Refusal(Why.DUPLICATE_ID) == stage.try_place(BUY, 5, 901, client_id="a")
    assert stage.exchange.cancel(old) is None
    assert Why.OFF_TICK is stage.try_place(BUY, 5, 900, price=Decimal("90.05"), client_id="a").why
    assert old is stage.exchange.order(client_id="a")
    new = stage.place(BUY, 5, 902, client_id="a")
    assert new is stage.exchange.order(client_id="a")
    assert old is stage.exchange.order(order_id=old.order_id)


REFUSED = [
    ({"symbol": "NOPEUSDT"}, Why.UNKNOWN_SYMBOL),
    ({"price": Decimal("90.05")}, Why.OFF_TICK),
    ({"price": Decimal(0)}, Why.OFF_TICK),
    ({"price": Decimal("NaN")}, Why.OFF_TICK),
    ({"qty": Decimal("0.0015")}, Why.OFF_LOT),
    ({"qty": Decimal("-1")}, Why.OFF_LOT),
    ({"qty": Decimal("Infinity")}, Why.OFF_LOT),
    ({"qty": Decimal(2_000_000)}, Why.TOO_LARGE),
    ({"qty": Decimal("0.004")}, Why.MIN_NOTIONAL),
    ({"price": None}, Why.INVALID),
    ({"price": Decimal("105.1")}, Why.PRICE_BAND),
    ({"side": SELL, "price": Decimal("94.9")}, Why.PRICE_BAND),
    ({"price": Decimal("100.1"), "is_post_only": True}, Why.POST_ONLY_WOULD_CROSS),
    ({"is_reduce_only": True}, Why.REDUCE_ONLY),
    ({"qty": Decimal(600)}, Why.MARGIN),
]


@pytest.mark.parametrize(("change", "why"), REFUSED)
def test_a_broken_rule_refuses_and_leaves_nothing(change: dict, why: Why) -> None:
    """The first broken rule is named; nothing of the order is kept; it is told once."""
    stage = ready()
    fields = {"symbol": "BTCUSDT", "qty": 10 * LOT, "client_id": "a", "type": LIMIT, **change}
    refused = stage.try_place(fields.pop("side", BUY), 10, 900, **fields)

    assert isinstance(refused, Refusal)
    assert why is refused.why
    assert (None, []) == (stage.exchange.order(client_id="a"), stage.exchange.open_orders())
    assert ["rejected a"] == stage.kinds()
    assert [] == list(stage.exchange.archive.orders())


def test_open_orders_are_counted_by_symbol() -> None:
    """Full here, free there, free again after a cancel."""
    stage = ready(rules=TradingRules(open_orders_max=2))
    orders = [stage.place(BUY, 10, 900 + n) for n in range(2)]
    assert Refusal(Why.TOO_MANY_ORDERS) == stage.try_place(BUY, 10, 902)
    stage.place(BUY, 10, 900, symbol="ETHUSDT")
    stage.exchange.cancel(orders[0])
    stage.place(BUY, 10, 902)


def test_no_order_before_a_price() -> None:
    """Nothing to match against, nothing to judge by."""
    assert Why.NO_PRICE is Stage().try_place(BUY, 10).why


def test_what_does_not_rest_ends_by_its_own_terms() -> None:
    """IOC and FOK expire, a market order fills."""
    stage = ready()
    ioc = stage.place(BUY, 15, 1001, tif=IOC)
    assert (State.EXPIRED, 10 * LOT, "ioc") == (ioc.state, ioc.filled_qty, ioc.reason)
    stage.quote()
    stage.quote(1000, 1002)
    fok = stage.place(BUY, 15, 1002, tif=FOK)
    assert (State.EXPIRED, 0) == (fok.state, fok.filled_qty)
    assert State.FILLED is stage.place(SELL, 5).state


def test_amending_changes_requeues_or_kills() -> None:
    """Price and total change; a total that has filled cancels; nonsense leaves it as it was."""
    stage = ready()
    order = stage.place(BUY, 10, 900, client_id="a")
    amend = stage.exchange.amend
    assert amend(order, 901 * TICK, 12 * LOT) is None
    assert (901 * TICK, 12 * LOT, 1) == (order.price, order.qty, order.amendments)
    for price, qty, why in (
        (901 * TICK, 12 * LOT, Why.NOTHING_TO_CHANGE), (Decimal("90.05"), LOT, Why.OFF_TICK),
        (901 * TICK, LOT, Why.MIN_NOTIONAL), (1060 * TICK, 12 * LOT, Why.PRICE_BAND),
        (901 * TICK, Decimal(600), Why.MARGIN), (901 * TICK, Decimal(0), Why.OFF_LOT),
    ):  # fmt: skip
        assert why is amend(order, price, qty).why
    assert (901 * TICK, 12 * LOT, 1) == (order.price, order.qty, order.amendments)
    amend(order, 1000 * TICK, 12 * LOT)
    stage.trade(SELL, 1000, 15)
    assert 5 * LOT == order.filled_qty
    assert amend(order, 1000 * TICK, 5 * LOT) is None
    assert State.CANCELED is order.state
    assert Refusal(Why.NOT_FOUND) == amend(order, 900 * TICK, 9 * LOT)
    assert Refusal(Why.NOT_FOUND) == stage.exchange.cancel(order)


@pytest.mark.parametrize(("requeues", "filled"), [(False, 5), (True, 0)])
def test_a_smaller_order_keeps_its_place_or_not(requeues: bool, filled: int) -> None:
    """By the venue's rule: at the front of ten, or behind them again."""
    stage = ready(rules=TradingRules(amend_requeues=requeues))
    order = stage.place(BUY, 10, 1000)
    stage.trade(SELL, 1000, 10)
    assert stage.exchange.amend(order, 1000 * TICK, 8 * LOT) is None
    stage.trade(SELL, 1000, 5)
    assert filled * LOT == order.filled_qty


def test_the_account_lives_in_rising_time() -> None:
    """A market event that is stamped before an order came does not fill it before it came."""
    stage = ready()
    order = stage.place(BUY, 5, 1000)
    stage.market.show(Trade(stage.now_ns - 5 * MS, "BTCUSDT", 1000, 20, SELL, 1))
    assert State.FILLED is order.state
    assert order.created_ns <= stage.exchange.fills()[0].at_ns
    assert stage.exchange.fills(since_ns=order.created_ns)


def test_amendments_have_a_limit() -> None:
    """The venue's own number."""
    stage = ready(rules=TradingRules(amendments_max=1))
    order = stage.place(BUY, 10, 900)
    assert stage.exchange.amend(order, 901 * TICK, 10 * LOT) is None
    assert Refusal(Why.TOO_MANY_AMENDMENTS) == stage.exchange.amend(order, 902 * TICK, 10 * LOT)


def test_cancel_all_is_for_one_symbol_or_for_all() -> None:
    """And says what it took."""
    stage = ready()
    btc, eth = stage.place(BUY, 10, 900), stage.place(BUY, 10, 900, symbol="ETHUSDT")
    assert [btc] == stage.exchange.cancel_all("BTCUSDT")
    assert [eth] == stage.exchange.cancel_all()
    assert [State.CANCELED] * 2 == [btc.state, eth.state]


def test_profit_is_realised_at_the_average_entry() -> None:
    """Two buys, a partial close, a flip; fees beside it. Worked by hand."""
    stage = ready(maker_fee_bps=Decimal(0), taker_fee_bps=Decimal(0))
    stage.place(BUY, 10)
    stage.quote(1100, 1101)  # not believed at once: a jump of 10 %
    for _ in range(6):
        stage.quote(1100, 1101)
    stage.place(BUY, 10)
    position = stage.exchange.position("BTCUSDT")
    assert (20 * LOT, Decimal("105.1")) == (position.qty, position.entry_price)
    stage.place(SELL, 10)
    position = stage.exchange.position("BTCUSDT")
    assert (10 * LOT, Decimal("105.1")) == (position.qty, position.entry_price)
    assert Decimal("0.049") == stage.exchange.fills()[-1].realized_pnl
    stage.quote(1100, 1101)
    stage.quote(1101, 1102, 40)
    stage.place(SELL, 30)
    position = stage.exchange.position("BTCUSDT")
    assert (-20 * LOT, Decimal("110.1")) == (position.qty, position.entry_price)
    assert Decimal("10000.099") == stage.exchange.balance().wallet


def test_leverage_decides_what_an_order_ties_up() -> None:
    """More leverage, less margin; what equity would not cover is refused."""
    stage = ready(leverage=1)
    stage.place(BUY, 50_000, 1000)
    assert Decimal(5_000) == stage.exchange.balance().margin
    assert stage.exchange.set_leverage("BTCUSDT", 2) is None
    assert Decimal(2_500) == stage.exchange.balance().margin
    assert Decimal(7_500) == stage.exchange.balance().available
    stage.place(BUY, 140_000, 1000)
    assert Refusal(Why.MARGIN) == stage.exchange.set_leverage("BTCUSDT", 1)
    assert 2 == stage.exchange.position("BTCUSDT").leverage
    assert Decimal(9_500) == stage.exchange.balance().margin
    assert Why.LEVERAGE is stage.exchange.set_leverage("BTCUSDT", 21).why
    assert Why.UNKNOWN_SYMBOL is stage.exchange.set_leverage("NOPE", 2).why


def test_funding_is_paid_and_told() -> None:
    """Longs pay a positive rate on the mark."""
    stage = ready(taker_fee_bps=Decimal(0))
    stage.place(BUY, 10)
    due_ns = stage.now_ns + 50 * MS
    stage.funding("100", "0.001", due_ns)
    stage.pass_ms(60)
    stage.funding("100", "0.001", due_ns + 10**13)
    told = [one for one in stage.told if isinstance(one, FundingTold)]
    assert [("BTCUSDT", Decimal("-0.001"))] == [(one.symbol, one.amount) for one in told]
    assert Decimal("9999.999") == stage.exchange.balance().wallet


def test_a_position_that_can_not_pay_is_closed_by_the_venue() -> None:
    """By orders of the venue's own, which name themselves."""
    stage = ready(balance=Decimal(100), leverage=20)
    stage.quote(1000, 1001, 100_000)
    stage.place(BUY, 19_000)
    for _ in range(7):
        stage.quote(900, 901, 100_000)
    forced = [order for order in stage.exchange.archive.orders() if order.is_forced]
    assert forced
    assert all(order.client_id.startswith("autoclose-") for order in forced)
    assert 0 == stage.lots()


def test_a_large_order_walks_the_ladder() -> None:
    """What is shown behind the touch trades too, also after a diff that nobody saw."""
    stage = ready()
    offers = ((1001, 10), (1002, 20), (1003, 30))
    for _ in range(2):
        stage.depth(((1000, 10), (999, 20)), offers)
        stage.quote(1000, 1002)
        stage.quote()
        order = stage.place(BUY, 25, 1003, tif=IOC)
        assert (25 * LOT, 10 * LOT * 1001 * TICK + 15 * LOT * 1002 * TICK) == (
            order.filled_qty, order.cost,
        )  # fmt: skip
        stage.depth(((1000, 10), (999, 21)), ((1001, 11), (1002, 21), (1003, 31)))
        stage.market.books["BTCUSDT"].last_seq += 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "bid", "offer", "move", "mark", "cancel"]),
        st.integers(1, 40),
        st.integers(-15, 15),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_its_books_agree_with_the_paper_venue(steps: list[tuple[str, int, int]]) -> None:
    """Wallet plus unrealised profit is the equity that matching keeps by other means, always."""
    stage = ready(leverage=20)
    for word, lots, shift in steps:
        match word:
            case "buy" | "sell":
                stage.try_place(BUY if word == "buy" else SELL, lots + 5)
            case "bid" | "offer":
                stage.try_place(BUY if word == "bid" else SELL, lots + 5, 1000 + shift)
            case "move":
                stage.quote(1000 + shift, 1001 + shift, lots)
            case "mark":
                stage.funding(f"{100 + shift / 10:.1f}", "0.0001", stage.now_ns + 5 * MS)
            case _:
                stage.exchange.cancel_all()
        venue, balance = stage.exchange._venue, stage.exchange.balance()
        assert abs(venue.equity - balance.equity) < Decimal("1e-15")
        held = {p.symbol: p.qty for p in stage.exchange.positions() if p.qty}
        assert venue.positions() == held


def test_the_ledger_holds_what_happened(tmp_path: Path) -> None:
    """Line by line, at once, numbers exact."""
    stage, path = ready(), tmp_path / "venue.jsonl"
    ledger = VenueLedger(path)
    stage.exchange.listen(ledger)
    order = stage.place(BUY, 5, 1000, client_id="a")
    stage.exchange.amend(order, 1000 * TICK, 6 * LOT)
    stage.trade(SELL, 1000, 12)
    stage.exchange.cancel(order)
    stage.try_place(BUY, 5, 900, price=Decimal("1"), client_id="b")
    stage.exchange.set_leverage("BTCUSDT", 3)
    lines = [json.loads(text) for text in path.read_text().splitlines()]
    ledger.close()

    kinds = ["new", "amended", "fill", "canceled", "rejected", "leverage"]
    assert kinds == [line["kind"] for line in lines]
    assert ("100.0", "0.002", "0.00004000") == tuple(
        lines[2][key] for key in ("fill_price", "fill_qty", "fee")
    )
    assert "min_notional" == lines[4]["reason"]
    with pytest.raises(DataUnavailable):
        VenueLedger(tmp_path / "no" / "such")


def test_a_record_outlives_its_order() -> None:
    """Ended orders are told with all they were."""
    stage = ready()
    order = stage.place(BUY, 5)
    assert isinstance(stage.exchange.order(order_id=order.order_id), OrderRecord)
    assert Decimal("0.5005") == order.cost
