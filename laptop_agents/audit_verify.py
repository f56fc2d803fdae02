"""`laptop-agents audit verify [RUN|PATH]`: prove a journal line by line."""

import argparse
import json
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.model.errors import JournalDamaged
from engine.session.journal_emergency import EMERGENCY_NAME, read_emergency
from engine.session.journal_reader import JournalReading, Line
from engine.session.journal_witness import doubts, refuse_cut, witnesses
from laptop_agents.home import find_home
from laptop_agents.runs import JOURNAL_NAME, find_journal

REPORT_NAME = "final_report.json"
REPORT_MAX = 16 * 1024 * 1024
"""Bytes; a larger report is not ours."""


def run(arguments: argparse.Namespace) -> int:
    """Verify the chain, and the head hash the report keeps outside of it.

    Raises:
        JournalDamaged: The first line that is not proven, or the line after a cut end.
        OSError: A file can't be read.
    """
    journal = find_journal(arguments.run, find_home(os.environ))
    known = witnesses(journal.parent) if journal.name == JOURNAL_NAME else ()
    reading = JournalReading(journal)
    last, hashes = _last(reading, {witness.seq for witness in known})
    claimed = claimed_head(journal.parent / REPORT_NAME)
    if claimed not in (None, last.hash):
        line = last.seq - reading.starts[-1].seq + 2
        reason = "the journal ends before the head its report names"
        raise JournalDamaged(str(reading.path), line, reason)
    refuse_cut(journal, last.seq, known)
    told = {
        "lines": last.seq,
        "head_hash": last.hash,
        "is_complete": claimed is not None,
        "acknowledged": None if reading.head is None else reading.head.seq,
        "segments": len(reading.starts) - 1,
        "doubts": [] if claimed is not None else doubts(journal.parent, known, hashes),
        "emergency_lines": sum(1 for _ in _last_words(journal, last)),
    }
    text = json.dumps({"journal": str(journal), **told}) if arguments.json else _words(told)
    sys.stdout.write(text + "\n")
    return 0


def _last(reading: JournalReading, marks: Collection[int]) -> tuple[Line, dict[int, str]]:
    """Prove every line; return the last one, and the hashes of those numbered in `marks`."""
    last, hashes = None, {}
    for last in reading.lines():
        if last.seq in marks:
            hashes[last.seq] = last.hash
    assert last is not None, "an empty journal is refused by the reader"
    return last, hashes


def _last_words(journal: Path, last: Line) -> Iterator[bytes]:
    return read_emergency(journal.with_name(EMERGENCY_NAME), last.hash, last.seq)


def _words(told: Mapping[str, Any]) -> str:
    end = "no report yet: a cut end would not show"
    if told["is_complete"]:
        end = "as its report says"
    elif told["acknowledged"] is not None:
        end = f"no report yet, acknowledged up to line {told['acknowledged']}"
    words = [f"ok: {told['lines']} lines, head {told['head_hash']}, {end}"]
    if told["segments"]:
        words.append(f"{told['segments']} sealed segments")
    if told["emergency_lines"]:
        words.append(f"{told['emergency_lines']} more in {EMERGENCY_NAME}: its journal failed")
    return "\n".join([", ".join(words), *(f"doubt: {one}" for one in told["doubts"])])


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
