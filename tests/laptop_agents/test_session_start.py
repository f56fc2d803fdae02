"""A session as the shell sees it: what is said, what is left behind, which code comes back.

What happens inside a session is tested where it lives; here is only the way in and out.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def session(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a session to its end."""
    return subprocess.run(
        [sys.executable, "-m", "laptop_agents", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "LAPTOP_AGENTS_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_a_screen_it_says_so_and_runs(tmp_path: Path) -> None:
    """One sentence with the reason, then the session."""
    done = session(tmp_path, "--duration", "0.02", "--speed", "max")

    assert 0 == done.returncode
    assert done.stderr.startswith("No screen: there is no terminal. Running headless")
    assert (tmp_path / "runs" / "latest" / "final_report.json").exists()


def test_headless_says_nothing_of_a_screen(tmp_path: Path) -> None:
    """It was asked for none."""
    done = session(tmp_path, "--headless", "--duration", "0.02", "--speed", "max")

    assert 0 == done.returncode
    assert "screen" not in done.stderr


def test_the_manifest_tells_every_setting_and_its_origin(tmp_path: Path) -> None:
    """What ran can be told from the run alone."""
    words = ("--headless", "--duration", "0.02", "--speed", "max", "--set", "agents.trend.fast=4")
    session(tmp_path, *words)

    manifest = json.loads((tmp_path / "runs" / "latest" / "manifest.json").read_text())
    fast = manifest["settings"]["agents.trend.fast"]
    assert [4, "--set"] == [int(fast["value"]), fast["origin"]]
    assert "--duration" == manifest["settings"]["session.duration_min"]["origin"]


def test_a_kill_file_of_the_home_refuses_the_start(tmp_path: Path) -> None:
    """Exit 4, and the file is still there."""
    kill = tmp_path / "kill.txt"
    kill.touch()

    done = session(tmp_path, "--headless", "--duration", "0.02")

    assert 4 == done.returncode
    assert str(kill) in done.stderr
    assert kill.exists()


@pytest.mark.parametrize("source", ["file:missing.jsonl", "file:/dev/null/x"])
def test_missing_data_is_exit_5(tmp_path: Path, source: str) -> None:
    """One line, no traceback."""
    done = session(tmp_path, "--headless", "--source", source)

    assert 5 == done.returncode
    assert "Traceback" not in done.stderr
