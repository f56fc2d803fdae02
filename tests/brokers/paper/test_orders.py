"""Each order type and time in force against a small book; the oracle is domain.md section 12."""

from decimal import Decimal

import pytest

from engine.venue import SessionBroker
from tests.brokers.paper.desk import (
    BUY,
    FOK,
    IOC,
    SELL,
    STOP,
    TAKE_PROFIT,
    TRAILING,
    Desk,
)

LADDER = {"bids": ((1000, 10), (999, 20), (998, 30)), "asks": ((1001, 10), (1002, 20), (1003, 30))}


def book_desk(**settings) -> Desk:
    desk = Desk(**settings)
    desk.quote()
    desk.depth(**LADDER, is_snapshot=True, last_seq=1)
    return desk


CASES = [
    # side, lots, ticks, fields,            answers after "accepted"
    (BUY,  5,     0, {},                    ["fill 5@1001 taker"]),
    (BUY,  25,    0, {},                    ["fill 10@1001 taker", "fill 15@1002 taker"]),
    (BUY,  70,    0, {},                    ["fill 10@1001 taker", "fill 20@1002 taker", "fill 30@1003 taker", "expired no_liquidity"]),
    (SELL, 25,    0, {},                    ["fill 10@1000 taker", "fill 15@999 taker"]),
    (BUY,  25,    0, {"tif": FOK},          ["fill 10@1001 taker", "fill 15@1002 taker"]),
    (BUY,  70,    0, {"tif": FOK},          ["expired fok"]),
    (BUY,  70,    0, {"tif": IOC},          ["fill 10@1001 taker", "fill 20@1002 taker", "fill 30@1003 taker", "expired no_liquidity"]),
    (BUY,  5,  1000, {},                    []),
    (BUY,  5,  1000, {"tif": IOC},          ["expired ioc"]),
    (BUY,  5,  1000, {"tif": FOK},          ["expired fok"]),
    (BUY,  5,  1000, {"post_only": True},   []),
    (BUY,  15, 1001, {},                    ["fill 10@1001 taker"]),
    (BUY,  15, 1001, {"tif": IOC},          ["fill 10@1001 taker", "expired ioc"]),
    (BUY,  15, 1001, {"tif": FOK},          ["expired fok"]),
    (BUY,  15, 1002, {"tif": FOK},          ["fill 10@1001 taker", "fill 5@1002 taker"]),
    (SELL, 15, 1000, {"tif": IOC},          ["fill 10@1000 taker", "expired ioc"]),
    (SELL, 15, 999,  {},                    ["fill 10@1000 taker", "fill 5@999 taker"]),
    (SELL, 5,  1001, {"post_only": True},   []),
    (SELL, 5,  0, {"type": STOP, "trigger": 999},          []),
    (SELL, 5,  0, {"type": STOP, "trigger": 1000},         ["triggered", "fill 5@1000 taker"]),
    (BUY,  5,  0, {"type": STOP, "trigger": 1001},         ["triggered", "fill 5@1001 taker"]),
    (SELL, 5,  0, {"type": TAKE_PROFIT, "trigger": 1001},  []),
    (BUY,  5,  0, {"type": TAKE_PROFIT, "trigger": 1000},  []),
    (BUY,  5,  0, {"type": TAKE_PROFIT, "trigger": 1001},  ["triggered", "fill 5@1001 taker"]),
    (SELL, 5,  0, {"type": TRAILING, "trail_bps": Decimal(50)},     []),
]  # fmt: skip


@pytest.mark.parametrize(("side", "lots", "ticks", "fields", "expected"), CASES)
def test_first_answers(side, lots, ticks, fields, expected) -> None:
    """An order meets the book exactly as its type and time in force say."""
    words = book_desk().place(side, lots, ticks, **fields)

    assert ["o1 accepted", *(f"o1 {word}" for word in expected)] == words


def test_a_limit_remainder_rests_and_fills_later() -> None:
    """What a crossing limit could not take waits at its price, ahead of nobody."""
    desk = book_desk()
    desk.place(BUY, 15, 1001)

    assert ["o1 fill 4@1001 maker"] == desk.trade(SELL, 1001, 4)
    assert ["o1 canceled"] == desk.cancel("o1")


def test_cancel_of_nothing_is_refused() -> None:
    """Unknown, filled and canceled orders are all simply not there."""
    desk = book_desk()
    desk.place(BUY, 5)
    desk.place(BUY, 5, 990)
    desk.cancel("o2")

    assert ["o9 cancel rejected order_not_found"] == desk.cancel("o9")
    assert ["o1 cancel rejected order_not_found"] == desk.cancel("o1")
    assert ["o2 cancel rejected order_not_found"] == desk.cancel("o2")


REDUCING = [
    # held, side, lots, ticks, expected after "accepted", position left
    (5,  SELL, 3,  0,    ["fill 3@1000 taker"],                                 2),
    (5,  SELL, 8,  0,    ["fill 5@1000 taker", "expired reduce_only"],          0),
    (-5, BUY,  8,  0,    ["fill 5@1001 taker", "expired reduce_only"],          0),
    (5,  SELL, 8,  1000, ["fill 5@1000 taker", "expired reduce_only"],          0),
    (5,  SELL, 8,  1002, [],                                                    5),
]  # fmt: skip


@pytest.mark.parametrize(("held", "side", "lots", "ticks", "expected", "left"), REDUCING)
def test_reduce_only_is_cut(held, side, lots, ticks, expected, left) -> None:
    """A reducing order never takes more than the position, whatever was asked."""
    desk = book_desk()
    desk.place(BUY if held > 0 else SELL, abs(held), order_id="open")
    desk.quote()
    words = desk.place(side, lots, ticks, order_id="x", reduce_only=True)

    assert ["x accepted", *(f"x {word}" for word in expected)] == words
    assert left == desk.position()


@pytest.mark.parametrize(("held", "side"), [(0, BUY), (0, SELL), (5, BUY), (-5, SELL)])
def test_reduce_only_without_anything_to_reduce(held, side) -> None:
    """It is refused at once."""
    desk = book_desk()
    if held:
        desk.place(BUY if held > 0 else SELL, abs(held), order_id="open")

    assert ["x rejected reduce_only_rejected"] == desk.place(
        side, 1, order_id="x", reduce_only=True
    )


def test_resting_reduce_only_is_checked_again_when_it_fills() -> None:
    """A position that shrank meanwhile cuts the order; one that is gone ends it."""
    desk = book_desk(maker_model="touch")
    desk.place(BUY, 5, order_id="open")
    desk.place(SELL, 5, 1002, order_id="x", reduce_only=True)
    desk.place(SELL, 5, 1003, order_id="y", reduce_only=True)
    desk.place(SELL, 2, order_id="part")

    assert ["x fill 3@1002 maker", "x expired reduce_only"] == desk.quote(1002, 1004)
    assert ["y expired reduce_only"] == desk.quote(1003, 1004)
    assert 0 == desk.position()


AMENDS = [
    # ticks, lots, expected
    (1000, 3,  ["o1 amended 3@1000"]),
    (1000, 20, ["o1 amended 20@1000"]),
    (990,  10, ["o1 amended 10@990"]),
    (1001, 10, ["o1 amended 10@1001", "o1 fill 10@1001 taker"]),
    (1000, 0,  ["o1 canceled"]),
    (2000, 10, ["o1 amend rejected invalid_order"]),
    (-1,   10, ["o1 amend rejected invalid_order"]),
]  # fmt: skip


@pytest.mark.parametrize(("ticks", "lots", "expected"), AMENDS)
def test_amend(ticks, lots, expected) -> None:
    """A limit order takes a new price and size, or stays as it was."""
    desk = book_desk()
    desk.place(BUY, 10, 1000)

    assert expected == desk.amend("o1", ticks, lots)


def test_amend_below_what_filled_cancels_the_rest() -> None:
    """There is nothing left to work."""
    desk = book_desk()
    desk.place(BUY, 15, 1001)  # 10 of it fill at once

    assert ["o1 canceled"] == desk.amend("o1", 1001, 10)


def test_post_only_amend_may_not_cross() -> None:
    """It stays where it was and says so."""
    desk = book_desk()
    desk.place(BUY, 10, 999, post_only=True)

    assert ["o1 amend rejected post_only_would_cross"] == desk.amend("o1", 1001, 10)
    assert ["o1 canceled"] == desk.cancel("o1")


def test_amend_of_the_unknown_and_of_triggers() -> None:
    """Both are refused."""
    desk = book_desk()
    desk.place(SELL, 5, type=STOP, trigger=900)

    assert ["o7 amend rejected order_not_found"] == desk.amend("o7", 1000, 1)
    assert ["o1 amend rejected invalid_order"] == desk.amend("o1", 1000, 1)


def test_fees_are_exact_products() -> None:
    """Fee = price x quantity x multiplier x bps / 10,000, to the last digit."""
    desk = book_desk(taker_fee_bps=Decimal("4.5"))
    desk.place(BUY, 7)
    fill = desk.events[-1]

    assert fill.price * fill.qty * 45 == fill.fee * 100_000
    assert ("t1", "p1") == (fill.trade_id, desk.events[0].venue_order_id)


def test_it_is_a_simulated_broker() -> None:
    """The contract's type, and what it promises the router."""
    venue: SessionBroker = Desk().venue
    abilities = venue.capabilities

    assert abilities.can_amend_price
    assert abilities.can_amend_qty
    assert abilities.amend_down_keeps_queue
    assert abilities.has_triggers
    assert (36, 64) == (abilities.client_id_max, len(set(abilities.client_id_alphabet)))
