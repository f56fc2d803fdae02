"""`laptop-agents profiles list|show|validate|new|schema`."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.model.errors import SettingsRefused, StateDamaged, UsageError
from laptop_agents.cli import flags
from laptop_agents.home import FILE_MODE, FOLDER_MODE, find_home, prepare_home, profile_folder
from laptop_agents.profile_files import (
    NAME,
    Unreadable,
    find_profile,
    own_profiles,
    shipped_profiles,
    summary,
)
from laptop_agents.provenance import Setting
from laptop_agents.schema import profile_schema
from laptop_agents.settings import Settings, load
from laptop_agents.sources import Flag


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    folder = profile_folder(find_home(os.environ))
    lines = {
        "list": _list,
        "show": _show,
        "validate": _validate,
        "new": _new,
        "schema": _schema,
    }[arguments.verb](arguments, folder)
    sys.stdout.write(lines + "\n")
    return 0


def text_of(value: object) -> str:
    """Write a value the way `--set` would take it back."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(text_of(item) for item in value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def json_of(value: object) -> object:
    """Write a value as JSON holds it; money stays exact as text."""
    return f"{value:f}" if isinstance(value, Decimal) else value


def _list(arguments: argparse.Namespace, folder: Path) -> str:
    rows = [(name, "shipped", summary(text)) for name, text in shipped_profiles().items()]
    for path in own_profiles(folder):
        try:
            text = find_profile(path.stem, folder).text
            rows.append((path.stem, "yours", summary(text)))
        except Unreadable as error:
            rows.append((path.stem, "yours", f"({error})"))
    if arguments.json:
        return json.dumps([{"name": n, "kind": k, "summary": s} for n, k, s in rows], indent=2)
    width = max(len(name) for name, _, _ in rows)
    return "\n".join(f"{name:<{width}}  {kind:<7}  {text}" for name, kind, text in rows)


def _show(arguments: argparse.Namespace, folder: Path) -> str:
    chosen = flags(arguments)
    if arguments.name is not None:
        chosen.append(Flag("profiles show", "profile", arguments.name))
    settings = load(chosen, os.environ, profiles=folder).flat()
    if arguments.json:
        table = {n: {"value": json_of(s.value), "origin": s.origin} for n, s in settings.items()}
        return json.dumps(table, indent=2)
    return _columns(settings)


def _columns(settings: Mapping[str, Setting]) -> str:
    values = {name: text_of(setting.value) for name, setting in settings.items()}
    names, widest = max(map(len, values)), min(24, max(map(len, values.values())))
    return "\n".join(
        f"{name:<{names}}  {values[name]:<{widest}}  {setting.origin}"
        for name, setting in settings.items()
    )


def _validate(arguments: argparse.Namespace, folder: Path) -> str:
    every = [*shipped_profiles(), *(path.stem for path in own_profiles(folder))]
    names = arguments.names or list(dict.fromkeys(every))
    problems: list[str] = []
    for name in names:
        try:
            _load_alone(name, folder)
        except SettingsRefused as error:
            problems += error.problems
    if problems:
        raise SettingsRefused(tuple(problems))
    return "\n".join(f"{name}: ok" for name in names)


def _load_alone(name: str, folder: Path) -> Settings:
    """Resolve a profile without the environment of whoever checks it."""
    settings = load([Flag("profiles validate", "profile", name)], {}, profiles=folder)
    if settings.tui.keys:
        from tui.keymap import problems  # noqa: PLC0415 - Textual, for a person's own keys only

        if found := problems(settings.tui.keys):
            raise SettingsRefused(tuple(f"{problem} (profile {name})" for problem in found))
    return settings


def _new(arguments: argparse.Namespace, folder: Path) -> str:
    name = arguments.name
    if not NAME.fullmatch(name) or name.endswith((".toml", ".json")):
        raise UsageError("a profile's name is 1 to 64 of a-z, 0-9, '.', '_', '-', and no suffix")
    taken = {*shipped_profiles(), *(path.stem for path in own_profiles(folder))}
    if name in taken:
        raise UsageError(f"there is a profile {name} already: choose another name")
    try:
        base = find_profile(arguments.base, folder)
    except Unreadable as error:
        raise UsageError(f"--from: {error}") from error
    path = folder / f"{name}{'.json' if base.is_json else '.toml'}"
    prepare_home(folder.parent)
    try:
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(base.text)
    except OSError as error:
        raise StateDamaged(f"can't write {path}: {error.strerror}") from error
    return str(path)


def _schema(_: argparse.Namespace, __: Path) -> str:
    schema: dict[str, Any] = profile_schema()
    return json.dumps(schema, indent=2)
