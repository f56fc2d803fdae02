"""A real account beside the simulated one: the causes make the gap, whatever happens on either side."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.account import Fill, Liquidity
from engine.model.instrument import Instrument
from engine.model.money import ZERO, use_exact_arithmetic
from engine.model.orders import OrderState, OrderType, Side, TimeInForce
from engine.model.records import OrderChanged, OrderSubmitted
from engine.model.sightings import (
    AccountSeen,
    AccountUnseen,
    PaymentKind,
    SeenFill,
    SeenPayment,
    SeenPosition,
    SeenTerms,
    SimulatedBooks,
    SimulatedHolding,
)
from engine.reports.shadow import total
from engine.reports.shadow_schema import ShadowReport
from engine.reports.tally import Tally

D = Decimal
S = 1_000_000_000
NAMES = ("AAA", "BBB")
BUY, SELL = Side.BUY, Side.SELL


def instrument(symbol: str, **fields: Any) -> Instrument:
    plain: dict[str, Any] = {
        "base": symbol, "quote": "USDT", "settlement": "USDT", "tick_size": D("0.1"),
        "lot_size": D("0.001"), "min_qty": D("0.001"), "min_notional": D(5),
    }  # fmt: skip
    return Instrument(symbol=symbol, **{**plain, **fields})


class Side2:
    """Either side's books, kept the plainest way: money, and what is held of each symbol."""

    def __init__(self, cash: Decimal) -> None:
        self.cash = cash
        """With what was paid for everything held."""
        self.qty = dict.fromkeys(NAMES, ZERO)

    def trade(self, symbol: str, side: Side, price: Decimal, qty: Decimal, fee: Decimal) -> None:
        self.qty[symbol] += side.sign * qty
        self.cash -= side.sign * qty * price + fee

    def equity(self, marks: dict[str, Decimal]) -> Decimal:
        return self.cash + sum((qty * marks[name] for name, qty in self.qty.items()), ZERO)


class Scene:
    """Both sides, and the tally that only hears of them."""

    def __init__(self, untold: Sequence[PaymentKind] = ()) -> None:
        use_exact_arithmetic()  # undone behind every test
        self.account, self.ours = Side2(D(5_000)), Side2(D(10_000))
        self.tally = Tally(NAMES, ("quoter",), [instrument(name) for name in NAMES])
        self.marks = {"AAA": D(100), "BBB": D(20)}
        self.mids = dict(self.marks)
        self.fees, self.funding = dict.fromkeys(NAMES, ZERO), dict.fromkeys(NAMES, ZERO)
        self.untold = tuple(untold)
        self.fills: list[SeenFill] = []
        self.payments: list[SeenPayment] = []
        self.now_ns = 0
        self._number = 0

    def number(self) -> str:
        self._number += 1
        return f"{self._number}"

    def theirs(
        self,
        side: Side,
        qty: str,
        price: str,
        fee: str = "0",
        symbol: str = "AAA",
        told: bool = True,
    ) -> None:
        self.account.trade(symbol, side, D(price), D(qty), D(fee))
        if told:
            self.fills.append(
                SeenFill(symbol, self.number(), side, D(price), D(qty), D(fee), self.now_ns)
            )

    def simulated(
        self, side: Side, qty: str, price: str, fee: str = "0", symbol: str = "AAA"
    ) -> None:
        self.ours.trade(symbol, side, D(price), D(qty), D(fee))
        self.fees[symbol] += D(fee)
        fill = Fill(
            self.now_ns, "o", "quoter", symbol, self.number(), side, D(price), D(qty), D(fee),
            Liquidity.MAKER,
        )  # fmt: skip
        self.tally.follow([fill])

    def paid(self, kind: PaymentKind, amount: str, symbol: str = "") -> None:
        self.account.cash += D(amount)
        if kind not in self.untold:
            self.payments.append(SeenPayment(self.number(), kind, symbol, D(amount), self.now_ns))

    def funded(self, amount: str, symbol: str = "AAA") -> None:
        self.ours.cash += D(amount)
        self.funding[symbol] += D(amount)

    def look(self, free: str | None = "1000", **changes: Any) -> None:
        """Unrealised is split off at an entry of 7: any entry will do."""
        self.now_ns += S
        held = {name: qty for name, qty in self.account.qty.items() if qty}
        gains = {name: qty * (self.marks[name] - 7) for name, qty in held.items()}
        seen = AccountSeen(
            self.now_ns, self.now_ns,
            balance=self.account.equity(self.marks) - sum(gains.values(), ZERO),
            free=None if free is None else D(free), is_one_way=True,
            positions=tuple(
                SeenPosition(name, qty, self.marks[name], gains[name]) for name, qty in held.items()
            ),
            orders=(), terms=tuple(SeenTerms(n, D(5), "cross", D(2), D(5)) for n in NAMES),
            fills=tuple(self.fills), payments=tuple(self.payments), untold=self.untold,
        )  # fmt: skip
        self.fills, self.payments = [], []
        self.tally.follow([msgspec.structs.replace(seen, **changes), self.books()])

    def books(self) -> SimulatedBooks:
        return SimulatedBooks(
            self.now_ns,
            self.ours.equity(self.mids),
            tuple(
                SimulatedHolding(n, self.ours.qty[n], self.mids[n], ZERO, self.fees[n], self.funding[n])
                for n in NAMES
            ),
        )  # fmt: skip

    def report(self) -> ShadowReport:
        told = self.tally.beside("shadow", self.now_ns)
        assert isinstance(told, ShadowReport)
        return told


def adds_up(told: ShadowReport) -> None:
    assert told.causes is not None
    assert told.account_equity is not None
    assert told.simulated_equity is not None
    assert told.gap == told.account_equity.change - told.simulated_equity.change
    assert told.gap == total(told.causes)
    assert all(total(part.causes) == part.gap for part in told.per_symbol.values())
    for name in ("held", "quantity", "price", "marks", "fees"):
        parts = sum((getattr(part.causes, name) for part in told.per_symbol.values()), ZERO)
        assert parts == getattr(told.causes, name)


SIDES = st.sampled_from(Side)
QTYS = st.decimals("0.001", "9", places=3).map(str)
PRICES = st.decimals("1", "200", places=1).map(str)
FEES = st.decimals("-1", "1", places=4).map(str)
SYMBOLS = st.sampled_from(NAMES)
DEED = st.one_of(
    st.tuples(st.just("theirs"), SIDES, QTYS, PRICES, FEES, SYMBOLS),
    st.tuples(st.just("simulated"), SIDES, QTYS, PRICES, FEES, SYMBOLS),
    st.tuples(st.just("paid"), st.sampled_from(PaymentKind), FEES, SYMBOLS),
    st.tuples(st.just("funded"), FEES, SYMBOLS),
    st.tuples(st.just("mark"), SYMBOLS, PRICES),
    st.tuples(st.just("mid"), SYMBOLS, PRICES),
    st.tuples(st.just("look")),
)


def do(scene: Scene, deed: tuple[Any, ...]) -> None:
    match deed:
        case ("mark", symbol, price):
            scene.marks[symbol] = D(price)
        case ("mid", symbol, price):
            scene.mids[symbol] = D(price)
        case (name, *words):
            getattr(scene, name)(*words)


@given(st.lists(DEED, max_size=15), st.lists(DEED, max_size=30))
def test_whatever_happens_the_causes_make_the_gap(before: list[Any], after: list[Any]) -> None:
    """Held by both before, traded by both, prices that differ; and nothing is left unexplained."""
    scene = Scene()
    for deed in before:
        do(scene, deed)
    scene.look()
    for deed in after:
        do(scene, deed)
    scene.look()
    told = scene.report()
    adds_up(told)
    assert told.causes is not None
    assert 0 == told.causes.unexplained
    assert not any(part.unexplained_qty for part in told.per_symbol.values())


@given(st.lists(DEED, max_size=20))
def test_what_no_venue_lists_is_unexplained_and_null(deeds: list[Any]) -> None:
    scene = Scene(untold=tuple(PaymentKind))
    scene.look()
    paid = ZERO
    for deed in deeds:
        do(scene, deed)
        paid += D(deed[2]) if deed[0] == "paid" else ZERO
        paid -= D(deed[1]) if deed[0] == "funded" else ZERO
    scene.look()
    told = scene.report()
    adds_up(told)
    assert told.causes is not None
    assert (None, None, None) == (told.causes.funding, told.causes.transfers, told.causes.other)
    assert {"funding", "transfers", "other"} <= told.unknown.keys()
    assert paid == told.causes.unexplained


def test_each_cause_by_hand() -> None:
    """2 held from 100 to 110; bought 3 at 104 against our 1 at 103; sold none; fees, funding, money."""
    scene = Scene()
    scene.theirs(BUY, "2", "90")
    scene.look()
    scene.theirs(BUY, "3", "104", "0.5")
    scene.simulated(BUY, "1", "103", "0.2")
    scene.paid(PaymentKind.FUNDING, "-0.3", "AAA")
    scene.paid(PaymentKind.TRANSFER, "50")
    scene.paid(PaymentKind.OTHER, "0.7")
    scene.funded("0.1")
    scene.marks["AAA"], scene.mids["AAA"] = D(110), D(109)
    scene.look()
    told = scene.report()
    adds_up(told)
    assert told.causes is not None
    assert (D(20), D(14), D(-3), D(1), D("-0.3"), D("-0.4"), D(50), D("0.7"), D(0)) == (
        told.causes.held, told.causes.quantity, told.causes.price, told.causes.marks,
        told.causes.fees, told.causes.funding, told.causes.transfers, told.causes.other,
        told.causes.unexplained,
    )  # fmt: skip
    assert (1, 1, D(5), D(1)) == (
        told.per_symbol["AAA"].account_fills, told.per_symbol["AAA"].simulated_fills,
        told.per_symbol["AAA"].account_qty, told.per_symbol["AAA"].simulated_qty,
    )  # fmt: skip


def test_a_fill_that_nobody_tells_is_seen_by_its_quantity() -> None:
    scene = Scene()
    scene.look()
    scene.theirs(BUY, "2", "90", told=False)
    scene.look()
    told = scene.report()
    adds_up(told)
    assert told.causes is not None
    assert (D(20), D(2)) == (told.causes.unexplained, told.per_symbol["AAA"].unexplained_qty)


def test_what_the_first_look_tells_happened_before_it() -> None:
    scene = Scene()
    scene.theirs(BUY, "1", "90", "0.5")
    scene.paid(PaymentKind.TRANSFER, "50")
    scene.look()
    scene.look()
    told = scene.report()
    assert (0, 0) == (told.gap, told.per_symbol["AAA"].account_fills)


def test_what_happens_behind_the_last_look_is_on_neither_side() -> None:
    scene = Scene()
    scene.look()
    scene.look()
    scene.simulated(BUY, "1", "103", "0.2")
    told = scene.report()
    assert (0, 0) == (told.gap, told.per_symbol["AAA"].simulated_fills)


def test_out_of_sight() -> None:
    """From the look before to the look after, or to the end; and nothing is made up meanwhile."""
    scene = Scene()
    scene.tally.follow([AccountUnseen(0, "away")])
    assert (None, "seen less than twice" in scene.report().unknown["gap"]) == (
        scene.report().gap, True,
    )  # fmt: skip
    scene.look()
    assert (None, 1) == (scene.report().gap, scene.report().looks.count)  # type: ignore[union-attr]
    scene.tally.follow([AccountUnseen(scene.now_ns + S // 2, "away")])
    scene.now_ns += 3 * S
    scene.look()
    looks = scene.report().looks
    assert looks is not None
    assert (2, 2, 5.0) == (looks.count, looks.blind, looks.blind_s)
    scene.tally.follow([AccountUnseen(scene.now_ns + S, "away")])
    scene.now_ns += 10 * S
    looks = scene.report().looks
    assert looks is not None
    assert 15.0 == looks.blind_s
    assert scene.tally.shadow is not None
    standing = scene.tally.shadow.standing()
    assert standing is not None
    assert not standing.is_seen


def test_no_other_mode_has_the_section() -> None:
    assert msgspec.UNSET is Tally().beside("paper", 0)
    assert Scene().report().looks is None


# --- orders ---------------------------------------------------------------------------------------


def order(qty: str = "1", price: str | None = "100", **changes: Any) -> OrderSubmitted:
    plain = OrderSubmitted(
        1, "o-1", "quoter", "AAA", "s", BUY, OrderType.LIMIT, D(qty),
        None if price is None else D(price), None, None, TimeInForce.GTC, False, False,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


REFUSALS = [
    # order, what is free, is one-way, reasons
    (order(), "20", True, {}),
    (order(), "19.99", True, {"margin": 1}),
    (order(), None, True, {}),
    (order(reduce_only=True), "0", True, {}),
    (order(), "20", False, {"long_and_short_apart": 1}),
    (order("0.049"), "20", True, {"min_notional": 1}),
    (order("0.049", reduce_only=True), "20", True, {}),
    (order("0.0505"), "20", True, {"off_grid": 1}),
    (order("0.0005"), "20", False, {"long_and_short_apart": 1, "min_notional": 1, "off_grid": 1}),
    (order(price=None), "20", True, {}),
]


@pytest.mark.parametrize(("sent", "free", "is_one_way", "reasons"), REFUSALS)
def test_what_the_account_would_have_refused(
    sent: OrderSubmitted, free: str | None, is_one_way: bool, reasons: dict[str, int]
) -> None:
    """At a leverage of five, a market order at the mid of 100."""
    scene = Scene()
    scene.look(free, is_one_way=is_one_way)
    scene.tally.follow([sent])
    told = scene.report().orders
    assert (reasons, 1, 0) == (told.would_refuse, told.checked, told.unchecked)


def test_our_own_orders_and_positions_tie_up_margin_there() -> None:
    """20 each of 45: the third does not fit, until one is gone; what filled is still held."""
    scene = Scene()
    scene.look("45")
    for number in range(3):
        scene.tally.follow([order(order_id=f"o-{number}")])
    assert {"margin": 1} == scene.report().orders.would_refuse
    canceled = OrderChanged(1, "o-0", "AAA", OrderState.CANCELED, ZERO, D(1), D(100))
    half = OrderChanged(1, "o-1", "AAA", OrderState.PARTIALLY_FILLED, D("0.5"), D(1), D(100))
    scene.tally.follow([canceled, half])
    scene.simulated(BUY, "0.5", "100")
    scene.tally.follow([order("0.25", order_id="o-3")])
    assert {"margin": 1} == scene.report().orders.would_refuse
    scene.tally.follow([order("0.01", order_id="o-4")])
    assert {"margin": 2, "min_notional": 1} == scene.report().orders.would_refuse


def test_nothing_is_judged_while_the_account_is_out_of_sight() -> None:
    scene = Scene()
    scene.look("0")
    scene.tally.follow([AccountUnseen(scene.now_ns, "away"), order()])
    told = scene.report().orders
    assert (0, 1, {}) == (told.checked, told.unchecked, told.would_refuse)


def test_fees_at_the_account_s_rates() -> None:
    """2 bps of 100 as a maker; null, not 0, where the venue does not tell."""
    scene = Scene()
    scene.look()
    scene.simulated(BUY, "1", "100", "0.05")
    assert D("-0.03") == scene.report().orders.fee_difference
    scene.look(terms=(SeenTerms("AAA", D(5), "cross", None, None),))
    scene.simulated(BUY, "1", "100", "0.05")
    assert scene.report().orders.fee_difference is None
    assert "rates" in scene.report().unknown["fee_difference"]
