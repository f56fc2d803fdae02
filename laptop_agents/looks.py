"""Settings `tui` of whoever opens a screen, and what else a screen needs to know of its place.

A screen is opened by a person who may not be the one who started the session: their command line
and environment count first, then what the run was started with.
"""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from engine.model.errors import SettingsRefused
from engine.session.manifest import NAME as MANIFEST
from engine.session.manifest import Setting
from laptop_agents.catalogue import environment_name
from laptop_agents.crash import keep_trace
from laptop_agents.home import find_home, profile_folder
from laptop_agents.setting_lines import setting_lines
from laptop_agents.sources import Flag
from tui.config import TuiConfig
from tui.story import Asked
from tui.surface import Surface
from tui.terminal import speaks_utf8

SECTION: Final = "tui."
RUN: Final = "the run"
MANIFEST_MAX: Final = 1 << 20
"""Bytes; ours has some ten thousand."""


class Looks(NamedTuple):
    """How one person wants the screen."""

    config: TuiConfig
    is_palette_asked: bool
    """They named a palette, by whichever home of settings."""


def looks(
    typed: Sequence[Flag], environ: Mapping[str, str], of_run: Mapping[str, str] | None = None
) -> Looks:
    """Resolve the settings of a screen.

    Args:
        typed: What the command line sets.
        environ: The environment of whoever looks.
        of_run: `tui` settings of the run, by name; they count least.

    Raises:
        SettingsRefused: A value is wrong, or two actions were given one key.
    """
    from laptop_agents.settings import load  # noqa: PLC0415 - pydantic, for a screen only

    given = {flag.name for flag in typed}
    kept = [
        Flag(RUN, name, text)
        for name, text in (of_run or {}).items()
        if name not in given and environment_name(name).replace("-", "_") not in environ
    ]
    settings = load([*typed, *kept], environ, profiles=profile_folder(find_home(environ)))
    _refuse_clashes(settings.tui.keys)
    origin = settings.flat()["tui.palette"].origin
    return Looks(settings.tui, is_palette_asked=origin != "default")


def looks_at(folder: Path, typed: Sequence[Flag], environ: Mapping[str, str]) -> Looks:
    """Return how whoever opens a run wants the screen; what the run was told counts least.

    Raises:
        SettingsRefused: Something of their own is wrong.
    """
    try:
        return looks(typed, environ, recorded_looks(folder))
    except SettingsRefused:
        return looks(typed, environ)  # the run may be of a release with other settings


def _refuse_clashes(keys: Mapping[str, str]) -> None:
    if not keys:
        return
    from tui.keymap import problems  # noqa: PLC0415 - Textual, for a person's own keys only

    if found := problems(keys):
        raise SettingsRefused(tuple(found))


class _Recorded(msgspec.Struct):
    """What of a manifest a screen reads."""

    settings: dict[str, Setting]


def recorded_looks(folder: Path) -> dict[str, str]:
    """Return the `tui` settings a run was started with; none where its manifest can't be read."""
    found = {n: row.value for n, row in recorded(folder).items() if n.startswith(SECTION)}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in found.items()
        if value is not None
    }


def recorded(folder: Path) -> dict[str, Setting]:
    """Return all settings of a run by name; none where its manifest can't be read."""
    no_manifest = suppress(OSError, msgspec.DecodeError, RecursionError)
    with no_manifest, (folder / MANIFEST).open("rb") as file:
        return msgspec.json.decode(file.read(MANIFEST_MAX), type=_Recorded).settings
    return {}


def surface(
    wanted: Looks,
    folder: Path,
    *,
    is_dull: bool,
    is_owner: bool,
    is_alive: Callable[[], bool],
    at_start: Callable[[Any], None],
    why: Asked,
) -> Surface:
    """Return what the screen of a run stands on."""
    from tui.copying import FILE as CLIPBOARD  # noqa: PLC0415 - Textual, for a screen only
    from tui.memory import NAME as MEMORY  # noqa: PLC0415 - the same

    config = wanted.config
    home = find_home(os.environ)
    return Surface(
        palette_name="mono" if is_dull else config.palette,
        is_palette_asked=is_dull or wanted.is_palette_asked,
        is_ascii=config.ascii or not speaks_utf8(os.environ),
        is_far="SSH_CONNECTION" in os.environ,
        is_owner=is_owner,
        is_alive=is_alive,
        at_start=at_start,
        config=config,
        memory=home / MEMORY,
        clipboard=folder / CLIPBOARD if config.copy_file else None,
        settings=lambda: setting_lines(recorded(folder)),
        why=why,
        keep_bug=lambda error: keep_trace(error, os.environ),
    )


def is_dull(arguments: argparse.Namespace) -> bool:
    """Say whether a person or their environment wants no colors."""
    return bool(arguments.no_color or os.environ.get("NO_COLOR"))
