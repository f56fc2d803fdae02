"""Displayed size is consumed once, and nothing better than displayed is ever paid."""

from decimal import Decimal

from tests.brokers.paper.desk import BUY, IOC, SELL, Desk

BIDS = ((1000, 99), (999, 20))
ASKS = ((990, 50), (1001, 99), (1002, 20), (1003, 30))


def test_the_quote_is_fresher_than_the_ladder() -> None:
    """Level 1 is the quote's; the ladder's levels at or inside the touch are history."""
    desk = Desk()
    desk.depth(BIDS, ASKS, is_snapshot=True, last_seq=1)
    desk.quote(1001, 1002, 10, 4)

    assert ["o1 accepted", "o1 fill 4@1002 taker", "o1 fill 6@1003 taker"] == desk.place(BUY, 10)


def test_size_is_gone_until_refreshed() -> None:
    """The touch comes back when a quote changes it, deeper levels when a depth names them."""
    desk = Desk()
    desk.quote(ask_lots=10)
    desk.depth(BIDS, ASKS, is_snapshot=True, last_seq=1)
    desk.place(BUY, 20)

    assert ["o2 accepted", "o2 fill 10@1002 taker", "o2 fill 2@1003 taker"] == desk.place(BUY, 12)
    desk.quote(ask_lots=11)
    assert ["o3 accepted", "o3 fill 11@1001 taker", "o3 fill 1@1003 taker"] == desk.place(BUY, 12)
    desk.depth((), ((1002, 5),), first_seq=2, last_seq=2, prev_seq=1)
    assert ["o4 accepted", "o4 fill 5@1002 taker", "o4 fill 1@1003 taker"] == desk.place(BUY, 6)


def test_a_quote_refreshes_only_the_side_it_changes() -> None:
    """A new bid says nothing about the offer we took, nor a repeated quote about either side."""
    desk = Desk()
    desk.quote(1000, 1001, 10, 10)
    desk.depth(((1000, 10), (999, 9)), ASKS, is_snapshot=True, last_seq=1)
    desk.place(BUY, 10)
    desk.place(SELL, 10)

    desk.quote(1000, 1001, 11, 10)
    assert "o3 fill 1@1002 taker" in desk.place(BUY, 1)
    assert "o4 fill 1@1000 taker" in desk.place(SELL, 1)
    desk.quote(1000, 1001, 11, 10)
    assert ["o5 fill 10@1000 taker", "o5 fill 1@999 taker"] == desk.place(SELL, 11)[1:]
    desk.quote(1000, 1002, 11, 10)
    assert "o6 fill 1@1002 taker" in desk.place(BUY, 1)


def test_slippage_only_where_no_depth_was_ever_seen() -> None:
    """Beyond the touch each further touch-size costs one slippage more, at least a tick."""
    desk = Desk(slippage_bps=Decimal(20))
    desk.quote(1000, 1001, 10, 10)
    words = desk.place(BUY, 35)

    assert ["o1 fill 10@1001 taker", "o1 fill 10@1004 taker", "o1 fill 10@1006 taker"] == words[1:4]
    assert ["o1 fill 5@1008 taker"] == words[4:]
    assert ["o2 accepted", "o2 fill 5@1008 taker"] == desk.place(BUY, 5)
    assert "o3 fill 10@998 taker" in desk.place(SELL, 20)


def test_limits_never_slip() -> None:
    """Only market orders may pay what nobody displayed."""
    desk = Desk(slippage_bps=Decimal(20))
    desk.quote()

    assert ["o1 accepted", "o1 fill 10@1001 taker", "o1 expired ioc"] == desk.place(
        BUY, 20, 1050, tif=IOC
    )


def test_nobody_quotes_forever() -> None:
    """After 100 touch-sizes the rest of a market order expires."""
    desk = Desk(balance="1E9")
    desk.quote(ask_lots=1)
    words = desk.place(BUY, 200)

    assert 101 == sum("fill" in word for word in words)
    assert "o1 expired no_liquidity" == words[-1]


def test_a_lost_ladder_offers_only_the_touch() -> None:
    """After a gap in sequence deeper levels are unknown, and slippage is no excuse."""
    desk = Desk()
    desk.quote()
    desk.depth(BIDS, ASKS, is_snapshot=True, last_seq=1)
    desk.depth((), ((1002, 50),), first_seq=2, last_seq=2, prev_seq=1)
    desk.depth((), ((1002, 50),), first_seq=9, last_seq=9, prev_seq=8)

    assert ["o1 accepted", "o1 fill 10@1001 taker", "o1 expired no_liquidity"] == desk.place(
        BUY, 20
    )


def test_diffs_before_the_snapshot_bridge_it() -> None:
    """Buffered diffs older than the snapshot are dropped, the bridging one is applied."""
    desk = Desk()
    desk.quote(ask_lots=1)
    desk.depth((), ((1002, 7),), first_seq=1, last_seq=4, prev_seq=0)
    desk.depth((), ((1002, 8),), first_seq=5, last_seq=12, prev_seq=4)
    desk.depth((), ((1003, 9),), first_seq=13, last_seq=15, prev_seq=12)
    desk.depth(BIDS, ((1001, 1), (1002, 2), (1003, 3)), is_snapshot=True, last_seq=10)

    assert ["o1 fill 1@1001 taker", "o1 fill 8@1002 taker", "o1 fill 9@1003 taker"] == desk.place(
        BUY, 18
    )[1:]


def test_a_snapshot_that_nothing_bridges_is_dropped() -> None:
    """The diffs prove that something is missing between snapshot and stream."""
    desk = Desk()
    desk.quote(ask_lots=1)
    desk.depth((), ((1003, 9),), first_seq=13, last_seq=15, prev_seq=12)
    desk.depth(BIDS, ASKS, is_snapshot=True, last_seq=10)

    assert "o1 expired no_liquidity" == desk.place(BUY, 18)[-1]


def test_touch_model_has_no_size() -> None:
    """Everything at the best price, as the benchmark engines do it."""
    desk = Desk(taker_model="touch", balance="1E9")
    desk.quote(ask_lots=1)

    assert ["o1 accepted", "o1 fill 5000@1001 taker"] == desk.place(BUY, 5000)
    assert ["o2 accepted", "o2 fill 5000@1001 taker"] == desk.place(BUY, 5000, 1002)


def test_depth_alone_makes_a_touch() -> None:
    """A source of ladders only can be traded; consumed size stays consumed until named again."""
    desk = Desk()
    desk.depth(((1000, 10),), ((1001, 10), (1002, 10)), is_snapshot=True, last_seq=1)
    desk.place(BUY, 10)
    desk.depth(((1000, 11),), (), first_seq=2, last_seq=2, prev_seq=1)

    assert ["o2 accepted", "o2 fill 5@1002 taker"] == desk.place(BUY, 5)


def test_a_slow_snapshot_does_not_turn_the_book_back() -> None:
    """It is older than what was already applied, so it is ignored."""
    desk = Desk()
    desk.quote(ask_lots=1)
    desk.depth(BIDS, ASKS, is_snapshot=True, last_seq=10)
    desk.depth((), ((1002, 7),), first_seq=11, last_seq=12, prev_seq=10)
    desk.depth(BIDS, ((1002, 99),), is_snapshot=True, last_seq=11)

    assert "o1 fill 7@1002 taker" in desk.place(BUY, 9)
