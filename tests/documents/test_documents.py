"""Every command of the operator's documents works as printed, in the order printed."""

import re
import shlex
import subprocess
import time
from pathlib import Path
from typing import IO

import pytest

from laptop_agents.options import build_parser
from tests.documents.reading import DOCUMENTS, TYPED, commands, inline
from tests.end_to_end.shell import ROOT
from tests.scripts.shell import environment

NOT_RUN = {"make run"}
"""Installs, and takes ten minutes."""
LINES_MAX = {
    "RUNBOOK.md": 250,
    "START_HERE.md": 120,
    "SCREEN.md": 120,
    "KEYS.md": 80,
    "SANDBOX.md": 80,
    "LIVE.md": 130,
    "SHADOW.md": 80,
}
BEGINS = re.compile(r"(--headless|run_autonomous).*&$")
"""A line that leaves a session in the background."""
BEGUN_S = 60.0
"""How long a session in the background may take to its first heartbeat."""


def name_of(document: Path) -> str:
    return document.name


class Reader:
    """A person at a shell: types a line, waits for its end, and for a session to begin."""

    def __init__(self, home: Path) -> None:
        self._said = home.parent / "said.txt"
        self._home = home
        with self._said.open("w") as said:
            self._shell = subprocess.Popen(
                ["bash"],
                cwd=ROOT,
                env={**environment(home), "TMPDIR": str(home.parent), "HOME": str(home.parent)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                start_new_session=True,
            )

    def types(self, line: str) -> int:
        """Return the exit code."""
        stdin, stdout = self._pipes()
        journals = self._journals()
        stdin.write(f'{line}\necho "@@ $? $LAPTOP_AGENTS_HOME"\n')
        stdin.flush()
        for words in iter(stdout.readline, ""):
            if words.startswith("@@ "):
                code, home = words.split()[1:]
                self._home = Path(home)
                break
        else:
            raise AssertionError(f"the shell left: {self.heard}")
        if BEGINS.search(line):
            self._wait_for_a_beat(journals)
        return int(code)

    @property
    def heard(self) -> str:
        """Return what came on stderr."""
        return self._said.read_text()

    def leaves(self) -> None:
        """Close the shell; a session left behind would outlive it, so it is an error."""
        self._shell.communicate("wait\n", timeout=60)

    def _wait_for_a_beat(self, before: set[Path]) -> None:
        deadline = time.monotonic() + BEGUN_S
        while not any(b'"heartbeat"' in path.read_bytes() for path in self._journals() - before):
            assert time.monotonic() < deadline, f"no session began: {self.heard}"
            time.sleep(0.02)

    def _journals(self) -> set[Path]:
        return {
            path for path in self._home.glob("runs/*/events.jsonl") if "latest" != path.parts[-2]
        }

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        return self._shell.stdin, self._shell.stdout


@pytest.mark.parametrize("document", TYPED, ids=name_of)
def test_every_command_works_as_printed(document: Path, tmp_path: Path) -> None:
    """From the first block to the last, in one shell, on a home of its own."""
    home = tmp_path / "home"
    home.mkdir(0o700)
    reader = Reader(home)
    codes = [(one.text, reader.types(one.text)) for one in commands(document, "sh")]
    reader.leaves()

    assert [(one.text, one.code) for one in commands(document, "sh")] == codes, reader.heard


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_what_is_not_run_is_listed(document: Path) -> None:
    """A command nobody tries may be wrong."""
    shown = {one.text for one in commands(document, "console")}

    assert set() == shown - NOT_RUN


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_commands_in_the_text_are_known(document: Path) -> None:
    """Options and sub-commands parse; scripts exist; `...` and capitals stand for something."""
    for text in inline(document):
        words = shlex.split(text) if text.startswith(("laptop-agents ", "scripts/")) else ()
        if words and words[0] == "laptop-agents":
            build_parser().parse_args(words[1:])
        elif words and words[0] != "laptop-agents":
            assert (ROOT / words[0]).is_file(), text


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    """Files, and headings in them."""
    for target, _, anchor in re.findall(r"\]\(([^)#]*)(#([^)]*))?\)", document.read_text()):
        path = (document.parent / target).resolve() if target else document
        headings = re.findall(r"^#+ (.*)$", path.read_text(), re.M) if path.is_file() else []
        anchors = {re.sub(r"[^a-z0-9 -]", "", one.lower()).replace(" ", "-") for one in headings}
        assert path.exists(), target
        assert not anchor or anchor in anchors, (target, anchor)


@pytest.mark.parametrize("document", TYPED, ids=name_of)
def test_length(document: Path) -> None:
    """Nobody reads more while something is on fire."""
    assert len(document.read_text().splitlines()) <= LINES_MAX[document.name]
