"""Runs tests again and again, each time in another order; one JSON line at the end.

    python -m tests.flake [REPEATS [PYTEST ARGUMENT ...]]

Without arguments for pytest it is the fast part of the suite: no processes, no simulations. A test
that fails in some order is told with the seed that brings the order back:
`pytest -p tests.shuffled --shuffle SEED`. Exit code 1 where any did.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from time import monotonic
from typing import Final

ROOT: Final = Path(__file__).parents[1]
REPEATS: Final = 50
FAST: Final = (
    "tests/engine",
    "tests/brokers",
    "tests/test_bounds.py",
    "tests/test_architecture.py",
)
FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
PASSED: Final = re.compile(r"(\d+) passed")


def main(arguments: list[str]) -> int:
    """Repeat, and say what ever failed."""
    repeats = int(arguments[0]) if arguments else REPEATS
    failures: Counter[str] = Counter()
    passed, began_s = 0, monotonic()
    for seed in range(repeats):
        said = _run(seed, arguments[1:] or list(FAST))
        found = FAILED.findall(said)
        for name in found:
            sys.stderr.write(f"seed {seed}: {name}\n")
        failures.update(found)
        passed += (count := sum(map(int, PASSED.findall(said))))
        sys.stderr.write(f"seed {seed}: {count} passed, {len(found)} failed\n")
    told: dict[str, object] = {"repeats": repeats, "passed": passed, "failed": dict(failures)}
    told["minutes"] = round((monotonic() - began_s) / 60, 1)
    sys.stdout.write(json.dumps({"figure": "flake", **told}) + "\n")
    return 1 if failures or not passed else 0


def _run(seed: int, arguments: list[str]) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.shuffled", "--shuffle", str(seed)]
    done = subprocess.run(
        [*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    # A run that did not come to its summary is a failure of all of it.
    return done.stdout if done.returncode in (0, 1) else f"FAILED {' '.join(arguments)}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
