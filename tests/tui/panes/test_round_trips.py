"""Round trips as a person reads them."""

from decimal import Decimal

import pytest

from tests.tui import fixtures
from tests.tui.panes.drawn import HOSTILE, assert_fits, assert_harmless, drawn, tokens
from tui.panes.round_trips import RoundTripsPane, draw

D = Decimal

AT_50 = """\
 CLOSED    S SYMBOL   HELD          NET BY
>12:01:49Z S BTCUSDT   45s      -1.34   maker
 12:00:49Z B ETHUSDT    4m      +0.24   maker"""

AT_80 = """\
 CLOSED    S SYMBOL      QTY  HELD          NET        GROSS BY
>12:01:49Z S BTCUSDT   0.040   45s      -1.34        -0.46   maker
 12:00:49Z B ETHUSDT   0.10     4m      +0.24        +0.31   maker"""

AT_120 = """\
 CLOSED    S SYMBOL      QTY      ENTRY       EXIT  HELD          NET        GROSS         FEES     SLIPPAGE BY
>12:01:49Z S BTCUSDT   0.040  67,390.0   67,401.5    45s      -1.34        -0.46        -0.88        -0.05   maker
 12:00:49Z B ETHUSDT   0.10    3,502.10   3,505.20    4m      +0.24        +0.31        -0.07        +0.02   maker"""

AT_200 = """\
 CLOSED    S SYMBOL      QTY      ENTRY       EXIT  HELD          NET        GROSS         FEES      FUNDING     SLIPPAGE          MAE          MFE FILLS TRIP           BY
>12:01:49Z S BTCUSDT   0.040  67,390.0   67,401.5    45s      -1.34        -0.46        -0.88         0.00        -0.05        -0.62         0.00       4 maker-3        maker
 12:00:49Z B ETHUSDT   0.10    3,502.10   3,505.20    4m      +0.24        +0.31        -0.07         0.00        +0.02        -0.11        +0.35       2 maker-1        maker"""


@pytest.mark.parametrize(
    ("width", "expected"), [(50, AT_50), (80, AT_80), (120, AT_120), (200, AT_200)]
)
def test_drawn(width: int, expected: str) -> None:
    """Newest first; the net first, what it is made of where there is room; costs are negative."""
    assert expected == drawn(draw, fixtures.view(), width)


def test_the_parts_make_the_net() -> None:
    """What the fixture shows could have happened."""
    for trip in fixtures.round_trips():
        parts = trip.gross_pnl - trip.maker_fees - trip.taker_fees + trip.funding
        assert trip.net_pnl == parts


def test_nothing_and_filter() -> None:
    """By symbol, agent, side or one of its orders."""
    view = fixtures.view()

    assert " No round trips.\n" in drawn(draw, fixtures.empty())
    assert " No round trips match /doge." in drawn(draw, view, wanted="doge")
    for wanted, lines in (("sell", 1), ("ETH", 1), ("maker-2", 1), ("maker", 2)):
        assert lines == drawn(draw, view, wanted=wanted).count("\n"), wanted


def test_tokens_repeat_the_signs() -> None:
    """A gain and a loss differ in a sign first."""
    view = fixtures.view()

    assert {"down reverse"} == tokens(draw, view, "-1.34")
    assert {"up"} == tokens(draw, view, "+0.24")


def test_hostile_and_any_size() -> None:
    """Symbols are the venue's own words."""
    trip = fixtures.round_trip(symbol=HOSTILE, agent=HOSTILE, net_pnl=D("1e30"), duration_s=1e12)
    view = fixtures.view(round_trips=(trip,) * 50)

    assert_harmless(drawn(draw, view, 160))
    assert 2 <= drawn(draw, view, 80, 2).count("#####")
    assert_fits(draw, view)
    assert_fits(draw, fixtures.view())


def test_pane() -> None:
    """The title counts what a view has."""
    pane, view = RoundTripsPane(), fixtures.view()

    assert ("(2 newest)", "") == (pane.caption(view), pane.caption(fixtures.empty()))
    pane.selected = 1
    assert (2, view.round_trips[0]) == (pane.count(view), pane.chosen(view))
    assert ">12:00" in "".join(cell.text for row in pane.draw(view, 80, 9) for cell in row)
    pane.filter = "sell"
    assert (1, None) == (pane.count(view), pane.chosen(view))
