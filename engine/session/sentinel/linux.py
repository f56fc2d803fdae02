"""Two calls of Linux that Python does not offer; where they are missing, nothing is lost but time.

`Arrivals` hears of a file the moment it appears, also of one that is gone again a moment later.
Elsewhere a poll has to do, and may miss a file that lives shorter than its beat.
"""

import ctypes
import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

_IN_CREATE: Final = 0x100
_IN_MOVED_TO: Final = 0x80
_EVENT: Final = struct.Struct("iIII")
_READ_BYTES: Final = 64 * 1024
_KEEP_SIZE: Final = 1

_libc: Final = ctypes.CDLL(None, use_errno=True)


class Arrivals:
    """Files of given names that appear in their folders."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Begin to listen; a folder that can't be watched is left to the poll."""
        self.fd: int | None = None
        """To wait on; None where the system does not tell."""
        self._places: dict[tuple[int, bytes], int] = {}
        if not hasattr(_libc, "inotify_init1"):
            return
        fd = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if fd < 0:
            return
        self.fd = fd
        for place, path in enumerate(paths):
            folder, name = os.path.split(os.fsencode(path))
            watch = _libc.inotify_add_watch(fd, folder or b".", _IN_CREATE | _IN_MOVED_TO)
            if watch >= 0:
                self._places[watch, name] = place

    def take(self) -> int | None:
        """Return the place of a path that appeared since the last call; never waits."""
        if self.fd is None:
            return None
        try:
            block = os.read(self.fd, _READ_BYTES)
        except BlockingIOError:
            return None
        at = 0
        while at < len(block):
            watch, _, _, length = _EVENT.unpack_from(block, at)
            at += _EVENT.size + length
            place = self._places.get((watch, block[at - length : at].rstrip(b"\0")))
            if place is not None:
                return place
        return None


def reserve(fd: int, size: int) -> None:
    """Set disk space aside behind the end of a file, which keeps its length; best effort."""
    if hasattr(_libc, "fallocate"):
        with suppress(ctypes.ArgumentError):
            offset, length = ctypes.c_int64(0), ctypes.c_int64(size)
            _libc.fallocate(fd, _KEEP_SIZE, offset, length)
