"""What the venue refuses, one row a rule."""

from decimal import Decimal

import pytest

from tests.brokers.paper.desk import (
    BUY,
    IOC,
    LIMIT,
    SELL,
    STOP,
    TAKE_PROFIT,
    TRAILING,
    Desk,
    instrument,
)

INVALID = "invalid_order"
D = Decimal
CASES = [
    # lots, ticks, fields,                                   reason, or "" for accepted
    (1, 0,    {"symbol": "DOGE"},                            INVALID),
    (1, 1000, {"price": D("100.05")},                        INVALID),
    (1, 1000, {"price": D("-100")},                          INVALID),
    (1, 1000, {"price": D("NaN")},                           INVALID),
    (1, 1000, {"price": D("Infinity")},                      INVALID),
    (1, 1000, {"price": D("1E+80")},                         INVALID),
    (1, 0,    {"type": LIMIT},                               INVALID),
    (1, 1000, {"qty": D("0.0015")},                          INVALID),
    (0, 1000, {},                                            INVALID),
    (1, 1000, {},                                            INVALID),  # below min_qty
    (2, 1000, {},                                            INVALID),  # below min_notional
    (3, 1000, {},                                            ""),
    (3, 899,  {},                                            INVALID),  # band of 1,000 bps
    (4, 901,  {},                                            ""),
    (3, 1101, {},                                            INVALID),
    (3, 1001, {"post_only": True},                           "post_only_would_cross"),
    (3, 1000, {"post_only": True, "tif": IOC},               INVALID),
    (3, 0,    {"post_only": True},                           INVALID),
    (3, 0,    {"type": STOP},                                INVALID),
    (3, 0,    {"type": TAKE_PROFIT},                         INVALID),
    (3, 0,    {"type": TRAILING},                            INVALID),
    (3, 0,    {"type": TRAILING, "trail_bps": D(0)},         INVALID),
    (3, 0,    {"type": TRAILING, "trail_bps": D(10_000)},    INVALID),
    (3, 0,    {"type": TRAILING, "trail_bps": D("NaN")},     INVALID),
    (3, 0,    {"type": TRAILING, "trail_bps": D("0.5")},     ""),
    (500, 1000, {},                                          ""),  # 50 notional at 5x: 10 of 10
    (501, 1000, {},                                          "insufficient_balance"),
]  # fmt: skip


def strict_desk(lots: int = 10, **settings) -> Desk:
    """Minimum 2 lots and 0.25 notional; 10 of balance."""
    rules = instrument(min_qty=D("0.002"), min_notional=D("0.25"))
    desk = Desk(instruments=(rules,), balance="10", **settings)
    desk.quote(1000, 1001, lots, lots)
    return desk


@pytest.mark.parametrize(("lots", "ticks", "fields", "reason"), CASES)
def test_row(lots, ticks, fields, reason) -> None:
    """The order is refused for exactly this reason, or accepted."""
    words = strict_desk().place(BUY, lots, ticks, **fields)

    assert (f"o1 rejected {reason}" if reason else "o1 accepted") == words[0]
    assert not reason or 1 == len(words)


def test_reducing_is_exempt_from_the_minimum_notional() -> None:
    """A small rest of a position can always be closed."""
    desk = strict_desk()
    desk.place(BUY, 4)
    desk.quote()

    assert "o2 rejected invalid_order" in desk.place(SELL, 2)
    assert "o3 accepted" in desk.place(SELL, 2, reduce_only=True)


def test_an_id_is_used_once() -> None:
    """Also when its first use was refused, filled or canceled."""
    desk = strict_desk()
    desk.place(BUY, 3, order_id="a")

    assert ["a rejected duplicate_client_id"] == desk.place(BUY, 3, order_id="a")


def test_no_price_no_order() -> None:
    """Before the first believable quote nothing can be judged."""
    assert ["o1 rejected no_liquidity"] == Desk().place(BUY, 3)


def test_open_orders_are_limited() -> None:
    """Triggers count; immediate orders don't."""
    desk = strict_desk(max_open_orders=2)
    desk.place(BUY, 3, 999)
    desk.place(SELL, 3, type=STOP, trigger=990)

    assert ["o3 rejected invalid_order"] == desk.place(BUY, 3, 999)
    assert "o4 accepted" in desk.place(BUY, 3)


def test_margin_counts_what_works() -> None:
    """Resting orders hold margin on the worse side only; reducing is always affordable."""
    desk = strict_desk()
    desk.place(BUY, 300, 1000)
    desk.place(SELL, 300, 1001)

    assert ["o3 rejected insufficient_balance"] == desk.place(BUY, 201, 1000)
    assert ["o4 accepted"] == desk.place(BUY, 200, 1000)
    assert ["o4 amend rejected insufficient_balance"] == desk.amend("o4", 999, 210)
    assert ["o4 amended 200@999"] == desk.amend("o4", 999, 200)


def test_reducing_needs_no_money() -> None:
    """With the free equity lost, an order that lowers the worst case passes, flip included."""
    desk = strict_desk(500, taker_fee_bps=D(0))
    desk.place(BUY, 490, 1001, tif=IOC)
    desk.quote(970, 971)

    assert ["o2 rejected insufficient_balance"] == desk.place(BUY, 10)
    assert "o3 accepted" in desk.place(SELL, 950)


def test_random_rejects_are_seeded() -> None:
    """Half of the orders bounce, the same ones for the same seed."""
    runs = []
    for _ in range(2):
        desk = Desk(reject_rate=0.5)
        desk.quote()
        runs.append([desk.place(BUY, 1, 990)[0] for _ in range(40)])

    assert runs[0] == runs[1]
    assert 10 < sum("venue_unavailable" in word for word in runs[0]) < 30
