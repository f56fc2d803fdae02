"""What a live session costs between a venue's frame and its order's bytes; one JSON line a part.

    python -m benchmarks.live [orders] [orders_in_memory] [orders_busy] [frames] [resync]

Real processes and real sockets on loopback: the sandbox is served here, the session is the program
as a user starts it, live and armed. The clock is one: CLOCK_MONOTONIC is the machine's. A venue is
not on a trader's processor: the sandbox has one core, the session those that are left, or its first
order would wake a sandbox that takes its core from under the second.

orders: from a frame to its order, at both ends. `frame_to_bytes` is ours: from the instant
        at which the loop is handed the frame's bytes to the one at which it is given the order's.
        `frame_to_request` is the venue's: from the instant at which the sandbox publishes the quote
        to the one at which it has read the request, its own sending and reading included. `cpu` is
        the processor time of our loop's thread, which waiting for a core does not stretch. Every
        order waits for its lines on the disk; in memory that wait is nothing. 40 events a second
        let the caches go cold in between; busy is the same at 1,000.
frames: share of a core that the session uses at 2,000 frames a second.
resync: after all lines broke, until every book is in sync again.

Source: issue 5; performance.md.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import psutil
from aiohttp import web

from brokers.mock.config import MockConfig
from brokers.mock.feed import MockFeed
from brokers.sandbox.binance import BinanceSandbox
from brokers.sandbox.market import SandboxMarket
from engine.model.market import FeedEvent, Quote

CORES: Final = sorted(os.sched_getaffinity(0))
ROOT: Final = Path(__file__).parents[1]
MINUTES: Final = "0.6"
BREAKS: Final = 5
BREAK_GAP_S: Final = 32.0
"""A line that has held for 30 s comes back as after its first break; sooner it waits longer."""
WARM_UP_S: Final = 5.0
BUSY_PER_S: Final = 1_000.0
"""Events for each instrument: with two, 2,000 frames a second."""
MARKS: Final = "marks.jsonl"
SYMBOLS: Final = ("BTCUSDT", "ETHUSDT")
KEY: Final = {
    "LAPTOP_AGENTS_BINANCE_KEY": "sandbox-key",
    "LAPTOP_AGENTS_BINANCE_SECRET": "sandbox-secret",
}
WORDS: Final = (
    "--headless", "-q", "--mode", "live", "--source", "binance", "--yes-live", "binance",
    "--symbols", ",".join(SYMBOLS), "--agents", "quoter",
    "--set", "risk.max_consecutive_losses=10000", "--set", "risk.max_orders_per_minute=10000",
    "--set", "risk.max_amends_per_minute=10000", "--set", "agents.quoter.half_spread_bps=1",
)  # fmt: skip


class Bench:
    """A sandbox that notes when it said something and when it was asked something."""

    def __init__(self, events_per_s: float) -> None:
        config = MockConfig(events_per_s=events_per_s)
        self.market = SandboxMarket(MockFeed(SYMBOLS, config, 1, time.time_ns()))
        self.sandbox = BinanceSandbox(self.market)
        self.sandbox.app.middlewares.append(self._note)
        self.market.listen(self._saw)
        self.quoted_ns: dict[str, int] = {}
        self.frames = 0
        self.gaps_us: list[float] = []

    def _saw(self, event: FeedEvent) -> None:
        self.frames += 1
        if isinstance(event, Quote):
            self.quoted_ns[event.symbol] = time.monotonic_ns()

    @web.middleware
    async def _note(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.path == "/fapi/v1/order" and request.method in ("POST", "PUT"):
            text = f"{request.query_string}&{await request.text()}"
            symbol = next((s for s in SYMBOLS if f"symbol={s}" in text), None)
            if symbol in self.quoted_ns:
                self.gaps_us.append((time.monotonic_ns() - self.quoted_ns[symbol]) / 1e3)
        return await handler(request)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[int]:
        """Serve it on a free port."""
        runner = web.AppRunner(self.sandbox.app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        playing = asyncio.create_task(self.market.play())
        try:
            yield runner.addresses[0][1]
        finally:
            playing.cancel()
            await runner.cleanup()


async def session(port: int, home: Path, minutes: str = MINUTES) -> asyncio.subprocess.Process:
    """Start an armed live session."""
    token = home / "arm.token"
    token.write_text("binance\n")
    token.chmod(0o600)
    at = f"127.0.0.1:{port}"
    urls = {"rest_url": f"http://{at}", "spot_url": f"http://{at}"}
    urls |= {f"{kind}_url": f"ws://{at}/{kind}" for kind in ("public", "market", "private")}
    settings = [word for name, url in urls.items() for word in ("--set", f"binance.{name}={url}")]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.marked_session", str(home / MARKS),
        *WORDS, *settings, "--arm-token", str(token), "--duration", minutes,
        cwd=ROOT, env={"PATH": os.environ["PATH"], "LAPTOP_AGENTS_HOME": str(home), **KEY},
        preexec_fn=lambda: os.sched_setaffinity(0, CORES[1:] or CORES),
    )  # fmt: skip


def spread(values: list[float]) -> dict[str, float]:
    """Return percentiles."""
    cuts = quantiles(values, n=100)
    return {"p50": round(cuts[49], 1), "p99": round(cuts[98], 1), "max": round(max(values), 1)}


def report(home: Path) -> dict[str, Any]:
    """Return a run's final report."""
    told: dict[str, Any] = json.loads((home / "runs" / "latest" / "final_report.json").read_text())
    return told


async def orders(home: Path, events_per_s: float = 40) -> dict[str, Any]:
    """Measure from frame to request."""
    bench = Bench(events_per_s)
    async with bench.served() as port:
        process = await session(port, home)
        await process.wait()
    marks = [json.loads(line) for line in (home / MARKS).read_text().splitlines()]
    inside = report(home)["latency_us"]["tick_to_order"]
    return {
        "orders": len(bench.gaps_us),
        "frame_to_request_us": spread(bench.gaps_us),
        "frame_to_bytes_us": spread([mark["written"][0] / 1e3 for mark in marks]),
        "frame_to_bytes_cpu_us": spread([mark["written"][1] / 1e3 for mark in marks]),
        "inside_us": inside,
        "stages_us": stages(marks, 0),
        "stages_cpu_us": stages(marks, 1),
    }


def stages(marks: list[dict[str, list[int]]], clock: int) -> dict[str, dict[str, float]]:
    """Return what each stage took by one of the clocks, in the order they come in."""
    took = dict[str, list[float]]()
    for mark in marks:
        before_ns = 0
        for name, at_ns in mark.items():
            took.setdefault(name, []).append((at_ns[clock] - before_ns) / 1e3)
            before_ns = at_ns[clock]
    return {name: spread(values) for name, values in took.items() if len(values) > 1}


async def frames(home: Path) -> dict[str, Any]:
    """Measure what 2,000 frames a second cost."""
    bench = Bench(BUSY_PER_S)
    async with bench.served() as port:
        process = await session(port, home)
        watched = psutil.Process(process.pid)
        await asyncio.sleep(WARM_UP_S)
        seen, used, began_s = bench.frames, sum(watched.cpu_times()[:2]), time.monotonic()
        await asyncio.sleep(float(MINUTES) * 60 - 3 * WARM_UP_S)
        took_s = time.monotonic() - began_s
        cpu_s = sum(watched.cpu_times()[:2]) - used
        rate = (bench.frames - seen) / took_s
        await process.wait()
    return {
        "frames_per_s": round(rate),
        "core_pct": round(100 * cpu_s / took_s, 1),
        "lines": report(home)["journal"]["events"],
        "frames": bench.frames,
    }


async def resync(home: Path) -> dict[str, Any]:
    """Measure how long it takes until every book is whole again."""
    bench = Bench(events_per_s=40)
    async with bench.served() as port:
        minutes = (WARM_UP_S + (BREAKS + 1) * BREAK_GAP_S) / 60
        process = await session(port, home, f"{minutes:.2f}")
        await asyncio.sleep(WARM_UP_S)
        for _ in range(BREAKS):
            await asyncio.sleep(BREAK_GAP_S)
            bench.sandbox.faults.ask(b'{"name":"kill_streams"}')
        await process.wait()
    return {"breaks": BREAKS, "resync_s": spread(_gaps_s(home))}


def _gaps_s(home: Path) -> list[float]:
    """Return the seconds from each broken line to the last first book behind it."""
    gaps, down_ns, missing = [], 0, set[str]()
    for line in map(json.loads, (home / "runs" / "latest" / "events.jsonl").open()):
        if line["type"] == "feed_status" and not line["data"]["is_connected"] and not down_ns:
            down_ns, missing = line["ts"], set(SYMBOLS)
        elif line["type"] == "depth" and line["data"].get("is_snapshot") and down_ns:
            missing.discard(line["data"]["symbol"])
            if not missing:
                gaps.append((line["ts"] - down_ns) / 1e9)
                down_ns = 0
    return gaps


async def in_memory(home: Path) -> dict[str, Any]:
    """Measure `orders` where a sync costs nothing: the path without the disk."""
    del home
    with tempfile.TemporaryDirectory(prefix="la-", dir="/dev/shm") as folder:
        return await orders(Path(folder))


async def busy(home: Path) -> dict[str, Any]:
    """Measure `orders` while much else comes in."""
    return await orders(home, BUSY_PER_S)


PARTS: Final = {
    "orders": orders, "orders_in_memory": in_memory, "orders_busy": busy, "frames": frames,
    "resync": resync,
}  # fmt: skip


def main(names: list[str]) -> int:
    """Measure what is named, or all."""
    os.sched_setaffinity(0, CORES[:1])
    for name in names or PARTS:
        with tempfile.TemporaryDirectory(prefix="la-") as folder:
            measured = asyncio.run(PARTS[name](Path(folder)))
        sys.stdout.write(json.dumps({"part": name, **measured}) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
