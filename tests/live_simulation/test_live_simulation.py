"""Live sessions in virtual time: a few seeds hold, a seed repeats, and the proof finds a lie."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from laptop_agents.sandbox_venues import VENUES

ROOT = Path(__file__).parents[2]


def simulate(*words: str, hash_seed: str = "random") -> subprocess.CompletedProcess[str]:
    """Run as `make soak-live-virtual` does."""
    return subprocess.run(
        [sys.executable, "-m", "tests.live_simulation", *words],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )  # fmt: skip


@pytest.mark.parametrize("venue", VENUES)
def test_a_session_under_faults_agrees_with_its_venue(venue: str) -> None:
    done = simulate("--venue", venue, "--seed", "5", "--minutes", "2")

    assert (0, "") == (done.returncode, done.stderr), done.stdout
    (line,) = done.stdout.splitlines()
    assert line.startswith("ok")
    fills, faults = (int(line.split(word)[0].split()[-1]) for word in ("fills", "faults"))
    assert 3 < fills
    assert 3 < faults


@pytest.mark.timeout(300)
def test_a_seed_repeats_to_the_last_round_of_the_loop() -> None:
    """Twice the same line, whatever the order of hashes and addresses; its last word is CPU time."""
    one, other = (
        simulate("--venue", "bitunix", "--seed", "5", "--minutes", "2", hash_seed=seed).stdout
        for seed in ("1", "2")
    )

    assert one.startswith("ok")
    assert one.split()[:-2] == other.split()[:-2]
