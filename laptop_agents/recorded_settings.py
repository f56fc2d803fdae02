"""The settings a recorded run was made with, from the first line of its journal."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.model.errors import SettingsRefused
from laptop_agents.catalogue import shown
from laptop_agents.settings import Settings, load
from laptop_agents.sources import Flag

DECIDING = frozenset({"agents", "risk", "market", "router", "session", "sync"})
"""Settings a decision can depend on; the others shape inputs, and those are recorded."""

CHANGEABLE = DECIDING | {"paper", "symbols"}
"""What a what-if may change: what decides, and what the venue answers."""
FIXED = frozenset({"session.run_id", "session.speed", "session.start_ns"})
"""Members of those sections that belong to the recording all the same."""
SPEED = Flag("a what-if", "session.speed", "max")
"""A what-if waits for nothing."""

UNTYPED = ("", "{}", "()")
"""How an empty collection was written; it is the default of all that have one."""


def recorded_settings(recorded: Mapping[str, Any], *, deciding_only: bool = False) -> Settings:
    """Resolve the recorded values alone: no flag, environment or profile of today has a say.

    Raises:
        SettingsRefused: This release does not know or accept one of them any more.
    """
    flags = [
        flag
        for flag in _flags(recorded)
        if not deciding_only or flag.name.partition(".")[0] in DECIDING
    ]
    return load(flags, {}, profiles=Path(os.devnull))


def changed_settings(recorded: Mapping[str, Any], changes: Sequence[Flag]) -> Settings:
    """Resolve the recorded values with some changed; again nothing of today has a say.

    Raises:
        SettingsRefused: A change is unknown, invalid, or would change the recorded market.
    """
    given = [*(flag for flag in changes if flag.name != SPEED.name), SPEED]
    changed = {flag.name for flag in given}
    kept = (flag for flag in _flags(recorded) if flag.name not in changed)
    settings = load([*given, *kept], {}, profiles=Path(os.devnull))
    problems = tuple(dict.fromkeys(_misplaced(changes)))
    if problems:
        raise SettingsRefused(problems)
    return settings


def _misplaced(changes: Iterable[Flag]) -> Iterator[str]:
    for flag in changes:
        if flag.name.partition(".")[0] not in CHANGEABLE or flag.name in FIXED:
            name = shown(flag.name)
            yield f"{name}: part of the recording, a replay can't change it ({flag.spelled})"


def _flags(recorded: Mapping[str, Any]) -> Iterator[Flag]:
    for name, value in recorded.items():
        if name != "profile" and value not in UNTYPED:
            yield Flag("the journal", name, _text(value))


def _text(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
