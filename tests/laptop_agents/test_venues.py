"""A venue whose library is missing says which, and how to get it."""

import subprocess
import sys

import pytest

WITHOUT = (
    "import sys\n"
    "sys.modules['coincurve'] = None\n"
    "from laptop_agents import venues\n"
    "from engine.model.errors import UsageError\n"
    "try:\n"
    "    venues._part('hyperliquid', {part!r})\n"
    "except UsageError as error:\n"
    "    print(error)\n"
)


@pytest.mark.parametrize("part", ["account", "emergency"])
def test_what_signs_is_missing(part: str) -> None:
    """In one line."""
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(part=part)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "hyperliquid needs coincurve: pip install 'laptop-agents[hyperliquid]'\n" == ran.stdout


def test_watching_needs_nothing_that_signs() -> None:
    """A paper session on its market does without."""
    code = WITHOUT.format(part="feed") + "print(sorted({'coincurve', 'Crypto'} & {*sys.modules}))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "['coincurve']\n" == ran.stdout
