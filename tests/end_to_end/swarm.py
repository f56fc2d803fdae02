"""`python -m tests.end_to_end.swarm VENUE [MINUTES [SEED]]`: a live session in a swarm of faults.

A sandbox of the venue is broken at random, by its own menu, while an armed session trades there in
real time. At the end: flat, exit 0, the venue's ledger equal to the journal, and an identical replay.
"""

import asyncio
import json
import random
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Final

from tests.end_to_end.shell import Process
from tests.end_to_end.test_live_trading import Exchange, agree, exchange

FAULTS: Final = (
    "drop", "accept_then_timeout", "delay", "error_5xx", "error_5xx_after", "rate_limit",
    "kill_streams", "silent_stream", "duplicate_fills", "reordered_fills", "html_200",
    "truncated_json", "not_found_twice", "expire_listen_key", "post_only_expires",
)  # fmt: skip
"""Those after which a session goes on by itself; a ban or a wrong clock lasts."""
GAP_S: Final = (1.0, 5.0)
QUIET_S: Final = 15.0
"""Before the end, so that it is judged by what the session does and not by the last fault."""


def menu(there: Exchange) -> list[str]:
    """Return the faults that this venue has."""
    with urllib.request.urlopen(there.faults) as answer:
        offered = json.load(answer)["menu"]
    return [name for name in FAULTS if name in offered]


def disturb(there: Exchange, process: Process, until_s: float, dice: random.Random) -> list[str]:
    """Break things until a time."""
    names, broken = menu(there), []
    while time.monotonic() < until_s and process.is_running():
        broken.append(dice.choice(names))
        asyncio.run(there.break_it(broken[-1], times=1))
        time.sleep(dice.uniform(*GAP_S))
    return broken


def main(venue: str, minutes: float = 10.0, seed: int = 1) -> int:
    """Run one, and say what came of it."""
    home = Path(tempfile.mkdtemp(prefix="la-"))
    with exchange(venue, home) as there:
        process = there.start(home, str(minutes))
        process.until_trading()
        until_s = time.monotonic() + minutes * 60 - QUIET_S
        broken = disturb(there, process, until_s, random.Random(seed))
        ending = process.end(180.0)
        report = ending.run.report()
        told = {
            "venue": venue, "seed": seed, "exit": ending.code, "faults": len(broken),
            "fills": agree(there, ending.run), "open": len(report["positions_at_end"]),
            "errors": {name: int(count) for name, count in report["errors"].items()},
            "replay": Process(home, "replay").end().out.strip(), "home": str(home),
        }  # fmt: skip
    sys.stdout.write(json.dumps(told) + "\n")
    is_good = told["exit"] == 0 and not told["open"] and "identical" in str(told["replay"])
    return 0 if is_good else 1


if __name__ == "__main__":
    name, *rest = sys.argv[1:]
    sys.exit(main(name, *map(float, rest[:1]), *map(int, rest[1:])))
