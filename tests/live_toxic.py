"""A live session and its sandbox in processes of their own, and a wire between them that fails.

    python -m tests.live_toxic --venue binance --minutes 10 --seed 1

Requests and each line go through a proxy of their own; every few seconds one of them, or all, is
struck by a toxic for a while. Passes when the session ends by its duration, flat, its journal holds
exactly the fills of the venue's ledger, and no order was placed twice. The seed decides which
toxics come when; prices and timing do not repeat.
"""

import argparse
import asyncio
import collections
import contextlib
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.brokers.proxy import (
    BOTH,
    DOWN,
    UP,
    Bandwidth,
    Down,
    Latency,
    LimitData,
    Proxy,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)
from tests.end_to_end.shell import Process
from tests.end_to_end.test_live_trading import VENUES, Exchange, exchange

CALM_S: Final = 15.0
"""Without toxics before the end, so that it ends flat by itself."""
GAP_S: Final = (1.0, 5.0)
LASTS_S: Final = (0.2, 8.0)
MENU: Final[dict[str, Callable[[random.Random], Toxic]]] = {
    "latency": lambda dice: Latency(dice.uniform(0.05, 1.0), 0.05),
    "down": lambda _: Down(),
    "bandwidth": lambda dice: Bandwidth(dice.randint(2_000, 50_000)),
    "slow_close": lambda dice: SlowClose(dice.uniform(0.1, 2.0)),
    "timeout": lambda dice: Timeout(dice.choice([0.0, 1.0])),
    "reset_peer": lambda dice: ResetPeer(dice.choice([0.0, 0.2])),
    "slicer": lambda dice: Slicer(dice.randint(1, 50), 0.001),
    "limit_data": lambda dice: LimitData(dice.randint(0, 5_000)),
}


def main() -> int:
    """Run one, print what came of it as JSON, and exit 0 if it passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venue", choices=list(VENUES), default="binance")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", metavar="FOLDER", help="for both sides' files")
    asked = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = asked.keep or stack.enter_context(tempfile.TemporaryDirectory())
        there = stack.enter_context(exchange(asked.venue, Path(folder)))
        dice = random.Random(asked.seed)  # noqa: S311 - dice
        told = asyncio.run(soaked(there, Path(folder), asked.minutes, dice))
    sys.stdout.write(
        json.dumps({"venue": asked.venue, "seed": asked.seed, **told}, default=str) + "\n"
    )
    return 0 if told["passed"] else 1


async def soaked(
    there: Exchange, home: Path, minutes: float, dice: random.Random
) -> dict[str, Any]:
    """Let a session trade over a bad wire, and compare what both sides wrote down."""
    async with contextlib.AsyncExitStack() as stack:
        proxies: list[Proxy] = []
        words = [await through(word, proxies, stack) for word in there.words]
        process = there._replace(words=tuple(words)).start(home, str(minutes))
        await asyncio.to_thread(process.until_trading)
        struck = await disturbed(proxies, process, minutes * 60 - CALM_S, dice)
        ending = await asyncio.to_thread(process.end)
    report = ending.run.report()
    theirs = collections.Counter(str(line["trade_id"]) for line in there.wrote("fill"))
    ours = collections.Counter(line["data"]["trade_id"] for line in ending.run.lines("fill"))
    names = collections.Counter(line["client_id"] for line in there.wrote("new"))
    told = {
        "exit": ending.code, "stop_reason": report["stop_reason"], "toxics": dict(struck),
        "connections": sum(proxy.accepted for proxy in proxies), "orders": names.total(),
        "positions_at_end": report["positions_at_end"], "fills": theirs.total(),
        "unknown": len(ending.run.lines("order_unknown")),
        "missing": sorted(theirs - ours), "extra": sorted(ours - theirs),
        "twice": [name for name, times in names.items() if times > 1],
    }  # fmt: skip
    is_whole = not any(told[name] for name in ("missing", "extra", "twice", "positions_at_end"))
    return {**told, "passed": is_whole and (ending.code, report["stop_reason"]) == (0, "duration")}


async def through(word: str, proxies: list[Proxy], stack: contextlib.AsyncExitStack) -> str:
    """Lead a setting that is an address through a proxy of its own."""
    head, is_address, rest = word.partition("://127.0.0.1:")
    if not is_address:
        return word
    port = rest.partition("/")[0]
    proxy = await stack.enter_async_context(Proxy(int(port), seed=len(proxies)))
    proxies.append(proxy)
    return f"{head}{is_address}{proxy.port}{rest.removeprefix(port)}"


async def disturbed(
    proxies: list[Proxy], process: Process, seconds: float, dice: random.Random
) -> "collections.Counter[str]":
    """Strike every few seconds; return how often by name."""
    struck: collections.Counter[str] = collections.Counter()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.is_running():
        name = dice.choice(list(MENU))
        meant = proxies if dice.random() < 0.25 else [dice.choice(proxies)]
        ways = dice.choice([(UP,), (DOWN,), BOTH])
        for proxy in meant:
            proxy.strike(MENU[name](dice), *ways, toxicity=dice.choice([0.5, 1.0, 1.0]))
        struck[name] += 1
        left_s = max(0.0, deadline - time.monotonic())
        await asyncio.sleep(min(dice.uniform(*LASTS_S), left_s))
        for proxy in meant:
            await proxy.heal()
        await asyncio.sleep(dice.uniform(*GAP_S))
    return struck


if __name__ == "__main__":
    sys.exit(main())
