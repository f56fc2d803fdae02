"""Homes with runs that real processes recorded, for tests that only read them."""

import os
import shutil
from pathlib import Path

from tests.end_to_end.warm import ran

ROOT = Path(__file__).parents[2]
START = "1700000000123456789"


def record(home: Path, *words: str, minutes: str = "2", run_id: str | None = None) -> Path:
    """Run a mock session at full speed; return its folder."""
    named = ("--set", f"session.run_id={run_id}") if run_id else ()
    told = (
        "--headless", "-q", "--speed", "max",
        "--seed", "5", "--duration", minutes, "--set", f"session.start_ns={START}", *named, *words,
    )  # fmt: skip
    environment = {
        "PATH": os.environ["PATH"],
        "LAPTOP_AGENTS_HOME": str(home),
        "LAPTOP_AGENTS_SOURCE": "mock",
    }
    done = ran(told, environment)
    assert 0 == done.returncode, done.stderr
    return (home / "runs" / "latest").resolve()


def copied(home: Path, target: Path) -> Path:
    """Return a copy of a home, for tests that change it."""
    shutil.copytree(home, target, symlinks=True)
    return target


def age(folder: Path, days: float) -> None:
    """Make a run look as if it had ended that long ago."""
    for path in (folder / "events.jsonl", folder / "final_report.json"):
        if path.exists():
            then = path.stat().st_mtime - days * 86_400
            os.utime(path, (then, then))
