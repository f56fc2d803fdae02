"""How often panes are painted: by kind, by distance, and by what the terminal takes."""

import queue
from types import SimpleNamespace

import pytest

from tests.tui import fixtures as fx
from tests.tui.stage import FakeSource, M, staged
from tui.desk import PANES
from tui.pacing import HALVE_S, RATES, RECOVER_S, SLOWDOWN_MAX, TICK_S, Pace, Wakefulness


def paints(pace: Pace, pane: str, seconds: float = 10.0, at_s: float = 100.0) -> int:
    """How many ticks paint a pane."""
    return sum(pace.is_due(pane, at_s + i * TICK_S) for i in range(round(seconds / TICK_S)))


@pytest.mark.parametrize(
    ("pane", "fps", "is_far", "a_second"),
    [
        ("quotes", "auto", False, 4), ("quotes", "auto", True, 2), ("quotes", "low", False, 2),
        ("quotes", 10, False, 10), ("quotes", 10, True, 10), ("book", 6, False, 6),
        ("log", "auto", False, 4), ("log", "auto", True, 1), ("log", 10, False, 4),
        ("orders", "auto", False, 2), ("positions", 10, False, 2), ("fills", "auto", True, 1),
        ("equity", "auto", False, 1), ("equity", "auto", True, 0.5), ("chart", "low", False, 0.5),
        ("risk", "auto", False, 1), ("health", "auto", True, 1),
    ],
)  # fmt: skip
def test_rates(pane: str, fps: int | str, is_far: bool, a_second: float) -> None:
    """The table of the specification, as ticks of a tenth of a second can keep it."""
    got = paints(Pace(fps, is_far=is_far), pane)

    assert a_second * 10 * 0.75 <= got <= a_second * 10 + 1


def test_panes_of_the_table_exist_or_are_to_come() -> None:
    """A misspelt one would be painted four times a second."""
    known = {pane.__name__.removesuffix("Pane").lower() for pane in PANES}

    assert set(RATES) <= known | {"tape", "chart", "router"}


def test_a_late_frame_halves_and_five_quiet_seconds_double() -> None:
    """Two waiting, or one for longer than a tick; one that has just begun only waits."""
    pace = Pace()
    assert not pace.note(1, 10.0)
    assert 4 == pace.hz
    assert not pace.note(1, 10.0 + TICK_S)
    assert 2 == pace.hz
    assert not pace.note(2, 10.0 + HALVE_S + TICK_S)
    assert 1 == pace.hz
    now_s = 10.0 + HALVE_S + TICK_S
    assert pace.note(0, now_s + RECOVER_S - 0.1)
    assert 1 == pace.hz
    assert pace.note(0, now_s + RECOVER_S)
    assert 2 == pace.hz
    assert pace.note(0, now_s + RECOVER_S + 0.1)
    assert 2 == pace.hz, "one step, then five more seconds"
    assert pace.note(0, now_s + 2 * RECOVER_S)

    assert 4 == pace.hz


def test_two_waiting_frames_count_at_once() -> None:
    """No tick is waited for."""
    pace = Pace(8)
    assert not pace.note(2, 1.0)

    assert 4 == pace.hz


def test_a_terminal_that_takes_nothing_for_an_hour_is_not_forgotten() -> None:
    """It gets slower in steps to a floor, and comes back by steps."""
    pace = Pace()
    for i in range(36_000):
        pace.note(3, i * TICK_S)
    assert 4 / SLOWDOWN_MAX == pace.hz
    for i in range(1, 200):
        pace.note(0, 3_600 + i * TICK_S)

    assert 4 == pace.hz


def test_a_clock_that_goes_back_paints() -> None:
    """Time of the test stage may stand or jump; a pane is never stuck for ever."""
    pace = Pace()
    assert pace.is_due("quotes", 100.0)
    assert not pace.is_due("quotes", 100.1)

    assert pace.is_due("quotes", 50.0)


def test_sleep_is_a_jump_of_the_wall_clock_alone() -> None:
    """A step of five seconds is a correction; what the machine slept is told once."""
    awake = Wakefulness()
    assert 0.0 == awake.slept_s(1_000.0, 10.0)
    assert 0.0 == awake.slept_s(1_004.9, 10.1)
    assert 60.0 == pytest.approx(awake.slept_s(1_065.0, 10.2), abs=0.1)
    assert 0.0 == awake.slept_s(1_065.1, 10.3)
    assert 0.0 == awake.slept_s(500.0, 10.4), "set back by hand"


async def test_a_slow_terminal_shows_its_rate() -> None:
    """`ui 2 Hz` in the header; the figures wait, the last ones are shown when it has caught up."""
    source = FakeSource(fx.view())
    async with staged(size=M, source=source) as stage:
        assert "ui 4 Hz" in stage.rows()[0]
        waiting: queue.Queue[str] = queue.Queue()
        stage.app._driver._writer_thread = SimpleNamespace(_queue=waiting)
        waiting.put("frame")
        waiting.put("frame")
        stage.app.tick()
        assert 2 == stage.app.pace.hz
        source.seen = source.seen._replace(view=fx.empty())
        stage.app.tick()
        assert "10,012.34" in stage.text(), "nothing new for one that still takes the old"
        stage.app._driver._writer_thread = None
        stage.clock.now_s += 1.0
        stage.app.tick()
        await stage.pilot.pause()

        assert "ui 2 Hz" in stage.rows()[0]
        assert "10,012.34" not in stage.text()


async def test_a_tick_paints_what_is_due_and_news_at_once() -> None:
    """Orders twice a second; a change of state in every pane at the next tick."""
    source = FakeSource(fx.view())
    async with staged(size=M, source=source) as stage:
        stage.clock.now_s += 5.0
        stage.app.tick()
        fresh = fx.view(orders=(fx.order(77, symbol="NEWUSDT"),))
        source.seen = source.seen._replace(view=fresh)
        stage.clock.now_s += TICK_S
        stage.app.tick()
        await stage.pilot.pause()
        assert "NEWUSDT" not in stage.text()
        stage.clock.now_s += 0.5
        stage.app.tick()
        await stage.pilot.pause()
        assert "NEWUSDT" in stage.text()

        paused = fx.view(lifecycle=fx.lifecycle("PAUSED", reasons=("OPERATOR_PAUSE",)))
        source.seen = source.seen._replace(view=paused)
        stage.clock.now_s += TICK_S
        stage.app.tick()
        await stage.pilot.pause()
        assert "NEWUSDT" not in stage.text()
        assert "PAUSED" in stage.rows()[0]


async def test_waking_is_told() -> None:
    """A gap in the market, in words."""
    now_ns = [fx.NOW_NS]
    async with staged(wall_ns=lambda: now_ns[0]) as stage:
        stage.app.tick()
        now_ns[0] += 3_600 * fx.SECOND
        stage.app.tick()
        await stage.pilot.pause()

        assert "this machine slept for 1h: no price of that time was seen" in stage.rows()[-2]
