"""The session's health as a person reads it."""

from decimal import Decimal

import pytest

from engine.session.health import HealthReading
from tests.tui import fixtures
from tests.tui.panes.drawn import HOSTILE, assert_fits, assert_harmless, drawn, tokens
from tui.panes.health import HealthPane, draw

D = Decimal

AT_39 = """\
 SOLUSDT   ! 2.4s  SUSPENDED  0/s  ske~
 state     ACTIVE since 11:59:09Z (3m)
 process   cpu 6%  rss 91 MB  disk~
 journal   48k events  15.9 MB  unsync~
 sync      0.2s  account as of 12:02:~
 hops p99  ack 88ms  feed 9.8ms  reque~
 errors    agent_fault 1
 orders    placed 61  amended 118  can~
 BTCUSDT   0.1s  212/s  skew +3ms  book
 ETHUSDT   0.3s  88/s  touch only
 feed      reconnects 2  stale after~"""

AT_80 = """\
 SOLUSDT   ! 2.4s  SUSPENDED  0/s  skew +3ms  refused stale 3  book
 state     ACTIVE since 11:59:09Z (3m)
 process   cpu 6%  rss 91 MB  disk 50 GB  loop 2 ms
 journal   48k events  15.9 MB  unsynced 37  head 9f3c9f3c  checkpoint 12s
 sync      0.2s  account as of 12:02:07Z
 hops p99  ack 88ms  feed 9.8ms  request 1.4ms  fill -
 errors    agent_fault 1
 orders    placed 61  amended 118  canceled 9
 BTCUSDT   0.1s  212/s  skew +3ms  book
 ETHUSDT   0.3s  88/s  touch only
 feed      reconnects 2  stale after 2s  screens 1"""

BEGINNING = """\
 state     INIT
 process   cpu -  rss -  disk -  loop -
 journal   0 events  0.0 MB  unsynced -  head -  checkpoint -
 sync      -
 hops p99  feed -  request -
 errors    none
 orders    none
 BTCUSDT   no data yet
 feed      reconnects 0  stale after 2s  screens 1"""


@pytest.mark.parametrize(("width", "expected"), [(39, AT_39), (80, AT_80), (120, AT_80)])
def test_drawn(width: int, expected: str) -> None:
    """What is wrong stands first; data says how old it is."""
    assert expected == drawn(draw, fixtures.view(), width)


def test_nothing_is_known_yet() -> None:
    """A session that has only begun has dashes, not zeros."""
    assert BEGINNING == drawn(draw, fixtures.empty())


@pytest.mark.parametrize(
    ("state", "token"),
    [
        ("ACTIVE", "ok"),
        ("INIT", "text"),
        ("PAUSED", "warn"),
        ("EMERGENCY", "danger"),
        ("X", "warn"),
    ],
)
def test_state(state: str, token: str) -> None:
    """A state nobody knows is worth a warning."""
    view = fixtures.view(lifecycle=fixtures.lifecycle(state))

    assert {token} == tokens(draw, view, f"{state} since")


def test_a_failing_journal_is_the_first_row() -> None:
    """Danger before warnings."""
    view = fixtures.view(health=fixtures.health(journal_failure="No space left on device"))

    assert drawn(draw, view).startswith(" journal   FAILED: No space left on device\n SOLUSDT ")
    assert {"danger"} == tokens(draw, view, "FAILED")


def test_old_and_suspended_are_two_things() -> None:
    """Old data is marked before the session has suspended the instrument, and the other way."""
    old = fixtures.market(priced_ns=fixtures.NOW_NS - 3_000_000_000)
    barred = fixtures.market("ETHUSDT", is_suspended=True)
    view = fixtures.view(markets=(old, barred))

    assert (
        " BTCUSDT   ! 3.0s  212/s  skew +3ms  book\n ETHUSDT   0.1s  SUSPENDED  88/s  book\n"
        in drawn(draw, view)
    )
    assert {"warn"} == tokens(draw, view, "! 3.0s")
    assert {"warn"} == tokens(draw, view, "SUSPENDED")


def test_partly_measured() -> None:
    """What a platform does not give is a dash beside what it gives."""
    process = HealthReading(cpu_pct=None, rss_mb=0.4, disk_free_mb=None, loop_lag_ms=1_234.5)
    view = fixtures.view(health=fixtures.health(process=process))

    assert " process   cpu -  rss 0 MB  disk -  loop 1234 ms\n" in drawn(draw, view)


def test_hostile_and_any_size() -> None:
    """Symbols, states, counters and errors come from elsewhere."""
    view = fixtures.view(
        lifecycle=fixtures.lifecycle(HOSTILE),
        markets=(fixtures.market(HOSTILE),) * 50,
        health=fixtures.health(journal_failure=HOSTILE, errors={HOSTILE: 1}, orders={HOSTILE: 2}),
    )

    assert_harmless(drawn(draw, view, 120))
    assert_fits(draw, view)
    assert_fits(draw, fixtures.empty())


def test_pane() -> None:
    """The title counts what is wrong."""
    pane = HealthPane()

    assert "(1 !)" == pane.caption(fixtures.view())
    assert "" == pane.caption(fixtures.empty())
    assert 3 == len(pane.draw(fixtures.view(), 80, 3))


STREAMS = [
    # what is known of it,                                     as shown
    ({},                                                       "212/s  skew +3ms  book"),
    ({"per_s": None, "skew_ms": None},                         "0.1s  -/s  book"),
    ({"skew_ms": -1_300.4},                                    "skew -1300ms"),
    ({"refused": {"stale": 3, "crossed": 0, "duplicate": 12}}, "refused stale 3  duplicate 12  book"),
    ({"refused": {"crossed": 0}},                              "skew +3ms  book"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "shown"), STREAMS)
def test_streams(changes: dict, shown: str) -> None:
    """Pace, skew where there are stamps, and what was kept out; no data yet still has a pace."""
    health = fixtures.health(streams=(fixtures.stream(**changes),))

    assert shown in drawn(draw, fixtures.view(health=health))


def test_a_feed_without_a_price_yet() -> None:
    """Messages come, but none that prices anything."""
    stream = fixtures.stream(refused={"crossed": 9})
    view = fixtures.empty()
    unpriced = fixtures.view(markets=view.markets, health=fixtures.health(streams=(stream,)))

    assert "no data yet  212/s  skew +3ms  refused crossed 9" in drawn(draw, unpriced)


SYNCS = [
    # what the venue's account says,                           as shown, look
    ({},                                                       "0.2s  account as of 12:02:07Z", "ok"),
    ({"answered_ns": fixtures.NOW_NS - 16 * fixtures.SECOND},  "! 16s  account as of", "warn"),
    ({"answered_ns": 0, "changed_ns": 0, "failures": 2},       "sync      -  2 without answer", "warn"),
    ({"held": {"ghost_order": 1, "position_drift": 2}},        "DIFFERS ghost_order 1  position_drift 2", "danger"),
    ({"foreign": 3},                                           "12:02:07Z  foreign 3", "ok"),
    ({"interval_s": None},                                     "sync      off", "dim"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected", "token"), SYNCS)
def test_the_account_held_against_the_venues(
    changes: dict[str, object], expected: str, token: str
) -> None:
    """Old after three looks without an answer; foreign orders cast no doubt."""
    view = fixtures.view(health=fixtures.health(sync=fixtures.sync(**changes)))
    (row,) = [line for line in drawn(draw, view, 100).splitlines() if line.startswith(" sync")]

    assert expected in row
    assert {token} == tokens(draw, view, row.removeprefix(" sync").strip()[:12])


def test_an_older_session_tells_nothing_of_it() -> None:
    """Then there is no row rather than a dash."""
    assert "sync " not in drawn(draw, fixtures.view(health=fixtures.health(sync=None)), 100)
