"""Opening a run: a new one, or one that was interrupted. Whoever holds its journal owns it."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Final, get_args

import msgspec

from engine.model.errors import CredentialsRefused, NeverBegun, StateHeld, UsageError
from engine.model.venue_events import VenueEvent
from engine.session.checkpoint import Checkpoint, stored, usable
from engine.session.envelope import Envelope
from engine.session.file_system import OS
from engine.session.health import MB
from engine.session.journal_emergency import EMERGENCY_NAME, is_used
from engine.session.journal_keeper import Keeper, begin, begin_again, take_over
from engine.session.journal_witness import doubts, refuse_cut, witnesses
from engine.session.kept_metrics import KeptRows, kept_rows
from engine.session.manifest import NAME as MANIFEST_NAME
from engine.session.manifest import Manifest, utc
from engine.session.metrics import CSV_NAME, JSON_NAME
from engine.session.recorded import Recorded
from engine.session.run_folder import RunFolder, blame, new_run_id, refuse_shared
from engine.session.sentinel.segment import has_let_go, read_verdict
from laptop_agents.checkpoint_key import envelope_of
from laptop_agents.runs import JOURNAL_NAME
from laptop_agents.version import __version__

if TYPE_CHECKING:
    from laptop_agents.settings import Settings

CLEARING_S: Final = 15.0
"""How long a resume waits for the sentinel of the crashed session to finish."""

METRICS: Final = (CSV_NAME, JSON_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Where a session writes, and when it began."""

    run_id: str
    folder: RunFolder
    keeper: Keeper
    """The journal, open and locked, and what lies around it."""
    recorded: Recorded | None
    """What an interrupted run left; None for a new one."""
    started_at: str
    start_ns: int
    """What the source is told of time."""
    envelope: Envelope | None
    """What checkpoints are written in; None writes none: their key is lost."""
    checkpoint: Checkpoint | None = None
    """Where the rerun of an interrupted run may begin; None for its first line."""
    kept: KeptRows | None = None
    """Its metrics up to there."""
    doubts: tuple[str, ...] = ()
    """What is wrong with the places that know how far its journal had come, in words."""
    is_begun_again: bool = False
    """It was interrupted before its first line: the same run, from its beginning."""


def new_run(settings: "Settings", home: Path, run_dir: Path | None) -> Run:
    """Make the folder of a new run and hold its journal.

    Raises:
        CredentialsRefused: Its checkpoints are to be encrypted, and the key can't be had.
        LaptopAgentsError: The folder can't be made.
    """
    envelope = envelope_of(settings.checkpoint)
    wall_ns = time_ns()
    pinned_ns = settings.session.start_ns
    run_id = settings.session.run_id or new_run_id(wall_ns)
    folder = RunFolder.create(home, run_id, run_dir)
    journal = folder.file(JOURNAL_NAME)
    with blame(journal):
        keeper = begin(journal, segment_bytes=settings.journal.segment_mb * MB)
    return Run(
        run_id=run_id,
        folder=folder,
        keeper=keeper,
        recorded=None,
        started_at=utc(wall_ns),
        start_ns=wall_ns if pinned_ns is None else pinned_ns,
        envelope=envelope,
    )


def interrupted_run(journal: Path) -> tuple["Settings", Run]:
    """Hold an unfinished journal, cut its torn end, and read its settings.

    Raises:
        UsageError: The run has ended, was killed, or did not record its inputs.
        StateHeld: Another session is writing it.
        JournalDamaged: It can't be trusted.
    """
    from laptop_agents.recorded_settings import recorded_settings  # noqa: PLC0415 - rarely needed

    folder = RunFolder.reopen(journal.parent)
    journal = folder.file(journal.name)
    _refuse_final(journal.parent)
    with blame(journal):
        refuse_shared(journal)
        fd = OS.append(journal)
        _lock(fd, journal)
    with blame(journal):
        known = witnesses(journal.parent)
    try:
        recorded = Recorded(journal, {witness.seq for witness in known})
    except NeverBegun:
        refuse_cut(journal, 0, known)
        return _begun_again(folder, journal, fd)
    refuse_cut(journal, recorded.count, known)
    doubtful = tuple(doubts(journal.parent, known, recorded.hashes))
    started = msgspec.json.decode(recorded.first.data)
    if recorded.has_ended:
        raise UsageError(f"{journal} has ended: there is nothing to resume")
    settings = recorded_settings(started["settings"])
    if settings.journal.detail != "inputs":
        raise UsageError(f"{journal} holds no inputs: it was recorded with less journal.detail")
    if settings.mode == "live":
        recorded.count_outside(get_args(VenueEvent))
    with blame(journal):
        _set_aside(folder, recorded.count)
        keeper = take_over(journal, fd, recorded, segment_bytes=settings.journal.segment_mb * MB)
    envelope = _envelope_or_none(settings)
    points = stored(journal.parent, __version__, envelope, started["run_id"]) if envelope else []
    point = usable(points, recorded.hashes)
    kept = None if point is None else kept_rows(folder, point.ts_ns)
    for name in METRICS:
        folder.file(name).unlink(missing_ok=True)  # written anew, from the kept rows on
    return settings, Run(
        run_id=started["run_id"],
        folder=folder,
        keeper=keeper,
        recorded=recorded,
        started_at=started["started_at"],
        start_ns=started["start_ns"],
        envelope=envelope,
        checkpoint=None if kept is None else point,
        kept=kept,
        doubts=doubtful,
    )


def _begun_again(folder: RunFolder, journal: Path, fd: int) -> tuple["Settings", Run]:
    """Start an interrupted run from its beginning, by the settings in its manifest.

    Raises:
        NeverBegun: It was interrupted even before its manifest was written.
    """
    from laptop_agents.recorded_settings import recorded_settings  # noqa: PLC0415 - rarely needed

    try:
        content = folder.file(MANIFEST_NAME).read_bytes()
        manifest = msgspec.json.decode(content, type=Manifest)
    except (FileNotFoundError, msgspec.DecodeError) as error:
        os.close(fd)
        raise NeverBegun(
            f"run {folder.path.name} was interrupted before it knew its settings: nothing had"
            " happened yet; start a new session"
        ) from error
    settings = recorded_settings({n: setting.value for n, setting in manifest.settings.items()})
    with blame(journal):
        keeper = begin_again(journal, fd, segment_bytes=settings.journal.segment_mb * MB)
    for name in METRICS:
        folder.file(name).unlink(missing_ok=True)
    wall_ns, pinned_ns = time_ns(), settings.session.start_ns
    return settings, Run(
        run_id=manifest.run_id,
        folder=folder,
        keeper=keeper,
        recorded=None,
        started_at=utc(wall_ns),
        start_ns=wall_ns if pinned_ns is None else pinned_ns,
        envelope=_envelope_or_none(settings),
        is_begun_again=True,
    )


def _envelope_or_none(settings: "Settings") -> Envelope | None:
    try:
        return envelope_of(settings.checkpoint)
    except CredentialsRefused:
        return None


def _refuse_final(folder: Path) -> None:
    """Leave a run alone that was killed (reliability.md D2), or is still being cleared up."""
    name = folder.resolve().name
    if not has_let_go(folder, CLEARING_S):
        raise StateHeld(f"the sentinel of run {name} still clears up after it")
    final = read_verdict(folder).final
    if final:
        raise UsageError(f"run {name} is over for good: {final}; start a new session")


def _set_aside(folder: RunFolder, seq: int) -> None:
    """Keep the last words of a session whose disk failed; at a simulated venue they are undone."""
    words = folder.file(EMERGENCY_NAME)
    if is_used(words):
        words.rename(folder.file(f"emergency-{seq}.jsonl"))


def _lock(fd: int, journal: Path) -> None:
    """Hold the journal itself, so that no lock file can be deleted under its holder."""
    held = StateHeld(f"another session is writing run {journal.parent.name}")
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise held from error
    if os.fstat(fd).st_ino != journal.stat().st_ino:  # it has become a segment meanwhile
        raise held
