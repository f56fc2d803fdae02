"""A live session against a sandbox in real time, with faults from the menu all along.

    python -m tests.live_soak --venue binance --minutes 10 --seed 1

Passes when the session ends by its duration, flat, its journal holds exactly the fills that the
venue wrote into its own ledger, and it holds nothing more at the end than after its warm-up: memory,
descriptors, threads, tasks. The seed decides which faults come when; prices and timing do not
repeat.
"""

import argparse
import asyncio
import collections
import json
import random
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

from benchmarks.soak import Sample, loop_told, outside, samples
from tests.end_to_end.shell import Process
from tests.end_to_end.test_live_trading import VENUES, Exchange, exchange

CALM_S: Final = 12.0
"""Without faults before the end, so that it ends flat by itself."""
START_S: Final = 60.0
"""Until the first order is at the venue, on a busy machine."""
SLACK: Final = 6
"""Descriptors and tasks of requests and lines that are under way at a moment."""
GROWTH_MB: Final = 12.0
"""The journal's and the report's memory of ten minutes; a leak of frames is far more."""
GAP_S: Final = (2.0, 6.0)
PLACE: Final = {"method": "POST"}
FAULTS: Final[tuple[tuple[str, dict[str, object]], ...]] = (
    ("kill_streams", {}),
    ("silent_stream", {"seconds": 3}),
    ("drop", PLACE),
    ("drop", {}),
    ("delay", {"seconds": 1}),
    ("error_5xx", PLACE),
    ("error_5xx_after", PLACE),
    ("accept_then_timeout", {**PLACE, "seconds": 8}),
    ("html_200", PLACE),
    ("truncated_json", PLACE),
    ("rate_limit", PLACE),
    ("maintenance", {"seconds": 2}),
    ("not_found_twice", {}),
    ("duplicate_fills", {"times": 2}),
    ("reordered_fills", {"seconds": 2}),
    ("expire_listen_key", {}),
    ("post_only_expires", {}),
)
"""The ones that a session has to live through; a ban or a skewed clock rightly stops it."""


def main() -> int:
    """Run one, print what came of it as JSON, and exit 0 if it passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venue", choices=list(VENUES), default="binance")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, exchange(asked.venue, Path(home)) as there:
        told = soaked(there, Path(home), asked.minutes, random.Random(asked.seed))  # noqa: S311 - dice
    sys.stdout.write(json.dumps({"venue": asked.venue, "seed": asked.seed, **told}) + "\n")
    return 0 if told["passed"] else 1


def soaked(there: Exchange, home: Path, minutes: float, dice: random.Random) -> dict[str, Any]:
    """Let a session trade while things go wrong, and compare what both sides wrote down."""
    watched = ("benchmarks.watched", str(home / "loop.jsonl"))
    process = there.start(home, str(minutes), program=watched)
    process.until(lambda: b'"type":"venue_accepted"' in process.run.raw(), START_S)
    seen: list[Sample] = []
    watch = threading.Thread(
        target=lambda: seen.extend(samples(process.pid, process.is_running)), daemon=True
    )
    watch.start()
    struck = disturbed(there, process, minutes * 60 - CALM_S, dice)
    ending = process.end()
    watch.join()
    report = ending.run.report()
    theirs = collections.Counter(str(line["trade_id"]) for line in there.wrote("fill"))
    ours = collections.Counter(line["data"]["trade_id"] for line in ending.run.lines("fill"))
    told = {
        "exit": ending.code, "stop_reason": report["stop_reason"], "faults": dict(struck),
        "positions_at_end": report["positions_at_end"], "fills": theirs.total(),
        "missing": sorted(theirs - ours), "extra": sorted(ours - theirs),
    }  # fmt: skip
    is_whole = not told["missing"] and not told["extra"] and not told["positions_at_end"]
    held = {**outside(seen), **loop_told(home / "loop.jsonl")}
    grown = [
        name for name in ("fds", "threads", "children") if held[name][1] > held[name][0] + SLACK
    ]
    grown += ["tasks"] if held["tasks"][1] > held["tasks"][0] + SLACK else []
    grown += ["rss_mb"] if held["rss_mb"][1] > held["rss_mb"][0] + GROWTH_MB else []
    ended = (ending.code, report["stop_reason"]) == (0, "duration")
    return {
        **told, **held, "grown": grown,
        "passed": is_whole and ended and not grown and not held["uncaught"],
    }  # fmt: skip


def disturbed(
    there: Exchange, process: Process, seconds: float, dice: random.Random
) -> "collections.Counter[str]":
    """Strike every few seconds; return how often by name."""
    struck: collections.Counter[str] = collections.Counter()
    menu = [fault for fault in FAULTS if fault[0] in offered(there)]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.is_running():
        name, how = dice.choice(menu)
        asyncio.run(there.break_it(name, **how))
        struck[name] += 1
        time.sleep(dice.uniform(*GAP_S))
    return struck


def offered(there: Exchange) -> set[str]:
    """Return the names of the faults that this sandbox has."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(there.faults, timeout=10) as answer:
        return set(json.load(answer)["menu"])


if __name__ == "__main__":
    sys.exit(main())
