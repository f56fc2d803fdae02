"""The operator's documents, taken apart: what they tell people to type."""

import re
from pathlib import Path
from typing import NamedTuple

from tests.end_to_end.shell import ROOT

DOCUMENTS = (
    ROOT / "docs" / "START_HERE.md",
    ROOT / "docs" / "RUNBOOK.md",
    ROOT / "docs" / "SCREEN.md",
    ROOT / "docs" / "KEYS.md",
    ROOT / "docs" / "LIVE.md",
    ROOT / "docs" / "SANDBOX.md",
    ROOT / "docs" / "SHADOW.md",
    ROOT / "docs" / "troubleshooting" / "known_issues.md",
)
TYPED = DOCUMENTS[:-1]
"""Those whose blocks are typed from the first to the last."""
KNOWN_ISSUES = DOCUMENTS[-1]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
_EXIT = re.compile(r"\s+# exit (\d+)$")


class Command(NamedTuple):
    """One line to type."""

    text: str
    code: int
    """What it exits with: the line says so where it is not 0."""


def commands(document: Path, language: str) -> list[Command]:
    """Return the lines of the blocks so marked, in order."""
    return [
        _command(line.removeprefix("$ "))
        for kind, block in _BLOCK.findall(document.read_text())
        for line in block.splitlines()
        if kind == language
    ]


def _command(line: str) -> Command:
    code = _EXIT.search(line)
    return Command(_EXIT.sub("", line), int(code[1]) if code else 0)


def inline(document: Path) -> list[str]:
    """Return what stands in backticks in the running text and the tables."""
    return re.findall(r"`([^`\n]+)`", _BLOCK.sub("", document.read_text()))
