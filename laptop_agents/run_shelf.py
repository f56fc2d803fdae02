"""The runs of a home: which there are, how each ended, which must be left alone.

Rule 1: everything is read, nothing is trusted: a run's files may be missing, cut off or somebody
        else's, and a figure that can't be read is None, never 0.
Rule 2: a run whose journal is held, or was written within the last minute and has no report, is
        running. Nobody archives, exports or deletes it.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from engine.model.errors import StateHeld, UsageError
from engine.reports.final_report import NAME as REPORT_NAME
from engine.session.manifest import NAME as MANIFEST_NAME
from engine.session.run_folder import LATEST, RUNS, valid_name
from laptop_agents.audit_words import figure
from laptop_agents.last_words import ends_of
from laptop_agents.runs import JOURNAL_NAME, find_journal

RUNNING_S: Final = 60.0
"""A journal written this recently, without a report beside it, belongs to a live session."""
DOCUMENT_MAX: Final = 16 * 1024 * 1024
"""Bytes; a larger manifest or report is not ours."""
_MONEY: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


ABRUPT: Final = "ended abruptly"
"""How a run ended that left no report."""


class Ending(NamedTuple):
    """How a run stands."""

    equity: Decimal | None
    net_pnl: Decimal | None
    fills: int | None
    duration_s: float | None
    stop_reason: str
    """`running` or `ended abruptly` where there is no report."""


class RunSummary(NamedTuple):
    """One run in a list."""

    run_id: str
    folder: Path
    started_at: str
    """UTC, empty where the manifest does not say."""
    mode: str
    simulated: bool | None
    is_running: bool
    written_s: float
    """When its journal or report last changed, Unix seconds."""
    ending: Ending


def shelf(home: Path) -> list[RunSummary]:
    """Return the runs under a home, newest first. Links and foreign folders are no runs."""
    runs = home / RUNS
    try:
        folders = sorted(runs.iterdir())
    except OSError:
        return []
    found = [summary(folder) for folder in folders if _is_run(folder)]
    # Two short runs may start in one second.
    return sorted(found, key=lambda run: (run.started_at, run.written_s, run.run_id), reverse=True)


def find_run(name: str, home: Path) -> Path:
    """Return the folder of a run.

    Raises:
        UsageError: There is none of that name.
    """
    return find_journal(name, home).parent.resolve()


def summary(folder: Path) -> RunSummary:
    """Describe a run by what its files say."""
    manifest, report = document(folder / MANIFEST_NAME), document(folder / REPORT_NAME)
    is_live = not report and is_running(folder)
    simulated = manifest.get("simulated")
    return RunSummary(
        run_id=folder.name,
        folder=folder,
        started_at=_text(manifest.get("started_at")),
        mode=_text(manifest.get("mode")),
        simulated=simulated if isinstance(simulated, bool) else None,
        is_running=is_live,
        written_s=_written_s(folder),
        ending=_reported(report) if report else _last_seen(folder, is_live=is_live),
    )


def document(path: Path) -> dict[str, Any]:
    """Return a JSON object with exact numbers; empty where the file holds none."""
    try:
        if not path.is_file() or path.stat().st_size > DOCUMENT_MAX:
            return {}
        return _MONEY.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, ValueError, RecursionError):
        return {}


def is_running(folder: Path) -> bool:
    """Whether a session writes there: it holds the journal, or has just written to it."""
    if is_held(folder):
        return True
    if (folder / JOURNAL_NAME).is_file() and (folder / REPORT_NAME).is_file():
        return False
    return time.time() - _written_s(folder) < RUNNING_S  # about to begin, or no run at all


def is_held(folder: Path) -> bool:
    """Whether a session holds the journal this instant; False where that can't be known."""
    try:
        fd = os.open(folder / JOURNAL_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(fd, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks: the clock has to do
        return False
    finally:
        os.close(fd)
    return False


def refuse_running(folder: Path) -> None:
    """Leave a live session alone.

    Raises:
        StateHeld: A session writes there.
    """
    if is_running(folder):
        raise StateHeld(f"run {folder.name} is running, or was a minute ago: stop it first")


def latest(home: Path) -> Path | None:
    """Return the folder `latest` points at."""
    with contextlib.suppress(OSError):
        return (home / RUNS / LATEST).resolve(strict=True)
    return None


def _is_run(folder: Path) -> bool:
    try:
        valid_name(folder.name)
    except UsageError:
        return False
    if folder.is_symlink() or not folder.is_dir():
        return False
    return any((folder / name).is_file() for name in (JOURNAL_NAME, MANIFEST_NAME))


def _written_s(folder: Path) -> float:
    times = [0.0]
    for path in (folder / JOURNAL_NAME, folder / REPORT_NAME):
        with contextlib.suppress(OSError):
            times.append(path.lstat().st_mtime)
    if len(times) == 1:
        with contextlib.suppress(OSError):
            times.append(folder.lstat().st_mtime)
    return max(times)


def _reported(report: Mapping[str, Any]) -> Ending:
    pnl = report.get("pnl")
    fills, duration_s = report.get("trades"), figure(report.get("duration_s"))
    return Ending(
        equity=figure(report.get("equity")),
        net_pnl=figure(pnl.get("net")) if isinstance(pnl, dict) else None,
        fills=fills if isinstance(fills, int) else None,
        duration_s=None if duration_s is None else float(duration_s),
        stop_reason=_text(report.get("stop_reason")),
    )


def _last_seen(folder: Path, *, is_live: bool) -> Ending:
    """Read the last heartbeat of a run that left no report; not proven, only shown."""
    began_ns, last_ns, beat = ends_of(folder / JOURNAL_NAME)
    fills = beat.get("fills")
    return Ending(
        equity=figure(beat.get("equity")),
        net_pnl=figure(beat.get("pnl")),
        fills=fills if isinstance(fills, int) else None,
        duration_s=None if began_ns is None or last_ns is None else (last_ns - began_ns) / 1e9,
        stop_reason="running" if is_live else ABRUPT,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
