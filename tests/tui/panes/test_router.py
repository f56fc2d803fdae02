"""Pane router: decisions by reason, requests saved, hops, and the slowest of them."""

import pytest
from rich.cells import cell_len

from engine.execution.router import Decision
from engine.reports.latency import Quantiles
from engine.session.control.views import RouteCount, View
from tests.tui import fixtures as fx
from tests.tui.fixtures import router, view
from tests.tui.panes.drawn import MONO, drawn, tokens
from tui.panes.router import LEFT_ALONE, REFUSED, SHORT, RouterPane, draw
from tui.theme import TOKENS


def test_the_words_are_those_of_the_router() -> None:
    """Screen, log and docs can be searched by the same term."""
    assert {LEFT_ALONE, REFUSED, *SHORT} <= set(Decision)


def test_in_a_small_pane() -> None:
    """Decisions in a line, hops below it; the title counts what was not sent."""
    assert "\n".join(
        (
            " NOOP 1.2k  AMEND 118  PLACE 61  BLOCK 22",
            " venue > us    p50  3.1ms p99  9.8ms",
            " us > request  p50  180us p99  1.4ms",
            " request > ack p50   41ms p99   88ms < slowest",
            " ack > fill    p50      - p99      -",
        )
    ) == drawn(draw, view(), 47, 5)
    assert " request > ack p50   41ms p99   88ms <" in drawn(draw, view(), 39, 6).splitlines()
    assert "saved 1.2k requests" == RouterPane().caption(view())


def test_where_there_is_room() -> None:
    """Reasons with their decisions, most frequent first: below, or beside where it is wide."""
    below, beside = drawn(draw, view(), 48, 14), drawn(draw, view(), 90, 9)

    assert "> 1.0k NOOP           WITHIN_TOLERANCE" in below.splitlines()[6]
    assert "22 BLOCK          RISK_GATE" in below
    assert beside.splitlines()[1].endswith("> 1.0k NOOP           WITHIN_TOLERANCE")


def test_in_a_narrow_pane_the_reason_stays() -> None:
    """It says the decision too."""
    assert ">  1.0k WITHIN_TOLERANCE".replace(">  ", "> ") in drawn(draw, view(), 39, 14)


def test_the_slowest_hop_is_marked() -> None:
    """By its p99, in letters; one hop alone is not compared."""
    fast, slow = Quantiles(1.0, 2.0, 3.0, 4.0), Quantiles(1.0, 2.0, 9.0, 9.0)
    two = view(router=router(hops=(("feed", slow), ("ack", fast))))

    assert "venue > us    p50    1us p99    9us < slowest" in drawn(draw, two, 60, 9)
    assert "slowest" not in drawn(draw, view(router=router(hops=(("feed", slow),))), 60, 9)


def test_before_the_first_decision() -> None:
    """It says so; unknown is no zero."""
    assert drawn(draw, fx.empty(), 60, 9).startswith(" No decisions yet.")
    assert " venue > us    p50      - p99      -" in drawn(draw, fx.empty(), 60, 9)
    assert "" == RouterPane().caption(fx.empty())


def test_refusals_stand_out() -> None:
    """By the word, and by color."""
    assert {"warn"} == tokens(draw, view(), "BLOCK", 47)


@pytest.mark.parametrize("shown", [view(), fx.empty(), fx.extremes()])
def test_it_fits(shown: View) -> None:
    """Every size down to nothing; words that are not ours are cut."""
    odd = view(router=router(decisions=(RouteCount(fx.HOSTILE, fx.HOSTILE, 1),)))
    for width in (0, 1, 20, 30, 39, 47, 80, 90, 200):
        for height in (0, 1, 3, 6, 9, 40):
            for session in (shown, odd):
                rows = draw(session, width, height, MONO)
                lines = ["".join(cell.text for cell in row) for row in rows]
                assert height >= len(rows)
                assert width < 30 or all(width >= cell_len(line) for line in lines)
                assert all(line.isprintable() for line in lines)
                assert {cell.token.split()[0] for row in rows for cell in row} <= set(TOKENS)
