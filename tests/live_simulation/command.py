"""The command line of the live simulator: one line for each seed."""

import argparse
import asyncio
import gc
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from engine.model.money import use_exact_arithmetic
from laptop_agents.sandbox_venues import VENUES
from tests.live_simulation.lives import lived
from tests.live_simulation.proof import broken
from tests.live_simulation.virtual import VirtualLoop, VirtualTime, seed_all
from tests.live_simulation.world import make_world
from tests.simulation.checker.chain import digest
from tests.simulation.checker.verdicts import Broken

SHOWN_MAX: Final = 4
DISK_MAX_S: Final = 0.03
"""Below what makes a session refuse orders: that is another test's."""


@dataclass
class Trial:
    """What one seed has shown."""

    broken: list[Broken]
    counts: Counter[str] = field(default_factory=Counter)
    injected: Counter[str] = field(default_factory=Counter)
    fills: int = 0
    ending: str = "error"
    lines: int = 0
    digest: str = ""
    lives: int = 0
    pulse: int = 0


def trial(
    clock: VirtualTime,
    venue: str,
    seed: int,
    minutes: float,
    *,
    without: Collection[str] = (),
    keep: str = "",
) -> Trial:
    """Live one seed at one venue and check it."""
    world = make_world(venue, seed, minutes, without)
    seed_all(seed)
    clock.begin(world.start_ns)
    home = Path(tempfile.mkdtemp(prefix="live-simulation-"))
    disk = Random(f"{seed}:disk")
    try:
        loop = VirtualLoop(clock, lambda: min(DISK_MAX_S, disk.expovariate(1 / world.disk_s)))
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            outcome = runner.run(lived(world, home, clock))
        found, counts, evidence = broken(world, outcome)
        life = outcome.life
        assert life is not None, "every session begins"
        if keep:
            shutil.copytree(life.run.folder.path, keep, dirs_exist_ok=True)
            Path(keep, "faults.txt").write_text("".join(f"{line}\n" for line in outcome.struck))
            ledger = "".join(f"{json.dumps(line)}\n" for line in outcome.sandbox.ledger.lines)
            Path(keep, "venue.jsonl").write_text(ledger)
    finally:
        shutil.rmtree(home)
        gc.collect()
    reason = life.report.stop_reason if life.report else "error"
    fills = len(outcome.sandbox.ledger.fills())
    journal = evidence.journal
    sum_ = digest(journal) if b"\n" in journal else hashlib.sha256(journal).hexdigest()
    return Trial(
        found,
        counts,
        outcome.swarm.injected,
        fills,
        reason,
        journal.count(b"\n"),
        sum_,
        outcome.lives,
        clock.pulse,
    )


def main(words: Sequence[str], clock: VirtualTime) -> int:
    """Put seeds on trial, print a line for each; 1 if anything broke."""
    arguments = _arguments(words)
    use_exact_arithmetic()
    first = arguments.first
    seeds = range(first, first + arguments.seeds) if arguments.seed is None else [arguments.seed]
    without = frozenset(arguments.without.split(","))
    venues = [arguments.venue] if arguments.venue else list(VENUES)
    failed = 0
    for seed in seeds:
        for venue in venues:
            began_s = time.process_time()
            shown = trial(
                clock, venue, seed, arguments.minutes, without=without, keep=arguments.keep
            )
            failed += bool(shown.broken)
            _say(_line(venue, seed, shown, time.process_time() - began_s))
            for finding in shown.broken[:SHOWN_MAX]:
                _say(f"  {finding}")
    return int(failed > 0)


def _line(venue: str, seed: int, shown: Trial, cpu_s: float) -> str:
    verdict = "FAILED" if shown.broken else "ok"
    return (
        f"{verdict:<6} {venue:<11} seed {seed:<4} {shown.ending:<12} {shown.lives:>2} lives {shown.fills:>4} fills"
        f" {shown.injected.total():>4} faults {shown.counts.total():>7} checks"
        f" {shown.lines:>6} lines {shown.digest[:12]} {shown.pulse:08x} {cpu_s:5.1f} s"
    )


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak-live-virtual", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="so many")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first of them")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--venue", choices=list(VENUES), help="this one alone")
    parser.add_argument("--minutes", type=float, default=10.0, help="virtual minutes of each")
    parser.add_argument("--without", default="", help="kinds of faults, by comma")
    parser.add_argument("--keep", default="", help="folder for what a session wrote")
    return parser.parse_args(words)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
