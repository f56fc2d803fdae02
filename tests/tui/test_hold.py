"""A held display: figures stand, what warns of danger does not, and the session hears nothing."""

import pytest
from msgspec.structs import replace

from engine.model.events import Operator
from engine.session.control.words import Farewell
from tests.tui.fixtures import NOW_NS, lifecycle, market, markets, session, view
from tests.tui.stage import FakeSource, L, M, S, Stage, staged
from tui.desk import AWAKE

SECOND = 1_000_000_000
LATER = replace(
    view(),
    number=99,
    session=replace(session(), ts_ns=NOW_NS + 14 * SECOND, remaining_s=61.0),
    markets=(replace(market(), bid=market().bid + 777, ask=market().ask + 777), *markets()[1:]),
)


def body(stage: Stage) -> list[str]:
    """What stands between the head and the lines at the foot."""
    return stage.rows()[2:-3]


@pytest.mark.parametrize("size", [S, M, L])
async def test_panes_stand_still_until_it_is_let_go(size: tuple[int, int]) -> None:
    """And the head does not: the countdown, the clock and the state are those of now."""
    async with staged(size=size) as stage:
        await stage.press("space")
        before, head = body(stage)[1:], stage.rows()[0]
        stage.source.show(LATER)
        await stage.settle()
        assert before == body(stage)[1:]
        assert head != stage.rows()[0]
        assert "T-01:01" in "".join(stage.rows()[:3])
        await stage.press("space")
        assert before != body(stage)[1:]


async def test_it_says_since_when_and_what_goes_on() -> None:
    async with staged() as stage:
        assert "HELD" not in stage.text()
        await stage.press("space")
        stage.source.show(LATER)
        await stage.settle()
        banner = stage.rows()[-3]
        assert banner.startswith(" HELD at 12:02:19Z, 14s ago: space lets go; the session goes on")
        await stage.press("space")
        assert "HELD" not in stage.text()


async def test_danger_is_shown_and_acted_on_all_the_same() -> None:
    """A state, its reason, and the four keys."""
    async with staged(size=M) as stage:
        await stage.press("space")
        bad = lifecycle("EMERGENCY", reasons=("MAX_LOSS:session",))
        stage.source.show(replace(LATER, lifecycle=bad))
        await stage.settle()
        assert "EMERGENCY" in stage.rows()[0]
        assert "MAX_LOSS:session" in stage.rows()[0]
        await stage.press("ctrl+x", "k")
        assert [(Operator.KILL, "")] == stage.source.asked


async def test_other_panes_and_instruments_are_those_of_the_same_instant() -> None:
    """Going about in a held display shows one moment, not many."""
    async with staged(size=M) as stage:
        stage.source.show(LATER)
        await stage.press("space")
        stage.source.show(replace(LATER, number=100))
        await stage.press("6")
        panes = [pane for pane in stage.app.desk.panes() if pane.id not in AWAKE]
        assert [] == [pane.id for pane in panes if pane.view is not LATER]
        book = stage.app.desk.seen()["book"]
        before = stage.rows()[book.y : book.bottom]
        await stage.press("right_square_bracket")
        assert markets()[1].symbol == stage.app.desk.symbol
        assert before != stage.rows()[book.y : book.bottom]


async def test_the_end_of_the_session_lets_go() -> None:
    """What it came to is what is to be seen."""
    async with staged() as stage:
        await stage.press("space")
        stage.source.seen = stage.source.seen._replace(
            view=LATER, farewell=Farewell(stop_reason="duration")
        )
        await stage.settle()
        assert "HELD" not in stage.text()
        assert stage.app.desk.pane("book").view is LATER


async def test_nothing_to_hold_before_the_first_view() -> None:
    async with staged(source=FakeSource(None)) as stage:
        await stage.press("space")
        stage.source.show(view())
        await stage.settle()
        assert "HELD" not in stage.text()
