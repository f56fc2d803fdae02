"""How the process itself is doing, and which of its limits it has passed.

A limit that is passed is told once, and once more when the reading is back within it; a reading
that can't be taken is None and changes nothing.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import msgspec

from engine.model.events import JOURNAL_RESERVE
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
    """The reading's name, a field of `HealthReading`, or `journal_reserve`."""
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


class _Limit(NamedTuple):
    kind: str
    field: str
    """Of `HealthReading`."""
    value: float
    sign: int
    """1: more is over; -1: less is."""


class HealthMonitor:
    """Samples a probe and remembers which limits are passed."""

    def __init__(self, config: HealthConfig, probe: Probe, *, reserve_mb: float = 0) -> None:
        self._probe = probe
        self._over: set[str] = set()
        self._limits: tuple[_Limit, ...] = (
            _Limit("cpu_pct", "cpu_pct", config.max_cpu_pct, 1),
            _Limit("rss_mb", "rss_mb", config.max_rss_mb, 1),
            _Limit("loop_lag_ms", "loop_lag_ms", config.max_loop_lag_ms, 1),
            _Limit("disk_free_mb", "disk_free_mb", config.min_disk_mb, -1),
            _Limit(JOURNAL_RESERVE, "disk_free_mb", reserve_mb, -1),
        )

    def sample(self, loop_lag_ms: float | None) -> tuple[HealthReading, list[HealthChange]]:
        """Take one sample, and say what changed since the last."""
        reading = msgspec.structs.replace(self._probe.read(), loop_lag_ms=loop_lag_ms)
        changes = [
            change
            for limit in self._limits
            if (change := self._judge(limit, getattr(reading, limit.field))) is not None
        ]
        return reading, changes

    def _judge(self, limit: "_Limit", value: float | None) -> HealthChange | None:
        if value is None:
            return None
        is_over = limit.sign * (value - limit.value) > 0
        if is_over is (limit.kind in self._over):
            return None
        self._over ^= {limit.kind}
        return HealthChange(limit.kind, limit.value, value, is_over)
