"""How long a crashed session takes to be back, and how long a line takes to count.

    python -m benchmarks.recovery [FIGURE ...]

One JSON line a figure, with the promise of reliability.md section 3 beside what was measured.
Recovery is that of a user: a session is killed with -9 at so many lines, `--resume` is started as a
new process, and the clock runs from that start until the journal says `session_resumed`. Appending
is that of a session with `journal.sync=live`: write, fdatasync, and the head that acknowledges it.
Both use the disk of TMPDIR.
"""

import asyncio
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import quantiles
from time import monotonic, perf_counter_ns, sleep
from typing import Final, NamedTuple

from engine.model.events import Timer
from engine.session.journal import Journal
from engine.session.journal_head import read_head
from engine.session.journal_keeper import begin

ROOT: Final = Path(__file__).parents[1]
DEADLINE_S: Final = 300.0
POLL_S: Final = 0.005
RESUMED: Final = b'"type":"session_resumed"'
LOOK_BYTES: Final = 1 << 20
"""How far behind the recorded lines the resume may speak: a turn the crash had cut short."""
APPENDS: Final = 5_000
BURST: Final = 100
"""Lines of one turn in which an agent replaces a whole ladder of quotes."""

WORDS: Final = (
    "--headless", "-q", "--source", "mock", "--speed", "max", "--duration", "100000",
    "--set", "checkpoint.every_s=1", "--set", "journal.sync_ms=100",
    "--set", "risk.max_loss_pct=90",
    "--set", "risk.max_session_drawdown_pct=90",
)  # fmt: skip


class Recovery(NamedTuple):
    """A crash of a session, and what its resume may start from."""

    lines: int
    is_cold: bool
    """Whether all checkpoints are gone, so that every line is run again."""
    promise_s: float


RECOVERIES: Final = {
    "recovery_checkpoint": Recovery(100_000, False, 2.0),
    "recovery_checkpoint_1m": Recovery(1_000_000, False, 15.0),
    "recovery_cold": Recovery(1_000_000, True, 15.0),
}


def main(arguments: list[str]) -> int:
    """Measure each named figure (all by default)."""
    for name in arguments or FIGURES:
        print(json.dumps({"figure": name, **FIGURES[name]()}), flush=True)
    return 0


def recovery(name: str) -> dict[str, object]:
    """Crash one session, resume it, and return how long that took."""
    crash = RECOVERIES[name]
    with tempfile.TemporaryDirectory(prefix="recovery-") as folder:
        home = Path(folder)
        run = _crashed(home, crash.lines)
        if crash.is_cold:
            for file in run.glob("checkpoint-*.bin"):
                file.unlink()
        points = sorted(int(file.stem.rpartition("-")[2]) for file in run.glob("checkpoint-*.bin"))
        before_s = _children_cpu_s()
        seconds = _resumed_s(home, run)
        lines = _acknowledged(run)
    return {
        "lines": lines,
        "checkpoint_at": points[-1] if points else None,
        "seconds": round(seconds, 2),
        "cpu_s": round(_children_cpu_s() - before_s, 2),
        "promise_s": crash.promise_s,
        "is_kept": seconds <= crash.promise_s,
    }


def _crashed(home: Path, lines: int) -> Path:
    """Run a session until so many lines count, and kill it."""
    process = _start(home, *WORDS)
    try:
        _until(lambda: _acknowledged(home / "runs" / "latest") >= lines)
        run = (home / "runs" / "latest").resolve()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    return run


def _resumed_s(home: Path, run: Path) -> float:
    journal = run / "events.jsonl"
    whole = journal.read_bytes().rfind(b"\n") + 1
    began_s = monotonic()
    process = _start(home, "--headless", "-q", "--resume")
    try:
        _until(lambda: RESUMED in _behind(journal, whole))
        return monotonic() - began_s
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _children_cpu_s() -> float:
    """Return the processor time of what has ended: on a shared machine, what a quiet one takes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _start(home: Path, *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "laptop_agents", *words],
        cwd=ROOT,
        env={**os.environ, "LAPTOP_AGENTS_HOME": str(home), "LAPTOP_AGENTS_SOURCE": "mock"},
    )


def _behind(journal: Path, at: int) -> bytes:
    with journal.open("rb") as file:
        file.seek(at)
        return file.read(LOOK_BYTES)


def _acknowledged(run: Path) -> int:
    head = read_head(run / "journal.head")
    return 0 if head is None else head.seq


def _until(holds: Callable[[], bool]) -> None:
    deadline = monotonic() + DEADLINE_S
    while not holds():
        if monotonic() > deadline:
            raise TimeoutError("the session did not come to where it had to")
        sleep(POLL_S)


def append(lines: int) -> dict[str, object]:
    """Commit so many lines at a time and return the spread of what each commit took."""
    folder = Path(tempfile.mkdtemp(prefix="append-"))
    try:
        took_ms = sorted(_commits_ms(folder / "events.jsonl", lines))
    finally:
        shutil.rmtree(folder)
    cuts = quantiles(took_ms, n=100, method="inclusive")
    return {
        "commits": len(took_ms),
        "lines_each": lines,
        "p50_ms": round(cuts[49], 3),
        "p99_ms": round(cuts[98], 3),
        "max_ms": round(took_ms[-1], 2),
        "promise_ms": {"p50": 1.0, "p99": 10.0},
        "is_kept": cuts[49] <= 1.0 and cuts[98] <= 10.0,
    }


def _commits_ms(path: Path, lines: int) -> Iterator[float]:
    journal = Journal(begin(path))
    with asyncio.Runner() as loop:
        for turn in range(APPENDS):
            events = [Timer(turn * lines + n) for n in range(lines)]
            began_ns = perf_counter_ns()
            journal.extend(events)
            assert loop.run(journal.commit()), journal.failure
            yield (perf_counter_ns() - began_ns) / 1e6
    journal.close()


FIGURES: Final[dict[str, Callable[[], dict[str, object]]]] = {
    **{name: partial(recovery, name) for name in RECOVERIES},
    "journal_append": lambda: append(1),
    "journal_append_burst": lambda: append(BURST),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
