"""What a screen costs and how fast it answers; one JSON line a part.

    python -m benchmarks.screen [PART ...]        parts: see PARTS
    python -m benchmarks.screen soak MINUTES

An engine of its own process runs three mock symbols; a screen attaches to it under a
pseudo-terminal of 120x40 cells that is read at once. Processor time and memory are the screen's
alone, bytes are what it wrote to the terminal. Targets: tui-expectations section 10, performance
W4t, T1 and T10.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from threading import Event, Thread
from typing import Final, NamedTuple

import psutil

from benchmarks.terminal import ROOT, Terminal
from engine.model.errors import SessionUnreachable
from engine.session.control.client import Connection
from engine.session.control.server import VIEW_INTERVAL_S

SYMBOLS: Final = "BTCUSDT,ETHUSDT,SOLUSDT"
SECONDS: Final = 20.0
"""How long processor time and bytes are taken."""
KEYS: Final = 200
STARTS: Final = 7
UNREAD_S: Final = 12.0
SETTLE_S: Final = 4.0
START_S: Final = 20.0
FIGURES: Final = b"ACTIVE"


class House(NamedTuple):
    """An engine, and what a screen needs to find it."""

    env: dict[str, str]
    folder: Path
    engine: psutil.Process


@contextmanager
def house(events_per_s: float) -> Iterator[House]:
    """Run an engine whose market has so many events a second, all symbols together."""
    with tempfile.TemporaryDirectory(prefix="screen-") as home:
        env = {"LAPTOP_AGENTS_HOME": home, "LAPTOP_AGENTS_SOURCE": "mock"}
        each = events_per_s / len(SYMBOLS.split(","))
        words = ["--headless", "-q", "--duration", "100000", "--symbols", SYMBOLS]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "laptop_agents", *words,
             "--set", f"mock.events_per_s={each}"],
            cwd=ROOT, env={**os.environ, **env}, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        folder = Path(home) / "runs" / "latest"
        try:
            _until((folder / "control.sock").exists, START_S)
            yield House(env, folder, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def screen(at: House, **env: str) -> Iterator[Terminal]:
    """Attach a screen, and wait until it shows figures."""
    terminal = Terminal(["laptop_agents", "attach"], {**at.env, **env})
    try:
        terminal.until(FIGURES)
        yield terminal
    finally:
        terminal.close()


def first_paint() -> dict[str, object]:
    """From exec to the first panes, and to figures: a screen on a running engine, and both anew."""
    attached, painted, anew, memory, used = [], [], [], [], []
    with house(60) as at:
        for _ in range(STARTS):
            with screen(at) as terminal:
                attached.append(terminal.painted_s - terminal.began_s)
                memory.append(terminal.rss_mb())
                used.append(terminal.cpu_s())
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory(prefix="screen-") as home:
            terminal = Terminal(
                ["laptop_agents"], {"LAPTOP_AGENTS_HOME": home, "LAPTOP_AGENTS_SOURCE": "mock"}
            )
            anew.append(terminal.until(FIGURES) - terminal.began_s)
            painted.append(terminal.painted_s - terminal.began_s)
            terminal.press("\x18")
            terminal.until(b"armed")
            terminal.press("k")
            terminal.until(b"exit 4")
            terminal.close()
    return {
        "attach_s": _spread(attached),
        "attach_cpu_s": _spread(used),
        "with_engine_s": _spread(painted),
        "with_engine_figures_s": _spread(anew),
        "rss_mb": round(median(memory), 1),
    }


def load(events_per_s: float, **env: str) -> dict[str, object]:
    """Processor time, bytes and the way from a key to its paint, under load."""
    with house(events_per_s) as at, screen(at, **env) as terminal:
        terminal.read_for(SETTLE_S)
        cpu_s, sent, began_s = terminal.cpu_s(), terminal.bytes, time.monotonic()
        engine_s = sum(at.engine.cpu_times()[:2])
        terminal.read_for(SECONDS)
        took_s = time.monotonic() - began_s
        return {
            "events_per_s": events_per_s,
            "cpu_pct": round(100 * (terminal.cpu_s() - cpu_s) / took_s, 2),
            "engine_cpu_pct": round(100 * (sum(at.engine.cpu_times()[:2]) - engine_s) / took_s, 2),
            "kb_per_s": round((terminal.bytes - sent) / took_s / 1e3, 1),
            "key_to_paint_ms": _spread(_keys(terminal), 1e3),
            "rss_mb": round(terminal.rss_mb(), 1),
        }


def _keys(terminal: Terminal) -> list[float]:
    """Step through the instruments; the book's title is painted with the new one's name."""
    names = SYMBOLS.split(",")
    steps = [("]", names[1]), ("]", names[2]), ("[", names[1]), ("[", names[0])]
    took = []
    for number in range(KEYS):
        key, name = steps[number % len(steps)]
        terminal.read_for(random.uniform(0.05, 0.3))  # noqa: S311 - an instant, no secret
        terminal.forget()
        pressed_s = time.monotonic()
        terminal.press(key)
        took.append(terminal.until(f"Book {name}".encode()) - pressed_s)
    return took


def stall(seconds: float = UNREAD_S) -> dict[str, object]:
    """T1: a terminal that reads nothing, what the engine feels of it, and a kill key meanwhile."""
    with house(600) as at, screen(at) as terminal:
        before, during = [], []
        terminal.read_for(SETTLE_S)
        with _views(at.folder, before):
            terminal.read_for(seconds)
        with _views(at.folder, during):
            time.sleep(seconds)  # nobody reads
            pressed_s = time.monotonic()
            terminal.press("\x18k")
            _until((at.folder / "final_report.json").exists, START_S)
        killed_s = time.monotonic() - pressed_s
    return {
        "unread_s": seconds,
        "view_late_ms_read": _spread(before, 1e3),
        "view_late_ms_unread": _spread(during, 1e3),
        "kill_to_report_s": round(killed_s, 2),
    }


@contextmanager
def _views(folder: Path, late: list[float]) -> Iterator[None]:
    """Note how much later than a tenth of a second after the last each view comes, seconds."""
    stop, at = Event(), list[float]()

    def watch() -> None:
        try:
            with Connection.open(folder, "screen", wants_views=True) as connection:
                for _ in connection.views(within_s=5.0):
                    at.append(time.monotonic())
                    if stop.is_set():
                        return
        except SessionUnreachable:
            return  # it was killed: that is the end of what is measured

    thread = Thread(target=watch)
    thread.start()
    yield
    stop.set()
    thread.join()
    late += [max(0.0, later - sooner - VIEW_INTERVAL_S) for sooner, later in pairwise(at)]


def soak(minutes: float) -> dict[str, object]:
    """T10: what grows on a screen that is watched, scrolled and resized for so long."""
    with house(3_000) as at, tempfile.NamedTemporaryFile() as counts:
        words = ["benchmarks.counted", counts.name, "attach"]
        terminal = Terminal(words, at.env)
        terminal.until(FIGURES)
        process, rows = psutil.Process(terminal.process.pid), list[dict[str, float]]()
        until_s = time.monotonic() + minutes * 60
        while time.monotonic() < until_s:
            for key, size in SOAK_STEPS:
                terminal.press(key)
                terminal.resize(*size)
                terminal.read_for(0.5)
            if process.status() == psutil.STATUS_ZOMBIE:
                crash = Path(at.env["LAPTOP_AGENTS_HOME"]) / "crash.log"
                raise RuntimeError(crash.read_text() if crash.exists() else terminal.last_words)
            rows.append(
                {
                    "at_s": time.monotonic(),
                    "rss_mb": terminal.rss_mb(),
                    "handles": process.num_fds(),
                    "threads": process.num_threads(),
                }
            )
        counted = [json.loads(line) for line in Path(counts.name).read_text().splitlines()]
        terminal.close()
    grown = {name: _growth(rows, name) for name in ("rss_mb", "handles", "threads")}
    grown |= {name: _growth(counted, name) for name in ("widgets", "tasks", "objects")}
    return {"minutes": minutes, "samples": len(rows), **grown}


SOAK_STEPS: Final = (
    ("]", (120, 40)), ("?", (120, 40)), ("\x1b", (200, 60)), ("8", (80, 24)), ("8", (80, 24)),
    ("9", (40, 10)), ("T", (120, 40)), ("\x18", (120, 40)), ("x", (120, 40)), ("[", (120, 40)),
)  # fmt: skip
"""Keys and sizes of one round: help, zoom, log, palette, danger menu and its disarming."""


def _growth(rows: list[dict[str, float]], name: str) -> dict[str, float]:
    """Return first and last of what is left after the first third, and the slope an hour."""
    kept = rows[len(rows) // 3 :]
    if len(kept) < 2:
        return {}
    hours = [row["at_s"] / 3600 for row in kept]
    values = [row[name] for row in kept]
    mean_h, mean = sum(hours) / len(hours), sum(values) / len(values)
    over = sum((h - mean_h) ** 2 for h in hours)
    slope = sum((h - mean_h) * (v - mean) for h, v in zip(hours, values, strict=True)) / over
    return {"first": round(values[0], 1), "last": round(values[-1], 1), "per_hour": round(slope, 2)}


def _spread(values: list[float], scale: float = 1.0) -> dict[str, float]:
    cuts = quantiles(values, n=100, method="inclusive")
    named = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(values)}
    return {name: round(value * scale, 3 if scale == 1 else 1) for name, value in named.items()}


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the session did not come to where it had to")
        time.sleep(0.01)


PARTS: Final[Mapping[str, Callable[[], dict[str, object]]]] = {
    "first_paint": first_paint,
    "load_600": lambda: load(600),
    "load_3000": lambda: load(3_000),
    "ssh_600": lambda: load(600, SSH_CONNECTION="198.51.100.7 50022 192.0.2.1 22"),
    "stall": stall,
}


def main(arguments: list[str]) -> int:
    """Measure each named part (all by default)."""
    if arguments[:1] == ["soak"]:
        print(json.dumps({"part": "soak", **soak(float(arguments[1]))}), flush=True)
        return 0
    for name in arguments or PARTS:
        print(json.dumps({"part": name, **PARTS[name]()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
