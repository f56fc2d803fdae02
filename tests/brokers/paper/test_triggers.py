"""When conditional orders are released, and at what price they then trade."""

from decimal import Decimal

import pytest

from tests.brokers.paper.desk import BUY, SELL, STOP, TAKE_PROFIT, TRAILING, Desk

CASES = [
    # side, type,        trigger, touch that must not, touch that must, fill
    (SELL, STOP,         995,     (996, 997),          (995, 997),      995),
    (SELL, STOP,         995,     (996, 1005),         (990, 991),      990),
    (BUY,  STOP,         1005,    (1003, 1004),        (1003, 1005),    1005),
    (BUY,  STOP,         1005,    (1000, 1004),        (1008, 1009),    1009),
    (SELL, TAKE_PROFIT,  1005,    (1004, 1006),        (1005, 1006),    1005),
    (BUY,  TAKE_PROFIT,  995,     (994, 996),          (994, 995),      995),
]  # fmt: skip


@pytest.mark.parametrize(("side", "kind", "trigger", "before", "after", "fill"), CASES)
def test_release(side, kind, trigger, before, after, fill) -> None:
    """Sells watch the bid, buys the ask; the release trades at the touch of that quote."""
    desk = Desk()
    desk.quote()
    desk.place(side, 5, type=kind, trigger=trigger)

    assert [] == desk.quote(*before)
    assert ["o1 triggered", f"o1 fill 5@{fill} taker"] == desk.quote(*after)
    assert [] == desk.quote(*after)


@pytest.mark.parametrize("model", ["touch", "book"])
def test_a_release_with_nothing_left_to_reduce_expires(model: str) -> None:
    """Two exits released by one quote: the second finds the position closed, and trades nothing."""
    desk = Desk(taker_model=model)
    desk.quote()
    desk.place(BUY, 5)
    for _ in range(2):
        desk.place(SELL, 5, type=STOP, trigger=995, reduce_only=True)
    words = desk.quote(990, 991)

    assert ["o3 triggered", "o3 expired reduce_only"] == words[-2:]
    assert 1 == sum("fill" in word for word in words)


def test_trailing_follows_only_in_our_favor() -> None:
    """1 % below the best bid since acceptance."""
    desk = Desk()
    desk.quote()
    desk.place(SELL, 5, type=TRAILING, trail_bps=Decimal(100))

    assert [] == desk.quote(1030, 1031)  # trigger 1019.7, rounded away to 1019
    assert [] == desk.quote(1020, 1021)
    assert ["o1 triggered", "o1 fill 5@1019 taker"] == desk.quote(1019, 1021)


def test_trailing_buy_mirrors() -> None:
    """1 % above the best ask since acceptance."""
    desk = Desk()
    desk.quote()
    desk.place(BUY, 5, type=TRAILING, trail_bps=Decimal(100))

    assert [] == desk.quote(969, 970)  # trigger 979.7, rounded away to 980
    assert [] == desk.quote(978, 979)
    assert ["o1 triggered", "o1 fill 5@980 taker"] == desk.quote(978, 980)


def test_a_waiting_order_can_be_canceled() -> None:
    """It works like any other."""
    desk = Desk()
    desk.quote()
    desk.place(SELL, 5, type=STOP, trigger=995)

    assert ["o1 canceled"] == desk.cancel("o1")
    assert [] == desk.quote(990, 991)


def test_released_reduce_only_closes_no_more_than_there_is() -> None:
    """A stop that protects a position that shrank is cut; what is left expires."""
    desk = Desk()
    desk.quote()
    desk.place(BUY, 5)
    desk.place(SELL, 5, order_id="stop", type=STOP, trigger=995, reduce_only=True)
    desk.place(SELL, 3)

    assert ["stop triggered", "stop fill 2@994 taker", "stop expired reduce_only"] == desk.quote(
        994, 995
    )


def test_margin_is_checked_at_release() -> None:
    """An entry stop nobody can pay for expires when it fires."""
    desk = Desk(balance="1")
    desk.quote()
    desk.place(BUY, 500, type=STOP, trigger=1005)

    assert ["o1 triggered", "o1 expired insufficient_balance"] == desk.quote(1005, 1006)
