"""`laptop-agents drill [NAME]`: rehearse a fault against a sandbox, and prove how it ended."""

import argparse
import sys
from collections.abc import Iterator

from engine.model.errors import UsageError
from laptop_agents.drill_proof import prove
from laptop_agents.drill_stage import SYMBOLS, DrillFailed, Stage
from laptop_agents.drills import DRILLS, Drill, Finding

PASSED, FAILED = 0, 1


def run(arguments: argparse.Namespace) -> int:
    """List the drills, or run one; 0 if everything held.

    Raises:
        UsageError: No such drill or venue, or this venue has no such thing.
        DataUnavailable: The sandbox does not open.
    """
    if arguments.name is None:
        sys.stdout.write("".join(f"{name:<13} {one.what}\n" for name, one in DRILLS.items()))
        return PASSED
    drill = DRILLS.get(arguments.name)
    if drill is None:
        raise UsageError(f"no drill {arguments.name[:40]!r}: there is {', '.join(DRILLS)}")
    venue = arguments.venue
    if venue not in SYMBOLS:
        raise UsageError(f"no sandbox of {venue[:40]!r}: there is {', '.join(SYMBOLS)}")
    if venue in drill.without:
        raise UsageError(f"{venue} has nothing to drill {arguments.name} with")
    holds = True
    sys.stdout.write(f"drill {arguments.name} at the {venue} sandbox: {drill.what}\n")
    with Stage(venue) as stage:
        for finding in carried_out(stage, drill):
            holds = holds and finding.holds
            sys.stdout.write(f"  {'ok  ' if finding.holds else 'FAIL'}  {finding.text}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{'PASS' if holds else 'FAIL'}  kept: {stage.folder}\n")
    return PASSED if holds else FAILED


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
