"""`laptop-agents doctor`: whether this machine is fit to run a session.

Each row is one check: a pure reading of its surroundings that returns a finding. A new check is a
function and a row in `CHECKS`. Only an unusable home fails (exit 6); the rest are warnings, since
a session would run.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from engine.model.errors import SettingsRefused, StateDamaged
from laptop_agents.home import find_home, kill_path
from laptop_agents.version import __version__
from tui.terminal import speaks_utf8

PYTHON_MIN, PYTHON_MAX = (3, 11), (3, 13)
DISK_MIN_MB = 500
"""A long session with a full journal writes some hundred megabytes."""
COLUMNS_MIN, ROWS_MIN = 80, 24
RESOLUTION_MAX_S = 1e-3
YEARS = range(2025, 2100)
"""A clock outside has lost its battery or its mind."""
PACKAGES = ("aiohttp", "msgspec", "pydantic", "pydantic-settings", "structlog", "textual", "uvloop")
EXTRAS = (
    # extra, module that shows it is installed, what it is for
    ("parquet", "pyarrow", "recordings as parquet"),
)

Level = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the checks may look at."""

    environ: Mapping[str, str]
    home: Path


def run(arguments: argparse.Namespace) -> int:
    """Print one line for each check."""
    surroundings = Surroundings(os.environ, find_home(os.environ))
    checks = {**CHECKS, **KEY_CHECKS} if arguments.keys else CHECKS
    findings = {name: check(surroundings) for name, check in checks.items()}
    if arguments.json:
        table = [{"check": name, **asdict(finding)} for name, finding in findings.items()]
        sys.stdout.write(json.dumps(table, indent=2) + "\n")
    else:
        for name, finding in findings.items():
            sys.stdout.write(f"{finding.level:<7}  {name:<9}  {finding.text}\n")
    failed = any(finding.level == "failed" for finding in findings.values())
    return StateDamaged.exit_code if failed else 0


def _python(_: Surroundings) -> Finding:
    version = sys.version_info[:2]
    fits = PYTHON_MIN <= version <= PYTHON_MAX
    text = f"{sys.version.split()[0]} ({sys.implementation.name}, {sys.platform})"
    return Finding("ok", text) if fits else Finding("warning", f"{text}; tested on 3.11 to 3.13")


def _terminal(at: Surroundings) -> Finding:
    if not sys.stdout.isatty():
        return Finding("ok", "none (output is redirected): plain lines")
    columns, rows = shutil.get_terminal_size()
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    faults = [
        *(["smaller than 80x24"] if columns < COLUMNS_MIN or rows < ROWS_MIN else []),
        *(["not UTF-8"] if encoding != "utf8" else []),
        *(["TERM is not set"] if at.environ.get("TERM", "dumb") == "dumb" else []),
    ]
    return Finding(
        "warning" if faults else "ok",
        f"{columns}x{rows}, TERM={at.environ.get('TERM', '')}, {_colors(at.environ)}"
        + "".join(f"; {fault}" for fault in faults),
    )


def _colors(environ: Mapping[str, str]) -> str:
    if environ.get("NO_COLOR"):
        return "no colors (NO_COLOR)"
    if environ.get("COLORTERM") in ("truecolor", "24bit"):
        return "16 million colors"
    return "256 colors" if "256" in environ.get("TERM", "") else "16 colors"


def _screen(at: Surroundings) -> Finding:
    """Say how a screen would look here by the settings of the environment and the profile."""
    from laptop_agents.looks import looks  # noqa: PLC0415 - Textual, which this row is about

    try:
        config = looks((), at.environ).config
    except SettingsRefused as error:
        return Finding("warning", f"no screen would open: {error.problems[0]}")
    is_far = config.fps == "auto" and "SSH_CONNECTION" in at.environ
    plain = config.ascii or not speaks_utf8(at.environ)
    facts = (
        "mono" if at.environ.get("NO_COLOR") else config.palette,
        "letters only" if plain else "blocks and lines",
        f"fps {config.fps}{is_far * ' (low over SSH)'}",
        f"clocks {config.timezone}",
        f"{len(config.keys)} keys of your own",
    )
    return Finding("ok", ", ".join(facts))


def _home(at: Surroundings) -> Finding:
    if not at.home.exists():
        above = _existing(at.home)
        if not (above.is_dir() and os.access(above, os.W_OK)):
            return Finding("failed", f"{at.home}: can't be created")
        return Finding("ok", f"{at.home} (made at the first session)")
    try:
        with tempfile.TemporaryFile(dir=at.home):
            mode = stat.S_IMODE(at.home.stat().st_mode)
    except OSError as error:
        return Finding("failed", f"{at.home}: {error.strerror}")
    if mode & 0o077:
        return Finding("warning", f"{at.home}: mode {mode:04o} lets others in, 0700 would not")
    return Finding("ok", f"{at.home}, mode {mode:04o}")


def _disk(at: Surroundings) -> Finding:
    free_mb = shutil.disk_usage(_existing(at.home)).free >> 20
    enough = free_mb >= DISK_MIN_MB
    return Finding("ok" if enough else "warning", f"{free_mb:,} MB free where the home lives")


def _clock(_: Surroundings) -> Finding:
    now = time.gmtime()
    resolution_s = time.get_clock_info("monotonic").resolution
    text = (
        f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', now)}, local zone {time.strftime('%Z')},"
        f" monotonic to {resolution_s * 1e9:g} ns"
    )
    sane = now.tm_year in YEARS and resolution_s <= RESOLUTION_MAX_S
    return Finding("ok" if sane else "warning", text)


def _kill_file(at: Surroundings) -> Finding:
    path = kill_path(at.home)
    if os.path.lexists(path):
        return Finding("warning", f"{path} exists: sessions refuse to start until you remove it")
    return Finding("ok", "absent")


def _packages(_: Surroundings) -> Finding:
    versions = {name: _version(name) for name in PACKAGES}
    missing = [name for name, version in versions.items() if not version]
    text = f"laptop-agents {__version__}, " + ", ".join(
        f"{name} {version}" for name, version in versions.items() if version
    )
    if missing:
        return Finding("warning", f"{text}; missing: {', '.join(missing)}")
    return Finding("ok", text)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _extras(_: Surroundings) -> Finding:
    found = [
        f"{extra} ({purpose}): {'installed' if importlib.util.find_spec(module) else 'absent'}"
        for extra, module, purpose in EXTRAS
    ]
    return Finding("ok", ", ".join(found))


def _keyring(_: Surroundings) -> Finding:
    from laptop_agents.doctor_keys import keyring_verdict  # noqa: PLC0415 - only where asked

    verdict = keyring_verdict()
    return Finding("ok" if verdict.is_well else "warning", verdict.text)


def _keys(at: Surroundings) -> Finding:
    from laptop_agents.doctor_keys import venues_verdict  # noqa: PLC0415 - only where asked

    verdict = venues_verdict(at.environ, at.home)
    return Finding("ok" if verdict.is_well else "warning", verdict.text)


def _existing(path: Path) -> Path:
    """Return the nearest folder above `path` that is there."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


CHECKS: Final[Mapping[str, Callable[[Surroundings], Finding]]] = {
    "python": _python,
    "terminal": _terminal,
    "screen": _screen,
    "home": _home,
    "disk": _disk,
    "clock": _clock,
    "kill file": _kill_file,
    "packages": _packages,
    "extras": _extras,
}
KEY_CHECKS: Final[Mapping[str, Callable[[Surroundings], Finding]]] = {
    "keyring": _keyring,
    "keys": _keys,
}
"""With `--keys` only: a keyring may ask its owner to unlock it."""
