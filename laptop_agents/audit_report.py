"""`laptop-agents audit report [RUN | --day YYYY-MM-DD]`: did every run keep its rules?

Exit 6 where a journal is damaged or a rule was broken, so that a nightly script need not read.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import msgspec

from engine.model.errors import JournalDamaged, StateDamaged, UsageError
from engine.reports.compliance import Auditor
from engine.reports.final_report import NAME as REPORT_NAME
from engine.session.journal_reader import Line, read_journal
from engine.session.run_folder import EVIDENCE
from engine.session.sanitize import sanitize
from laptop_agents.audit_verify import claimed_head
from laptop_agents.audit_words import ascii_json
from laptop_agents.home import find_home
from laptop_agents.incident import incident
from laptop_agents.report_words import Audited, day_report, run_report
from laptop_agents.run_shelf import is_running, shelf
from laptop_agents.runs import JOURNAL_NAME, find_journal

KEPT, BROKEN = 0, 6


def run(arguments: argparse.Namespace) -> int:
    """Print the report.

    Raises:
        UsageError: There is no such run, or the words contradict each other.
        StateDamaged: A journal can't be read at all.
    """
    home = find_home(os.environ)
    lines: Iterable[str]
    if arguments.day is None:
        runs = [audited_run(find_journal(arguments.run or "latest", home).parent.resolve())]
        lines = _incident(runs[0]) if arguments.incident else run_report(runs[0])
    elif arguments.run is not None or arguments.incident:
        raise UsageError("--day reports all runs of a day: name no run, and no --incident")
    else:
        day = _day(arguments.day)
        runs = [*_of_day(home, day)]
        lines = day_report(day, runs)
    if arguments.json:
        told = [_document(one) for one in runs]
        lines = [ascii_json(msgspec.json.encode(told[0] if arguments.day is None else told))]
    sys.stdout.write("\n".join(lines) + "\n")
    return KEPT if all(one.compliance.is_compliant and not one.damage for one in runs) else BROKEN


def audited_run(folder: Path) -> Audited:
    """Read a run's journal as far as it is proven.

    Raises:
        StateDamaged: Not even its first line is.
    """
    journal = folder / JOURNAL_NAME
    is_live = is_running(folder)
    try:
        lines = read_journal(journal)
        auditor = Auditor(next(lines))
        damage = _read(auditor, lines)
    except OSError as error:
        raise StateDamaged(f"can't read {journal}: {error.strerror or error}") from error
    told = auditor.done()
    claimed = claimed_head(folder / REPORT_NAME)
    if not damage and claimed not in (None, told.head_hash):
        damage = f"{journal}:{told.lines + 1}: the journal ends before the head its report names"
    if is_live:
        return Audited(folder, told, "still running", "")
    proof = "as its report says" if claimed else "no report yet: a cut end would not show"
    return Audited(folder, told, proof, damage)


def _read(auditor: Auditor, lines: Iterator[Line]) -> str:
    """Read on to the end, or to the first line that is not proven; return what is wrong with it."""
    try:
        for line in lines:
            auditor.read(line)
    except JournalDamaged as damage:
        return str(damage)
    return ""


def _of_day(home: Path, day: str) -> Iterator[Audited]:
    for one in reversed(shelf(home)):
        if one.started_at.startswith(day) and (one.folder / JOURNAL_NAME).is_file():
            yield audited_run(one.folder)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise UsageError("--day takes a date, like --day 2026-11-21 (UTC)") from error


def _incident(one: Audited) -> Iterator[str]:
    folders = sorted(path for path in (one.folder / EVIDENCE).glob("*") if path.is_dir())
    return incident(one, [path.relative_to(one.folder).as_posix() for path in folders])


def _document(one: Audited) -> dict[str, object]:
    told = one.compliance
    return {
        "run_id": sanitize(one.folder.name),
        "is_compliant": told.is_compliant and not one.damage,
        "proof": one.proof,
        "damage": one.damage or None,
        "limits": told.limits,
        **{name: getattr(told, name) for name in told.__struct_fields__},
    }
