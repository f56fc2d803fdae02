"""The state machine as a person reads it."""

import pytest

from tests.tui import fixtures
from tests.tui.panes.drawn import HOSTILE, assert_fits, assert_harmless, drawn, tokens
from tui.panes.fsm import FsmPane, draw

AT_50 = """\
 ACTIVE for 3m
 ! FEED_STALE:SOLUSDT  since 12:02:17Z (2.0s)
 suspended by themselves: SOLUSDT
 11:59:09Z DEGRADED -> ACTIVE RECOVERED session
 11:58:59Z ACTIVE -> DEGRADED EVIDENCE_REF=eviden~
 11:52:42Z READY -> ACTIVE START session
 11:52:41Z INIT -> READY FEEDS_SYNCED session"""

AT_80 = """\
 ACTIVE for 3m
 ! FEED_STALE:SOLUSDT  since 12:02:17Z (2.0s)
 suspended by themselves: SOLUSDT
 11:59:09Z DEGRADED -> ACTIVE RECOVERED session
 11:58:59Z ACTIVE -> DEGRADED FEED_STALE BTCU~ EVIDENCE_REF=evidence/feed-115859
 11:52:42Z READY -> ACTIVE START session
 11:52:41Z INIT -> READY FEEDS_SYNCED session"""


@pytest.mark.parametrize(("width", "expected"), [(50, AT_50), (80, AT_80)])
def test_drawn(width: int, expected: str) -> None:
    """The state, what is open against it, and how it came there, newest first."""
    assert expected == drawn(draw, fixtures.view(), width)


def test_emergency() -> None:
    """What happens and what a person can do stands right below the state."""
    life = fixtures.lifecycle(
        "EMERGENCY", is_flattening=True, needs_reset=True, reasons=("MAX_LOSS:session",),
        suspended=(),
    )  # fmt: skip
    shown = drawn(draw, fixtures.view(lifecycle=life, transitions=()))

    assert (
        " EMERGENCY for 3m\n FLAT, waits for a person: laptop-agents reset\n"
        " FLATTENING: every position is being closed\n ! MAX_LOSS:session"
    ) == shown


def test_degraded_says_where_it_returns() -> None:
    """And what must be cleared first."""
    life = fixtures.lifecycle("DEGRADED", beneath="ACTIVE", suspended=(), reasons_ns=())
    shown = drawn(draw, fixtures.view(lifecycle=life, transitions=()))

    assert (
        " DEGRADED for 3m\n returns to ACTIVE once these are cleared:\n ! FEED_STALE:SOLUSDT"
    ) == shown


def test_only_begun() -> None:
    """No transition, no reason, and nobody knows since when."""
    assert " INIT" == drawn(draw, fixtures.empty())


def test_tokens_repeat_the_words() -> None:
    """A transition looks like where it leads."""
    view = fixtures.view()

    assert {"ok bold"} == tokens(draw, view, "ACTIVE for")
    assert {"warn"} == tokens(draw, view, "-> DEGRADED")
    assert {"ok"} == tokens(draw, view, "-> ACTIVE")


def test_hostile_and_any_size() -> None:
    """Scopes carry symbols; evidence carries paths."""
    view = fixtures.view(
        lifecycle=fixtures.lifecycle(HOSTILE, reasons=(HOSTILE,) * 9, suspended=(HOSTILE,)),
        transitions=(fixtures.transition(HOSTILE, scope=HOSTILE, evidence_ref=HOSTILE),) * 50,
    )

    assert_harmless(drawn(draw, view, 120))
    assert_fits(draw, view)
    assert_fits(draw, fixtures.view())


def test_pane() -> None:
    """The title counts what is open; the filter looks at the past."""
    pane, view = FsmPane(), fixtures.view()
    pane.filter = "degraded"

    assert ("(1 open)", "") == (pane.caption(view), pane.caption(fixtures.empty()))
    assert 5 == len(pane.draw(view, 80, 20))


def test_reasons_that_were_open_already() -> None:
    """A move tells what else was in the way; its own cause stands there once."""
    move = fixtures.transition(
        "FEED_STALE", from_state="ACTIVE", to_state="DEGRADED", scope="A",
        reasons=("FEED_STALE:A", "VENUE_DOWN:b", "DISK_LOW"),
    )  # fmt: skip
    shown = drawn(draw, fixtures.view(transitions=(move,)), 120)

    assert "ACTIVE -> DEGRADED FEED_STALE A with VENUE_DOWN:b, DISK_LOW" in shown


def test_since_when_each_reason_holds() -> None:
    """Where it was seen to begin."""
    life = fixtures.lifecycle(
        reasons=("A", "B", "C"), reasons_ns=(fixtures.NOW_NS - 90 * fixtures.SECOND, 0)
    )
    rows = drawn(draw, fixtures.view(lifecycle=life)).splitlines()

    assert [" ! A  since 12:00:49Z (1m)", " ! B", " ! C"] == rows[1:4]
