"""Feed faults reach the venue too; it trades only on what a market could have shown."""

import pytest

from tests.brokers.paper.desk import BUY, SELL, Desk

FAULTS = [
    # bid, ask, bid_lots, ask_lots
    (0,    1,    10, 10),
    (-5,   10,   10, 10),
    (1001, 1000, 10, 10),
    (1000, 1000, 10, 10),
    (1000, 1001, 0,  10),
    (1000, 1001, 10, -1),
    (900,  901,  10, 10),
    (1100, 1101, 10, 10),
    (1,    2,    10, 10),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_quote_fills_nothing_and_moves_nothing(fault) -> None:
    """Orders at both sides survive it, and the next taker pays the last good touch."""
    desk = Desk()
    desk.quote()
    desk.place(BUY, 5, 950)
    desk.place(SELL, 5, 1050)

    assert [] == desk.quote(*fault)
    assert "o3 fill 1@1001 taker" in desk.place(BUY, 1)


def test_a_move_that_repeats_is_the_market() -> None:
    """The fifth quote in a row that agrees on the new level is believed."""
    desk = Desk()
    desk.quote()
    desk.place(BUY, 5, 950)

    assert [[]] * 4 == [desk.quote(900, 901) for _ in range(4)]
    assert ["o1 fill 5@950 maker"] == desk.quote(900, 901)


def test_repeats_must_agree_and_be_in_a_row() -> None:
    """A good quote, or faults elsewhere, start the count again."""
    desk = Desk()
    desk.quote()
    desk.place(BUY, 5, 950)
    faults = [(900, 901)] * 4 + [(1000, 1001)] + [(900, 901)] * 4 + [(1100, 1101), (900, 901)]

    assert [] == [word for fault in faults for word in desk.quote(*fault)]


def test_slow_drift_is_never_a_jump() -> None:
    """Each quote is judged by the last, not by the first."""
    desk = Desk()
    for step in range(200):
        desk.quote(1000 + 10 * step, 1001 + 10 * step)

    assert "o1 fill 1@2991 taker" in desk.place(BUY, 1)


@pytest.mark.parametrize(("ticks", "lots"), [(0, 50), (-1, 50), (940, 50), (999, 0), (999, -3)])
def test_faulty_prints_fill_nothing(ticks, lots) -> None:
    """Non-positive, empty or more than 5 % away."""
    desk = Desk()
    desk.quote()
    desk.place(BUY, 5, 1000)

    assert [] == desk.trade(SELL, ticks, lots)


def test_strangers_are_ignored() -> None:
    """Unknown symbols, and prints before any quote."""
    desk = Desk()

    assert [] == desk.trade(SELL, 1000, 1)
    assert [] == desk.quote(symbol="DOGE")
