"""The queue in front of us, by hand: who trades first, and what moves us forward."""

import pytest

from tests.brokers.paper.desk import BUY, LOT, SELL, STOP, Desk


def resting(lots: int = 5, ticks: int = 1000, **settings) -> Desk:
    """A bid of ours behind 10 displayed lots at 1000."""
    desk = Desk(**settings)
    desk.quote()
    desk.place(BUY, lots, ticks)
    return desk


PRINTS = [
    # prints at 1000 by sellers, fills
    ([10],       []),
    ([11],       ["o1 fill 1@1000 maker"]),
    ([15],       ["o1 fill 5@1000 maker"]),
    ([40],       ["o1 fill 5@1000 maker"]),
    ([4, 4, 4],  ["o1 fill 2@1000 maker"]),
    ([12, 1, 9], ["o1 fill 2@1000 maker", "o1 fill 1@1000 maker", "o1 fill 2@1000 maker"]),
]  # fmt: skip


@pytest.mark.parametrize(("prints", "expected"), PRINTS)
def test_prints_at_our_price(prints, expected) -> None:
    """First the ten in front, then us, never more than the print."""
    desk = resting()
    words = [word for lots in prints for word in desk.trade(SELL, 1000, lots)]

    assert expected == words


def test_the_other_side_of_the_tape_is_not_ours() -> None:
    """Buyers lifting the ask never fill a bid."""
    desk = resting()

    assert [] == desk.trade(BUY, 1000, 50)
    assert [] == desk.trade(BUY, 1001, 50)


def test_a_print_through_us_swept_us() -> None:
    """Who sold lower would have sold to us first."""
    assert ["o1 fill 5@1000 maker"] == resting().trade(SELL, 999, 1)


def test_one_print_is_spent_once() -> None:
    """Two orders of ours at one price share what is left of a print in order of arrival."""
    desk = resting(2)
    desk.place(BUY, 5, 1000)

    assert ["o1 fill 2@1000 maker", "o2 fill 1@1000 maker"] == desk.trade(SELL, 1000, 13)


def test_improving_the_touch_stands_first() -> None:
    """Nobody is displayed at a new best price."""
    desk = Desk()
    desk.quote(1000, 1005)
    desk.place(BUY, 5, 1002)

    assert ["o1 fill 3@1002 maker"] == desk.trade(SELL, 1002, 3)


def test_shrinking_without_prints_moves_us_by_the_share() -> None:
    """10 shown become 6: half of the 4 stood in front, 8 remain, capped by the 6 displayed."""
    desk = resting(queue_cancel_share=0.5)
    desk.quote(bid_lots=8)  # 10 -> 9 in front, but only 8 are displayed

    assert [] == desk.trade(SELL, 1000, 8)
    assert ["o1 fill 1@1000 maker"] == desk.trade(SELL, 1000, 1)


def test_later_arrivals_stand_behind_us() -> None:
    """Growth and its later disappearance: half of what leaves is taken from in front."""
    desk = resting(queue_cancel_share=0.5)
    desk.quote(bid_lots=30)
    desk.quote(bid_lots=22)  # 8 leave: 4 from in front, 6 remain

    assert ["o1 fill 1@1000 maker"] == desk.trade(SELL, 1000, 7)


def test_a_shrink_the_tape_explains_counts_once() -> None:
    """Print first, then the quote that shows its effect."""
    desk = resting(queue_cancel_share=1.0)
    desk.trade(SELL, 1000, 4)
    desk.quote(bid_lots=6)

    assert [] == desk.trade(SELL, 1000, 6)
    assert ["o1 fill 1@1000 maker"] == desk.trade(SELL, 1000, 1)


def test_a_quote_ahead_of_its_print_counts_once() -> None:
    """Quote first, then the print it already reflects, told by the venue's stamps."""
    desk = resting(queue_cancel_share=1.0)
    desk.quote(bid_lots=6, ts_event_ns=100)

    assert [] == desk.trade(SELL, 1000, 4, ts_event_ns=100)
    assert [] == desk.trade(SELL, 1000, 6, ts_event_ns=101)
    assert ["o1 fill 1@1000 maker"] == desk.trade(SELL, 1000, 1, ts_event_ns=102)


def test_prints_from_before_we_joined_are_not_for_us() -> None:
    """A late print older than the quote we joined on changes nothing."""
    desk = Desk()
    desk.quote(ts_event_ns=200)
    desk.place(BUY, 5, 1000)

    assert [] == desk.trade(SELL, 999, 50, ts_event_ns=199)
    assert ["o1 fill 5@1000 maker"] == desk.trade(SELL, 999, 50, ts_event_ns=200)


def test_a_crossing_quote_fills_what_it_displays() -> None:
    """An offer of 3 at our bid is 3 lots; our takers can't have them again."""
    desk = resting()

    assert ["o1 fill 3@1000 maker"] == desk.quote(999, 1000, ask_lots=3)
    assert ["o2 accepted", "o2 fill 1@1001 taker"] == desk.place(BUY, 1)
    assert ["o1 fill 2@1000 maker"] == desk.quote(998, 999, ask_lots=9)


def test_an_unknown_level_counts_as_the_touch_until_seen() -> None:
    """Below the touch without a ladder: 10 in front; once shown, all it shows."""
    desk = resting(5, 998)

    assert [] == desk.trade(SELL, 998, 10)
    assert ["o1 fill 1@998 maker"] == desk.trade(SELL, 998, 1)
    seen = resting(5, 998)
    seen.quote(998, 1000, bid_lots=25)
    assert [] == seen.trade(SELL, 998, 25)


def test_a_ladder_knows_the_level() -> None:
    """Behind the touch the ladder's size is in front of us, and follows its changes."""
    desk = Desk(queue_cancel_share=0.0)
    desk.quote()
    desk.depth(((1000, 10), (998, 4), (990, 1)), ((1001, 10),), is_snapshot=True, last_seq=1)
    desk.place(BUY, 5, 998)
    desk.place(BUY, 5, 999)
    desk.depth(((998, 2),), (), first_seq=2, last_seq=2, prev_seq=1)

    assert ["o2 fill 5@999 maker"] == desk.trade(SELL, 999, 5)
    assert ["o1 fill 1@998 maker"] == desk.trade(SELL, 998, 3)


def test_amending_down_keeps_the_place_and_up_loses_it() -> None:
    """The queue remembers only who asked for less at the same price."""
    down, up = resting(), resting()
    for desk, lots in ((down, 4), (up, 6)):
        desk.trade(SELL, 1000, 9)
        desk.quote(bid_lots=10)
        desk.amend("o1", 1000, lots)

    assert ["o1 fill 4@1000 maker"] == down.trade(SELL, 1000, 9)
    assert [] == up.trade(SELL, 1000, 9)


@pytest.mark.parametrize(("bid", "ask"), [(999, 1000), (998, 999)])
def test_touch_model(bid, ask) -> None:
    """No queue: the other touch at our price fills us whole, prints don't."""
    desk = resting(50, maker_model="touch")

    assert [] == desk.trade(SELL, 999, 50)
    assert ["o1 fill 50@1000 maker"] == desk.quote(bid, ask, ask_lots=1)


def test_sells_mirror_buys() -> None:
    """The same on the other side."""
    desk = Desk()
    desk.quote()
    desk.place(SELL, 5, 1001)

    assert ["o1 fill 2@1001 maker"] == desk.trade(BUY, 1001, 12)
    assert ["o1 fill 1@1001 maker"] == desk.quote(1001, 1002, bid_lots=1)
    assert ["o1 fill 2@1001 maker"] == desk.trade(BUY, 1002, 1)


def test_behind_the_ask_and_beyond_the_ladder() -> None:
    """Offers read the ask side; past its last level a price counts as the touch's size."""
    desk = Desk(queue_cancel_share=0.0)
    desk.quote()
    desk.depth(((1000, 10),), ((1001, 10), (1003, 4)), is_snapshot=True, last_seq=1)
    desk.place(SELL, 5, 1003)
    desk.place(SELL, 5, 1009)
    desk.depth((), ((1003, 2),), first_seq=2, last_seq=2, prev_seq=1)

    assert ["o1 fill 1@1003 maker"] == desk.trade(BUY, 1003, 3)
    assert ["o1 fill 4@1003 maker", "o2 fill 1@1009 maker"] == desk.trade(BUY, 1009, 11)


def test_who_asks_is_told_the_line() -> None:
    """The displayed ten, then what prints left of them, then no order to speak of."""
    desk = resting()
    behind = [desk.venue.queue_ahead("o1")]
    for lots in (4, 6, 5):
        desk.trade(SELL, 1000, lots)
        behind.append(desk.venue.queue_ahead("o1"))

    assert [10 * LOT, 6 * LOT, 0 * LOT, None] == behind
    joined = resting()
    joined.quote(bid_lots=50)
    assert 10 * LOT == joined.venue.queue_ahead("o1")


def test_no_line_where_there_is_none() -> None:
    """A model without queues, an order that waits for its trigger, an order nobody sent."""
    desk = resting(maker_model="touch")
    desk.place(BUY, 1, type=STOP, trigger=1010)

    assert [None] * 3 == [desk.venue.queue_ahead(order_id) for order_id in ("o1", "o2", "o3")]
