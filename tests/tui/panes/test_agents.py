"""Agents as a person reads them."""

from decimal import Decimal

import pytest

from tests.tui import fixtures
from tests.tui.panes.drawn import HOSTILE, assert_fits, assert_harmless, drawn, tokens
from tui.panes.agents import AgentsPane, draw

D = Decimal

AT_46 = """\
 AGENT        STATE  WEIGHT LAST
>pairs        FAULT       1 -
   raised ZeroDivisionError: division by zero
 maker        ON          1 NOOP WITHIN_TOLER~
   B BTCUSDT 0.020 @67,412.5: fair 67412.6, i~
 grid         PAUSED    0.5 warm 34/90
 momentum     ON        0.3 BLOCK max_spread_~
   BLOCK max_spread_bps 2.6 / 2.0: B BTCUSDT~"""

AT_80 = """\
 AGENT        STATE  WEIGHT          PnL INTENTS    WARM LAST
>pairs        FAULT       1       0.00     1,204         -
   raised ZeroDivisionError: division by zero
 maker        ON          1     +12.34       412         NOOP WITHIN_TOLERANCE
   B BTCUSDT 0.020 @67,412.5: fair 67412.6, inventory +0.20
 grid         PAUSED    0.5       0.00         0   34/90 warm 34/90
 momentum     ON        0.3       0.00        18         BLOCK max_spread_bps~
   BLOCK max_spread_bps 2.6 / 2.0: B BTCUSDT 0.010 market: cross up"""

AT_120 = """\
 AGENT        STATE  WEIGHT          PnL INTENTS    WARM LAST                           p99  ORDERS   FILLS     REALISED
>pairs        FAULT       1       0.00     1,204         -                             84us       0       0       0.00
   raised ZeroDivisionError: division by zero
 maker        ON          1     +12.34       412         NOOP WITHIN_TOLERANCE         84us       3      31     +10.81
   B BTCUSDT 0.020 @67,412.5: fair 67412.6, inventory +0.20
 grid         PAUSED    0.5       0.00         0   34/90 warm 34/90                       -       0       0       0.00
 momentum     ON        0.3       0.00        18         BLOCK max_spread_bps 2.6 /~   84us       0       0       0.00
   BLOCK max_spread_bps 2.6 / 2.0: B BTCUSDT 0.010 market: cross up"""


@pytest.mark.parametrize(("width", "expected"), [(46, AT_46), (80, AT_80), (120, AT_120)])
def test_drawn(width: int, expected: str) -> None:
    """One at fault stands first, with what it did below it; below the others what they wished."""
    assert expected == drawn(draw, fixtures.view(), width)


def test_selected_row_stays_in_sight() -> None:
    """The errors of others take lines, but not the one a person stands on."""
    many = tuple(fixtures.agent(f"a{i:02}", quarantine="stalled") for i in range(20))
    shown = drawn(draw, fixtures.view(agents=many), height=5, selected=17)

    assert ">a17" in shown
    assert 5 == len(shown.splitlines())


def test_fault_outweighs_pause() -> None:
    """A paused agent that raised is at fault: resuming it would not help."""
    both = fixtures.agent(is_paused=True, quarantine="stalled")
    view = fixtures.view(agents=(both, fixtures.agent("b", is_paused=True)))

    assert "PAUSED" in drawn(draw, view).splitlines()[3]
    assert {"danger bold"} == tokens(draw, view, "FAULT", selected=1)
    assert {"danger"} == tokens(draw, view, "stalled")
    assert {"warn"} == tokens(draw, view, "PAUSED", selected=0)


def test_without_room_only_faults_take_a_line() -> None:
    """What an agent wished is worth less than the next agent."""
    shown = drawn(draw, fixtures.view(), height=6)

    assert "ZeroDivisionError" in shown
    assert "cross up" not in shown
    assert "momentum" in shown


OUTCOMES = [
    # deed,                                                            as shown,              token
    ({"outcome": "NOOP", "reason": "TOO_SOON"},                        "NOOP TOO_SOON",       "dim"),
    ({"outcome": "", "reason": ""},                                    "..",                  "text"),
    ({"outcome": "BLOCK", "reason": "state", "limit": "ACTIVE", "reading": "PAUSED"}, "BLOCK state PAUSED / ACTIVE", "warn"),
    ({"outcome": "OVERRIDDEN", "reason": "net: buy 1", "side": None, "qty": None}, "OVERRIDDEN net: buy 1", "warn"),
    ({"outcome": "CANCEL", "side": None, "qty": None, "price": None, "reason": "EXPLICIT_CANCEL"}, "cancel BTCUSDT bid: fair", "dim"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "shown", "token"), OUTCOMES)
def test_outcomes(changes: dict, shown: str, token: str) -> None:
    """In the words of the journal, with limit and reading where the gate said no."""
    view = fixtures.view(agents=(fixtures.agent(deed=fixtures.deed(**changes)),))

    assert shown in drawn(draw, view, 160)
    assert token in tokens(draw, view, shown, selected=1)


def test_null_is_not_zero() -> None:
    """No price, no figure; no watcher, no cost; no wish, how warm it is."""
    cold = fixtures.agent(unrealised=None, cost_p99_us=None, deed=None, warmth=(34, 90))
    idle = fixtures.agent("b", deed=None)
    rows = drawn(draw, fixtures.view(agents=(cold, idle)), 120).splitlines()

    assert ["maker", "ON", "1", "-", "412", "34/90", "warm", "34/90", "-"] == rows[1][1:].split()[
        :9
    ]
    assert ["b", "ON", "1", "+12.34", "412", "-", "84us"] == rows[2].split()[:7]


def test_nothing_and_filter() -> None:
    """By name or by how they stand."""
    view = fixtures.view()

    assert " No agents.\n" in drawn(draw, fixtures.empty())
    assert " No agents match /doge." in drawn(draw, view, wanted="doge")
    assert 2 == drawn(draw, view, wanted="fault").count("\n")
    assert 1 == drawn(draw, view, wanted="Paused", height=2).count("\n")


def test_hostile_and_any_size() -> None:
    """An exception's text is an outside text."""
    agent = fixtures.agent(HOSTILE, quarantine=HOSTILE, realised=D("1e20"), intents=10**12)
    view = fixtures.view(agents=(agent,) * 9)

    assert_harmless(drawn(draw, view, 120))
    assert "#####" in drawn(draw, view)
    assert_fits(draw, view)
    assert_fits(draw, fixtures.view())


def test_pane() -> None:
    """The title counts who trades."""
    pane, view = AgentsPane(), fixtures.view()
    pane.selected = 2

    assert ("(2/4 on)", 4) == (pane.caption(view), pane.count(view))
    assert view.agents[1] == pane.chosen(view)
    assert ">grid" in "".join(cell.text for row in pane.draw(view, 80, 9) for cell in row)
    pane.filter = "fault"
    assert (1, None) == (pane.count(view), pane.chosen(view))
