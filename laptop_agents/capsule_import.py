"""Taking in a capsule from outside: everything is checked before it stands among the runs.

Rule 1: a run is built in a hidden folder beside the others and renamed once it is proven; what is
        refused leaves nothing behind.
Rule 2: sums and sizes are the sender's word and only find accidents. What proves the journal is its
        chain; the run's id must be the same in `capsule.json`, manifest and journal.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from engine.model.errors import JournalDamaged, StateDamaged, UsageError
from engine.reports.final_report import NAME as REPORT_NAME
from engine.session.manifest import NAME as MANIFEST_NAME
from engine.session.run_folder import RUNS
from engine.session.sanitize import sanitize
from laptop_agents.audit_verify import claimed_head
from laptop_agents.capsule import Contents, Proof, contents_of, evidence_fault, members, proof_of
from laptop_agents.home import FOLDER_MODE, prepare_home
from laptop_agents.run_shelf import document
from laptop_agents.runs import JOURNAL_NAME
from laptop_agents.tarball import Broken, Limits, Reader

DISK_RESERVE: Final = 256 << 20
"""Bytes that stay free, for the journals of sessions that run meanwhile."""
_NEW: Final = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY | os.O_CLOEXEC


def import_run(file: Path, home: Path, limits: Limits = Limits()) -> Path:  # noqa: B008 - a constant
    """Take a capsule in as `<home>/runs/<run>`; return that folder.

    Raises:
        UsageError: The run is here already.
        JournalDamaged: A line of its journal is not proven.
        StateDamaged: The capsule is damaged or hostile, or there is no room.
    """
    try:
        with closing(Reader(file, limits)) as reader:
            contents = contents_of(reader)
            runs = _runs_folder(home)
            target = runs / contents.run_id
            if os.path.lexists(target):
                raise UsageError(f"run {contents.run_id} is here already: {target}")
            _refuse_no_room(contents, home)
            return _build(reader, contents, target, file)
    except Broken as error:
        raise StateDamaged(f"{_shown(file)} was not taken in: {error}") from error
    except OSError as error:
        raise StateDamaged(f"can't import {_shown(file)}: {error.strerror or error}") from error


def _shown(file: Path) -> str:
    """Return the name of a file that somebody else may have named."""
    return sanitize(str(file), 4_096)


def _runs_folder(home: Path) -> Path:
    """Return the folder of runs, made if it is absent, refused where others may write."""
    runs = prepare_home(home) / RUNS
    runs.mkdir(mode=FOLDER_MODE, exist_ok=True)
    status = runs.lstat()
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    if not is_ours or status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StateDamaged(f"{runs} is open to other users, or no folder of this one: chmod 700 it")
    return runs


def _refuse_no_room(contents: Contents, home: Path) -> None:
    needed = sum(member.bytes for member in contents.files.values())
    if needed > shutil.disk_usage(home).free - DISK_RESERVE:
        raise StateDamaged(f"no room for {needed} bytes beside the reserve of {DISK_RESERVE}")


def _build(reader: Reader, contents: Contents, target: Path, file: Path) -> Path:
    beside = target.with_name(f".import-{os.getpid()}")
    if beside.exists():  # left by a crash
        shutil.rmtree(beside)
    beside.mkdir(FOLDER_MODE)
    try:
        for name, content in members(reader, contents):
            _place(beside, name, content)
        _prove(beside, contents, file)
        os.rename(beside, target)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return target


def _place(folder: Path, name: str, content: Iterator[bytes]) -> None:
    path = folder
    *parents, last = name.split("/")
    for parent in parents:
        path /= parent
        path.mkdir(FOLDER_MODE, exist_ok=True)
    with open(os.open(path / last, _NEW, 0o600), "wb") as file:
        for chunk in content:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _prove(folder: Path, contents: Contents, file: Path) -> None:
    """Hold the unpacked run to what the capsule claims.

    Raises:
        JournalDamaged: With the capsule's name and the journal's line.
        Broken: The places that name the run, or its head, disagree.
    """
    try:
        proof = proof_of(folder / JOURNAL_NAME)
    except JournalDamaged as error:
        where = f"{_shown(file)}: {Path(error.path).name}"
        raise JournalDamaged(where, error.line, error.reason) from error
    if proof != Proof(contents.run_id, contents.head_hash, contents.lines):
        raise Broken("its journal is not the one capsule.json names")
    if document(folder / MANIFEST_NAME).get("run_id") != contents.run_id:
        raise Broken("its manifest is of another run")
    if (folder / REPORT_NAME).exists() and claimed_head(folder / REPORT_NAME) != proof.head_hash:
        raise Broken("its report is of another journal")
    fault = evidence_fault(folder)
    if fault is not None:
        raise Broken(fault)
