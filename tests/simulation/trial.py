"""One seed on trial: lived, checked, run a second time where it is its turn, and made smaller."""

import gc
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

import msgspec

from engine.session.journal_reader import read_journal
from engine.session.replay import Replay
from laptop_agents.recorded_kernel import recorded_kernel
from tests.simulation.checker.chain import digest
from tests.simulation.checker.checker import check
from tests.simulation.checker.evidence import Evidence
from tests.simulation.checker.verdicts import Broken
from tests.simulation.lives import Outcome, live
from tests.simulation.world import make_world

TWICE_EVERY: Final = 20
"""One seed in so many is run twice; reliability.md section 3 asks for one in a hundred."""
UNDISTURBED: Final = ("process.crash", "process.crash_mid_turn", "disk.torn_tail")
"""Without these a session must decide what it decided with them."""


@dataclass
class Trial:
    """What one seed has shown."""

    seed: int
    minutes: float
    without: frozenset[str] = frozenset()
    virtual_s: float = 0.0
    lives: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[Broken] = field(default_factory=list)
    endings: Counter[str] = field(default_factory=Counter)
    visited: set[str] = field(default_factory=set)


def trial(seed: int, minutes: float, without: frozenset[str] = frozenset()) -> Trial:
    """Live one seed and check it."""
    outcome = live(make_world(seed, minutes, without))
    shown = Trial(seed, minutes, without, outcome.virtual_s, outcome.lives, outcome.injected)
    for evidence in outcome.evidence:
        verdicts, visited = check(evidence)
        shown.counts += verdicts.counts
        shown.broken += verdicts.broken
        shown.visited |= visited
        shown.endings[evidence.report["stop_reason"] if evidence.report else "error"] += 1
    shown.endings.update([f"resume refused: {outcome.refusal}"] if outcome.refusal else [])
    if seed % TWICE_EVERY == 0 and not shown.broken:
        _run_twice(shown, outcome)
    gc.collect()
    return shown


def _run_twice(shown: Trial, outcome: Outcome) -> None:
    """Run again: with everything, then as if the process had never died."""
    worlds = [shown.without, shown.without | set(UNDISTURBED)]
    for without in worlds[: 1 if outcome.refusal else 2]:
        again = live(make_world(shown.seed, shown.minutes, frozenset(without)))
        _same(shown, digest(outcome.evidence[-1].journal), digest(again.evidence[-1].journal))
    _same(shown, "", replayed(outcome.evidence[-1]))


def _same(shown: Trial, expected: str, found: str) -> None:
    shown.counts["C9"] += 1
    if expected != found:
        shown.broken.append(Broken("C9", 0, expected, found))


def replayed(evidence: Evidence) -> str:
    """Let the product's own replay hold every decision against its inputs."""
    with NamedTemporaryFile(prefix="simulation-") as file:
        file.write(evidence.journal[: evidence.journal.rindex(b"\n") + 1])
        file.flush()
        lines = read_journal(Path(file.name))
        first = next(lines)
        replay = Replay(recorded_kernel(msgspec.json.decode(first.data)), first)
        mismatch = replay.run(lines).mismatch
    return "" if mismatch is None else str(mismatch)


def smallest(failed: Trial) -> Trial:
    """Leave out every kind of fault without which the same invariant still breaks."""
    invariant = failed.broken[0].invariant
    for kind in sorted(failed.injected):
        fewer = trial(failed.seed, failed.minutes, failed.without | {kind})
        if any(broken.invariant == invariant for broken in fewer.broken):
            failed = fewer
    return failed
