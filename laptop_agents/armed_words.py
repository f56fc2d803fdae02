"""Arming at a terminal for an engine that has none: asked here, handed over as a token.

The engine of a screen is a process without a terminal. Whoever opens the screen answers before it
starts, and the engine asks the venue once more by itself.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from laptop_agents.cli import consent_of, flags
from laptop_agents.home import find_home, prepare_home, profile_folder

if TYPE_CHECKING:
    from laptop_agents.settings import Settings


def armed(arguments: argparse.Namespace, words: Sequence[str]) -> list[str]:
    """Return the words for the engine; those of a live session have a token for it.

    Raises:
        LaptopAgentsError: It may not begin, or nobody agreed.
    """
    given = list(words)
    if not arguments.yes_live or arguments.arm_token:
        return given
    from laptop_agents.permits import agreed, permitted  # noqa: PLC0415 - for live only
    from laptop_agents.reaching import reached  # noqa: PLC0415 - the same
    from laptop_agents.settings import load  # noqa: PLC0415 - the same

    home = find_home(os.environ)
    prepare_home(home)
    if arguments.resume:
        settings = _resumed(arguments.resume, home)
    else:
        settings = load(flags(arguments), os.environ, profiles=profile_folder(home))
    consent = consent_of(arguments)
    agreed(settings, consent)
    permitted(reached(settings), consent, home, is_resumed=bool(arguments.resume))
    return [*given, "--arm-token", str(_token(home, settings.source))]


def _resumed(run: str, home: Path) -> "Settings":
    """Return the settings of an interrupted run."""
    import msgspec  # noqa: PLC0415 - for live only

    from engine.session.journal_reader import read_journal  # noqa: PLC0415 - the same
    from laptop_agents.recorded_settings import recorded_settings  # noqa: PLC0415 - the same
    from laptop_agents.runs import find_journal  # noqa: PLC0415 - the same

    first = next(read_journal(find_journal(run, home)))
    return recorded_settings(msgspec.json.decode(first.data)["settings"])


def _token(home: Path, venue: str) -> Path:
    path = home / f"arm-{os.getpid()}.token"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(f"{venue}\n")
    return path
