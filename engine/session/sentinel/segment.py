"""`sentinel.jsonl`: the sentinel's own journal segment, in the journal's own lines and chain.

Rule 1: nobody waits for it. Lines are handed to the system as they come and synced once, at the
        end; what the disk refuses is remembered and told, and stops nothing (reliability.md A1).
Rule 2: what it says is final. A kill that was seen, or an engine that was killed, ends the run.

    sentinel_started, kill_seen, sentinel_acted, venue_canceled, venue_fill, head_seen,
    sentinel_ended

`venue_fill` are the venue's latest fills, whether or not the engine heard of them, and then the
sentinel's own. The venue's lines carry event time, as in `events.jsonl`, so that the end of the run
can be told from both files; the other lines carry the wall clock's.
"""

import fcntl
import os
from pathlib import Path
from time import monotonic, sleep, time_ns
from typing import Final, NamedTuple

import msgspec

from engine.model.errors import JournalDamaged
from engine.model.venue_events import VenueCanceled, VenueFill
from engine.session.journal_line import Chain
from engine.session.journal_reader import Line, read_journal
from engine.session.sentinel.linux import reserve

NAME: Final = "sentinel.jsonl"
STARTED: Final = "sentinel_started"
KILL_SEEN: Final = "kill_seen"
HEAD_SEEN: Final = "head_seen"
"""What the engine's `journal.head` said last: a second place for it, in another's hands."""
ACTED: Final = "sentinel_acted"
ENDED: Final = "sentinel_ended"

RESERVED_BYTES: Final = 1024 * 1024
"""Set aside at the start, so that a full disk still takes some 3,000 last lines."""
POLL_S: Final = 0.02
"""How often a sentinel that still clears up is looked at."""


class Segment:
    """The file, open for its writer."""

    def __init__(self, path: Path) -> None:
        """Create it, or go on where an earlier sentinel of the run ended.

        Raises:
            JournalDamaged: What is there was changed.
            OSError: It can't be opened.

        """
        self.failure: OSError | None = None
        """What the disk refused."""
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX)  # a sentinel that still clears up is waited for
        lines, good_bytes = _proven(path)
        os.ftruncate(self._fd, good_bytes)  # a torn last line: its writer was killed
        reserve(self._fd, good_bytes + RESERVED_BYTES)
        last = lines[-1] if lines else None
        self._chain = Chain(last.hash, last.seq) if last else Chain()

    def note(self, name: str, data: object) -> None:
        """Add a line of the sentinel's own."""
        self._write(self._chain.data(name, time_ns(), data))

    def event(self, event: VenueCanceled | VenueFill) -> None:
        """Add what the venue confirmed."""
        self._write(*self._chain.events([event]))

    def close(self) -> None:
        """Sync and close; a failure stays readable in `failure`."""
        try:
            os.fdatasync(self._fd)
            os.close(self._fd)
        except OSError as error:
            self.failure = self.failure or error

    def _write(self, line: bytes) -> None:
        if self.failure is not None:
            return
        try:
            is_whole = os.write(self._fd, line) == len(line)
            self.failure = None if is_whole else OSError("a line was cut: the disk is full")
        except OSError as error:
            self.failure = error


class Verdict(NamedTuple):
    """What the sentinels of a run have left to be known."""

    final: str
    """Why the run is over for good; empty while it may be resumed."""
    canceled: tuple[str, ...]
    """Orders taken out behind the engine's back, by id."""
    lines: tuple[Line, ...]


def read_verdict(run: Path) -> Verdict:
    """Read a run's segment; a run without one was never guarded.

    Raises:
        JournalDamaged: A line other than a torn last one is bad.

    """
    lines, _ = _proven(run / NAME)
    finals = [_final(line) for line in lines if line.type in (KILL_SEEN, ACTED)]
    canceled = [msgspec.json.decode(x.data)["order_id"] for x in lines if x.type == _CANCELED]
    return Verdict(next(filter(None, finals), ""), tuple(canceled), tuple(lines))


def has_let_go(run: Path, deadline_s: float) -> bool:
    """Wait until no sentinel clears up after the run any more; False if that takes too long."""
    try:
        fd = os.open(run / NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    deadline = monotonic() + deadline_s
    try:
        while not _is_free(fd):
            if monotonic() > deadline:
                return False
            sleep(POLL_S)
    finally:
        os.close(fd)
    return True


def _is_free(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


_CANCELED: Final = "venue_canceled"


def _final(line: Line) -> str:
    data = msgspec.json.decode(line.data)
    if line.type == KILL_SEEN:
        return f"the kill file {data['path']} was seen"
    return f"the sentinel killed its engine ({data['cause']})" if data["is_sticky"] else ""


def _proven(path: Path) -> tuple[list[Line], int]:
    """Return the proven lines and their length; what has no end after them does not count."""
    lines: list[Line] = []
    size = 0
    try:
        for line in read_journal(path):
            lines.append(line)
            size += line.size
    except FileNotFoundError:
        return [], 0
    except JournalDamaged:
        with path.open("rb") as file:
            file.seek(size)
            if b"\n" in file.read():
                raise
    return lines, size
