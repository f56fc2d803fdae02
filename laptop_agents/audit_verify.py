"""`laptop-agents audit verify [RUN|PATH]`: prove a journal line by line."""

import argparse
import json
import os
import sys
from pathlib import Path

from engine.model.errors import JournalDamaged
from engine.session.journal_reader import Line, read_journal
from laptop_agents.home import find_home
from laptop_agents.runs import find_journal

REPORT_NAME = "final_report.json"
REPORT_MAX = 16 * 1024 * 1024
"""Bytes; a larger report is not ours."""


def run(arguments: argparse.Namespace) -> int:
    """Verify the chain, and the head hash the report keeps outside of it.

    Raises:
        JournalDamaged: The first line that is not proven, or the line after a cut end.
    """
    journal = find_journal(arguments.run, find_home(os.environ))
    last = _last(journal)
    claimed = claimed_head(journal.parent / REPORT_NAME)
    if claimed not in (None, last.hash):
        raise JournalDamaged(
            str(journal), last.seq + 1, "the journal ends before the head its report names"
        )
    told = {"lines": last.seq, "head_hash": last.hash, "is_complete": claimed is not None}
    if arguments.json:
        sys.stdout.write(json.dumps({"journal": str(journal), **told}) + "\n")
    else:
        end = "as its report says" if claimed else "no report yet: a cut end would not show"
        sys.stdout.write(f"ok: {last.seq} lines, head {last.hash}, {end}\n")
    return 0


def _last(journal: Path) -> Line:
    last = None
    for last in read_journal(journal):  # noqa: B007 - only the last one is wanted
        pass
    assert last is not None, "an empty journal is refused by the reader"
    return last


def claimed_head(report: Path) -> str | None:
    """Return the head hash a report keeps outside the journal; None where there is none."""
    try:
        if report.stat().st_size > REPORT_MAX:
            return None
        content = json.loads(report.read_bytes())
        head = content["journal"]["head_hash"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return head if isinstance(head, str) else None
