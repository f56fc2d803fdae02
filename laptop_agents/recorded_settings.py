"""The settings a recorded run was made with, from the first line of its journal."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from laptop_agents.settings import Settings, load
from laptop_agents.sources import Flag

DECIDING = frozenset({"agents", "risk", "market", "router", "session"})
"""Settings a decision can depend on; the others shape inputs, and those are recorded."""

UNTYPED = ("", "{}", "()")
"""How an empty collection was written; it is the default of all that have one."""


def recorded_settings(recorded: Mapping[str, Any], *, deciding_only: bool = False) -> Settings:
    """Resolve the recorded values alone: no flag, environment or profile of today has a say.

    Raises:
        SettingsRefused: This release does not know or accept one of them any more.
    """
    flags = [
        Flag("the journal", name, _text(value))
        for name, value in recorded.items()
        if name != "profile"
        and value not in UNTYPED
        and (not deciding_only or name.partition(".")[0] in DECIDING)
    ]
    return load(flags, {}, profiles=Path(os.devnull))


def _text(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
