"""Fills as a person reads them."""

from decimal import Decimal

import pytest

from tests.tui import fixtures
from tests.tui.panes.drawn import HOSTILE, assert_fits, assert_harmless, drawn, tokens
from tui.panes.fills import FillsPane, draw

D = Decimal

AT_50 = """\
 TIME      S SYMBOL      QTY      PRICE
>12:02:18Z S SOLUSDT   0.75      151.90
 12:00:49Z B ETHUSDT   0.10    3,505.20
 11:58:19Z B BTCUSDT   0.020  67,253.1"""

AT_80 = """\
 TIME         S SYMBOL      QTY      PRICE          FEE               SLIP bps
>12:02:18.204 S SOLUSDT   0.75      151.90      -0.0228 maker             +2.6
 12:00:49.500 B ETHUSDT   0.10    3,505.20      +0.0042 maker LATE x2        -
 11:58:19.500 B BTCUSDT   0.020  67,253.1       -0.98   taker             -0.1"""

AT_120 = """\
 TIME         S SYMBOL      QTY      PRICE          FEE               SLIP bps    +1s    +5s   +30s BY
>12:02:18.204 S SOLUSDT   0.75      151.90      -0.0228 maker             +2.6   -0.2      -      - maker
 12:00:49.500 B ETHUSDT   0.10    3,505.20      +0.0042 maker LATE x2        -  +12.3      -    0.0 grid
 11:58:19.500 B BTCUSDT   0.020  67,253.1       -0.98   taker             -0.1   +0.4   +0.1   -0.6 maker"""


@pytest.mark.parametrize(("width", "expected"), [(50, AT_50), (80, AT_80), (120, AT_120)])
def test_drawn(width: int, expected: str) -> None:
    """Newest first; a rebate has a plus, what nobody knows a dash."""
    assert expected == drawn(draw, fixtures.view(), width)


SLIPS = [
    # side,         price,    mid,      shown
    (fixtures.BUY,  "100.1",  "100",    "   -10.0"),
    (fixtures.BUY,  "99.9",   "100",    "   +10.0"),
    (fixtures.SELL, "100.1",  "100",    "   +10.0"),
    (fixtures.SELL, "99.9",   "100",    "   -10.0"),
    (fixtures.SELL, "100",    "100",    "     0.0"),
    (fixtures.SELL, "100",    None,     "       -"),
    (fixtures.SELL, "100",    "0",      "       -"),
]  # fmt: skip


@pytest.mark.parametrize(("side", "price", "mid", "shown"), SLIPS)
def test_slippage(side: object, price: str, mid: str | None, shown: str) -> None:
    """Paid is negative on either side; nothing is divided by nothing."""
    fill = fixtures.fill(side=side, price=D(price), arrival_mid=None if mid is None else D(mid))

    assert f"maker         {shown}" in drawn(draw, fixtures.view(fills=(fill,)))


def test_what_came_after() -> None:
    """Each horizon in its column; the future and a fill of long ago are unknown, not zero."""
    view = fixtures.view()
    rows = drawn(draw, view, 120).splitlines()

    assert ["-0.2", "-", "-"] == rows[1].split()[-4:-1]
    assert ["+12.3", "-", "0.0"] == rows[2].split()[-4:-1]
    assert ["-", "-", "-"] == drawn(draw, fixtures.view(fill_tracks=()), 120).splitlines()[
        3
    ].split()[-4:-1]
    assert {"down"} == tokens(draw, view, "-0.6")


def test_sent_again_is_said() -> None:
    """A venue that repeats itself is worth a warning, though the books have it once."""
    view = fixtures.view()

    assert {"warn"} == tokens(draw, view, "x2")
    assert "x2" not in drawn(draw, fixtures.view(fill_tracks=()))


def test_nothing_and_filter() -> None:
    """By symbol, agent, side, order, or what is special about it."""
    view = fixtures.view()

    assert " No fills.\n" in drawn(draw, fixtures.empty())
    assert " No fills match /doge." in drawn(draw, view, wanted="doge")
    for wanted, lines in (("late", 1), ("TAKER", 1), ("buy", 2), ("grid-7", 1), ("sol", 1)):
        assert lines == drawn(draw, view, wanted=wanted).count("\n"), wanted


def test_tokens_repeat_the_signs() -> None:
    """A late fill has a word of its own."""
    view = fixtures.view()

    assert {"warn"} == tokens(draw, view, "LATE")
    assert {"down"} == tokens(draw, view, "-0.98")
    assert {"up"} == tokens(draw, view, "+0.0042")


def test_hostile_and_any_size() -> None:
    """Trade ids are the venue's own words."""
    fill = fixtures.fill(
        symbol=HOSTILE, agent=HOSTILE, order_id=HOSTILE, trade_id=HOSTILE, qty=D("1e30"),
        fee=D("-1e30"),
    )  # fmt: skip
    view = fixtures.view(fills=(fill,) * 50)

    assert_harmless(drawn(draw, view, 160))
    assert "#####" in drawn(draw, view)
    assert_fits(draw, view)
    assert_fits(draw, fixtures.view())


def test_pane() -> None:
    """The title counts all; a view has the newest."""
    pane, view = FillsPane(), fixtures.view()
    few = fixtures.view(session=fixtures.session(fills=3))

    assert ("(37, newest 3 here)", "(3)") == (pane.caption(view), pane.caption(few))
    assert (3, view.fills[2]) == (pane.count(view), pane.chosen(view))
    pane.selected, pane.filter = 1, "buy"
    assert (2, view.fills[0]) == (pane.count(view), pane.chosen(view))
    assert ">11:58" in "".join(cell.text for row in pane.draw(view, 80, 9) for cell in row)
    pane.selected = 2
    assert pane.chosen(view) is None
