"""How late the engine's loop is at ten times the normal feed; one JSON line a condition.

    python -m benchmarks.lag [SECONDS [CONDITION ...]]

Real processes: the session as a user starts it, with `benchmarks.watched` asking its loop a hundred
times a second to be woken, and where the condition says so the screen on a terminal of its own,
which nobody reads, or which changes its size fifty times a second. The promise is a 99th percentile
of 20 ms (reliability.md section 3); E5 wants memory within 50 MB of what it was before the burst.
"""

import fcntl
import json
import os
import pty
import random
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from time import monotonic, sleep
from typing import Final

import psutil

ROOT: Final = Path(__file__).parents[1]
SECONDS: Final = 30.0
NORMAL_PER_S: Final = 20
"""Events of one instrument a second, the default of `mock.events_per_s`."""
BURST: Final = 10
WARM_UP_S: Final = 3.0
START_DEADLINE_S: Final = 30.0
RESIZES_PER_S: Final = 50
P99_MS_MAX: Final = 20.0
GROWTH_MB_MAX: Final = 50.0

WORDS: Final = (
    "--headless", "-q", "--source", "mock", "--symbols", "BTCUSDT,ETHUSDT", "--duration", "30",
    "--set", f"mock.events_per_s={NORMAL_PER_S * BURST}", "--set", "risk.max_loss_pct=90",
)  # fmt: skip


class Terminal:
    """A screen attached to the newest run, on a pty."""

    def __init__(self, home: Path, size: tuple[int, int] = (40, 160)) -> None:
        self.fd, ours = pty.openpty()
        self.resize(*size)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "laptop_agents", "attach"],
            cwd=ROOT,
            env={
                **os.environ,
                "LAPTOP_AGENTS_HOME": str(home),
                "LAPTOP_AGENTS_SOURCE": "mock",
                "TERM": "xterm-256color",
            },
            stdin=ours,
            stdout=ours,
            stderr=ours,
            start_new_session=True,
        )
        os.close(ours)

    def resize(self, rows: int, columns: int) -> None:
        """Give it another size, as a dragged window does."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds: float) -> int:
        """Read what it paints for a while; return how many bytes."""
        deadline, size = monotonic() + seconds, 0
        while (left := deadline - monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                size += len(os.read(self.fd, 65_536))
        return size

    def close(self) -> None:
        """Take the terminal away."""
        self.process.kill()
        self.process.wait()
        os.close(self.fd)


def _nobody(_home: Path, seconds: float) -> None:
    sleep(seconds)


def _attached(home: Path, seconds: float) -> None:
    terminal = Terminal(home)
    try:
        assert terminal.read(seconds) > 10_000, "the screen painted nothing"
    finally:
        terminal.close()


def _unread(home: Path, seconds: float) -> None:
    """Let it paint, then stop reading: its writer stands still after a few frames."""
    terminal = Terminal(home)
    try:
        assert terminal.read(WARM_UP_S) > 1_000, "the screen painted nothing"
        sleep(max(0.0, seconds - WARM_UP_S))
    finally:
        terminal.close()


def _resized(home: Path, seconds: float) -> None:
    terminal = Terminal(home)
    deadline = monotonic() + seconds
    try:
        while monotonic() < deadline:
            terminal.resize(random.randint(10, 60), random.randint(40, 220))  # noqa: S311
            terminal.process.send_signal(signal.SIGWINCH)  # the pty controls no session
            terminal.read(1 / RESIZES_PER_S)
    finally:
        terminal.close()


CONDITIONS: Final[dict[str, Callable[[Path, float], None]]] = {
    "alone": _nobody,
    "attached": _attached,
    "unread": _unread,
    "resize_storm": _resized,
}


def main(arguments: list[str]) -> int:
    """Measure each named condition (all by default)."""
    seconds = float(arguments[0]) if arguments else SECONDS
    for name in arguments[1:] or CONDITIONS:
        print(json.dumps({"condition": name, **measure(name, seconds)}), flush=True)
    return 0


def measure(name: str, seconds: float) -> dict[str, object]:
    """Run one session under one condition and return how late its loop was meanwhile."""
    with tempfile.TemporaryDirectory(prefix="lag-") as folder:
        home = Path(folder)
        told = home / "loop.jsonl"
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.watched", str(told), *WORDS],
            cwd=ROOT,
            env={**os.environ, "LAPTOP_AGENTS_HOME": str(home), "LAPTOP_AGENTS_SOURCE": "mock"},
        )
        try:
            _until(lambda: told.exists() and told.read_text().count("\n") >= WARM_UP_S)
            engine = psutil.Process(process.pid)
            before_mb, begun_s = engine.memory_info().rss / 2**20, monotonic()
            CONDITIONS[name](home, seconds)
            grown_mb = engine.memory_info().rss / 2**20 - before_mb
            late_ms = _late_ms(told, begun_s)
            process.terminate()
            process.wait(START_DEADLINE_S)
        finally:
            process.kill()
            process.wait()
    cuts = quantiles(late_ms, n=1_000, method="inclusive")
    return {
        "events_per_s": NORMAL_PER_S * BURST * 2,
        "beats": len(late_ms),
        "p50_ms": round(cuts[499], 2),
        "p99_ms": round(cuts[989], 2),
        "p999_ms": round(cuts[998], 2),
        "max_ms": round(max(late_ms), 1),
        "grown_mb": round(grown_mb, 1),
        "promise": {"p99_ms": P99_MS_MAX, "grown_mb": GROWTH_MB_MAX},
        "is_kept": cuts[989] <= P99_MS_MAX and grown_mb <= GROWTH_MB_MAX,
    }


def _late_ms(told: Path, since_s: float) -> list[float]:
    lines = [json.loads(line) for line in told.read_text().splitlines()]
    return [late for line in lines if line["at_s"] > since_s for late in line["late_ms"]]


def _until(holds: Callable[[], bool]) -> None:
    deadline = monotonic() + START_DEADLINE_S
    while not holds():
        if monotonic() > deadline:
            raise TimeoutError("the session did not come to where it had to")
        sleep(0.02)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
