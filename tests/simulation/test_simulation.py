"""The simulator itself: it runs, is reproducible, finds what it should, and its checker is alone."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECKER = Path(__file__).with_name("checker")
OURS = ("engine", "brokers", "laptop_agents", "tui", "profiles")


def simulate(*words: str) -> subprocess.CompletedProcess[str]:
    """Run as `make simulate` does."""
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", *words],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_some_seeds_hold_every_invariant() -> None:
    """A handful of seeds, one of them twice, and every seed that failed once."""
    done = simulate("--seeds", "4", "--minutes", "3", "--regressions")

    assert (0, "") == (done.returncode, done.stderr), done.stdout
    assert "0 failed" in done.stdout


def test_a_seed_is_reproduced_from_its_number() -> None:
    """Two processes, the same page but for the time it took."""
    pages = [simulate("--seed", "7", "--minutes", "3").stdout.split("\n", 1)[1] for _ in range(2)]

    assert pages[0] == pages[1]


def test_a_run_too_short_for_its_phases_is_refused() -> None:
    """Below two minutes nothing but calm would be left: exit 2."""
    done = simulate("--minutes", "1")

    assert 2 == done.returncode
    assert "--minutes: at least 2" in done.stderr


def test_the_checker_imports_nothing_of_ours() -> None:
    """Two sides of one contract must not share a mistake (reliability.md section 4.3)."""
    imported = {
        name
        for path in CHECKER.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _names(node)
    }

    assert [] == [name for name in sorted(imported) if name.partition(".")[0] in OURS]
    assert [] == [
        name
        for name in sorted(imported)
        if name.startswith("tests") and not name.startswith("tests.simulation.checker")
    ]


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or "."] if isinstance(node, ast.ImportFrom) else []
