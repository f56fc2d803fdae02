"""What the journal asks of the operating system, one method a call (architecture.md rule 11).

Everything that changes a run's journal on disk passes here and nowhere else, so a test can write
down each call and rebuild any disk a crash may leave behind (`tests/crash/disks.py`). Reading is
not part of it: what is read is proven.
"""

import os
from pathlib import Path
from typing import Final, Protocol

from engine.session.run_folder import sync_folder

_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD: Final = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


class FileSystem(Protocol):
    """Calls of the operating system. Each raises OSError, and none tries twice."""

    def create(self, path: Path) -> int:
        """Make a file that must not exist, 0600 under any umask; return its descriptor."""
        ...

    def append(self, path: Path) -> int:
        """Open a file, no link, to add to it; return its descriptor."""
        ...

    def open(self, path: Path) -> int:
        """Open a file, no link, to write in it with `write_at`; return its descriptor."""
        ...

    def write(self, fd: int, block: bytes | memoryview) -> int:
        """Write some of `block` where the last write ended; return how many bytes."""
        ...

    def write_at(self, fd: int, block: bytes, at: int) -> None:
        """Write all of `block` at byte `at`.

        Raises:
            OSError: It could not be written whole.
        """
        ...

    def sync(self, fd: int) -> None:
        """Return once the file's bytes are on the disk (fdatasync)."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """Return once the names in a folder are on the disk."""
        ...

    def link(self, old: Path, new: Path) -> None:
        """Give a file a second name, which must be free."""
        ...

    def rename(self, old: Path, new: Path) -> None:
        """Give a file another name; what had that name loses it in the same step."""
        ...

    def unlink(self, path: Path) -> None:
        """Take a name away; absent is fine."""
        ...

    def truncate(self, fd: int, size: int) -> None:
        """Cut a file to `size` bytes."""
        ...

    def allocate(self, fd: int, size: int) -> None:
        """Reserve room for `size` bytes, which read as zeros until they are written."""
        ...

    def close(self, fd: int) -> None:
        """Let go of a descriptor."""
        ...


class OsFileSystem:
    """The file system of this machine."""

    def create(self, path: Path) -> int:
        """See `FileSystem`."""
        return os.open(path, _NEW, 0o600)

    def append(self, path: Path) -> int:
        """See `FileSystem`."""
        return os.open(path, _OLD | os.O_APPEND)

    def open(self, path: Path) -> int:
        """See `FileSystem`."""
        return os.open(path, _OLD)

    def write(self, fd: int, block: bytes | memoryview) -> int:
        """See `FileSystem`."""
        return os.write(fd, block)

    def write_at(self, fd: int, block: bytes, at: int) -> None:
        """See `FileSystem`."""
        written = os.pwrite(fd, block, at)
        if written != len(block):
            raise OSError(f"only {written} of {len(block)} bytes were written")

    def sync(self, fd: int) -> None:
        """See `FileSystem`."""
        os.fdatasync(fd)

    def sync_folder(self, folder: Path) -> None:
        """See `FileSystem`."""
        sync_folder(folder)

    def link(self, old: Path, new: Path) -> None:
        """See `FileSystem`."""
        os.link(old, new, follow_symlinks=False)

    def rename(self, old: Path, new: Path) -> None:
        """See `FileSystem`."""
        os.replace(old, new)

    def unlink(self, path: Path) -> None:
        """See `FileSystem`."""
        path.unlink(missing_ok=True)

    def truncate(self, fd: int, size: int) -> None:
        """See `FileSystem`."""
        os.ftruncate(fd, size)

    def allocate(self, fd: int, size: int) -> None:
        """See `FileSystem`."""
        os.posix_fallocate(fd, 0, size)

    def close(self, fd: int) -> None:
        """See `FileSystem`."""
        os.close(fd)


OS: Final = OsFileSystem()
"""It holds nothing, so one is enough."""
