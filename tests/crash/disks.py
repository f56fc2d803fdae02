"""A file system that writes down every call, and the disks a crash may leave after any of them.

Three models of what survives, from kind to cruel:

prefix    every call so far reached the disk, the last write perhaps in part: the process was killed
drop      bytes written since the file's last sync, names since the folder's last sync, are gone
reorder   any of what `drop` loses may have survived, in any combination, page by page

A disk is what the names in one folder lead to: name -> bytes.
"""

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple

from engine.session.file_system import OsFileSystem

Model = Literal["prefix", "drop", "reorder"]
MODELS: Final[tuple[Model, ...]] = ("prefix", "drop", "reorder")
Disk = Mapping[str, bytes]

PAGE: Final = 4096
"""Bytes the kernel writes back as one."""
EXHAUSTIVE: Final = 6
"""Pending calls up to which every subset is a disk of its own; beyond, a seeded choice."""
SAMPLES: Final = 24


class Call(NamedTuple):
    """One logged call; a file is known by its number, since names change."""

    kind: Literal["create", "write", "sync", "sync_folder", "link", "rename", "unlink", "truncate"]
    file: int = 0
    name: str = ""
    old: str = ""
    at: int = 0
    block: bytes = b""


@dataclass
class _State:
    """What some calls make of an empty folder."""

    names: dict[str, int] = field(default_factory=dict)
    contents: dict[int, bytearray] = field(default_factory=dict)

    def apply(self, call: Call) -> None:
        match call.kind:
            case "create" | "link":
                self.names[call.name] = call.file
            case "rename":
                self.names.pop(call.old, None)
                self.names[call.name] = call.file
            case "unlink":
                self.names.pop(call.name, None)
            case "write":
                self._write(call)
            case "truncate":
                del self.contents.setdefault(call.file, bytearray())[call.at :]
            case _:
                pass

    def _write(self, call: Call) -> None:
        content = self.contents.setdefault(call.file, bytearray())
        content.extend(bytes(max(0, call.at - len(content))))  # a page that never came is zeros
        content[call.at : call.at + len(call.block)] = call.block

    def disk(self) -> Disk:
        contents = {file: bytes(content) for file, content in self.contents.items()}
        return {name: contents.get(file, b"") for name, file in sorted(self.names.items())}


class LoggingFileSystem(OsFileSystem):
    """Does everything for real in one folder, and keeps the log."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._numbers = itertools.count(1)
        self._by_fd: dict[int, int] = {}
        self._by_name: dict[str, int] = {}
        self._ends: dict[int, int] = {}

    def create(self, path: Path) -> int:
        fd = super().create(path)
        number = next(self._numbers)
        self._by_fd[fd] = self._by_name[path.name] = number
        self._ends[number] = 0
        self.calls.append(Call("create", number, path.name))
        return fd

    def append(self, path: Path) -> int:
        fd = super().append(path)
        self._by_fd[fd] = self._by_name[path.name]
        return fd

    def open(self, path: Path) -> int:
        fd = super().open(path)
        self._by_fd[fd] = self._by_name[path.name]
        return fd

    def write(self, fd: int, block: bytes | memoryview) -> int:
        written = super().write(fd, block)
        number = self._by_fd[fd]
        self._log_write(number, bytes(block[:written]), self._ends[number])
        return written

    def write_at(self, fd: int, block: bytes, at: int) -> None:
        super().write_at(fd, block, at)
        self._log_write(self._by_fd[fd], block, at)

    def _log_write(self, number: int, block: bytes, at: int) -> None:
        self._ends[number] = max(self._ends[number], at + len(block))
        while block:
            size = PAGE - at % PAGE
            self.calls.append(Call("write", number, at=at, block=block[:size]))
            block, at = block[size:], at + size

    def sync(self, fd: int) -> None:
        super().sync(fd)
        self.calls.append(Call("sync", self._by_fd[fd]))

    def sync_folder(self, folder: Path) -> None:
        super().sync_folder(folder)
        self.calls.append(Call("sync_folder"))

    def link(self, old: Path, new: Path) -> None:
        super().link(old, new)
        number = self._by_name[new.name] = self._by_name[old.name]
        self.calls.append(Call("link", number, new.name))

    def rename(self, old: Path, new: Path) -> None:
        super().rename(old, new)
        number = self._by_name[new.name] = self._by_name.pop(old.name)
        self.calls.append(Call("rename", number, new.name, old.name))

    def unlink(self, path: Path) -> None:
        super().unlink(path)
        self._by_name.pop(path.name, None)
        self.calls.append(Call("unlink", name=path.name))

    def truncate(self, fd: int, size: int) -> None:
        super().truncate(fd, size)
        self._ends[self._by_fd[fd]] = size
        self.calls.append(Call("truncate", self._by_fd[fd], at=size))

    def allocate(self, fd: int, size: int) -> None:
        super().allocate(fd, size)
        self.calls.append(Call("write", self._by_fd[fd], block=bytes(size)))


def disks(calls: Sequence[Call], model: Model) -> Iterator[Disk]:
    """Yield every disk that a crash right after the last of `calls` may leave."""
    if model == "prefix":
        yield from _after_kill(calls)
        return
    durable, pending = _split(calls)
    if model == "drop":
        yield _applied(durable, ())
        return
    for chosen in _subsets(pending, len(calls)):
        yield _applied(durable, chosen)


def place(disk: Disk, folder: Path) -> Path:
    """Write a disk into an empty folder: modes as the program gives them, second names as links."""
    folder.mkdir(mode=0o700)
    placed: dict[int, Path] = {}
    for name, content in disk.items():
        path = folder / name
        if content and id(content) in placed:
            path.hardlink_to(placed[id(content)])
            continue
        path.touch(mode=0o600)
        path.write_bytes(content)
        placed[id(content)] = path
    return folder


def _after_kill(calls: Sequence[Call]) -> Iterator[Disk]:
    yield _applied(calls, ())
    if calls and calls[-1].kind == "write" and 1 < len(calls[-1].block) <= PAGE:
        part = calls[-1].block[: len(calls[-1].block) // 5]
        yield _applied([*calls[:-1], calls[-1]._replace(block=part)], ())


def _split(calls: Sequence[Call]) -> tuple[list[Call], list[Call]]:
    """Tell what syncs have made durable from what is still on its way, both in order."""
    synced_at = {call.file: at for at, call in enumerate(calls) if call.kind == "sync"}
    folder_at = max((at for at, call in enumerate(calls) if call.kind == "sync_folder"), default=-1)
    durable: list[Call] = []
    pending: list[Call] = []
    for at, call in enumerate(calls):
        is_data = call.kind in ("write", "truncate")
        barrier = synced_at.get(call.file, -1) if is_data else folder_at
        (durable if at < barrier else pending).append(call)
    return durable, [call for call in pending if not call.kind.startswith("sync")]


def _subsets(pending: Sequence[Call], seed: int) -> Iterator[Sequence[Call]]:
    if len(pending) <= EXHAUSTIVE:
        for count in range(len(pending) + 1):
            yield from itertools.combinations(pending, count)
        return
    yield ()
    yield pending
    yield from (pending[:at] + pending[at + 1 :] for at in (0, len(pending) // 2, -2))
    rng = random.Random(seed)  # noqa: S311 - a choice of disks, not a secret
    for _ in range(SAMPLES):
        yield [call for call in pending if rng.random() < 0.5]


def _applied(durable: Sequence[Call], chosen: Sequence[Call]) -> Disk:
    state = _State()
    for call in (*durable, *chosen):
        state.apply(call)
    return state.disk()
