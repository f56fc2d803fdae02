"""The head of the screen: never wrong about mode and state, whatever the width."""

import pytest
from msgspec.structs import replace

from engine.session.control.faces import AccountFace
from engine.session.control.views import View
from tests.tui.fixtures import NOW_NS, SECOND, D, breaker, empty, lifecycle, session, view
from tests.tui.stage import welcome
from tui.pane import Cell
from tui.panes.card import draw as draw_card
from tui.panes.sessionbar import Chunk, Surroundings, arranged, draw
from tui.theme import palette

AROUND = Surroundings(welcome(), 4.0)


def texts(
    shown: View, width: int = 80, height: int = 3, around: Surroundings = AROUND
) -> list[str]:
    rows = draw(shown, width, height, palette("mono", is_ascii=True), around)
    return ["".join(cell.text for cell in row) for row in rows]


def test_lines_at_80() -> None:
    """Mode, state, source with its age, countdown, clock; money; why."""
    assert [
        " PAPER  SIMULATED  > ACTIVE   mock 0.1s                   T-07:41   12:02:19Z / ",
        " Eq 10,012.34  +12.34 (+0.12%)  DD -0.04% fee -1.02          risk ######## OVER ",
        " ACTIVE since 11:59:09Z: FEED_STALE:SOLUSDT   events 48,211   fills 37          ",
    ] == texts(view())


@pytest.mark.parametrize("width", range(24, 200, 7))
def test_mode_and_state_stay_to_the_last(width: int) -> None:
    """What does not fit leaves whole, from the least important on."""
    first, second, _ = texts(view(), width)

    assert first.startswith(" PAPER  SIMULATED ")
    assert width >= len(first) or 34 > width
    assert "10,012.34" in second


@pytest.mark.parametrize(
    "state", ["INIT", "READY", "ACTIVE", "THROTTLED", "PAUSED", "DEGRADED", "EMERGENCY", "STOPPED"]
)
def test_states_are_words(state: str) -> None:
    """Each with a mark of its own."""
    shown = view(lifecycle=lifecycle(state, is_flattening=state == "EMERGENCY"))
    flattening = " flattening" if state == "EMERGENCY" else ""

    assert f" {state}{flattening}  " in texts(shown)[0]


def test_a_loss_is_signed_and_the_last_minute_stands_out() -> None:
    """Color is not needed for either."""
    lost = session(
        equity=D("9990"),
        balance=D("9990"),
        realised=D("-9"),
        fees=D("1"),
        funding=D(0),
        remaining_s=59.0,
    )
    rows = draw(view(session=lost), 80, 2, palette("mono"), AROUND)

    assert "-10.00 (-0.10%)" in texts(view(session=lost))[1]
    assert [Cell("   T-00:59", "warn bold")] == [cell for cell in rows[0] if "T-" in cell.text]


def test_a_session_without_anything_shows_dashes() -> None:
    """No data, no breakers, no limit of time."""
    first, second, third = texts(empty().__class__(**_fields(empty()) | {"breakers": ()}))

    assert "no limit" in first
    assert "mock -" in first
    assert "risk" not in second
    assert "INIT since -: nothing in the way" in third


def _fields(shown: View) -> dict:
    return {name: getattr(shown, name) for name in shown.__struct_fields__}


@pytest.mark.parametrize(
    ("headroom", "is_tripped", "said"),
    [("1", False, "........ 0%"), ("0.75", False, "##...... 25%"), ("0", True, "######## OVER")],
)
def test_the_worst_breaker(headroom: str, is_tripped: bool, said: str) -> None:
    """The fullest bar of all."""
    limits = (breaker(), breaker("other", headroom=D(headroom), is_tripped=is_tripped))

    assert f"risk {said}" in texts(view(breakers=limits))[1]


def test_chunks_fall_by_rank() -> None:
    """The highest rank first, of equals the last; rank 0 never."""
    chunks = [
        Chunk(rank, [Cell(text)])
        for rank, text in ((0, "aaaa"), (2, "bbbb"), (2, "cccc"), (1, "dddd"))
    ]

    for width, expected in (
        (16, "aaaabbbbccccdddd"),
        (15, "aaaabbbbdddd"),
        (11, "aaaadddd"),
        (4, "aaaa"),
        (1, "aaaa"),
    ):
        assert expected == "".join(c.text for c in arranged(chunks, [], width)).strip()


def test_the_card() -> None:
    """The most important first, for 20 columns and as many rows as there are."""
    rows = ["".join(cell.text for cell in row) for row in draw_card(view(), 9, AROUND)]

    assert [
        " PAPER  SIMULATED ", " > ACTIVE", " Eq  10,012.34", " PnL +12.34", " 2 pos 4 orders", " T-07:41",
        " ^x DANGER  q quit",
    ] == rows  # fmt: skip
    assert 5 == len(draw_card(view(), 5, AROUND))
    assert all(len(row) <= 20 for row in rows)


def test_why_and_since_when() -> None:
    """The first open reason with its own time; in calm the last move, if there is room."""
    doubted = view(
        lifecycle=lifecycle("DEGRADED", reasons=("FEED_STALE:A", "VENUE_DOWN:b"),
                            reasons_ns=(NOW_NS - 61 * SECOND, 0))
    )  # fmt: skip
    calm = view(lifecycle=lifecycle(reasons=(), suspended=()))

    assert "FEED_STALE:A +1 since 12:01:18Z" in texts(doubted, 120)[0]
    assert "RECOVERED since 11:59:09Z" in texts(calm, 200)[0]
    assert "RECOVERED" not in texts(calm, 120)[0]
    assert "since" not in texts(empty(), 200)[0]


def test_the_worst_fall_and_the_profile() -> None:
    """Never less than the fall of now; unknown before the first reading."""
    deeper = view(session=session(drawdown_pct=D("0.5")))

    assert "DD -0.04% (max -0.21%)" in texts(view(), 120)[1]
    assert "DD -0.50% (max -0.50%)" in texts(deeper, 120)[1]
    assert "(max -)" in texts(empty(), 120)[1]
    assert "profile btc-maker" in texts(view(), 160)[0]
    assert "profile" not in texts(view(), 200, 3, Surroundings(welcome(profile="")))[0]


def test_the_bar_of_risk_has_a_word_for_each() -> None:
    """At the limit, tripped and back below it, or a share."""
    for headroom, tripped, word in (
        ("0", True, "OVER"),
        ("0.4", True, "HELD"),
        ("0.4", False, "60%"),
    ):
        worst = breaker(headroom=D(headroom), is_tripped=tripped)
        assert word in texts(view(breakers=(worst,)), 120)[1]


WATCHED = AccountFace(
    seen_ns=NOW_NS, is_seen=True, equity=D("9876.5"), gap=D("-12.25"),
    positions=(("BTCUSDT", D("0.005")),),
)  # fmt: skip
SHADOW = Surroundings(welcome(mode="shadow", is_simulated=False), 4.0)


def test_a_watched_account_stands_beside_the_session_s_money() -> None:
    """What it is worth and the gap; where there is little room the rest of the figures leaves."""
    shown = view(account=WATCHED, session=session(is_simulated=False))
    first, second, _ = texts(shown, 120, around=SHADOW)
    assert first.startswith(" SHADOW ")
    assert "  acct 9,876.50 gap -12.25 " in second
    assert "acct 9,876.50 gap -12.25" in texts(shown, 80, around=SHADOW)[1]
    assert "acct" not in texts(view(), 200)[1]


def test_an_account_out_of_sight_is_stale() -> None:
    """Old figures are never shown as new ones."""
    lost = view(account=replace(WATCHED, is_seen=False))
    (row,) = draw(lost, 200, 3, palette("mono", is_ascii=True), AROUND)[1:2]
    tokens = {cell.text.strip(): cell.token for cell in row}
    assert ("stale", "stale") == (tokens["9,876.50"], tokens["-12.25"])
    (row,) = draw(view(account=WATCHED), 200, 3, palette("mono", is_ascii=True), AROUND)[1:2]
    assert "stale" not in {cell.token for cell in row}
