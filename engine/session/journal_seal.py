"""Packs closed segments: written beside, synced, read back, renamed, and only then unlinked.

A crash at any instant leaves the plain segment, the packed one, or both with the same lines; what
it left half done is thrown away and done again by the next session that writes the run.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final

import zstandard

from engine.session.file_system import FileSystem
from engine.session.journal_parts import PACKED, SEGMENT, BrokenSeal, open_packed

LEVEL: Final = 3
"""A tenth of the size at 300 MB/s; higher levels save little of what is mostly hashes."""
CHUNK: Final = 1 << 20


def seal_all(files: FileSystem, folder: Path) -> None:
    """Pack every closed segment of a run, oldest first.

    Raises:
        OSError: The disk refused, or gave back something else than was written.
    """
    for path in sorted(folder.iterdir()):
        match = SEGMENT.fullmatch(path.name)
        if match is not None and match[2] is None:
            seal(files, path)


def seal(files: FileSystem, plain: Path) -> Path:
    """Replace a closed segment by its packed form, and return that.

    Raises:
        OSError: See `seal_all`; the plain segment is untouched.
    """
    target = plain.with_name(plain.name + PACKED)
    if not target.exists():
        beside = target.with_name(f".{target.name}.tmp")
        files.unlink(beside)  # left by a crash
        digest = _pack(files, plain, beside)
        if _digest(beside) != digest:
            raise OSError(f"{beside} reads back as something else than was written")
        files.rename(beside, target)
        files.sync_folder(plain.parent)
    files.unlink(plain)
    return target


def _pack(files: FileSystem, plain: Path, beside: Path) -> bytes:
    """Write the packed bytes durably; return the digest of the plain ones."""
    digest = sha256()
    pack = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compressobj()
    fd = files.create(beside)
    try:
        with plain.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                _write(files, fd, pack.compress(chunk))
        _write(files, fd, pack.flush())
        files.sync(fd)
    finally:
        files.close(fd)
    return digest.digest()


def _write(files: FileSystem, fd: int, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[files.write(fd, rest) :]


def _digest(path: Path) -> bytes:
    digest = sha256()
    try:
        with open_packed(path) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except BrokenSeal:
        return b""
    return digest.digest()
