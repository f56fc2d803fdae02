"""Event time as it passes: with the wall, faster, or in leaps."""

import asyncio
import itertools
import time

import pytest

from engine.session.clock import POLL_S, SimulatedClock, WallClock

START = 1_700_000_000_000_000_000


def test_the_simulated_clock_is_always_there() -> None:
    """It takes no time and never refuses."""
    clock = SimulatedClock()
    clock.start(START)
    began = time.monotonic()

    assert asyncio.run(clock.wait(START + 10**15))
    assert clock.reached() > START + 10**15
    assert time.monotonic() - began < 0.5
    assert clock.is_simulated


def test_the_wall_clock_runs_at_its_speed() -> None:
    """Fifty times as fast: 5 event seconds take 0.1 s."""
    began = time.monotonic()
    clock = WallClock(50)
    clock.start(START)

    async def wait() -> None:
        while not await clock.wait(START + 5_000_000_000):
            pass

    asyncio.run(wait())

    assert 0.1 <= time.monotonic() - began < 0.6
    assert START + 5_000_000_000 <= clock.reached()
    assert not clock.is_simulated


def test_a_wait_is_cut_in_pieces() -> None:
    """So that a request to stop is seen in time, however far the next event is."""
    clock = WallClock(1)
    clock.start(START)
    began = time.monotonic()

    assert not asyncio.run(clock.wait(START + 3_600 * 10**9))
    assert POLL_S * 0.9 <= time.monotonic() - began < 0.5


def test_what_is_past_is_reached_at_once() -> None:
    """Even before the start was declared."""
    clock = WallClock(1)
    clock.start(START)

    assert asyncio.run(clock.wait(START - 1))


def test_event_time_never_goes_back() -> None:
    """The monotonic clock carries it (reliability.md E4)."""
    clock = WallClock(1_000)
    clock.start(START)
    readings = [clock.reached() for _ in range(1_000)]

    assert sorted(readings) == readings
    assert START <= readings[0]


JUMPS = {
    "strobe": [288.0, -288.0, 0.004, -262.0],
    "an hour": [3_600.0, -3_600.0],
    "2038": [2_147_483_648.0 - START / 1e9],
    "2100": [4_102_444_800.0 - START / 1e9, 0.0],
}


@pytest.mark.parametrize("jumps", JUMPS.values(), ids=JUMPS)
def test_the_walls_clock_may_jump(jumps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows 52 and 53: at every look at it; no timer is early or late, event time never goes back."""
    offsets = itertools.cycle(jumps)
    real_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real_ns() + int(next(offsets) * 1e9))
    monkeypatch.setattr(time, "time", lambda: time.time_ns() / 1e9)
    clock = WallClock(50)
    clock.start(START)
    readings = []

    async def wait() -> None:
        while not await clock.wait(START + 5_000_000_000):
            readings.append(clock.reached())

    began = time.monotonic()
    asyncio.run(wait())

    assert 0.1 <= time.monotonic() - began < 0.6
    assert sorted(readings) == readings
