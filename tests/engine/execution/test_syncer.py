"""Every way two accounts differ, typed from domain.md section 6, and none where they agree."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.execution.syncer import Mismatch, MismatchKind, OurAccount, compare, digest
from engine.model.account import Liquidity
from engine.model.orders import BUY, SELL, Order, OrderState, OrderType, TimeInForce
from engine.model.venue_events import VenueFill, VenueHolding, VenueSnapshot, VenueWorkingOrder

D = Decimal
LOT = D("0.001")


def order(order_id: str, state: OrderState = OrderState.ACCEPTED) -> Order:
    return Order(
        order_id, "a", "BTC", "s", BUY, D(1), OrderType.LIMIT, D(10), None, None,
        TimeInForce.GTC, False, False, False, 0, None, state,
    )  # fmt: skip


def working(order_id: str, **fields: Any) -> VenueWorkingOrder:
    told = VenueWorkingOrder(order_id, "BTC", BUY, D(1), D(0))
    return replace(told, **fields)


def fill(trade_id: str, qty: str = "1", symbol: str = "BTC") -> VenueFill:
    return VenueFill(5, symbol, "a-1", trade_id, BUY, D(10), D(qty), D(0), Liquidity.TAKER)


def ours(*orders: Order, btc: str = "0", cash: str = "100", booked: str = "") -> OurAccount:
    return OurAccount(
        positions={"BTC": D(btc)},
        lot_sizes={"BTC": LOT},
        orders={o.order_id: o for o in orders},
        is_booked=lambda _, trade_id: trade_id in booked.split(),
        cash=D(cash),
    )


def theirs(btc: str = "", **fields: Any) -> VenueSnapshot:
    held = (VenueHolding("BTC", D(btc)),) if btc else ()
    return VenueSnapshot(11, 10, 9, held, **({"balance": D(100)} | fields))


def found(there: VenueSnapshot, here: OurAccount, last_ns: int = 0, lots: str = "0") -> list[str]:
    differences = compare(
        there, here, last_taken_ns=last_ns, mismatch_tolerance=D(lots), balance_tolerance=D("0.01")
    )
    return [f"{one} ({one.scope})" for one in differences]


CASES = [
    # what,               theirs,                                                ours,                        differences
    ("both empty",        theirs(),                                              ours(),                       []),
    ("the same",          theirs("2", orders=(working("a-1"),)),                 ours(order("a-1"), btc="2"),  []),
    ("lost fill",         theirs("1", fills=(fill("t1"),)),                      ours(),                       ["missing_fill t1: BUY 1 at 10 of a-1 (BTC)"]),
    ("told fill",         theirs("1", fills=(fill("t1"),)),                      ours(btc="1", booked="t1"),   []),
    ("part explained",    theirs("3", fills=(fill("t1"),)),                      ours(),                       ["missing_fill t1: BUY 1 at 10 of a-1 (BTC)", "position_drift BTC: +2 (BTC)"]),
    ("drift up",          theirs("2"),                                           ours(btc="1"),                ["position_drift BTC: +1 (BTC)"]),
    ("liquidated",        theirs(),                                              ours(btc="1"),                ["position_drift BTC: -1 (BTC)"]),
    ("one lot",           theirs("1.001"),                                       ours(btc="1"),                ["position_drift BTC: +0.001 (BTC)"]),
    ("we forgot",         theirs(orders=(working("a-1"),)),                      ours(),                       ["orphan_order a-1: BUY 1 (BTC)"]),
    ("they forgot",       theirs(),                                              ours(order("a-1")),           ["ghost_order a-1: ACCEPTED here (BTC)"]),
    ("in flight",         theirs(),                                              ours(order("a-1", OrderState.SUBMITTED)), []),
    ("lost",              theirs(),                                              ours(order("a-1", OrderState.UNKNOWN)), []),
    ("another's order",   theirs(orders=(working("x", is_foreign=True),)),       ours(),                       ["foreign_order x: BUY 1 (BTC)"]),
    ("another's coin",    replace(theirs(), positions=(VenueHolding("ETH", D(3)),)), ours(),                   ["foreign_position ETH: +3 (ETH)"]),
    ("another's fill",    theirs(fills=(fill("t1", symbol="ETH"),)),             ours(),                       []),
    ("filled too much",   theirs(orders=(working("a-1", filled_qty=D(2)),)),     ours(),                       ["negative_qty a-1: 2 of 1 (session)"]),
    ("filled below zero", theirs(orders=(working("a-1", filled_qty=D(-1)),)),    ours(),                       ["negative_qty a-1: -1 of 1 (session)"]),
    ("no quantity",       theirs(orders=(working("a-1", qty=D(0)),)),            ours(),                       ["negative_qty a-1: 0 of 0 (session)"]),
    ("order twice",       theirs(orders=(working("a-1"), working("a-1"))),       ours(),                       ["duplicate_key a-1: order told twice (session)"]),
    ("position twice",    replace(theirs(), positions=(VenueHolding("BTC", D(1)),) * 2), ours(),               ["duplicate_key BTC: position told twice (session)"]),
    ("less money",        theirs(balance=D("99.98")),                            ours(),                       ["balance_drift balance: -0.02 (session)"]),
    ("a cent",            theirs(balance=D("99.99")),                            ours(),                       []),
    ("money while held",  theirs("1", balance=D(50)),                            ours(btc="1"),                []),
    ("money on its way",  theirs(balance=D(90), fills=(fill("t1"), replace(fill("t2"), side=SELL))), ours(),         ["missing_fill t1: BUY 1 at 10 of a-1 (BTC)", "missing_fill t2: SELL 1 at 10 of a-1 (BTC)"]),
    ("money not told",    theirs(balance=None),                                  ours(),                       []),
]  # fmt: skip


@pytest.mark.parametrize(("there", "here", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])  # fmt: skip
def test_row(there: VenueSnapshot, here: OurAccount, expected: list[str]) -> None:
    """Each row names exactly its differences, and by how much."""
    assert expected == found(there, here)


def test_every_kind_has_a_row() -> None:
    """A new kind fails here until somebody shows what it looks like."""
    shown = {text.split()[0] for case in CASES for text in case[3]} | {"ts_regression"}

    assert {str(kind.value) for kind in MismatchKind} == shown


def test_an_older_picture_is_not_compared() -> None:
    """Time may only go back for an empty account, which venues stamp with nothing."""
    assert ["ts_regression snapshot: 1 ms back (session)"] == found(theirs("1"), ours(), 1_000_010)
    assert [] == found(theirs(), ours(), 1_000_010)


def test_the_tolerance_counts_lots() -> None:
    """Up to so many is let pass, one more is not."""
    assert [] == found(theirs("1.002"), ours(btc="1"), lots="2")
    assert 1 == len(found(theirs("1.003"), ours(btc="1"), lots="2"))


def test_selling_fills_explain_a_fall() -> None:
    """The sign of a fill is its side's."""
    sold = replace(fill("t1"), side=SELL)

    assert [MismatchKind.MISSING_FILL] == [
        one.kind
        for one in compare(
            theirs("-1", fills=(sold,)), ours(), last_taken_ns=0,
            mismatch_tolerance=D(0), balance_tolerance=D(0),
        )
    ]  # fmt: skip


@given(st.permutations(["a-1", "a-2", "a-3"]), st.sampled_from(["1", "1.0", "1.000"]))
def test_a_picture_is_canonical(ids: list[str], qty: str) -> None:
    """The order in which a venue tells it, and zeros at the end, are no change of the account."""
    told = theirs(qty, orders=tuple(map(working, ids)))
    other = theirs("1", orders=tuple(map(working, ["a-1", "a-2"])))

    assert digest(theirs("1", orders=tuple(map(working, ["a-1", "a-2", "a-3"])))) == digest(told)
    assert digest(other) != digest(told)


@given(st.decimals("-5", "5", places=3), st.decimals("-5", "5", places=3))
def test_a_drift_is_its_difference(there: Decimal, here: Decimal) -> None:
    """Whatever both sides hold: no drift where equal, else exactly the gap."""
    snapshot = replace(theirs(balance=None), positions=(VenueHolding("BTC", there),))
    gap = there - here
    expected = [Mismatch(MismatchKind.POSITION_DRIFT, "BTC", "BTC", f"{gap:+}")] if gap else []

    assert expected == list(
        compare(snapshot, ours(btc=str(here)), last_taken_ns=0,
                mismatch_tolerance=D(0), balance_tolerance=D(0))
    )  # fmt: skip
