"""A packed tar file of plain files: written the same every time, read as if an enemy wrote it.

Rule 1: the same files give the same bytes: sorted by the caller, no times, no owners.
Rule 2: the reader knows plain files under relative names and nothing else. Links, folders, devices,
        long-name and pax records are not skipped but refused, so nobody has to reason about them.
Rule 3: sizes are bounded before they are believed, and no name leaves the reader unchecked.

Python's own reader is not used: it follows records that hold a name or a size of any length.
"""

import gzip
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from engine.model.errors import StateDamaged, UsageError
from engine.session.run_folder import valid_name

BLOCK: Final = 512
CHUNK: Final = 1 << 20
LEVEL: Final = 6
"""gzip's own default: 9 takes thrice the time for a hundredth of the size."""
DEPTH_MAX: Final = 4
_PLAIN: Final = (b"0", b"\0")


class Limits(NamedTuple):
    """What a file from outside may hold."""

    members: int = 1_000
    bytes: int = 8 << 30
    """Of all members together: more than a day of ten busy instruments."""


class Member(NamedTuple):
    """One plain file."""

    name: str
    size: int


class Broken(Exception):
    """The file is not what `write` makes."""


def write(target: IO[bytes], files: Iterable[tuple[str, IO[bytes], int]]) -> None:
    """Write named streams of known size, in the order given.

    Raises:
        StateDamaged: A stream is shorter than its size: somebody writes to the file.
    """
    with (
        gzip.GzipFile(
            filename="", mode="wb", compresslevel=LEVEL, fileobj=target, mtime=0
        ) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, stream, size in files:
            header = tarfile.TarInfo(name)
            header.size, header.mode = size, 0o600
            try:
                archive.addfile(header, stream)
            except (OSError, ValueError) as error:
                raise StateDamaged(f"can't pack {name!r}: {error}") from error


class Reader:
    """Reads members in order; each is a stream to be read before the next is asked for."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._packed = gzip.open(path, "rb")  # noqa: SIM115 - closed by `close`
        self._limits = limits
        self._members = self._all()

    def close(self) -> None:
        """Let go of the file."""
        self._packed.close()

    def members(self) -> Iterator[tuple[Member, Iterator[bytes]]]:
        """Return the files not taken yet, each with its content in chunks.

        Raises:
            Broken: The file is cut off, damaged, too large, or holds what it must not.
        """
        return self._members

    def _all(self) -> Iterator[tuple[Member, Iterator[bytes]]]:
        names: set[str] = set()
        total = 0
        while (header := self._block()) != bytes(BLOCK):
            member = _member(header)
            total += member.size
            if len(names) >= self._limits.members or total > self._limits.bytes:
                raise Broken(f"it holds more than {self._limits.members} files or"
                             f" {self._limits.bytes} bytes")  # fmt: skip
            if member.name.casefold() in names:
                raise Broken(f"{member.name} is in it twice")
            names.add(member.name.casefold())
            content = self._content(member.size)
            yield member, content
            for _ in content:  # what the caller left
                pass
            self._read(-member.size % BLOCK)
        self._padding()

    def _content(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            chunk = self._read(min(CHUNK, left))
            left -= len(chunk)
            yield chunk

    def _block(self) -> bytes:
        return self._read(BLOCK)

    def _read(self, size: int) -> bytes:
        try:
            chunk = self._packed.read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise Broken("it is cut off or damaged") from error
        if len(chunk) != size:
            raise Broken("it is cut off")
        return chunk

    def _padding(self) -> None:
        """Read on to the end: gzip's own checksum stands there, and nothing else may."""
        try:
            rest = self._packed.read(tarfile.RECORDSIZE + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise Broken("it is cut off or damaged") from error
        if len(rest) > tarfile.RECORDSIZE or rest.strip(b"\0"):
            raise Broken("something stands behind its end")


def _member(header: bytes) -> Member:
    """Read one ustar header.

    Raises:
        Broken: It is none, or one of something other than a plain file under a safe name.
    """
    claimed = _octal(header[148:156])
    if sum(header[:148]) + sum(header[156:]) + 8 * 0x20 != claimed:
        raise Broken("a header is damaged")
    if header[257:263] != b"ustar\0":
        raise Broken("it is no tar file of this program")
    if header[156:157] not in _PLAIN or header[157:257].strip(b"\0"):
        raise Broken("it holds something other than plain files")
    prefix, name = _words(header[345:500]), _words(header[:100])
    return Member(_safe(f"{prefix}/{name}" if prefix else name), _octal(header[124:136]))


def _words(field: bytes) -> str:
    text, _, rest = field.partition(b"\0")
    try:
        if rest.strip(b"\0"):
            raise Broken("a header is damaged")
        return text.decode("ascii")
    except UnicodeDecodeError as error:
        raise Broken("it holds a name that is not allowed") from error


def _octal(field: bytes) -> int:
    digits = field.strip(b"\0 ")
    if not digits or any(byte not in b"01234567" for byte in digits):
        raise Broken("a header is damaged")
    return int(digits, 8)


def _safe(name: str) -> str:
    """Return a relative name whose every part is a valid one."""
    parts = name.split("/")
    try:
        if len(parts) > DEPTH_MAX:
            raise UsageError("too deep")
        return "/".join(map(valid_name, parts))
    except UsageError as error:
        raise Broken("it holds a name that is not allowed") from error


def open_plain(path: Path) -> IO[bytes]:
    """Open a plain file for reading; never through a link.

    Raises:
        OSError: It is a link, is no file, or can't be read.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    return open(fd, "rb")
