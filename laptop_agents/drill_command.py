"""`laptop-agents drill [NAME]`: rehearse a fault against a sandbox, and prove how it ended.

Rule 1: what a venue can't do is said, and counts neither as passed nor as failed.
Rule 2: every drill begins anew: its own sandbox, its own session, its own folder, which is kept.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Final

from engine.model.errors import UsageError
from laptop_agents.drill_proof import prove
from laptop_agents.drill_stage import SYMBOLS, DrillFailed, Stage
from laptop_agents.drills import DRILLS, Drill, Finding

ALL: Final = "all"
PASSED, FAILED = 0, 1


class Verdict(Enum):
    """How a drill at a venue ended."""

    HELD = "passed"
    BROKE = "failed"
    LACKING = "not possible there"


def run(arguments: argparse.Namespace) -> int:
    """List the drills, or run one or all at one venue or all; 0 if everything held.

    Raises:
        UsageError: No such drill or venue, or none of the venues has such a thing.
        DataUnavailable: The sandbox does not open.
    """
    if arguments.name is None:
        sys.stdout.write("".join(f"{name:<13} {one.what}\n" for name, one in DRILLS.items()))
        return PASSED
    names = _chosen(arguments.name, DRILLS, "drill")
    venues = _chosen(arguments.venue, SYMBOLS, "sandbox of")
    if not any(venue not in DRILLS[name].lacking for name in names for venue in venues):
        (name,), (venue,) = names, venues
        raise UsageError(f"{venue} can't be drilled in {name}: {DRILLS[name].lacking[venue]}")
    verdicts = Counter(_verdict(name, venue) for venue in venues for name in names)
    if verdicts.total() > 1:
        sys.stdout.write(f"{_tally(verdicts)}\n")
    return FAILED if verdicts[Verdict.BROKE] else PASSED


def _chosen(word: str, known: Mapping[str, object], what: str) -> tuple[str, ...]:
    """Return the one that is meant, or all.

    Raises:
        UsageError: There is none of that name.
    """
    if word == ALL:
        return tuple(known)
    if word not in known:
        raise UsageError(f"no {what} {word[:40]!r}: there is {', '.join(known)}, or {ALL}")
    return (word,)


def _verdict(name: str, venue: str) -> Verdict:
    drill = DRILLS[name]
    sys.stdout.write(f"drill {name} at the {venue} sandbox: {drill.what}\n")
    if venue in drill.lacking:
        sys.stdout.write(f"NONE  {venue}: {drill.lacking[venue]}\n")
        return Verdict.LACKING
    holds = True
    with Stage(venue) as stage:
        for finding in carried_out(stage, drill):
            holds = holds and finding.holds
            sys.stdout.write(f"  {'ok  ' if finding.holds else 'FAIL'}  {finding.text}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{'PASS' if holds else 'FAIL'}  kept: {stage.folder}\n")
    sys.stdout.flush()
    return Verdict.HELD if holds else Verdict.BROKE


def _tally(verdicts: "Counter[Verdict]") -> str:
    return ", ".join(f"{verdicts[one]} {one.value}" for one in Verdict)


def carried_out(stage: Stage, drill: Drill) -> Iterator[Finding]:
    """Run a drill to the end of its session, and yield what was found on the way."""
    try:
        stage.trade(drill.minutes)
        yield Finding(True, f"trades: {len(stage.seen('fill'))} fills before the fault")
        yield from drill.act(stage)
        code = stage.end()
    except DrillFailed as error:
        yield Finding(False, str(error))
        return
    yield from prove(stage, drill, code)
