"""How fast a kill file stops everything, whatever the engine is doing; one JSON line a condition.

    python -m benchmarks.kill [TRIALS [CONDITION ...]]

Each trial is a session of its own as a user starts it, on the wall clock, with orders working at
the paper venue. It is brought into its condition, and a random moment later the kill file appears.
Times are read from the venue's ledger, which notes when an order began to work and when it ended:
from the kill file's creation to the last risk-increasing order that reached the venue, to the first
cancel, and to the moment nothing worked any more. The promise is 1,000 ms for each, with a 99th
percentile of 500 ms; ladders may take 5 s to the last cancel (reliability.md D1, section 3).

`read_only` needs a file system with the immutable flag and the privilege to set it, or is left out.
The paper venue answers as fast as it is asked: a ladder measures our side of a mass cancel, not a
venue's rate limit.
"""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from time import monotonic, sleep, time_ns
from typing import Any, Final, NamedTuple

from benchmarks import immutable, wedged

TRIALS: Final = 100
ROOT: Final = Path(__file__).parents[1]
MS: Final = 1_000_000
START_DEADLINE_S: Final = 30.0
CLEAR_DEADLINE_S: Final = 10.0
LATE_ENOUGH_S: Final = 0.2
"""Longest random delay before the kill file: several beats of every poll in the program."""

WEDGED: Final = (sys.executable, "-m", "benchmarks.wedged")
STOPPED: Final = "_stopped"
"""End of the name of a ladder whose engine is stopped."""
WORDS: Final = (
    "--headless", "--json", "--duration", "5", "--agents", "quoter",
    "--set", "agents.quoter.half_spread_bps=0.2", "--set", "mock.events_per_s=100",
)  # fmt: skip


LADDER: Final = (
    "--set", "risk.max_open_orders=2000", "--set", "risk.max_open_orders_per_symbol=2000",
    "--set", "risk.max_orders_per_minute=none", "--set", "risk.max_price_deviation_bps=none",
    "--set", "risk.max_position_notional=none", "--set", "risk.max_gross_notional=none",
    "--set", "risk.max_net_notional=none", "--set", "risk.max_leverage=none",
    "--set", "risk.max_order_notional=none", "--set", "paper.max_open_orders=2000",
    "--set", "risk.max_rejects_per_minute=none", "--starting-balance", "10000000",
)  # fmt: skip
"""Limits wide enough for a thousand rungs."""


class Trial(NamedTuple):
    """What one session's ledger says, milliseconds since the kill file."""

    last_risk_ms: float
    """0 where no risk-increasing order reached the venue after the kill."""
    first_cancel_ms: float
    clear_ms: float
    by_sentinel: bool
    exit_code: int


def main(arguments: list[str]) -> int:
    """Measure each named condition (all by default)."""
    trials = int(arguments[0]) if arguments else TRIALS
    for name in arguments[1:] or CONDITIONS:
        if name == "read_only" and not immutable.is_possible():
            print(json.dumps({"condition": name, "left_out": "no immutable flag here"}))
            continue
        done = [trial for _ in range(trials) if (trial := measure(name)) is not None]
        print(json.dumps(_summary(name, done)), flush=True)
    return 0


def measure(name: str) -> Trial | None:
    """Run one trial; None where nothing worked any more when the kill file came."""
    with tempfile.TemporaryDirectory(prefix="kill-") as folder:
        home = Path(folder)
        process = subprocess.Popen(
            [*WEDGED, name.removesuffix(STOPPED), str(home / "trigger"), *WORDS, *_limits(name)],
            cwd=ROOT,
            env={**os.environ, "LAPTOP_AGENTS_HOME": str(home), "LAPTOP_AGENTS_SOURCE": "mock"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            return _trial(process, home, name)
        finally:
            process.kill()
            process.communicate()
            immutable.release(home)


def _limits(name: str) -> tuple[str, ...]:
    return LADDER if name.startswith(wedged.LADDER) else ()


def _rungs(name: str) -> int:
    """Return how many orders must work before the kill."""
    rungs = name.removeprefix(wedged.LADDER).removesuffix(STOPPED)
    return int(rungs) if name.startswith(wedged.LADDER) else 2


def _trial(process: "subprocess.Popen[bytes]", home: Path, name: str) -> Trial | None:
    ledger = home / "runs" / "latest" / "venue.ledger"
    _until(lambda: len(_working(ledger)) >= _rungs(name), START_DEADLINE_S)
    CONDITIONS[name](process.pid, home)
    if name not in AT_ONCE:
        sleep(random.uniform(0, LATE_ENOUGH_S))  # noqa: S311 - an instant, no secret
    kill_ns = time_ns()
    (home / "kill.txt").touch()
    _until(lambda: not _working(ledger), CLEAR_DEADLINE_S)
    process.communicate(timeout=60)
    orders = _orders(ledger)
    risky = [order["since_ns"] for order in orders if not order["reduce_only"]]
    ends = [order["ended_ns"] for order in orders if order["ended_ns"] >= kill_ns]
    canceled = [
        order
        for order in orders
        if order["ended_ns"] >= kill_ns and order["ended_by"] in ("cancel", "sentinel")
    ]
    if not canceled:
        return None
    return Trial(
        max(0, max(risky) - kill_ns) / MS,
        (min(order["ended_ns"] for order in canceled) - kill_ns) / MS,
        (max(ends) - kill_ns) / MS,
        any(order["ended_by"] == "sentinel" for order in canceled),
        process.returncode,
    )


def _orders(ledger: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in ledger.read_text().splitlines() if line.strip()]
    return [line for line in lines if "state" in line]


def _working(ledger: Path) -> list[str]:
    try:
        return [order["order_id"] for order in _orders(ledger) if order["state"] == "working"]
    except FileNotFoundError:
        return []
    except ValueError:  # read in the middle of a change
        return _working(ledger)


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = monotonic() + seconds
    while not holds():
        if monotonic() > deadline:
            raise TimeoutError("the session did not come to where it had to")
        sleep(0.005)


def _healthy(_pid: int, _home: Path) -> None:
    """Leave the session alone."""


def _stuck(_pid: int, home: Path) -> None:
    """Let the agent hang, or the feed fall silent, and wait until it does."""
    (home / "trigger").touch()
    _until((home / "trigger.stuck").exists, START_DEADLINE_S)


def _stopped(pid: int, _home: Path) -> None:
    os.kill(pid, signal.SIGSTOP)


def _disk_full(pid: int, _home: Path) -> None:
    """Let no file of the engine grow any more, which is what a full disk looks like to it.

    Mounting a small file system needs privileges; a folder without write permission would not do:
    the files are open already.
    """
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def _read_only(_pid: int, home: Path) -> None:
    """Let nothing of the run be written any more, open files included, but the venue's ledger."""
    run = (home / "runs" / "latest").resolve()
    immutable.hold([path for path in run.iterdir() if path.name != "venue.ledger"])
    immutable.hold([run])


CONDITIONS: Final[dict[str, Callable[[int, Path], None]]] = {
    "healthy": _healthy,
    "busy_python": _stuck,
    "c_call": _stuck,
    "regex": _stuck,
    "sigstop": _stopped,
    "silent_feed": _stuck,
    "disk_full": _disk_full,
    "read_only": _read_only,
    "ladder_100": _healthy,
    "ladder_100_stopped": _stopped,
    "ladder_1000": _healthy,
    "ladder_1000_stopped": _stopped,
}


AT_ONCE: Final = frozenset({"disk_full", "read_only"})
"""The engine closes by itself when its journal fails: here the kill file comes with the fault."""


def _summary(name: str, trials: list[Trial]) -> dict[str, object]:
    return {
        "condition": name,
        "trials": len(trials),
        "by_sentinel": sum(trial.by_sentinel for trial in trials),
        "exit_codes": sorted({trial.exit_code for trial in trials}),
        **{field: _spread([getattr(t, field) for t in trials]) for field in Trial._fields[:3]},
    }


def _spread(values: list[float]) -> dict[str, float]:
    if len(values) < 2:
        return {}
    cuts = quantiles(values, n=100, method="inclusive")
    return {"p50": round(cuts[49], 1), "p99": round(cuts[98], 1), "max": round(max(values), 1)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
