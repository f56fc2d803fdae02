"""The log as a person reads it."""

import pytest

from engine.session.control.views import View
from tests.tui import fixtures
from tests.tui.panes.drawn import HOSTILE, assert_fits, assert_harmless, drawn, tokens
from tui.evidence import words
from tui.panes.log import LogPane, draw

AT_60 = """\
 12:02:18Z   FILL         S SOLUSDT 0.75 @151.90
 12:02:19Z ! FEED_STALE   EVIDENCE_REF=evidence/feed-120219
 12:02:19Z   GATE         (+11 alike) BLOCK max_spread_bps~
 12:02:19Z !!ERROR        agent_quarantined pairs: division~"""

AT_80 = """\
 12:02:18.204   FILL         S SOLUSDT 0.75 @151.90
 12:02:19.002 ! FEED_STALE   SOLUSDT data is~ EVIDENCE_REF=evidence/feed-120219
 12:02:19.200   GATE         (+11 alike) BLOCK max_spread_bps  momentum-18 B BT~
 12:02:19.404 !!ERROR        agent_quarantined pairs: division by zero"""

AT_120 = """\
 12:02:18.204   FILL               S SOLUSDT 0.75 @151.90
 12:02:19.002 ! FEED_STALE         SOLUSDT data is 2.4 s old, limit 2.0 s EVIDENCE_REF=evidence/feed-120219
 12:02:19.200   GATE               (+11 alike) BLOCK max_spread_bps  momentum-18 B BTCUSDT 0.010 market  limit 2.0 read~
 12:02:19.404 !!ERROR              agent_quarantined pairs: division by zero"""


@pytest.mark.parametrize(("width", "expected"), [(60, AT_60), (80, AT_80), (120, AT_120)])
def test_drawn(width: int, expected: str) -> None:
    """Time, mark, kind and words; evidence is kept whole and the words before it are cut."""
    assert expected == drawn(draw, fixtures.view(), width)


WORDS = [
    ("plain words", 20, "plain words"),
    ("plain words", 8, "plain w~"),
    ("data old EVIDENCE_REF=evidence/a", 40, "data old EVIDENCE_REF=evidence/a"),
    ("data old EVIDENCE_REF=evidence/a", 27, "da~ EVIDENCE_REF=evidence/a"),
    ("data old EVIDENCE_REF=evidence/a", 23, "EVIDENCE_REF=evidence/a"),
    ("data old EVIDENCE_REF=evidence/a", 12, "EVIDENCE_RE~"),
    ("x EVIDENCE_REF=a and more", 20, "x EVIDENCE_REF=a an~"),  # no reference: words follow
    (f"{'x' * 5_000} EVIDENCE_REF=evidence/a", 30, "xxxxx~ EVIDENCE_REF=evidence/a"),
    ("", 5, ""),
]


@pytest.mark.parametrize(("outside", "room", "expected"), WORDS)
def test_words(outside: str, room: int, expected: str) -> None:
    """A reference that can be opened is worth more than the words before it."""
    assert expected == words(outside, room)


def many(count: int, first: int = 0) -> View:
    """A log of lines that are called by their number."""
    lines = tuple(
        fixtures.line(text=f"line {i}", number=i + 1) for i in range(first, first + count)
    )
    return fixtures.view(log=lines)


def test_tail_shows_the_newest() -> None:
    """Three lines of a hundred: the last three."""
    shown = drawn(draw, many(100), height=3)

    assert ["line 97", "line 98", "line 99"] == [row[-7:] for row in shown.splitlines()]
    assert ">" not in shown


def test_levels_and_filter() -> None:
    """Kind, severity or words; a severity nobody knows is never hidden."""
    view = fixtures.view(log=(*fixtures.log(), fixtures.line(severity="novel", text="new")))

    assert ["!", "!", "!"] == [
        row[14:15] for row in drawn(draw, view, lowest="warning").split("\n")
    ]
    assert "FEED" not in drawn(draw, view, lowest="critical")
    assert " new" in drawn(draw, view, lowest="critical")
    assert 0 == drawn(draw, view, wanted="feed_st").count("\n")
    assert 1 == drawn(draw, view, wanted="FILL").count("\n")
    assert " No log lines match /doge." in drawn(draw, view, wanted="doge")
    assert " No log lines.\n" in drawn(draw, fixtures.empty())


def test_short_names_of_long_kinds() -> None:
    """What a transition says is longer than the word for it."""
    view = fixtures.view(log=(fixtures.line("fsm_transition", "INIT -> READY"),))

    assert "   FSM          INIT -> READY" in drawn(draw, view)


def test_tokens_repeat_the_marks() -> None:
    """The mark stands before the kind."""
    view = fixtures.view()

    assert {"warn"} == tokens(draw, view, "! FEED")
    assert {"danger"} == tokens(draw, view, "!!ERROR")


def test_hostile_and_any_size() -> None:
    """The text of a line is not sanitised by the session."""
    line = fixtures.line(HOSTILE, f"{HOSTILE} EVIDENCE_REF={HOSTILE.replace(' ', '')}")
    view = fixtures.view(log=(line,) * 100)

    assert_harmless(drawn(draw, view, 160).replace(">", ""))
    assert_fits(draw, view)
    assert_fits(draw, fixtures.view(log=(fixtures.line(HOSTILE, HOSTILE),)))


@pytest.fixture
def pane() -> LogPane:
    """A pane that has seen twenty lines."""
    pane = LogPane()
    pane.show(many(20))
    return pane


def text(pane: LogPane, view: View, height: int = 5) -> str:
    """Return what the pane draws."""
    return "\n".join("".join(cell.text for cell in row) for row in pane.draw(view, 80, height))


def stands_on(pane: LogPane) -> str:
    """Return the line a person stands on."""
    view = many(1)
    (marked,) = [row for row in text(pane, view, 9).splitlines() if row.startswith(">")]
    return marked[14:].replace("FILL", "").strip(" !")


def test_scrolling_holds_and_counts(pane: LogPane) -> None:
    """The lines stand still under the reader's eyes, whatever comes."""
    assert "info+ [tail]" == pane.caption(many(20))

    pane.action_move(-1)
    assert "info+ paused, 0 new" == pane.caption(many(20))
    pane.show(many(57))
    assert "info+ paused, 37 new" == pane.caption(many(57))
    assert ">12:02:18.204   FILL         line 18" in text(pane, many(57))
    assert 20 == pane.count(many(57))


def test_what_came_and_went_unseen_is_said(pane: LogPane) -> None:
    """A screen that was away knows how much it missed."""
    pane.action_move(-1)
    pane.show(many(100, first=500))

    assert "info+ paused, 100 new (480 unseen)" == pane.caption(many(1))


def test_new_ones_count_as_they_would_be_shown(pane: LogPane) -> None:
    """What the level or the filter hides is not announced."""
    pane.action_move(-1)
    noise = tuple(fixtures.line(text="noise", severity="debug", number=21 + i) for i in range(7))
    pane.show(fixtures.view(log=(*noise, fixtures.line(text="news", number=28))))

    assert "info+ paused, 1 new" == pane.caption(many(1))


def test_the_last_line_follows_again(pane: LogPane) -> None:
    """Down past the end, or `t`: the newest lines come again."""
    pane.action_move(-3)
    pane.action_move(2)
    assert "paused" in pane.caption(many(20))

    pane.action_move(1)
    assert "info+ [tail]" == pane.caption(many(20))
    pane.show(many(57))
    assert "line 56" in text(pane, many(57))

    pane.action_move(-100_000)
    assert ">12:02:18.204   FILL         line 0" in text(pane, many(57))
    pane.action_tail()
    assert "line 56" in text(pane, many(57))


def test_a_single_line_can_be_held() -> None:
    """Up from the only line holds it, though it is the last."""
    pane = LogPane()
    pane.show(many(1))
    pane.action_move(-1)
    pane.show(many(3))

    assert "info+ paused, 2 new" == pane.caption(many(3))


def test_levels_go_round(pane: LogPane) -> None:
    """`v` shows graver lines only, then all."""
    captions = []
    for _ in range(4):
        pane.action_lowest()
        captions.append(pane.caption(many(1)))

    assert ["warning+ [tail]", "critical [tail]", "all levels [tail]", "info+ [tail]"] == captions


def test_bulk_is_hidden_until_asked_for() -> None:
    """The router's every word is there, but not in the way."""
    pane = LogPane()
    pane.show(fixtures.view())

    assert "NOOP" not in text(pane, fixtures.view())
    for _ in range(3):
        pane.action_lowest()
    assert "ROUTER       NOOP WITHIN_TOLERANCE" in text(pane, fixtures.view())


def test_a_level_keeps_the_place() -> None:
    """Who stood on a line stands on it still, or on the one after it."""
    pane = LogPane()
    pane.show(fixtures.view())
    pane.action_evidence()
    assert "FEED_STALE" in stands_on(pane)
    pane.action_lowest()
    assert "FEED_STALE" in stands_on(pane)
    pane.action_lowest()
    assert "agent_quarantined" in stands_on(pane)


def test_find_lifts_the_filter(pane: LogPane) -> None:
    """`n` shows a match among all lines, then the next, round and round; `N` goes back."""
    pane.look_for("line 1")  # and 10 to 19
    assert 11 == pane.count(many(20))
    pane.action_find(1)
    assert ("", "line 1", 20) == (pane.filter, pane.find, pane.count(many(20)))
    found = [stands_on(pane)]
    for by in (1, 1, -1, -1, -1):
        pane.action_find(by)
        found.append(stands_on(pane))

    assert ["line 1", "line 10", "line 11", "line 10", "line 1", "line 19"] == found
    assert "find line 1" in pane.caption(many(20))
    pane.look_for("doge")
    assert "find" not in pane.caption(many(20))


def test_nothing_found_changes_nothing(pane: LogPane) -> None:
    """No match, nothing to look for, no evidence, no lines at all."""
    pane.action_find(1)
    pane.action_evidence()
    assert pane.held is None
    pane.action_move(-3)
    pane.look_for("doge")
    pane.action_find(1)
    assert "doge" == pane.find
    empty = LogPane()
    for act in (
        lambda: empty.action_find(1),
        empty.action_evidence,
        lambda: empty.action_leap(1, "hour"),
    ):
        act()
    assert empty.held is None


def test_evidence_and_leaps() -> None:
    """`e` from evidence to evidence; `m` and `o` by the clock on the wall."""
    minute = 60 * fixtures.SECOND
    at = [0, 10, 70, 80, 200, 3_700]
    lines = tuple(
        fixtures.line(
            text=f"l{n} EVIDENCE_REF=evidence/x" if n in (1, 4) else f"l{n}",
            ts_ns=fixtures.NOW_NS // (60 * minute) * 60 * minute + second * fixtures.SECOND,
            number=n + 1,
        )
        for n, second in enumerate(at)
    )
    pane = LogPane()
    pane.show(fixtures.view(log=lines))
    walked = []
    for act in (
        pane.action_evidence, pane.action_evidence, pane.action_evidence,
        lambda: pane.action_leap(1, "minute"), lambda: pane.action_leap(1, "minute"),
        lambda: pane.action_leap(1, "minute"), lambda: pane.action_leap(-1, "minute"),
        lambda: pane.action_leap(-1, "minute"), lambda: pane.action_leap(1, "hour"),
        lambda: pane.action_leap(1, "hour"), lambda: pane.action_leap(-1, "hour"),
        lambda: pane.action_leap(-1, "minute"),
    ):  # fmt: skip
        act()
        walked.append(stands_on(pane).split()[0])

    assert [
        "l1", "l4", "l1", "l2", "l4", "l5", "l4", "l2", "l5", "l5", "l0", "l0",
    ] == walked  # fmt: skip


def test_before_the_first_view() -> None:
    """A key pressed too early is no error."""
    pane = LogPane()
    pane.action_move(-1)

    assert pane.held is None
