"""The folder of one run: its name, its modes, and how files in it come to be.

Rule 1: files are 0600 and folders 0700 from the call that creates them, under any umask; nothing
        here changes a mode later. A folder somebody else could write or read is refused.
Rule 2: nothing follows a symbolic link to a file, and no name leaves the root.
Rule 3: a file that is replaced is written beside itself, synced and renamed: readers and crashes
        see the old one or the new one.

Source: reliability.md F3, F4, C5.
"""

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from engine.model.errors import StateDamaged, UsageError

Entropy = Callable[[int], bytes]
"""Returns that many random bytes: `os.urandom`, or something seeded in tests."""

RUNS: Final = "runs"
LATEST: Final = "latest"
EVIDENCE: Final = "evidence"
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_NEW: Final = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def new_run_id(now_ns: int, entropy: Entropy = os.urandom) -> str:
    """Return `YYYYMMDDTHHMMSSZ-<4 letters>`: sorts by time, differs within a second."""
    moment = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC)
    letters = "".join(_LETTERS[byte % len(_LETTERS)] for byte in entropy(4))
    return f"{moment:%Y%m%dT%H%M%SZ}-{letters}"


def valid_name(name: str) -> str:
    """Return `name` if it may name a file or a run: `[A-Za-z0-9._-]{1,64}`, no dot in front.

    Raises:
        UsageError: It may not.

    """
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            f"{name[:80]!r} is no valid name: use 1-64 of A-Z a-z 0-9 . _ -, no dot first"
        )
    return name


class RunFolder:
    """Makes files inside one run's folder. `create` it; a `RunFolder(path)` trusts what exists."""

    def __init__(self, path: Path, runs: Path | None = None) -> None:
        self.path = path
        self._runs = runs
        """Where `latest` stands; None once it points here, or need not."""

    @classmethod
    def create(cls, home: Path, run_id: str, run_dir: Path | None = None) -> "RunFolder":
        """Make the folder of a new run.

        Args:
            home: The program's own folder; made with its parents when absent.
            run_id: See `new_run_id`.
            run_dir: Where to write instead of `<home>/runs/<run_id>`; absent or empty.

        Raises:
            UsageError: The name is invalid, the run exists, or `run_dir` holds something.
            StateDamaged: A folder can't be written, or is open to other users.

        """
        if valid_name(run_id) == LATEST:
            raise UsageError(f"{LATEST!r} can't be the id of a run: it names the newest one")
        runs = home.resolve() / RUNS
        path = runs / run_id if run_dir is None else run_dir.resolve()
        with blame(path):
            _make_folders(runs)
            _refuse_open_home(runs.parent)
            refuse_shared(runs)
            _make_run(path, is_ours=run_dir is None)
        return cls(path, runs)

    def announce(self) -> None:
        """Let `<home>/runs/latest` point at a new run, now that it can be resumed; twice is fine.

        Raises:
            StateDamaged: The link can't be made.
        """
        if self._runs is not None:
            with blame(self.path):
                _point_latest(self._runs, self.path)
            self._runs = None

    @classmethod
    def reopen(cls, path: Path) -> "RunFolder":
        """Take up the folder of an interrupted run; `latest` is the one link that is followed.

        Raises:
            StateDamaged: It is a link, of another user, or open to others; so may its journal be.
        """
        path = path.resolve() if path.name == LATEST else path.absolute()
        with blame(path):
            refuse_shared(path)
        return cls(path)

    def file(self, *names: str) -> Path:
        """Return the path of a file in the folder, which need not exist.

        Raises:
            UsageError: A name is invalid, or a link on the way leads out of the folder.

        """
        path = self.path.joinpath(*map(valid_name, names))
        if not path.resolve().is_relative_to(self.path.resolve()):
            raise UsageError(f"{'/'.join(names)} leads out of {self.path}")
        return path

    def create_file(self, *names: str) -> int:
        """Create a file that must not exist; return its descriptor, for reading and writing.

        Raises:
            StateDamaged: It exists already, or can't be created.

        """
        path = self.file(*names)
        with blame(path):
            return os.open(path, _NEW | os.O_RDWR, 0o600)

    def create_folder(self, *names: str) -> Path:
        """Create a folder inside, parents too; one that exists is fine."""
        path = self.file(*names)
        with blame(path):
            _make_folders(path)
        return path

    def write(self, name: str, *pieces: bytes | bytearray) -> None:
        """Write or replace a file, atomically and durably.

        Raises:
            StateDamaged: It can't be written; what was there before is untouched.

        """
        path = self.file(name)
        with blame(path):
            replace_file(path, *pieces)

    def write_json(self, name: str, document: object) -> None:
        """Write or replace a JSON file, like `write`; decimals become numbers with every digit."""
        text = msgspec.json.format(_ENCODER.encode(document), indent=2)
        self.write(name, text + b"\n")


@contextmanager
def blame(path: Path) -> Iterator[None]:
    """Turn an operating system's error into one line that names the path.

    Raises:
        StateDamaged: Instead of the OSError.
    """
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise StateDamaged(f"can't write {where}: {error.strerror or error}") from error


def _make_folders(path: Path) -> None:
    if not path.is_dir():
        _make_folders(path.parent)
        try:
            path.mkdir(0o700)
        except FileExistsError:
            if not path.is_dir():  # a file of that name, not another session that was faster
                raise


def _make_run(path: Path, *, is_ours: bool) -> None:
    _make_folders(path.parent)
    try:
        path.mkdir(0o700)
    except FileExistsError as error:
        if is_ours:
            raise UsageError(f"run {path.name} exists already: {path}") from error
        if not path.is_dir() or any(path.iterdir()):
            raise UsageError(f"--run-dir {path} must be absent or an empty folder") from error
        refuse_shared(path)


def _refuse_open_home(home: Path) -> None:
    """Refuse a home in which anybody may swap our folders; a mount point may be readable."""
    mode = home.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise _shared(home, mode)


def refuse_shared(path: Path) -> None:
    """Refuse a folder or file that others may read or write, or that is a link.

    Raises:
        StateDamaged: It is one.
        OSError: It can't be looked at.
    """
    status = path.lstat()
    is_plain = stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)
    if not is_plain or status.st_uid != os.geteuid():
        raise StateDamaged(f"{path} is not of this user, or a link: refusing to write there")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise _shared(path, status.st_mode)


def _shared(path: Path, mode: int) -> StateDamaged:
    want = 700 if stat.S_ISDIR(mode) else 600
    return StateDamaged(
        f"{path} is open to other users (mode {stat.S_IMODE(mode):04o}): chmod {want} it first"
    )


def _point_latest(runs: Path, path: Path) -> None:
    target = path.name if path.parent == runs else str(path)
    link = runs / f".{LATEST}-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    link.replace(runs / LATEST)


def replace_file(path: Path, *pieces: bytes | bytearray) -> None:
    """Write or replace a file, atomically and durably, 0600.

    Raises:
        OSError: It can't be written; what was there before is untouched.
    """
    beside = path.with_name(f".{path.name}.tmp")
    beside.unlink(missing_ok=True)  # left by a crash
    try:
        _write_synced(beside, *pieces)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _write_synced(path: Path, *pieces: bytes | bytearray) -> None:
    fd = os.open(path, _NEW | os.O_WRONLY, 0o600)
    try:
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                written = os.write(fd, rest)
                if not written:
                    raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
                rest = rest[written:]
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_folder(path: Path) -> None:
    """Return once the names in a folder are on the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
