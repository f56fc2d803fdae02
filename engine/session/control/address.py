"""Where a session's socket is, and who may take the place.

`<run>/control.sock` is the socket, or, where a path is too long for one or the file system knows
none, a file naming a short one in the runtime folder. Both are 0600 from the call that makes them.
"""

import contextlib
import hashlib
import os
import socket
import stat
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from engine.model.errors import SessionUnreachable, StateDamaged, StateHeld

NAME: Final = "control.sock"
PATH_BYTES_MAX: Final = 103
"""What every system takes: macOS has 104 bytes with the closing zero, Linux 108."""
BASE_BYTES_MAX: Final = 48
"""Longest runtime folder in which a socket's own name still fits."""
BACKLOG: Final = 32
PROBE_S: Final = 0.5
"""How long a socket found in the way may take to show that somebody listens."""


class Listener(NamedTuple):
    """A bound socket and every file that leads to it."""

    sock: socket.socket
    paths: tuple[Path, ...]

    def close(self) -> None:
        """Close the socket and take its files away; twice is fine.

        A disk that has become read-only keeps them, and the end of the session its exit code: the
        next session finds that nobody listens there.
        """
        self.sock.close()
        for path in self.paths:
            with contextlib.suppress(OSError):
                path.unlink()


def listen(folder: Path) -> Listener:
    """Bind the control socket of a run.

    Raises:
        StateHeld: A session listens there.
        StateDamaged: Something that is no socket is in the way, or nothing can be bound.

    """
    path = folder / NAME
    if path.is_file():
        _clear(_short(folder))  # before the file that names it: somebody may still listen there
    _clear(path)
    if len(os.fsencode(path)) <= PATH_BYTES_MAX:
        with contextlib.suppress(PermissionError, NotImplementedError):
            return Listener(_bound(path), (path,))
    short = _short(folder)
    _clear(short)
    sock = _bound(short)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(fd, "wb") as file:
        file.write(os.fsencode(short))
    return Listener(sock, (path, short))


def find(folder: Path) -> Path:
    """Return the path of a run's socket.

    Raises:
        SessionUnreachable: There is none, or what is there leads out of this user's places.

    """
    path = folder / NAME
    try:
        status = path.lstat()
        if stat.S_ISSOCK(status.st_mode):
            return path
        if not stat.S_ISREG(status.st_mode) or status.st_size > PATH_BYTES_MAX:
            raise SessionUnreachable(f"{path} is no control socket")
        named = Path(os.fsdecode(path.read_bytes()))
    except FileNotFoundError:
        raise SessionUnreachable(f"run {folder.name} has no control socket") from None
    except (OSError, ValueError) as error:
        raise SessionUnreachable(f"{path} can't be read: {error}") from error
    if named != _short(folder):
        raise SessionUnreachable(f"{path} names a socket that is not this run's")
    return named


def _short(folder: Path) -> Path:
    """Return the short path of a run: the same for everybody who knows the run's folder."""
    digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    return runtime_folder() / f"{digest}.sock"


def runtime_folder() -> Path:
    """Return this user's folder for sockets, made if it is absent.

    Raises:
        StateDamaged: It is not ours alone.

    """
    wished = (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir())
    base = next((name for name in wished if name and len(name) <= BASE_BYTES_MAX), "/tmp")  # noqa: S108 - made 0700
    folder = Path(base) / f"laptop-agents-{os.geteuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(0o700)
    status = folder.lstat()
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    if not is_ours or status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StateDamaged(f"{folder} is not a folder of this user alone: remove it")
    return folder


def _bound(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)  # the file is 0600 before anybody can open it
    try:
        sock.bind(os.fspath(path))
        sock.listen(BACKLOG)
    except PermissionError:  # how a mounted folder without sockets says so
        sock.close()
        raise
    except OSError as error:
        sock.close()
        raise StateDamaged(f"can't listen at {path}: {error.strerror or error}") from error
    finally:
        os.umask(before)
    return sock


def _clear(path: Path) -> None:
    """Take away what a dead session left."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISREG(status.st_mode) and status.st_size <= PATH_BYTES_MAX:
        path.unlink()  # a pointer; the socket it named is cleared by its own name
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise StateDamaged(f"{path} is in the way: it is no control socket")
    if _is_alive(path):
        raise StateHeld(f"a session listens at {path}")
    path.unlink()


def _is_alive(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_S)
        try:
            probe.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # busy, or not ours to judge: whoever is there stays
    return True
