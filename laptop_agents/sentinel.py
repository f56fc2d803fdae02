"""`python -m laptop_agents.sentinel BRIEF`: the sentinel of a session, which starts it.

It loads neither the engine nor settings, so that it is small and starts at once. The report of a
run that it ended needs both; a process of its own writes it, after everything urgent.
"""

import os
import resource
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from engine.model.errors import LaptopAgentsError
from engine.session.sentinel.process import open_sentinel
from laptop_agents.sentinel_desk import open_desk

PACKAGES: Final = Path(__file__).resolve().parents[1]
CONCLUDE_DEADLINE_S: Final = 600
"""For the report: it reruns the journal, some 100,000 lines a second."""


def command(module: str) -> list[str]:
    """Return how to run one of our modules: the interpreter, and no code from the work folder."""
    return [sys.executable, "-P", "-m", module]


def environment() -> Mapping[str, str]:
    """Return the environment in which `command` finds the same packages as this process.

    No keys are in it: a sentinel that needs one is handed it over a pipe.
    """
    from laptop_agents.keys_shape import keyless  # noqa: PLC0415 - the engine's, before it starts

    paths = [os.fspath(PACKAGES), os.environ.get("PYTHONPATH", "")]
    return {**keyless(os.environ), "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def conclude(run: Path) -> int:
    """Have the final report of a run written whose engine is dead."""
    import subprocess  # noqa: PLC0415 - at the very end, if at all

    words = [*command("laptop_agents.aftermath"), os.fspath(run)]
    done = subprocess.run(words, timeout=CONCLUDE_DEADLINE_S, check=False)  # noqa: S603 - ours
    return done.returncode


def main(words: list[str]) -> int:
    """Guard one session to its end."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a lost terminal must not leave orders alone
    try:
        sentinel = open_sentinel(words, open_desk)
    except (LaptopAgentsError, OSError) as error:
        sys.stderr.write(f"error: the sentinel can't guard this run: {error}\n")
        return getattr(error, "exit_code", 6)
    sentinel.run(conclude)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
