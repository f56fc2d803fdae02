"""Orders as a person reads them."""

from decimal import Decimal

import pytest

from engine.model.orders import OrderState, OrderType, TimeInForce
from tests.tui import fixtures
from tests.tui.panes.drawn import HOSTILE, assert_fits, assert_harmless, drawn, tokens
from tui.panes.orders import OrdersPane, draw

D = Decimal

AT_40 = """\
 S SYMBOL       PRICE STATE
>B ETHUSDT   3,505.20 UNKNOWN 2.0s
 B BTCUSDT  67,412.3  ACCEPTED
 S BTCUSDT  67,413.4  ACCEPTED
 S SOLUSDT     151.90 PARTIALLY_F~
 BLOCKED max_spread_bps 2.6 / 2.0  B BT~
 THROTTLED throttle 61 / 60  S ETHUSDT~"""

AT_42 = """\
 S SYMBOL     LEFT      PRICE STATE
>B ETHUSDT   0.30    3,505.20 UNKNOWN 2.0s
 B BTCUSDT   0.020  67,412.3  ACCEPTED
 S BTCUSDT   0.020  67,413.4  ACCEPTED
 S SOLUSDT   0.75      151.90 PARTIALLY_F~
 BLOCKED max_spread_bps 2.6 / 2.0  B BTCU~
 THROTTLED throttle 61 / 60  S ETHUSDT~"""

AT_46 = """\
 S SYMBOL     LEFT      PRICE STATE
>B ETHUSDT   0.30    3,505.20 UNKNOWN 2.0s
 B BTCUSDT   0.020  67,412.3  ACCEPTED
 S BTCUSDT   0.020  67,413.4  ACCEPTED
 S SOLUSDT   0.75      151.90 PARTIALLY_FILLED
 BLOCKED max_spread_bps 2.6 / 2.0  B BTCUSDT~
 THROTTLED throttle 61 / 60  S ETHUSDT 0.30 @~"""

AT_80 = """\
 S SYMBOL     LEFT      PRICE   QUEUE  AGE STATE            TIF    BY
>B ETHUSDT   0.30    3,505.20       - 3.0s UNKNOWN 2.0s     PO     maker
 B BTCUSDT   0.020  67,412.3    0.380  12s ACCEPTED         PO     maker
 S BTCUSDT   0.020  67,413.4    0.380  12s ACCEPTED         PO     maker
 S SOLUSDT   0.75      151.90   0.38   41s PARTIALLY_FILLED PO     maker
 BLOCKED max_spread_bps 2.6 / 2.0  B BTCUSDT 0.010 market  momentum 0.5s
 THROTTLED throttle 61 / 60  S ETHUSDT 0.30 @3,510.10  maker 3.0s"""

AT_120 = """\
 S SYMBOL     LEFT     QTY      PRICE TICKS OFF   QUEUE  AGE STATE            TYPE        TIF    BY
>B ETHUSDT   0.30    0.30    3,505.20     291         - 3.0s UNKNOWN 2.0s     LIMIT       PO     maker
 B BTCUSDT   0.020   0.020  67,412.3        0     0.380  12s ACCEPTED         LIMIT       PO     maker
 S BTCUSDT   0.020   0.020  67,413.4        5     0.380  12s ACCEPTED         LIMIT       PO     maker
 S SOLUSDT   0.75    1.50      151.90      65 !   0.38   41s PARTIALLY_FILLED LIMIT       PO     maker
 BLOCKED max_spread_bps 2.6 / 2.0  B BTCUSDT 0.010 market  momentum 0.5s
 THROTTLED throttle 61 / 60  S ETHUSDT 0.30 @3,510.10  maker 3.0s"""


@pytest.mark.parametrize(
    ("width", "expected"), [(40, AT_40), (42, AT_42), (46, AT_46), (80, AT_80), (120, AT_120)]
)
def test_drawn(width: int, expected: str) -> None:
    """Who knows what became of the unknown one? It stands on top, with how long nobody does."""
    assert expected == drawn(draw, fixtures.view(), width)


KINDS = [
    # what differs,                                                        the line
    ({"type": OrderType.MARKET, "price": None, "post_only": False},        "                        0.380  12s ACCEPTED         MARKET      GTC    maker"),
    ({"type": OrderType.STOP, "price": None, "trigger_price": D("66000"), "post_only": False,
      "reduce_only": True},                                                " 66,000.0              0.380  12s ACCEPTED         STOP        GTC RO maker"),
    ({"tif": TimeInForce.IOC, "post_only": False, "price": D("67412.9")},  " 67,412.9       -6     0.380  12s ACCEPTED         LIMIT       IOC    maker"),
    ({"state": OrderState.PENDING_CANCEL, "price": D("67410.0")},          " 67,410.0       23     0.380  12s PENDING_CANCEL   LIMIT       PO     maker"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), KINDS)
def test_kinds(changes: dict, expected: str) -> None:
    """A trigger where there is no limit, blank where there is neither; the terms in two words."""
    shown = drawn(draw, fixtures.view(orders=(fixtures.order(**changes),)), 120)

    assert expected in shown


def test_no_market_yet() -> None:
    """Without a touch nobody knows how far an order stands from it."""
    view = fixtures.view(
        markets=fixtures.empty().markets, orders=(fixtures.order(price=D("67412.3")),)
    )
    elsewhere = fixtures.view(orders=(fixtures.order(symbol="LOST"),))

    assert " 67,412.3         -       0.380  12s" in drawn(draw, view, 120)
    assert " 67,412.3              0.38   12s" in drawn(draw, elsewhere, 120)


def test_nothing_and_filter() -> None:
    """By symbol, agent, state, side, type or id."""
    view = fixtures.view(blocked=())

    assert " No orders.\n" in drawn(draw, fixtures.empty())
    assert " No orders match /doge." in drawn(draw, view, wanted="doge")
    for wanted, lines in (("unk", 1), ("sol", 1), ("sell", 2), ("maker-2", 1), ("MAKER", 4)):
        assert lines == drawn(draw, view, wanted=wanted).count("\n"), wanted


def test_unknown_ones_never_scroll_away() -> None:
    """Scrolled to the last of forty, the unknown ones still stand on top; one line stays free."""
    lost = tuple(fixtures.order(90 + i, state=OrderState.UNKNOWN) for i in range(2))
    view = fixtures.view(orders=(*(fixtures.order(i) for i in range(40)), *lost), blocked=())
    rows = drawn(draw, view, 160, 6, selected=41).splitlines()

    assert ["maker-90", "maker-91", "maker-37", "maker-38", "maker-39"] == [
        row.split()[-1] for row in rows[1:]
    ]
    assert ">" == rows[-1][0]
    assert ">" == drawn(draw, view, 160, 6, selected=20).splitlines()[4][0]
    assert ["maker-90", "maker-39"] == [
        row.split()[-1] for row in drawn(draw, view, 160, 3, selected=41).splitlines()[1:]
    ]
    assert ["maker-39"] == [
        row.split()[-1] for row in drawn(draw, view, 160, 2, selected=41).splitlines()[1:]
    ]


def test_blocked_wishes_stand_below() -> None:
    """By the newest; where lines are short one is kept for it, and none where there are three."""
    view = fixtures.view()

    assert [" BLOCKED", " THROTTL"] == [
        row[:8] for row in drawn(draw, view, height=7).splitlines()[5:]
    ]
    assert " BLOCKED max_spread_bps 2.6 / 2.0" in drawn(draw, view, height=4).splitlines()[3]
    assert "BLOCKED" not in drawn(draw, view, height=3)
    assert {"warn"} == tokens(draw, view, "BLOCKED")
    alone = drawn(draw, fixtures.view(orders=()))
    assert " BLOCKED" == alone[:8]
    assert "No orders" not in alone
    assert 2 == len(drawn(draw, view, wanted="blocked").splitlines())


def test_no_place_in_line_is_no_place() -> None:
    """Null is not zero; nor is first in line nothing."""
    first, nobody_knows = (
        fixtures.order(queue_ahead=D(0)),
        fixtures.order(2, queue_ahead=None, route=""),
    )
    rows = drawn(draw, fixtures.view(orders=(first, nobody_knows)), 160).splitlines()

    assert "0     0.000  12s" in rows[1]
    assert "0         -  12s" in rows[2]
    assert " bid        -   " in rows[2]


def test_tokens_repeat_the_words() -> None:
    """Danger is a word first."""
    view = fixtures.view()

    assert {"danger bold"} == tokens(draw, view, "UNKNOWN", selected=3)
    assert {"ok"} == tokens(draw, view, "ACCEPTED", selected=3)
    assert {"stale"} == tokens(draw, view, "65 !", selected=0)


def test_hostile_and_any_size() -> None:
    """Every word of an order may come from outside."""
    order = fixtures.order(
        symbol=HOSTILE, agent=HOSTILE, slot=HOSTILE, order_id=HOSTILE, venue_order_id=HOSTILE,
        qty=D("1e30"), price=D("-1e30"),
    )  # fmt: skip
    view = fixtures.view(orders=(order,) * 300)

    assert_harmless(drawn(draw, view, 160))
    assert "#####" in drawn(draw, view, 80)
    assert_fits(draw, view)
    assert_fits(draw, fixtures.view())


def test_pane() -> None:
    """The count is the session's; a view holds the oldest of very many."""
    pane, view = OrdersPane(), fixtures.view()
    many = fixtures.view(session=fixtures.session(open_orders=350))

    assert ("(4)", 4) == (pane.caption(view), pane.count(view))
    assert "(350, oldest 4 here)" == pane.caption(many)
    assert view.orders[3] == pane.chosen(view)
    pane.selected, pane.filter = 1, "sell"
    assert view.orders[2] == pane.chosen(view)
    assert ">S SOLUSDT" in "".join(cell.text for row in pane.draw(view, 80, 9) for cell in row)
    pane.selected = 2
    assert pane.chosen(view) is None
