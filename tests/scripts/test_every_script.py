"""What holds for all of the operator's scripts."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.scripts.shell import SCRIPTS, script

NAMES = (
    "archive_session.sh", "clean_runs.sh", "monitor_session.sh", "run_autonomous.sh",
    "validate_session.sh",
)  # fmt: skip
LINES_MAX = 70
"""More would be a program."""


@pytest.mark.parametrize("name", NAMES)
def test_help(tmp_path: Path, name: str) -> None:
    """What it does, how it is called; nothing is started or written."""
    done = script(tmp_path, name, "--help")

    assert (0, "") == (done.code, done.err)
    assert f"scripts/{name}" in done.out
    assert "#" not in done.out
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_form(name: str) -> None:
    """Executable, strict, short."""
    path = SCRIPTS / name
    lines = path.read_text().splitlines()

    assert os.access(path, os.X_OK)
    assert "#!/usr/bin/env bash" == lines[0]
    assert "set -euo pipefail" in lines
    assert len(lines) <= LINES_MAX
    assert 0 == subprocess.run(["bash", "-n", path], check=False).returncode
