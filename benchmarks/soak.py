"""A whole autonomous session in real time, watched from outside; one JSON line at its end.

    python -m benchmarks.soak [MINUTES]

Once a second the session's memory, descriptors and threads are read from the system, its tasks and
what nobody caught from `benchmarks.watched`. After a warm-up they must be flat: memory within
`FLAT_MB`, the rest without a rise. Then nothing may have gone wrong inside, and the journal must
verify. Exit code 1 where one of that fails (reliability.md section 3, soak).
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import linear_regression, median
from time import monotonic, sleep
from typing import Final, NamedTuple

import psutil

ROOT: Final = Path(__file__).parents[1]
MINUTES: Final = 10.0
EVERY_S: Final = 1.0
WARM_UP: Final = 0.3
"""Share of the session in which caches fill: bars, windows, the curve of equity."""
FLAT_MB: Final = 2.0
"""How much more memory the end may hold than the end of the warm-up."""
LEAK_MB_H: Final = 1.0
"""Slope a day-long soak is judged by; told here, where ten minutes only hint at it."""
EDGE: Final = 15
"""Samples whose median stands for a moment: a collection in between is no leak."""

WORDS: Final = (
    "--headless", "-q", "--source", "mock", "--agents", "trend,quoter",
    "--symbols", "BTCUSDT,ETHUSDT", "--set", "mock.events_per_s=200",
    "--set", "journal.segment_mb=8", "--set", "risk.max_loss_pct=90",
    "--set", "risk.max_session_drawdown_pct=90", "--set", "risk.max_consecutive_losses=none",
)  # fmt: skip


class Sample(NamedTuple):
    """What the system says of the engine at one moment."""

    at_s: float
    rss_mb: float
    fds: int
    threads: int
    children: int


def main(arguments: list[str]) -> int:
    """Soak for so many minutes, say what was seen, and judge it."""
    minutes = float(arguments[0]) if arguments else MINUTES
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        home = Path(folder)
        environ = {**os.environ, "LAPTOP_AGENTS_HOME": str(home), "LAPTOP_AGENTS_SOURCE": "mock"}
        command = [sys.executable, "-m", "benchmarks.watched", str(home / "loop.jsonl")]
        process = subprocess.Popen(
            [*command, *WORDS, "--duration", str(minutes)], cwd=ROOT, env=environ
        )
        try:
            seen_outside = list(samples(process.pid, lambda: process.poll() is None))
            code = process.wait()
        finally:
            process.kill()
            process.wait()
        verified = subprocess.run(
            [sys.executable, "-m", "laptop_agents", "audit", "verify"],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            check=False,
        )
        seen = {
            "minutes": minutes,
            "exit_code": code,
            "verify_exit_code": verified.returncode,
            **_inside((home / "runs" / "latest").resolve()),
            **loop_told(home / "loop.jsonl"),
            **outside(seen_outside),
        }
    faults = _faults(seen)
    print(json.dumps({"figure": "soak", **seen, "faults": faults, "is_kept": not faults}))
    return 1 if faults else 0


def samples(pid: int, is_running: Callable[[], bool]) -> Iterator[Sample]:
    """Read the engine once a second until it is gone."""
    engine, began_s = psutil.Process(pid), monotonic()
    while is_running():
        try:
            with engine.oneshot():
                yield Sample(
                    monotonic() - began_s,
                    engine.memory_info().rss / 2**20,
                    engine.num_fds(),
                    engine.num_threads(),
                    len(engine.children()),
                )
        except psutil.NoSuchProcess:
            return
        sleep(EVERY_S)


def _inside(run: Path) -> dict[str, object]:
    """Return what the run's own report and log say."""
    report = json.loads((run / "final_report.json").read_text())
    log = [json.loads(line) for line in (run / "session.log").read_text().splitlines()]
    return {
        "events": report["journal"]["events"],
        "fills": report["trades"],
        "orders": report["orders"]["submitted"],
        "segments": len(list(run.glob("events-*.jsonl.zst"))),
        "errors": sum(report["errors"].values()),
        "log_errors": sum(line.get("level") in ("error", "critical") for line in log),
        "stop_reason": report["stop_reason"],
    }


def loop_told(file: Path) -> dict[str, object]:
    """Return what the watched loop told."""
    told = [json.loads(line) for line in file.read_text().splitlines()]
    steady = [word["tasks"] for word in told[int(len(told) * WARM_UP) :]]
    return {
        "tasks": [int(median(steady[:EDGE])), int(median(steady[-EDGE:]))],
        "uncaught": told[-1]["uncaught"],
    }


def outside(samples: list[Sample]) -> dict[str, object]:
    """Compare the end with the end of the warm-up; the last seconds are the shutdown's."""
    steady = samples[int(len(samples) * WARM_UP) : -3]
    first, last = steady[:EDGE], steady[-EDGE:]
    slope = linear_regression([s.at_s for s in steady], [s.rss_mb for s in steady]).slope
    ends = {
        name: (median(getattr(s, name) for s in first), median(getattr(s, name) for s in last))
        for name in Sample._fields[1:]
    }
    return {
        "rss_mb": [round(mb, 1) for mb in ends["rss_mb"]],
        "rss_mb_max": round(max(s.rss_mb for s in samples), 1),
        "rss_mb_per_h": round(slope * 3_600, 2),
        **{name: [int(n) for n in ends[name]] for name in ("fds", "threads", "children")},
    }


def _faults(seen: dict[str, object]) -> list[str]:
    """Name what must not be so."""
    before, after = seen["rss_mb"]  # type: ignore[misc]
    faults = [f"rss grew by {after - before:.1f} MB"] if after - before > FLAT_MB else []
    for name in ("fds", "threads", "children", "tasks"):
        before, after = seen[name]  # type: ignore[misc]
        faults += [f"{name} grew from {before} to {after}"] if after > before else []
    for name in ("exit_code", "verify_exit_code", "errors", "log_errors", "uncaught"):
        faults += [f"{name} is {seen[name]}"] if seen[name] else []
    return faults


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
