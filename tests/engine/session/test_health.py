"""Limits are told when passed and when kept again, once each; readings are injected."""

import os

from engine.session.config import HealthConfig
from engine.session.health import HealthChange, HealthMonitor, HealthReading, ProcessProbe

CONFIG = HealthConfig(max_rss_mb=100, max_cpu_pct=50, min_disk_mb=200, max_loop_lag_ms=10)


class FakeProbe:
    """Answers with the readings it was given, one after the other."""

    def __init__(self, *readings: HealthReading) -> None:
        self._readings = iter(readings)

    def read(self) -> HealthReading:
        """Take the next."""
        return next(self._readings)


def changes_of(kind: str, *values: float | None) -> list[list[HealthChange]]:
    """Sample one kind of reading over and over."""
    lags = values if kind == "loop_lag_ms" else [None] * len(values)
    readings = [
        HealthReading() if kind == "loop_lag_ms" else HealthReading(**{kind: v}) for v in values
    ]
    monitor = HealthMonitor(CONFIG, FakeProbe(*readings))
    return [monitor.sample(lag)[1] for lag in lags]


def test_passed_and_cleared_once_each() -> None:
    """At the limit is within it; staying over is silent; coming back is told."""
    assert changes_of("rss_mb", 100, 101, 150, 100, 99) == [
        [],
        [HealthChange("rss_mb", 100, 101, True)],
        [],
        [HealthChange("rss_mb", 100, 100, False)],
        [],
    ]


def test_disk_counts_the_other_way() -> None:
    """Too little is over the limit."""
    assert changes_of("disk_free_mb", 200, 199, 201) == [
        [],
        [HealthChange("disk_free_mb", 200, 199, True)],
        [HealthChange("disk_free_mb", 200, 201, False)],
    ]


def test_the_journals_reserve_is_a_limit_of_its_own() -> None:
    """Below the alert; both speak of the same reading."""
    probe = FakeProbe(*(HealthReading(disk_free_mb=free) for free in (150, 99, 100)))
    monitor = HealthMonitor(CONFIG, probe, reserve_mb=100)

    assert [
        [HealthChange("disk_free_mb", 200, 150, True)],
        [HealthChange("journal_reserve", 100, 99, True)],
        [HealthChange("journal_reserve", 100, 100, False)],
    ] == [monitor.sample(None)[1] for _ in range(3)]


def test_an_unknown_reading_changes_nothing() -> None:
    """Neither raises an alert nor clears one."""
    assert changes_of("cpu_pct", None, 60, None, 40) == [
        [],
        [HealthChange("cpu_pct", 50, 60, True)],
        [],
        [HealthChange("cpu_pct", 50, 40, False)],
    ]


def test_the_loops_lag_comes_from_outside() -> None:
    """It is part of the reading, and judged."""
    assert changes_of("loop_lag_ms", 5, 11) == [[], [HealthChange("loop_lag_ms", 10, 11, True)]]
    reading, _ = HealthMonitor(CONFIG, FakeProbe(HealthReading(rss_mb=1.0))).sample(3.0)
    assert reading == HealthReading(rss_mb=1.0, loop_lag_ms=3.0)


def test_this_process(tmp_path) -> None:
    """The real probe gives plausible figures, and None for a disk that is gone."""
    probe = ProcessProbe(tmp_path)
    reading = probe.read()

    assert 5 < reading.rss_mb < 5_000
    assert reading.cpu_pct >= 0
    assert reading.disk_free_mb > 0
    os.rmdir(tmp_path)
    assert probe.read().disk_free_mb is None
