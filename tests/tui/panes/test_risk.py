"""Limits as a person reads them."""

from decimal import Decimal

import pytest

from tests.tui import fixtures
from tests.tui.panes.drawn import HOSTILE, assert_fits, assert_harmless, drawn, tokens
from tui.panes.risk import RiskPane, draw
from tui.theme import palette

D = Decimal

AT_39 = """\
 LIMIT max_             NOW LIMIT  USED
>errors_per_minute       12    10 OVER
 loss_pct                 0     2   0%!
 session_drawdown_pct  0.04     3   1%!
 consecutive_losses       1     4  25%
 gross_notional        1.6k  5.0k  31%
 open_orders              4    20  20%
 GATE REFUSED
 max_spread_bps          22
 throttle                 3"""

AT_80 = """\
 LIMIT max_                 NOW LIMIT         USED THEN        LIMIT IN RE-ARM
>errors_per_minute           12    10 ###### OVER  pause                in 41s
 loss_pct                     0     2 ......   0%! halt                 operator
 session_drawdown_pct      0.04     3 #.....   1%! halt            37m! operator
 consecutive_losses           1     4 #.....  25%  pause                cooldown
 gross_notional            1.6k  5.0k #.....  31%  refuse
 open_orders                  4    20 #.....  20%  refuse
 GATE REFUSED
 max_spread_bps          22
 throttle                 3"""


@pytest.mark.parametrize(("width", "expected"), [(39, AT_39), (80, AT_80), (120, AT_80)])
def test_drawn(width: int, expected: str) -> None:
    """What is over comes first and says so; what an old price made has its `!`."""
    assert expected == drawn(draw, fixtures.view(), width)


USES = [
    # headroom,     tripped, word,    token
    ("1",           False,   "   0%", "ok"),
    ("0.999999",    False,   "   0%", "ok"),
    ("0.26",        False,   "  74%", "ok"),
    ("0.25",        False,   "  75%", "warn"),
    ("0.000001",    False,   "  99%", "warn"),
    ("0",           False,   " OVER", "danger bold"),
    ("0",           True,    " OVER", "danger bold"),
    ("0.6",         True,    " HELD", "danger bold"),
]  # fmt: skip


@pytest.mark.parametrize(("headroom", "is_tripped", "word", "token"), USES)
def test_use(headroom: str, is_tripped: bool, word: str, token: str) -> None:
    """Never 100 % before all of it is used; tripped and back below the limit is a word too."""
    breaker = fixtures.breaker("max_trades", headroom=D(headroom), is_tripped=is_tripped)
    view = fixtures.view(breakers=(breaker, fixtures.breaker()))

    assert word in drawn(draw, view, 39).splitlines()[1]
    assert token in tokens(draw, view, word.strip(), selected=1)


def test_fresh_prices_leave_no_mark() -> None:
    """Only what is held and old casts doubt on the equity."""
    sound = fixtures.view(positions=fixtures.positions()[:1])
    flat = fixtures.view(positions=(fixtures.position(fixtures.SOL, qty=D(0)),))

    assert "%!" in drawn(draw, fixtures.view())
    assert "%!" not in drawn(draw, sound)
    assert "%!" not in drawn(draw, flat)
    assert "25%!" not in drawn(draw, fixtures.view())


def test_most_refused_first_and_room_for_the_breakers() -> None:
    """A gate that refuses by many rules leaves the breakers where they are."""
    blocked = {f"rule_{i:02}": i for i in range(30)}
    shown = drawn(draw, fixtures.view(health=fixtures.health(blocked=blocked)), 80, 8)

    assert shown.startswith(AT_80.partition(" gross")[0])
    assert shown.endswith("rule_29                 29\n rule_28                 28")
    assert "gross_notional" not in shown


def test_what_bars_trading_never_scrolls_away() -> None:
    """Whatever a person looks at."""
    calm = tuple(fixtures.breaker(f"max_{i}") for i in range(20))
    over = fixtures.breaker("max_trades", is_tripped=True)
    view = fixtures.view(breakers=(*calm, over), appetite=(), health=fixtures.health(blocked={}))
    rows = drawn(draw, view, 80, 5, selected=20).splitlines()

    assert [" trades", " 17", " 18", ">19"] == [row[:7].split("  ")[0] for row in rows[1:]]


FORECASTS = [
    # seconds to the limit, tripped, re-arms in s,  shown,      tokens
    (None,                  False,   0,             "operator", {"dim"}),
    (59.0,                  False,   0,             " 59s operator", set()),
    (59.0,                  False,   0,             "59s",      {"danger"}),
    (301.0,                 False,   0,             "5m",       {"warn"}),
    (3_601.0,               False,   0,             "> 1h",     {"dim"}),
    (None,                  True,    41,            "in 41s",   {"warn"}),
    (None,                  True,    -3,            "in 0.0s",  {"warn"}),
]  # fmt: skip


@pytest.mark.parametrize(("breach_s", "is_tripped", "rearms_s", "shown", "token"), FORECASTS)
def test_what_is_to_come(
    breach_s: float | None, is_tripped: bool, rearms_s: int, shown: str, token: set[str]
) -> None:
    """Nothing where nothing approaches; a time, and no more than an hour of it, where it does."""
    breaker = fixtures.breaker(
        "max_trades", breach_s=breach_s, is_tripped=is_tripped,
        rearms_ns=fixtures.NOW_NS + rearms_s * fixtures.SECOND if is_tripped else 0,
    )  # fmt: skip
    view = fixtures.view(
        breakers=(fixtures.breaker("max_x", is_tripped=True), breaker), appetite=()
    )

    assert shown in drawn(draw, view, 80)
    assert token <= tokens(draw, view, shown, selected=5)


def test_a_gate_limit_never_trips() -> None:
    """At its limit it refuses, which is its work; it has nothing to re-arm."""
    full = fixtures.breaker("max_open_orders", headroom=D(0), action="refuse", rearm="")
    row = drawn(draw, fixtures.view(breakers=(), appetite=(full,)), 80).splitlines()[1]

    assert row.rstrip().endswith("OVER  refuse")


def test_nothing() -> None:
    """A session without limits says so; the gate is still there."""
    view = fixtures.view(breakers=(), appetite=())

    assert " No breakers.\n" in drawn(draw, view)
    assert "throttle" in drawn(draw, view)
    assert "GATE" not in drawn(draw, fixtures.empty())
    assert " No breakers match /doge." in drawn(draw, fixtures.view(), wanted="doge")
    assert 1 == drawn(draw, fixtures.view(), wanted="SESSION").count("%!")


def test_blocks_where_the_terminal_has_them() -> None:
    """The bar is of the terminal's glyphs."""
    rows = draw(fixtures.view(), 80, 9, palette("safe-dark"))

    assert "█░░░░░" in "".join(cell.text for row in rows for cell in row)


def test_hostile_and_any_size() -> None:
    """Rules of the gate are our words, but an installed agent may bring its own."""
    breaker = fixtures.breaker(HOSTILE, action=HOSTILE, limit=D("1e30"), reading=D("-1e30"))
    view = fixtures.view(breakers=(breaker,), health=fixtures.health(blocked={HOSTILE: 10**9}))

    assert_harmless(drawn(draw, view))
    assert "#####" in drawn(draw, view)
    assert_fits(draw, view)
    assert_fits(draw, fixtures.empty())


def test_pane() -> None:
    """The title counts what bars trading."""
    pane, view = RiskPane(), fixtures.view()
    pane.selected, pane.filter = 1, "pct"

    assert ("(1 OVER)", 2) == (pane.caption(view), pane.count(view))
    assert "" == pane.caption(fixtures.empty())
    assert ">session" in "".join(cell.text for row in pane.draw(view, 80, 9) for cell in row)
