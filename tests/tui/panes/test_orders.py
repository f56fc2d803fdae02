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
 S SOLUSDT     151.90 PARTIALLY_F~"""

AT_42 = """\
 S SYMBOL     LEFT      PRICE STATE
>B ETHUSDT   0.30    3,505.20 UNKNOWN 2.0s
 B BTCUSDT   0.020  67,412.3  ACCEPTED
 S BTCUSDT   0.020  67,413.4  ACCEPTED
 S SOLUSDT   0.75      151.90 PARTIALLY_F~"""

AT_46 = """\
 S SYMBOL     LEFT      PRICE STATE
>B ETHUSDT   0.30    3,505.20 UNKNOWN 2.0s
 B BTCUSDT   0.020  67,412.3  ACCEPTED
 S BTCUSDT   0.020  67,413.4  ACCEPTED
 S SOLUSDT   0.75      151.90 PARTIALLY_FILLED"""

AT_80 = """\
 S SYMBOL     LEFT     QTY      PRICE  AGE STATE            TIF    BY
>B ETHUSDT   0.30    0.30    3,505.20 3.0s UNKNOWN 2.0s     PO     maker
 B BTCUSDT   0.020   0.020  67,412.3   12s ACCEPTED         PO     maker
 S BTCUSDT   0.020   0.020  67,413.4   12s ACCEPTED         PO     maker
 S SOLUSDT   0.75    1.50      151.90  41s PARTIALLY_FILLED PO     maker"""

AT_120 = """\
 S SYMBOL     LEFT     QTY      PRICE TICKS OFF  AGE STATE            TYPE        TIF    BY         SLOT
>B ETHUSDT   0.30    0.30    3,505.20     291   3.0s UNKNOWN 2.0s     LIMIT       PO     maker      bid
 B BTCUSDT   0.020   0.020  67,412.3        0    12s ACCEPTED         LIMIT       PO     maker      bid
 S BTCUSDT   0.020   0.020  67,413.4        5    12s ACCEPTED         LIMIT       PO     maker      ask
 S SOLUSDT   0.75    1.50      151.90      65 !  41s PARTIALLY_FILLED LIMIT       PO     maker      ask"""


@pytest.mark.parametrize(
    ("width", "expected"), [(40, AT_40), (42, AT_42), (46, AT_46), (80, AT_80), (120, AT_120)]
)
def test_drawn(width: int, expected: str) -> None:
    """Who knows what became of the unknown one? It stands on top, with how long nobody does."""
    assert expected == drawn(draw, fixtures.view(), width)


KINDS = [
    # what differs,                                                        the line
    ({"type": OrderType.MARKET, "price": None, "post_only": False},        "                      12s ACCEPTED         MARKET      GTC    maker"),
    ({"type": OrderType.STOP, "price": None, "trigger_price": D("66000"), "post_only": False,
      "reduce_only": True},                                                " 66,000.0             12s ACCEPTED         STOP        GTC RO maker"),
    ({"tif": TimeInForce.IOC, "post_only": False, "price": D("67412.9")},  " 67,412.9       -6    12s ACCEPTED         LIMIT       IOC    maker"),
    ({"state": OrderState.PENDING_CANCEL, "price": D("67410.0")},          " 67,410.0       23    12s PENDING_CANCEL   LIMIT       PO     maker"),
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

    assert " 67,412.3         -  12s" in drawn(draw, view, 120)
    assert " 67,412.3             12s" in drawn(draw, elsewhere, 120)


def test_nothing_and_filter() -> None:
    """By symbol, agent, state, side, type or id."""
    view = fixtures.view()

    assert " No orders.\n" in drawn(draw, fixtures.empty())
    assert " No orders match /doge." in drawn(draw, view, wanted="doge")
    for wanted, lines in (("unk", 1), ("sol", 1), ("sell", 2), ("maker-2", 1), ("MAKER", 4)):
        assert lines == drawn(draw, view, wanted=wanted).count("\n"), wanted


def test_unknown_ones_never_scroll_away() -> None:
    """Scrolled to the last of forty, the unknown ones still stand on top; one line stays free."""
    lost = tuple(fixtures.order(90 + i, state=OrderState.UNKNOWN) for i in range(2))
    view = fixtures.view(orders=(*(fixtures.order(i) for i in range(40)), *lost))
    rows = drawn(draw, view, 160, 6, selected=41).splitlines()

    assert ["maker-90", "maker-91", "maker-37", "maker-38", "maker-39"] == [
        row.split()[-2] for row in rows[1:]
    ]
    assert ">" == rows[-1][0]
    assert ">" == drawn(draw, view, 160, 6, selected=20).splitlines()[4][0]
    assert ["maker-90", "maker-39"] == [
        row.split()[-2] for row in drawn(draw, view, 160, 3, selected=41).splitlines()[1:]
    ]
    assert ["maker-39"] == [
        row.split()[-2] for row in drawn(draw, view, 160, 2, selected=41).splitlines()[1:]
    ]


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
