"""Positions as a person reads them."""

from decimal import Decimal

import msgspec
import pytest

from engine.session.control.faces import AccountFace
from tests.tui import fixtures
from tests.tui.panes.drawn import HOSTILE, assert_fits, assert_harmless, drawn, tokens
from tui.panes.positions import PositionsPane, draw

D = Decimal

AT_50 = """\
 SYMBOL       QTY      ENTRY           uPnL
>BTCUSDT   +0.020  67,253.1       +3.19
 SOLUSDT   -1.50      150.76      -0.72   !
 TOTAL                            +2.47   !"""

AT_80 = """\
 SYMBOL       QTY      ENTRY       MARK           uPnL          LIQ     LIQ %
>BTCUSDT   +0.020  67,253.1   67,412.6       +3.19      54,210.1      19.6%
 SOLUSDT   -1.50      150.76     151.24      -0.72   !     198.10 !   31.0% !
 TOTAL                                       +2.47   !"""

AT_120 = """\
 SYMBOL       QTY      ENTRY       MARK           uPnL          LIQ     LIQ %        TODAY     FUND RATE     AGE
>BTCUSDT   +0.020  67,253.1   67,412.6       +3.19      54,210.1      19.6%       +10.59    +0.0100%  2h    0.1s
 SOLUSDT   -1.50      150.76     151.24      -0.72   !     198.10 !   31.0% !       -       -0.0040%  2h  ! 2.4s
 TOTAL                                       +2.47   !"""


@pytest.mark.parametrize(("width", "expected"), [(50, AT_50), (80, AT_80), (120, AT_120)])
def test_drawn(width: int, expected: str) -> None:
    """Signs, points under points, `!` after what an old price made; the least leaves first."""
    assert expected == drawn(draw, fixtures.view(), width)


def test_flat_ones_on_request() -> None:
    """A flat position has a size of zero, and an entry nobody knows."""
    shown = drawn(draw, fixtures.view(), has_flat=True)

    assert "ETHUSDT" not in drawn(draw, fixtures.view())
    assert " ETHUSDT    0.00        -      3,508.26       0.00" in shown


def test_whose_it_is() -> None:
    """Where agents hold against each other, the net says so."""
    assert "maker -2.00 grid +0.50" in drawn(draw, fixtures.view(), 300)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("ACTIVE", "Agents are ACTIVE and wait for their moment."),
        ("PAUSED", "Agents are PAUSED, press P to resume."),
        ("STOPPED", "The session has ended, press q."),
        ("NEW\x1b[m", "NEW\ufffd[m"),
    ],
)
def test_nothing_says_why(state: str, why: str) -> None:
    """An empty pane is never just empty."""
    view = fixtures.view(positions=(), session=fixtures.session(state))

    assert f" No positions.\n {why}" == drawn(draw, view)


def test_filter() -> None:
    """Symbol or agent, in any case; a filter that hides all says so."""
    view = fixtures.view()

    assert "BTCUSDT" not in drawn(draw, view, wanted="sol")
    assert "BTCUSDT" not in drawn(draw, view, wanted="GRID")
    assert " No positions match /doge.\n esc clears the filter." == drawn(draw, view, wanted="doge")


def test_unknown_is_not_zero() -> None:
    """No mark, no market, no age: dashes."""
    lost = fixtures.position(
        "LOST", mark=None, entry_price=None, liquidation_price=None, liquidation_pct=None,
        realised_today=None, margin=None, funding_next=None, trips=(),
    )  # fmt: skip
    shown = drawn(draw, fixtures.view(positions=(lost,)), 120).splitlines()[1]

    assert (
        ">LOST      +0.02        -          -         +3.19   !       -    !       - !       -     "
        in shown
    )
    wide = drawn(draw, fixtures.view(positions=(lost,)), 250).splitlines()[1].split()
    assert ["+0.02", "-", "-", "+3.19", "!", *["-", "!"] * 3, *["-"] * 7] == wide[1:19]


def test_what_outgrows_its_column_is_crossed_out() -> None:
    """Never a cut digit."""
    huge = fixtures.position(qty=D("123456789.5"), unrealised=D("-98765432.10"))
    shown = drawn(draw, fixtures.view(positions=(huge,)))

    assert ">BTCUSDT    #####" in shown
    assert "-98" not in shown


def test_tokens_repeat_the_signs() -> None:
    """Up, down and stale mean what the characters say already."""
    view = fixtures.view()

    assert {"up reverse"} == tokens(draw, view, "+3.19")
    assert {"stale"} == tokens(draw, view, "-0.72")
    assert {"stale"} == tokens(draw, view, "151.24")
    assert {"down"} == tokens(draw, view, "-1.50 ")


def test_selected_row_stays_in_sight() -> None:
    """Twenty rows in four lines: the one a person stands on is among them."""
    many = tuple(fixtures.position(f"S{i:02}") for i in range(20))
    shown = drawn(draw, fixtures.view(positions=many), height=5, selected=17)

    assert ">S17" in shown
    assert 5 == len(shown.splitlines())


def test_hostile_and_any_size() -> None:
    """A venue's own words can't reach the terminal or leave the pane."""
    view = fixtures.view(positions=(fixtures.position(HOSTILE),))

    assert_harmless(drawn(draw, view, 160))
    assert_fits(draw, view)
    assert_fits(draw, fixtures.empty())


def test_pane() -> None:
    """The widget passes on what a person chose, and says what they stand on."""
    pane, view = PositionsPane(), fixtures.view()
    pane.selected, pane.filter = 1, ""

    assert ("(2) gross 1,575.10 net +1,121.40 lev 0.16x", 2) == (
        pane.caption(view),
        pane.count(view),
    )
    assert "(0)" == pane.caption(fixtures.empty())
    assert ">SOLUSDT" in "".join(cell.text for row in pane.draw(view, 80, 9) for cell in row)
    assert view.positions[2] == pane.chosen(view)
    pane.filter = "nobody"
    assert pane.chosen(view) is None
    pane.filter = ""
    pane.action_flat()
    assert (3, view.positions[1]) == (pane.count(view), pane.chosen(view))
    pane.action_flat()
    assert 2 == pane.count(view)


def test_a_liquidation_out_of_reach() -> None:
    """Ten times the price is said so; a figure of that size would be crossed out."""
    far = fixtures.position(liquidation_price=D("5000000.5"), liquidation_pct=D("4658.1"))
    near = fixtures.position(liquidation_price=D("674120.0"), liquidation_pct=D("900"))

    assert 2 == drawn(draw, fixtures.view(positions=(far,))).splitlines()[1].count("> 10x")
    assert "900.0%" in drawn(draw, fixtures.view(positions=(near,)))


def test_what_a_watched_account_holds_stands_in_the_title() -> None:
    """Beside ours: some by name, the rest counted, doubt marked; no letter of it draws anything."""
    account = AccountFace(seen_ns=1, is_seen=True, equity=D(1), gap=D(0), positions=())
    pane = PositionsPane()

    def said(**changes: object) -> str:
        shown = fixtures.view(account=msgspec.structs.replace(account, **changes))
        return pane.caption(shown).partition(" account ")[2]

    assert "flat" == said()
    assert "0.005 BTC, -1.5 ETH" == said(positions=(("BTC", D("0.005")), ("ETH", D("-1.5"))))
    many = tuple((f"S{number}", D(number)) for number in range(1, 6))
    assert "1 S1, 2 S2, 3 S3 +2 ?" == said(positions=many, is_seen=False)
    assert "\x1b" not in said(positions=(("\x1b[31mBTC", D(1)),))
    assert "account" not in pane.caption(fixtures.view())
