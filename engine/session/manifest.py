"""manifest.json: what a run was started with, enough to start it again."""

import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from engine.model.events import SCHEMA_VERSION
from engine.session.sanitize import Redactor

NAME: Final = "manifest.json"
_REVISION: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_GIT_FILE_MAX: Final = 1 << 20
"""Bytes; a larger HEAD, ref or packed-refs file is not read: the revision is then unknown."""

Scalar = str | int | float | bool | None


class Setting(msgspec.Struct, frozen=True):
    """One resolved setting."""

    value: Scalar
    origin: str
    """Which of its homes it came from: flag, environment, profile, default."""


class Versions(msgspec.Struct, frozen=True):
    """What wrote the run."""

    package: str
    python: str
    schema: int
    """Of the journal's lines."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The file, field by field; written at the start and again, with its end, at the end."""

    run_id: str
    versions: Versions
    git_revision: str | None
    """None outside a checkout."""
    mode: str
    simulated: bool
    source: str
    symbols: tuple[str, ...]
    agents: tuple[str, ...]
    settings: dict[str, Setting]
    """By dotted name, secrets taken out."""
    seed: int
    started_at: str
    ended_at: str | None = None
    """None while the session runs, and for good if it was killed."""
    parent_run: str | None = None
    """The run this one resumed."""


def current_versions(package: str) -> Versions:
    """Return what runs now; `package` is the version of this program."""
    return Versions(package, platform.python_version(), SCHEMA_VERSION)


def shown_settings(settings: Mapping[str, tuple[object, str]]) -> dict[str, Setting]:
    """Turn dotted name → (value, origin) into what a manifest may show; secrets are redacted."""
    redactor = Redactor()
    return {
        name: Setting(_shown(redactor, name, value), origin)
        for name, (value, origin) in sorted(settings.items())
    }


def _shown(redactor: Redactor, name: str, value: object) -> Scalar:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return redactor.value(name, text)


def utc(ts_ns: int) -> str:
    """Return a UTC time to the second, as manifests and run ids show it."""
    return f"{datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def git_revision(inside: Path) -> str | None:
    """Return the commit checked out around `inside`, read by hand; None when unknown.

    No git is run: it may be absent, slow, or answer for a folder that is not ours to ask about.
    """
    try:
        folder = _git_folder(inside)
        return None if folder is None else _resolve(folder)
    except (OSError, ValueError):
        return None


def _git_folder(inside: Path) -> Path | None:
    for folder in (inside, *inside.parents):
        git = folder / ".git"
        if git.is_dir():
            return git
        if git.is_file():  # a linked work tree
            return (folder / _read(git).removeprefix("gitdir:").strip()).resolve()
    return None


def _resolve(folder: Path) -> str | None:
    head = _read(folder / "HEAD").strip()
    if not head.startswith("ref:"):
        return _revision(head)
    ref = head.removeprefix("ref:").strip()
    common = folder / "commondir"
    shared = (folder / _read(common).strip()).resolve() if common.is_file() else folder
    for root in (folder, shared):
        if (root / ref).is_file():
            return _revision(_read(root / ref).strip())
    return _packed(shared / "packed-refs", ref)


def _packed(path: Path, ref: str) -> str | None:
    lines = _read(path).splitlines()
    found = (line.split(" ", 1)[0] for line in lines if line.endswith(f" {ref}"))
    return _revision(next(found, ""))


def _revision(text: str) -> str | None:
    return text if _REVISION.fullmatch(text) else None


def _read(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_GIT_FILE_MAX + 1)
    if len(content) > _GIT_FILE_MAX:
        raise ValueError(f"{path} is too large")
    return content.decode("utf-8")
