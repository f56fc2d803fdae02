"""Checkpoints: a session's whole state between two inputs, so that a resume has less to rerun.

Rule 1: a checkpoint is a cache. It is bound to one line of the journal by number and hash; one that
        is damaged, of another program, or of a line the journal does not hold is passed over.
Rule 2: its line is durable before it is: a checkpoint beyond the journal's end is a cut journal.
Rule 3: files appear whole or not at all, written off the loop; only the newest few are kept.
Rule 4: a checkpoint that can't be written costs a note in the log, never the session.

Source: reliability.md C5; ADR 0007.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec

from engine.model.errors import StateDamaged
from engine.session.envelope import Envelope
from engine.session.run_folder import RunFolder

KEPT: Final = 2
"""The newest may have been spoiled by a crash; the one before was not."""

_MAGIC: Final = b"laptop-agents checkpoint 1\n"
_DIGEST: Final = 32
_PATTERN: Final = "checkpoint-*.bin"


class ShellState(msgspec.Struct, frozen=True):
    """What the session round the kernel has to remember; times are event time in nanoseconds."""

    began_ns: int
    planned_end_ns: int | None
    """As announced at the start; None without a duration."""
    next_timer_ns: int
    deadline_ns: int
    close_by_ns: int
    taken: int
    """Events of the feed that lie before the checkpoint."""


class Checkpoint(msgspec.Struct, frozen=True):
    """The state after line `seq` of a run's journal."""

    program: str
    """Version of what wrote it; another version may hold its state in another shape."""
    seq: int
    hash: str
    """Of that line, and so of the run: no other journal has it."""
    offset: int
    """Length of the journal's lines up to `seq`, in bytes."""
    ts_ns: int
    shell: ShellState
    kernel: bytes
    venue: bytes


class Checkpoints:
    """Writes a run's checkpoints, at most one every `every_s` wall seconds."""

    def __init__(
        self,
        folder: RunFolder,
        every_s: float,
        envelope: Envelope | None,
        run_id: str,
        durable: Callable[[], Awaitable[bool]],
    ) -> None:
        """Take over; `durable` syncs the journal's lines and says whether they are on the disk."""
        self._durable = durable
        self._folder = folder
        self._envelope = envelope
        self._run_id = run_id
        self._every_s = every_s
        self._last_s = monotonic()
        self._saved_s: float | None = None
        self._saving: asyncio.Task[None] | None = None
        self.failure: str | None = None
        """Why the last one could not be written."""

    def is_due(self) -> bool:
        """Whether it is time for another one, and the last one has been written."""
        is_idle = self._saving is None or self._saving.done()
        is_time = monotonic() - self._last_s >= self._every_s
        return self._envelope is not None and is_idle and is_time

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint while the session goes on."""
        self._last_s = monotonic()
        self._saving = asyncio.create_task(self._save(checkpoint), name="checkpoint")

    async def _save(self, checkpoint: Checkpoint) -> None:
        assert self._envelope is not None, "none is due without one"
        began_s = self._last_s
        name = f"checkpoint-{checkpoint.seq:012d}.bin"
        if not await self._durable():
            return  # a checkpoint is a witness: its line must outlive a power cut
        try:
            place = _place(self._run_id, name)
            sealed = await asyncio.to_thread(self._envelope.seal, encode(checkpoint), place)
            await asyncio.to_thread(self._folder.write, name, sealed)
            for old in _newest_first(self._folder.path)[KEPT:]:
                old.unlink(missing_ok=True)
        except (StateDamaged, OSError) as error:
            self.failure = str(error)
        else:
            self.failure = None
            self._saved_s = began_s

    def age_s(self) -> float | None:
        """Return the wall seconds since the state in the newest whole file; None before one."""
        return None if self._saved_s is None else monotonic() - self._saved_s

    async def close(self) -> None:
        """Wait for the one being written."""
        if self._saving is not None:
            await self._saving


def encode(checkpoint: Checkpoint) -> bytes:
    """Return the file's content: a mark, the SHA-256 of the rest, the state as MessagePack."""
    body = msgspec.msgpack.encode(checkpoint)
    return _MAGIC + sha256(body).digest() + body


def decode(content: bytes) -> Checkpoint | None:
    """Return the checkpoint, None for content that is not what `encode` returned."""
    head = len(_MAGIC) + _DIGEST
    body = content[head:]
    if content[:head] != _MAGIC + sha256(body).digest():
        return None
    try:
        return msgspec.msgpack.decode(body, type=Checkpoint)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def stored(folder: Path, program: str, envelope: Envelope, run_id: str) -> list[Checkpoint]:
    """Return the folder's readable checkpoints of this program, newest first."""
    opened = (
        envelope.open(path.read_bytes(), _place(run_id, path.name))
        for path in _newest_first(folder)
    )
    found = (decode(content) for content in opened if content is not None)
    return [c for c in found if c is not None and c.program == program]


def paths(folder: Path) -> list[Path]:
    """Return the folder's checkpoints, newest first, whatever is in them."""
    return _newest_first(folder)


def usable(checkpoints: Iterable[Checkpoint], hashes: dict[int, str]) -> Checkpoint | None:
    """Return the first one bound to a line the journal holds; `hashes` has its lines by number."""
    return next((c for c in checkpoints if hashes.get(c.seq) == c.hash), None)


def _place(run_id: str, name: str) -> bytes:
    return f"{run_id}/{name}".encode()


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob(_PATTERN), reverse=True)
