"""`laptop-agents replay [RUN|PATH]`: the recorded inputs must lead to the recorded decisions.

With changed settings it is a what-if: `what_if.py` runs the recorded market again. With `--tui` the
workstation shows any instant of it: `replay_screen.py`.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Final

import msgspec

from engine.model.errors import UsageError
from engine.model.money import use_exact_arithmetic
from engine.session.journal_reader import read_journal
from engine.session.replay import Outcome, Replay
from laptop_agents.cli import flags
from laptop_agents.home import find_home
from laptop_agents.recorded_kernel import recorded_kernel, started_with
from laptop_agents.runs import find_journal

if TYPE_CHECKING:
    from laptop_agents.sources import Flag

SAME, DIFFERENT = 0, 6
OF_SCREEN: Final = "tui."
"""Settings that change how a session looks and not what it does."""


def run(arguments: argparse.Namespace) -> int:
    """Replay and say whether every decision came out the same; exit 6 where one did not."""
    journal = find_journal(arguments.run, find_home(os.environ))
    changes = flags(arguments)
    if arguments.tui:
        return _shown(journal, arguments, changes)
    use_exact_arithmetic()
    if changes or arguments.kept_in:
        from laptop_agents.what_if import tell_what_if  # noqa: PLC0415 - a whole session

        return tell_what_if(journal, changes, arguments.kept_in, as_json=arguments.json)
    began = process_time()
    outcome = replayed(journal)
    _tell(journal, outcome, process_time() - began, as_json=arguments.json)
    return DIFFERENT if outcome.mismatch else SAME


def _shown(journal: Path, arguments: argparse.Namespace, typed: Sequence["Flag"]) -> int:
    if arguments.kept_in or any(not flag.name.startswith(OF_SCREEN) for flag in typed):
        raise UsageError("replay --tui shows what was recorded: a what-if has no screen")
    if arguments.json:
        raise UsageError("--tui and --json conflict: one is for people, the other for programs")
    from laptop_agents.replay_screen import run as show  # noqa: PLC0415 - for a screen only

    return show(journal, arguments, typed)


def replayed(journal: Path) -> Outcome:
    """Hold every recorded decision against what its inputs lead to now.

    Raises:
        JournalDamaged: A line is not proven, or the first one starts no session.
        UsageError: The journal holds no inputs.
    """
    lines = read_journal(journal)
    first = next(lines)
    started_with(journal, first)
    return Replay(recorded_kernel(msgspec.json.decode(first.data)), first).run(lines)


def _tell(journal: Path, outcome: Outcome, cpu_s: float, *, as_json: bool) -> None:
    if as_json:
        told = {"journal": str(journal), **msgspec.to_builtins(outcome._asdict())}
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        return
    if outcome.mismatch is None:
        sys.stdout.write(
            f"identical: {outcome.inputs} inputs, {outcome.decisions} decisions, {cpu_s:.2f} s\n"
        )
        return
    mismatch = outcome.mismatch
    sys.stdout.write(
        f"different at {journal}:{mismatch.line}, decision {outcome.decisions}\n"
        f"  recorded: {mismatch.recorded or 'nothing'}\n"
        f"  replayed: {mismatch.replayed or 'nothing'}\n"
    )
