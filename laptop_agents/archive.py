"""Packing a whole run away, and deleting runs. What is deleted is deleted on request only.

Rule 1: an archive holds every file of the run as it is, but what can be made anew (`audit.sqlite`)
        and what is no file (sockets). What can't be packed is named and stops the work.
Rule 2: an archive counts once it was read back and every file found in it, byte for byte.
Rule 3: a run that is deleted leaves the list in one step: it is renamed first.
"""

import os
import shutil
import stat
from contextlib import ExitStack, closing, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Final, NamedTuple

from engine.model.errors import JournalDamaged, StateDamaged, UsageError
from engine.session.audit_database import NAME as INDEX_NAME
from engine.session.journal_reader import read_journal
from engine.session.run_folder import LATEST, RUNS, valid_name
from laptop_agents.capsule import create
from laptop_agents.home import FOLDER_MODE, prepare_home
from laptop_agents.run_shelf import refuse_running
from laptop_agents.runs import JOURNAL_NAME
from laptop_agents.tarball import CHUNK, Broken, Limits, Reader, open_plain, write

FOLDER: Final = "archive"
SUFFIX: Final = ".tar.gz"
GONE: Final = ".deleted-"
"""How a run that is being deleted begins; what a crash left of it goes with the next one."""
OWN_LIMITS: Final = Limits(members=100_000, bytes=1 << 50)
"""For reading back what this process has just written."""


class Archived(NamedTuple):
    """What was packed."""

    path: Path
    files: int
    damage: JournalDamaged | None
    """What is wrong with the journal; it is packed as it is."""


def archive_run(folder: Path, home: Path) -> Archived:
    """Pack a run into `<home>/archive` and verify that.

    Raises:
        StateHeld: The run is running.
        UsageError: It is archived already, or holds what can't be packed.
        StateDamaged: It can't be read or written, or changed meanwhile.
    """
    refuse_running(folder)
    target = prepare_home(home) / FOLDER / f"{valid_name(folder.name)}{SUFFIX}"
    names = _names(folder)
    with ExitStack() as stack:
        try:
            target.parent.mkdir(FOLDER_MODE, exist_ok=True)
            streams = {name: stack.enter_context(open_plain(folder / name)) for name in names}
        except OSError as error:
            raise StateDamaged(f"can't read {error.filename}: {error.strerror}") from error
        sizes = {name: os.fstat(stream.fileno()).st_size for name, stream in streams.items()}
        rows = [(name, stream, sizes[name]) for name, stream in streams.items()]
        create(target, lambda file: write(file, rows))
        try:
            _compare(target, streams)
        except (Broken, OSError) as error:
            target.unlink(missing_ok=True)
            raise StateDamaged(f"{target} is not what it was made of: {error}") from error
    return Archived(target, len(names), _damage(folder / JOURNAL_NAME))


def remove_run(folder: Path, home: Path) -> None:
    """Delete a run that is not running, and `latest` where it pointed there.

    Raises:
        StateHeld: The run is running.
        StateDamaged: It can't be deleted.
    """
    refuse_running(folder)
    try:
        gone = folder.with_name(f"{GONE}{folder.name}")
        folder.rename(gone)
        shutil.rmtree(gone)
        link = home / RUNS / LATEST
        if link.is_symlink() and not link.exists():
            link.unlink()
    except OSError as error:
        raise StateDamaged(f"can't delete {folder}: {error.strerror or error}") from error


def sweep(home: Path) -> None:
    """Finish deletions that a crash cut short."""
    with suppress(OSError):
        for path in (home / RUNS).glob(f"{GONE}*"):
            if not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)


def size_of(folder: Path) -> int:
    """Return the bytes of a run's files."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(root) / name).lstat().st_size
    return total


def _names(folder: Path) -> list[str]:
    """Return the run's files by relative name, sorted."""
    names = []
    for root, folders, files in os.walk(folder):
        for name in (*files, *(one for one in folders if (Path(root) / one).is_symlink())):
            path = Path(root) / name
            relative = path.relative_to(folder).as_posix()
            mode = path.lstat().st_mode
            if stat.S_ISSOCK(mode) or name == INDEX_NAME or name.startswith(f".{INDEX_NAME}"):
                continue
            if not stat.S_ISREG(mode):
                raise UsageError(f"{folder.name} holds {relative!r}, which is no plain file")
            try:
                for part in relative.split("/"):
                    valid_name(part)
            except UsageError as error:
                raise UsageError(f"{folder.name} holds {relative!r}: rename it first") from error
            names.append(relative)
    return sorted(names)


def _compare(target: Path, streams: dict[str, IO[bytes]]) -> None:
    """Read the archive back and hold each file against the original.

    Raises:
        Broken: One differs or is missing.
    """
    left = dict(streams)
    with closing(Reader(target, OWN_LIMITS)) as reader:
        for member, content in reader.members():
            stream = left.pop(member.name)
            packed, original = sha256(), sha256()
            for chunk in content:
                packed.update(chunk)
            stream.seek(0)
            while chunk := stream.read(CHUNK):
                original.update(chunk)
            if packed.digest() != original.digest():
                raise Broken(f"{member.name} differs")
    if left:
        raise Broken(f"{min(left)} is missing")


def _damage(journal: Path) -> JournalDamaged | None:
    try:
        for _ in read_journal(journal):
            pass
    except JournalDamaged as damage:
        return damage
    except FileNotFoundError:
        return JournalDamaged(str(journal), 1, "there is no journal")
    return None
