"""Asks `audit why` in a process of its own: indexing and replaying must not hold up a screen."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from laptop_agents.keys_shape import keyless
from tui.story import Reply, Told

ANSWER_S: Final = 120.0
"""A journal of ten million lines takes about so long, once; then its index is kept."""
NICE: Final = 10
"""Behind the engine and the screen."""
WORDS_MAX: Final = 400


def why(folder: Path, target: str, as_of: int | None = None) -> Reply:
    """Return the story of an order, an intent or the newest intent of an instrument.

    Args:
        folder: Of the run, or its journal.
        target: An id or a symbol, as the screen knows it.
        as_of: The last line of the journal that counts; None for all.
    """
    line = [] if as_of is None else ["--as-of", str(as_of)]
    command = [
        "nice", "-n", str(NICE), sys.executable, "-P", "-m", "laptop_agents",
        "audit", "why", "--json", *line, "--", str(folder), target,
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - ourselves
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=ANSWER_S, check=False,
            env=keyless(os.environ),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return Reply(None, f"the journal could not be asked: {type(error).__name__}")
    if done.returncode:
        return Reply(None, done.stderr.decode("utf-8", "replace").strip()[-WORDS_MAX:])
    try:
        return Reply(msgspec.json.decode(done.stdout, type=Told))
    except (msgspec.DecodeError, RecursionError):
        return Reply(None, "the answer is not one of this version: was the program updated?")
