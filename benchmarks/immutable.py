"""Files that nobody can write, not even through a descriptor that was open before.

A mount can't be made read-only while somebody writes in it, and permissions are asked at opening
only. The immutable flag of ext4, XFS and btrfs is asked at every write; it takes a privilege.
"""

import fcntl
import os
import struct
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

GET_FLAGS: Final = 0x8008_6601
SET_FLAGS: Final = 0x4008_6602
"""FS_IOC_GETFLAGS and FS_IOC_SETFLAGS of linux/fs.h, for a long of eight bytes."""
IMMUTABLE: Final = 0x10


def is_possible() -> bool:
    """Whether the file system of TMPDIR and this user can do it."""
    with tempfile.NamedTemporaryFile() as file:
        path = Path(file.name)
        try:
            hold([path])
            release(path)
        except OSError:
            return False
    return True


def hold(paths: Iterable[Path]) -> None:
    """Make files or folders immutable; links and sockets, which hold nothing, are left."""
    for path in paths:
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            continue
        _flag(path, IMMUTABLE)


def release(place: Path) -> None:
    """Give a file, or all there is below a folder, back."""
    for folder, _, names in os.walk(place):
        for path in (Path(folder), *(Path(folder) / name for name in names)):
            if (path.is_file() and not path.is_symlink()) or path.is_dir():
                _flag(path, 0)
    if place.is_file():
        _flag(place, 0)


def _flag(path: Path, wanted: int) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        word = bytearray(8)
        fcntl.ioctl(fd, GET_FLAGS, word)
        (flags,) = struct.unpack("l", word)
        if flags & IMMUTABLE != wanted:
            fcntl.ioctl(fd, SET_FLAGS, struct.pack("l", flags & ~IMMUTABLE | wanted))
    finally:
        os.close(fd)
