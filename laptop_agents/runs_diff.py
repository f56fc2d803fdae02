"""`laptop-agents runs diff A B`: where two runs part, then their figures side by side."""

import argparse
import os
import sys
from pathlib import Path

import msgspec

from engine.model.errors import StateDamaged
from engine.session.audit_diff import Difference, difference
from engine.session.sanitize import sanitize
from laptop_agents.audit_words import ascii_json
from laptop_agents.diff_words import as_document, as_text
from laptop_agents.home import find_home
from laptop_agents.runs import find_journal


def run(arguments: argparse.Namespace) -> int:
    """Print the first difference and the figures; different runs are no error.

    Raises:
        JournalDamaged: One of the journals is not proven.
    """
    home = find_home(os.environ)
    found = compared(find_journal(arguments.first, home), find_journal(arguments.second, home))
    if arguments.json:
        text = ascii_json(msgspec.json.encode(as_document(found)))
    else:
        names = [sanitize(str(side.started.get("run_id", "?"))) for side in found.sides]
        text = "\n".join(as_text(found, names))
    sys.stdout.write(text + "\n")
    return 0


def compared(first: Path, second: Path) -> Difference:
    """Read both journals to their ends.

    Raises:
        JournalDamaged: A line of either is not proven.
        StateDamaged: One of them can't be read.
    """
    try:
        return difference(first, second)
    except OSError as error:
        where = sanitize(str(error.filename or first), 4_096)
        raise StateDamaged(f"can't read {where}: {error.strerror or error}") from error
