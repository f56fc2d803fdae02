"""The command line of the simulator, and the page it prints."""

import argparse
import itertools
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from time import monotonic
from typing import Final

from engine.model.money import use_exact_arithmetic
from tests.simulation.checker.verdicts import INVARIANTS
from tests.simulation.swarm import KINDS
from tests.simulation.trial import Trial, smallest, trial

REGRESSIONS: Final = Path(__file__).with_name("regressions.txt")
REGRESSION_MINUTES: Final = 3.0
SHOWN_MAX: Final = 3
"""Findings printed of one seed."""
MINUTES_MIN: Final = 2.0
"""Faults, then 75 s without."""


def main(words: Sequence[str]) -> int:
    """Put seeds on trial and print what was injected, checked and found; 1 if anything broke."""
    arguments = _arguments(words)
    use_exact_arithmetic()
    began = monotonic()
    trials = []
    for shown in _trials(_jobs(arguments), arguments.processes):
        trials.append(shown)
        if shown.broken:
            _say(_verdict(smallest(shown) if arguments.shrink else shown))
    _say(summary(trials, monotonic() - began))
    return int(any(shown.broken for shown in trials))


def _trials(jobs: Sequence[tuple[int, float]], processes: int) -> Iterator[Trial]:
    """Try every seed, several at once: no seed knows of another."""
    if processes == 1 or len(jobs) == 1:
        yield from itertools.starmap(trial, jobs)
        return
    with ProcessPoolExecutor(processes, get_context("fork"), use_exact_arithmetic) as pool:
        yield from pool.map(trial, *zip(*jobs, strict=True))


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="seeds 0 to N-1")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--minutes", type=float, default=10.0, help="virtual minutes of each")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--no-shrink", dest="shrink", action="store_false")
    parser.add_argument("--regressions", action="store_true", help="seeds that failed once, first")
    arguments = parser.parse_args(words)
    if arguments.minutes < MINUTES_MIN:
        parser.error(f"--minutes: at least {MINUTES_MIN:g}")
    return arguments


def _jobs(arguments: argparse.Namespace) -> list[tuple[int, float]]:
    if arguments.seed is not None:
        return [(arguments.seed, arguments.minutes)]
    old = regressions() if arguments.regressions else []
    return [*old, *((seed, arguments.minutes) for seed in range(arguments.seeds))]


def regressions() -> list[tuple[int, float]]:
    """Return (seed, minutes) of every trial that once failed."""
    rows = REGRESSIONS.read_text(encoding="utf-8").splitlines()
    words = [row.split() for row in rows if row.strip() and not row.startswith("#")]
    return [(int(seed), float(minutes)) for seed, minutes, *_ in words]


def _verdict(failed: Trial) -> str:
    """Name the seed, what brings it back, and both sides of what broke."""
    again = f"make simulate SEED={failed.seed} MINUTES={failed.minutes:g}"
    broken = [f"  {finding}" for finding in failed.broken[:SHOWN_MAX]]
    return "\n".join([f"FAILED {again}", *broken, f"  with: {', '.join(sorted(failed.injected))}"])


def summary(trials: Sequence[Trial], wall_s: float) -> str:
    """Return the page of a run."""
    virtual_s = sum(shown.virtual_s for shown in trials)
    lives = sum(shown.lives for shown in trials)
    failed = sum(bool(shown.broken) for shown in trials)
    return "\n".join(
        [
            f"{len(trials)} seeds, {virtual_s / 3600:.1f} virtual hours in {wall_s:.0f} s"
            f" ({virtual_s / wall_s:.0f}x real time), {lives} lives, {failed} failed",
            *_faults(sum((shown.injected for shown in trials), Counter())),
            "ends: " + _counted(sum((shown.endings for shown in trials), Counter())),
            "states: " + _counted(Counter(state for shown in trials for state in shown.visited)),
            *_checks(sum((shown.counts for shown in trials), Counter())),
        ]
    )


def _faults(injected: Counter[str]) -> Iterable[str]:
    yield f"faults injected: {injected.total():,}"
    names = sorted({*KINDS, *injected}, key=lambda name: (name.partition(".")[0], name))
    for room, kinds in groupby(names, key=lambda name: name.partition(".")[0]):
        yield f"  {room:<9}" + ", ".join(
            f"{name.partition('.')[2]} {injected[name]:,}" for name in kinds
        )


def _checks(counts: Counter[str]) -> Iterable[str]:
    yield f"invariants checked: {counts.total():,}"
    for invariant, sentence in INVARIANTS.items():
        count = f"{counts[invariant]:,}" if counts[invariant] else "NEVER"
        yield f"  {invariant:<4}{count:>10}  {sentence}"


def _counted(counts: Counter[str]) -> str:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {count}" for name, count in ranked)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
