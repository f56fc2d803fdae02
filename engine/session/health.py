"""How the process itself is doing, and which of its limits it has passed.

A limit that is passed is told once, and once more when the reading is back within it; a reading
that can't be taken is None and changes nothing.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import msgspec

from engine.session.config import HealthConfig

MB: Final = 1024 * 1024


class HealthReading(msgspec.Struct, frozen=True, kw_only=True):
    """One sample; None is a figure the platform did not give."""

    cpu_pct: float | None = None
    """Share of one core since the last sample."""
    rss_mb: float | None = None
    disk_free_mb: float | None = None
    """Where the run folder lives, for a user without privileges."""
    loop_lag_ms: float | None = None
    """How late the event loop woke the heartbeat."""


class HealthChange(msgspec.Struct, frozen=True):
    """A limit was passed, or a reading came back within it."""

    kind: str
    """The reading's name, a field of `HealthReading`."""
    limit: float
    reading: float
    is_over: bool


class Probe(Protocol):
    """Where the readings come from: the operating system, or a test's list."""

    def read(self) -> HealthReading:
        """Take one sample, without the loop's lag; never raises, what fails is None."""
        ...


class ProcessProbe:
    """The running process and the disk under `path`, by psutil."""

    def __init__(self, path: Path) -> None:
        # Late, so that --help stays light; psutil ships no types.
        import psutil  # type: ignore[import-untyped]  # noqa: PLC0415

        self._free: Callable[[], float] = lambda: float(psutil.disk_usage(str(path)).free)
        self._process = psutil.Process()
        self._failures: tuple[type[Exception], ...] = (psutil.Error, OSError)
        self._process.cpu_percent(None)  # the first call has no interval to measure

    def read(self) -> HealthReading:
        """Take one sample of processor, memory and disk."""
        return HealthReading(
            cpu_pct=self._try(lambda: float(self._process.cpu_percent(None))),
            rss_mb=self._try(lambda: float(self._process.memory_info().rss) / MB),
            disk_free_mb=self._try(lambda: self._free() / MB),
        )

    def _try(self, reading: Callable[[], float]) -> float | None:
        try:
            return round(reading(), 1)
        except self._failures:
            return None


class HealthMonitor:
    """Samples a probe and remembers which limits are passed."""

    def __init__(self, config: HealthConfig, probe: Probe) -> None:
        self._probe = probe
        self._over: set[str] = set()
        self._maxima = {
            "cpu_pct": config.max_cpu_pct,
            "rss_mb": config.max_rss_mb,
            "loop_lag_ms": config.max_loop_lag_ms,
        }
        self._minima = {"disk_free_mb": config.min_disk_mb}

    def sample(self, loop_lag_ms: float | None) -> tuple[HealthReading, list[HealthChange]]:
        """Take one sample, and say what changed since the last."""
        reading = msgspec.structs.replace(self._probe.read(), loop_lag_ms=loop_lag_ms)
        changes = [
            change
            for limits, sign in ((self._maxima, 1), (self._minima, -1))
            for kind, limit in limits.items()
            if (change := self._judge(kind, limit, sign, getattr(reading, kind))) is not None
        ]
        return reading, changes

    def _judge(
        self, kind: str, limit: float, sign: int, value: float | None
    ) -> HealthChange | None:
        if value is None:
            return None
        is_over = sign * (value - limit) > 0
        if is_over is (kind in self._over):
            return None
        self._over ^= {kind}
        return HealthChange(kind, limit, value, is_over)
