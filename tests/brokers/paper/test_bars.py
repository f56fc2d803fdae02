"""Where only bars are known: closes are traded, ranges reach orders, doubt goes against us."""

from decimal import Decimal

from tests.brokers.paper.desk import BUY, SELL, STOP, TAKE_PROFIT, TRAILING, Desk


def after_a_bar(**settings) -> Desk:
    desk = Desk(**settings)
    desk.bar(1000, 1005, 995, 1000)
    return desk


def test_takers_pay_the_close() -> None:
    """Exactly in the touch model, one slippage against us otherwise, whatever the size."""
    assert "o1 fill 900@1000 taker" in after_a_bar(taker_model="touch").place(BUY, 900)
    slipping = after_a_bar(slippage_bps=Decimal(15))
    assert "o1 fill 900@1002 taker" in slipping.place(BUY, 900)
    assert "o2 fill 900@998 taker" in slipping.place(SELL, 900)


def test_limits_need_a_trade_through() -> None:
    """Touching the price is not enough; the volume of the bar is shared."""
    desk = after_a_bar()
    desk.place(BUY, 5, 990)
    desk.place(BUY, 5, 990)

    assert [] == desk.bar(1000, 1000, 990, 995)
    assert ["o1 fill 5@990 maker", "o2 fill 1@990 maker"] == desk.bar(995, 996, 989, 995, volume=6)


def test_stops_meet_trigger_or_open() -> None:
    """Inside the range the trigger, after a gap the open; never the kinder close."""
    desk = after_a_bar(taker_model="touch")
    desk.place(SELL, 5, type=STOP, trigger=995)
    assert ["o1 triggered", "o1 fill 5@995 taker"] == desk.bar(1000, 1010, 990, 1010)
    desk.place(SELL, 5, type=STOP, trigger=1000)
    assert ["o2 triggered", "o2 fill 5@985 taker"] == desk.bar(985, 1010, 980, 1010)


def test_the_worse_path_is_assumed() -> None:
    """A bar that reaches stop and take-profit stopped us."""
    desk = after_a_bar(taker_model="touch")
    desk.place(BUY, 5, order_id="open")
    desk.place(SELL, 5, order_id="win", type=TAKE_PROFIT, trigger=1010, reduce_only=True)
    desk.place(SELL, 5, order_id="lose", type=STOP, trigger=990, reduce_only=True)
    words = desk.bar(1000, 1020, 980, 1015)

    assert "lose fill 5@990 taker" in words
    assert "win expired reduce_only" in words


def test_trailing_inside_a_bar() -> None:
    """The old trigger first, then the new extreme against the close."""
    desk = after_a_bar(taker_model="touch")
    desk.place(SELL, 5, type=TRAILING, trail_bps=Decimal(100))  # trigger 990

    assert ["o1 triggered", "o1 fill 5@1001 taker"] == desk.bar(1000, 1020, 991, 1001)


def test_quotes_and_shorter_bars_win() -> None:
    """A longer bar tells of the past; any bar does once quotes are seen."""
    desk = after_a_bar()
    desk.place(BUY, 5, 990)

    assert [] == desk.bar(1000, 1000, 980, 995, interval_s=3600)
    desk.quote(1000, 1001)
    assert [] == desk.bar(1000, 1000, 980, 995)


def test_broken_bars_change_nothing() -> None:
    """High below close, zero prices, or an open 5 % away."""
    desk = after_a_bar()
    desk.place(BUY, 5, 990)

    assert [] == desk.bar(1000, 990, 980, 995)
    assert [] == desk.bar(1000, 1000, 0, 995)
    assert [] == desk.bar(900, 900, 890, 895)
    assert ["o1 fill 5@990 maker"] == desk.bar(1000, 1000, 980, 995)


def test_liquidation_looks_at_the_extreme() -> None:
    """A range that reached the margin closes the position there, though the bar recovered."""
    desk = after_a_bar(taker_model="touch", balance="2", leverage=Decimal(20))
    desk.place(BUY, 300)

    assert ["liquidation-1 fill 300@930 taker"] == desk.bar(1000, 1000, 930, 1000)
