"""`laptop-agents runs archive|clean|export|import`: what changes the shelf of runs."""

import argparse
import os
import sys
import time
from decimal import Decimal, InvalidOperation
from pathlib import Path

from engine.model.errors import StateDamaged, StateHeld, UsageError
from engine.session.sanitize import sanitize
from laptop_agents.archive import archive_run, remove_run, size_of, sweep
from laptop_agents.capsule import export_run
from laptop_agents.capsule_import import import_run
from laptop_agents.home import find_home, profile_folder
from laptop_agents.run_shelf import (
    RunSummary,
    find_run,
    is_running,
    latest,
    refuse_running,
    shelf,
)

DAY_S = 86_400
MB = 1_000_000


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    home = find_home(os.environ)
    verb = {"archive": _archive, "clean": _clean, "export": _export, "import": _import}
    try:
        return verb[arguments.verb](arguments, home)
    except OSError as error:
        where = sanitize(str(error.filename or home), 4_096)
        raise StateDamaged(f"can't read or write {where}: {error.strerror or error}") from error


def _archive(arguments: argparse.Namespace, home: Path) -> int:
    folder = find_run(arguments.run, home)
    done = archive_run(folder, home)
    _say(f"{done.path}: {done.files} files, {done.path.stat().st_size} bytes")
    if done.damage is not None:
        sys.stderr.write(f"packed as it is, but not proven: {sanitize(str(done.damage), 4_096)}\n")
    if arguments.remove:
        if done.damage is not None:
            raise done.damage  # evidence of damage is not deleted on the way
        remove_run(folder, home)
        _say(f"deleted {folder}")
    return 0


def _clean(arguments: argparse.Namespace, home: Path) -> int:
    days, keep = _retention(arguments.older_than, arguments.keep, home)
    chosen = doomed(home, days=days, keep=keep, now_s=time.time())
    if arguments.yes:
        sweep(home)
    for one in chosen:
        age = (time.time() - one.written_s) / DAY_S
        what = f"{one.run_id} ({age:.1f} days, {size_of(one.folder) / MB:.1f} MB)"
        if not arguments.yes:
            _say(f"would delete {what}")
            continue
        try:
            remove_run(one.folder, home)
        except StateHeld:  # it was taken up again meanwhile
            _say(f"spared {what}: it is running")
        else:
            _say(f"deleted {what}")
    if not chosen:
        sys.stderr.write("nothing is that old\n")
    elif not arguments.yes:
        sys.stderr.write("nothing was deleted; add --yes to do it\n")
    return 0


def doomed(home: Path, *, days: Decimal, keep: int, now_s: float) -> list[RunSummary]:
    """Return the runs to delete: old enough, not among the newest, not the latest, not running."""
    runs = shelf(home)
    newest = latest(home)
    return [
        one
        for place, one in enumerate(runs)
        if place >= max(keep, 1)
        and one.folder.resolve() != newest
        and now_s - one.written_s >= float(days) * DAY_S
        and not is_running(one.folder)
    ]


def _export(arguments: argparse.Namespace, home: Path) -> int:
    folder = find_run(arguments.run, home)
    refuse_running(folder)
    output = Path(arguments.output or f"{folder.name}.capsule.tar.gz").expanduser().absolute()
    contents = export_run(folder, output)
    _say(
        f"{output}: run {contents.run_id}, {contents.lines} lines, head {contents.head_hash},"
        f" {len(contents.files)} files"
    )
    return 0


def _import(arguments: argparse.Namespace, home: Path) -> int:
    file = Path(arguments.file).expanduser()
    if not file.is_file():
        raise UsageError(f"there is no file {arguments.file!r}")
    folder = import_run(file, home)
    _say(f"{folder}: proven and taken in")
    return 0


def _retention(days: str | None, keep: str | None, home: Path) -> tuple[Decimal, int]:
    """Return what was typed; what was not comes from the settings `runs.*`.

    Raises:
        UsageError: Nobody said how old is old.
    """
    if days is not None and keep is not None:
        return _days(days), _count(keep)
    from laptop_agents.settings import load  # noqa: PLC0415 - pydantic

    kept = load([], os.environ, profiles=profile_folder(home)).runs
    if days is None and kept.keep_days is None:
        raise UsageError("runs clean needs --older-than DAYS, or the setting runs.keep_days")
    return (
        Decimal(str(kept.keep_days)) if days is None else _days(days),
        kept.keep_count if keep is None else _count(keep),
    )


def _days(text: str) -> Decimal:
    try:
        days = Decimal(text)
    except InvalidOperation:
        days = Decimal("NaN")
    if not days.is_finite() or not 0 <= days < 10**6:
        raise UsageError("--older-than: a number of days, 0 or more")
    return days


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise UsageError("--keep: a whole number, 0 or more")
    return int(text)


def _say(text: str) -> None:
    sys.stdout.write(sanitize(text, 8_192) + "\n")
