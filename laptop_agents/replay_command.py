"""`laptop-agents replay [RUN|PATH]`: the recorded inputs must lead to the recorded decisions."""

import argparse
import os
import sys
from pathlib import Path
from time import process_time

import msgspec

from engine.model.errors import JournalDamaged, UsageError
from engine.model.money import use_exact_arithmetic
from engine.session.journal_reader import read_journal
from engine.session.replay import Outcome, Replay
from laptop_agents.home import find_home
from laptop_agents.recorded_kernel import recorded_kernel
from laptop_agents.runs import find_journal

SAME, DIFFERENT = 0, 6


def run(arguments: argparse.Namespace) -> int:
    """Replay and say whether every decision came out the same; exit 6 where one did not."""
    use_exact_arithmetic()
    journal = find_journal(arguments.run, find_home(os.environ))
    lines = read_journal(journal)
    first = next(lines)
    if first.type != "session_started":
        raise JournalDamaged(str(journal), 1, "the first line is not session_started")
    started = msgspec.json.decode(first.data)
    if started["settings"]["journal.detail"] != "inputs":
        raise UsageError(f"{journal} holds no inputs: it was recorded with less journal.detail")
    began = process_time()
    outcome = Replay(recorded_kernel(started), first).run(lines)
    _tell(journal, outcome, process_time() - began, as_json=arguments.json)
    return DIFFERENT if outcome.mismatch else SAME


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
