"""Profiles as files: where a name leads, and how a hostile file is read without harm.

A name means `<home>/profiles/NAME.toml|json`, else a profile shipped with the program; anything
with a slash or a suffix is a path. Rule 1: at most `BYTES_MAX` are ever read, and only from a
regular file. Rule 2: a file found by name must really lie in the folder it was looked for in.
Rule 3: a complaint names a line, never what stands on it.
"""

import importlib.resources
import json
import os
import re
import stat
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from laptop_agents.catalogue import closest, shown

BYTES_MAX = 1 << 20
"""Size of a profile; a full one is a few kilobytes."""
DEPTH_MAX = 16
"""Tables within tables; the deepest setting needs 3."""
DOTS_MAX = 64
"""Dots on a line of TOML; the parser's work grows with their square, to minutes at a megabyte."""
SUFFIXES = (".toml", ".json")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)


class Unreadable(ValueError):
    """A profile that can't be found or understood; the text is for the user."""


@dataclass(frozen=True, slots=True)
class ProfileText:
    """A profile before anybody judged its settings."""

    name: str
    """As the user would write it after `--profile`."""
    text: str
    is_json: bool

    def tree(self) -> dict[str, Any]:
        """Parse; numbers with a fraction become Decimal, exactly as written.

        Raises:
            Unreadable: Not TOML or JSON, a key twice, or nested past `DEPTH_MAX`.
        """
        try:
            tree = _json(self.text) if self.is_json else _toml(self.text)
        except Unreadable:
            raise
        except RecursionError as error:
            raise Unreadable("is nested too deeply") from error
        except (ValueError, ArithmeticError) as error:
            raise Unreadable(f"is not valid {_where(error, self.is_json)}") from error
        if not isinstance(tree, dict):
            raise Unreadable("must be a table of settings")
        if _depth(tree) > DEPTH_MAX:
            raise Unreadable("is nested too deeply")
        return tree


def find_profile(name: str, folder: Path) -> ProfileText:
    """Read the profile that `name` means; `folder` holds the user's own.

    Raises:
        Unreadable: No such profile, or not a readable text file of reasonable size.
    """
    if "/" in name or name.endswith(SUFFIXES):
        return _read(Path(name).expanduser(), name)
    own = next((path for path in own_profiles(folder) if path.stem == name), None)
    if own is not None:
        if own.resolve().parent != folder.resolve():
            raise Unreadable("leads out of the folder of profiles")
        return _read(own, name)
    text = shipped_profiles().get(name)
    if text is None:
        known = [*shipped_profiles(), *(path.stem for path in own_profiles(folder))]
        raise Unreadable(f"does not exist: did you mean {closest(name, known)}?")
    return ProfileText(name, text, is_json=False)


def shipped_profiles() -> dict[str, str]:
    """Return name to text of the profiles in the package, in alphabetical order."""
    files = importlib.resources.files("profiles").iterdir()
    toml = sorted((file for file in files if file.name.endswith(".toml")), key=lambda f: f.name)
    return {file.name.removesuffix(".toml"): file.read_text(encoding="utf-8") for file in toml}


def own_profiles(folder: Path) -> Iterator[Path]:
    """Yield the files of the user's own profiles, in alphabetical order."""
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.suffix in SUFFIXES and NAME.fullmatch(path.stem):
                yield path


def summary(text: str) -> str:
    """Return the first comment line of a profile: who it is for."""
    first = text.lstrip().partition("\n")[0]
    return first.lstrip("# ").rstrip() if first.startswith("#") else ""


def _read(path: Path, name: str) -> ProfileText:
    if path.suffix not in SUFFIXES:
        raise Unreadable("must be a .toml or .json file")
    try:
        data = _bounded(path)
        text = data.decode("utf-8-sig")
    except Unreadable:
        raise
    except UnicodeDecodeError as error:
        raise Unreadable("is not UTF-8 text") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise Unreadable(f"can't be read: {reason}") from error
    return ProfileText(shown(name), text, is_json=path.suffix == ".json")


def _bounded(path: Path) -> bytes:
    # Without O_NONBLOCK a named pipe would hold the start for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable("is not a regular file")
        data = file.read(BYTES_MAX + 1)
    if len(data) > BYTES_MAX:
        raise Unreadable(f"is larger than {BYTES_MAX >> 20} MiB")
    return data


def _toml(text: str) -> dict[str, Any]:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    if any(line.count(".") > DOTS_MAX for line in lines):
        raise Unreadable("is nested too deeply")
    return tomllib.loads(text, parse_float=Decimal)


def _json(text: str) -> Any:
    return json.loads(
        text,
        parse_float=Decimal,
        parse_constant=_refuse_constant,
        object_pairs_hook=_unique,
    )


def _refuse_constant(_: str) -> object:
    raise ValueError("a number that is not finite")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands twice in one table")
    return table


def _where(error: Exception, is_json: bool) -> str:  # noqa: FBT001 - private, one caller
    """Name the format and the place; the parser's own text may quote the file."""
    if is_json:
        if isinstance(error, json.JSONDecodeError):
            return f"JSON (line {error.lineno}, column {error.colno})"
        return f"JSON: {error}" if error.args and type(error) is ValueError else "JSON"
    place = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
    return f"TOML ({place[1]})" if place else "TOML"


def _depth(tree: object) -> int:
    """Measure nesting without recursion, and stop once it is too much."""
    level, depth = [tree], 0
    while level and depth <= DEPTH_MAX:
        depth += 1
        level = [
            child
            for item in level
            for child in (
                item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
            )
            if isinstance(child, dict | list)
        ]
    return depth
