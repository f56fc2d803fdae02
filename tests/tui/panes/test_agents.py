"""Agents as a person reads them."""

from decimal import Decimal

import pytest

from tests.tui import fixtures
from tests.tui.panes.drawn import HOSTILE, assert_fits, assert_harmless, drawn, tokens
from tui.panes.agents import AgentsPane, draw

D = Decimal

AT_46 = """\
 AGENT        STATE  WEIGHT INTENTS
>pairs        FAULT       1   1,204
   raised ZeroDivisionError: division by zero
 maker        ON          1     412
 grid         PAUSED    0.5       0
 momentum     ON        0.3      18"""

AT_80 = """\
 AGENT        STATE  WEIGHT     REALISED INTENTS  ORDERS   FILLS         FEES
>pairs        FAULT       1       0.00     1,204       0       0       0.00
   raised ZeroDivisionError: division by zero
 maker        ON          1     +10.81       412       3      31      -1.02
 grid         PAUSED    0.5       0.00         0       0       0       0.00
 momentum     ON        0.3       0.00        18       0       0       0.00"""

AT_120 = """\
 AGENT        STATE  WEIGHT     REALISED INTENTS  ORDERS   FILLS         FEES      FUNDING
>pairs        FAULT       1       0.00     1,204       0       0       0.00         0.00
   raised ZeroDivisionError: division by zero
 maker        ON          1     +10.81       412       3      31      -1.02        +0.08
 grid         PAUSED    0.5       0.00         0       0       0       0.00         0.00
 momentum     ON        0.3       0.00        18       0       0       0.00         0.00"""


@pytest.mark.parametrize(("width", "expected"), [(46, AT_46), (80, AT_80), (120, AT_120)])
def test_drawn(width: int, expected: str) -> None:
    """One at fault stands first, with what it did below it."""
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


def test_nothing_and_filter() -> None:
    """By name or by how they stand."""
    view = fixtures.view()

    assert " No agents.\n" in drawn(draw, fixtures.empty())
    assert " No agents match /doge." in drawn(draw, view, wanted="doge")
    assert 2 == drawn(draw, view, wanted="fault").count("\n")
    assert 1 == drawn(draw, view, wanted="Paused").count("\n")


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
