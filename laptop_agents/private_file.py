"""A file that holds a secret: believed only if nobody else could read or plant it.

Rule 1: what is judged is what is read: the file is opened first, links not followed, then looked at
        through its descriptor. Rule 2: a refusal says what to type, and never what the file holds.

Source: reliability.md F3, row 114.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.model.errors import CredentialsRefused

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""A pipe in its place must not hold us up."""
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def read_private(path: Path, bytes_max: int) -> bytes | None:
    """Return what a file of this user holds; None where there is none.

    Raises:
        CredentialsRefused: It can't be read, is longer than that, no file, or not ours alone.
    """
    try:
        fd = os.open(path, _READ)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CredentialsRefused(f"can't read {path}: {error.strerror}") from error
    try:
        _refuse(path, os.fstat(fd), stat.S_ISREG)
        content = os.read(fd, bytes_max + 1)
    finally:
        os.close(fd)
    if len(content) > bytes_max:
        raise CredentialsRefused(f"{path} has more than {bytes_max:,} bytes: it is no such file")
    return content


def refuse_shared_folder(folder: Path) -> None:
    """Refuse a folder in which somebody else could read or swap files; absent is fine.

    Raises:
        CredentialsRefused: It is one.
    """
    try:
        _refuse(folder, folder.lstat(), stat.S_ISDIR)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CredentialsRefused(f"can't read {folder}: {error.strerror}") from error


def _refuse(path: Path, status: os.stat_result, is_kind: Callable[[int], bool]) -> None:
    if not is_kind(status.st_mode):
        kind = "regular file" if is_kind is stat.S_ISREG else "folder"
        raise CredentialsRefused(f"{path} is no {kind}: put one of your own there")
    if status.st_uid != os.geteuid():
        raise CredentialsRefused(f"{path} belongs to another user: make it anew as your own")
    if status.st_mode & OTHERS:
        want = "600" if is_kind is stat.S_ISREG else "700"
        raise CredentialsRefused(f"{path} is open to other users: chmod {want} it first")
