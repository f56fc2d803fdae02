"""A log file that never grows past a size, and never fails its writer."""

import contextlib
import itertools
import os
import threading
from pathlib import Path
from typing import Final

FILE_BYTES_MAX: Final = 5_000_000
FILES_MAX: Final = 5
"""The current file and four older ones: 25 MB a run at most."""

_OPEN: Final = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class RotatingFile:
    """Appends whole lines; `<path>.1` is the newest of the older files."""

    def __init__(
        self, path: Path, *, bytes_max: int = FILE_BYTES_MAX, files_max: int = FILES_MAX
    ) -> None:
        self.dropped = 0
        """Lines the disk refused."""
        self._path, self._bytes_max, self._files_max = path, bytes_max, files_max
        self._lock = threading.Lock()
        self._fd: int | None = os.open(path, _OPEN, 0o600)
        self._size = self._since_rotation = os.fstat(self._fd).st_size

    def write(self, line: bytes) -> None:
        """Append one line, from any thread; a line that can't be written is counted."""
        with self._lock:
            if self._fd is None:
                self.dropped += 1
                return
            if self._since_rotation and self._since_rotation + len(line) > self._bytes_max:
                self._rotate()
            self._append(self._fd, line)

    def close(self) -> None:
        """Close the file; what is written later is counted as dropped."""
        with self._lock:
            fd, self._fd = self._fd, None
            if fd is not None:
                os.close(fd)

    def _append(self, fd: int, line: bytes) -> None:
        try:
            is_whole = os.write(fd, line) == len(line)
        except OSError:
            is_whole = False
        if is_whole:
            self._size += len(line)
            self._since_rotation += len(line)
            return
        self.dropped += 1
        with contextlib.suppress(OSError):  # half a line would spoil the next one
            os.ftruncate(fd, self._size)

    def _rotate(self) -> None:
        assert self._fd is not None, "the caller looked"
        # If this fails the file grows on, and rotation is tried again a whole size later.
        self._since_rotation = 0
        try:
            self._shift()
            fresh = os.open(self._path, _OPEN | os.O_EXCL, 0o600)
        except OSError:
            return
        os.close(self._fd)
        self._fd, self._size = fresh, 0

    def _shift(self) -> None:
        names = [self._path, *(Path(f"{self._path}.{n}") for n in range(1, self._files_max))]
        for newer, older in reversed(list(itertools.pairwise(names))):
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)
