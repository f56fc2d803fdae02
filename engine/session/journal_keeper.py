"""What lies around the journal's open file: head, epoch, closed segments, emergency segment.

Rule 1: a line is acknowledged in this order: its bytes, the names of its files, its head.
Rule 2: `events.jsonl` always exists and is always locked. A full one first gets its second name as
        a segment, durably; then the next one, made and locked beside it, takes the first name.
Rule 3: a closed segment is packed by a thread of its own, one at a time: while it works the open
        file grows on.

Source: reliability.md C1, C4, C6, C7; interface.md, run folder.
"""

import errno
import fcntl
import os
import threading
from pathlib import Path
from typing import Final

from engine.session.file_system import OS, FileSystem
from engine.session.journal_emergency import EMERGENCY_NAME, EmergencySegment
from engine.session.journal_head import HEAD_NAME, HeadFile, identity, read_head
from engine.session.journal_line import GENESIS
from engine.session.journal_parts import segment_path, segments, twin
from engine.session.journal_seal import seal_all
from engine.session.recorded import Recorded

SEGMENT_BYTES: Final = 256 * 1024 * 1024
_NEXT: Final = ".events.jsonl.next"


class Keeper:
    """Keeps one run's journal. What syncs may run in a thread, one call at a time."""

    def __init__(
        self,
        journal: Path,
        fd: int,
        *,
        epoch: int = 1,
        segment_bytes: int = SEGMENT_BYTES,
        files: FileSystem = OS,
    ) -> None:
        """Take over a journal that is open and locked.

        Raises:
            FencedByEpoch: Another writer has taken over.
            OSError: The disk refused, or has no room for the last words.
        """
        self.files = files
        self.fd = fd
        self._identity = identity(os.fstat(fd))
        self.seal_failure: OSError | None = None
        """Why a closed segment could not be packed; it stays as it is until the next resume."""
        self._journal = journal
        self._segment_bytes = segment_bytes
        self._began_at = 0
        self._lock = threading.Lock()
        self._next_fd: int | None = None
        self._is_moved = False
        self._sealing: threading.Thread | None = None
        self._head = HeadFile(files, journal.with_name(HEAD_NAME), epoch)
        self._head.refuse_fenced()
        self.emergency = EmergencySegment(files, journal.with_name(EMERGENCY_NAME))

    @property
    def epoch(self) -> int:
        """Number of this writer."""
        return self._head.epoch

    def claim(self, seq: int, digest: str, file_bytes: int, all_bytes: int) -> None:
        """Make what a run has so far durable, in the name of this writer.

        Args:
            seq: Number of the last line, 0 for none; `digest` is its hash.
            file_bytes: Length of `events.jsonl`; what stands behind it is cut.
            all_bytes: Length of all lines, sealed ones included.
        """
        self._repair()
        self.files.truncate(self.fd, file_bytes)
        self._began_at = all_bytes - file_bytes
        self.files.sync_folder(self._journal.parent)
        self.harden(seq, digest)
        self.settle()
        self._seal()

    def _repair(self) -> None:
        """Take back what a crash left of a rotation that was prepared and never done."""
        self.files.unlink(self._journal.with_name(_NEXT))
        closing = twin(self._journal)
        if closing is not None:
            self.files.unlink(closing)

    # --- acknowledging ---------------------------------------------------------------------------

    def harden(self, seq: int, digest: str) -> None:
        """Make every line written so far durable, then say so in the head.

        Raises:
            FencedByEpoch: Another writer has taken over; nothing was acknowledged.
            OSError: The disk refused, or the file is no longer the run's.
        """
        with self._lock:
            self._refuse_replaced()
            self.files.sync(self.fd)
            if self._is_moved:
                self.files.sync_folder(self._journal.parent)
                self._is_moved = False
                self._seal()
            self._head.write(seq, digest)

    def settle(self) -> None:
        """Make the head itself durable: what a power cut may take of it ends here."""
        with self._lock:
            self._head.sync()

    @property
    def is_pending(self) -> bool:
        """Whether the head has something to make durable."""
        return self._head.is_pending

    def _refuse_replaced(self) -> None:
        if identity(os.stat(self._journal)) != self._identity:
            raise OSError(errno.ESTALE, "the journal was replaced by another file")

    # --- rotating --------------------------------------------------------------------------------

    def is_full(self, all_bytes: int) -> bool:
        """Whether the open file is to become a segment."""
        is_sealing = self._sealing is not None and self._sealing.is_alive()
        return all_bytes - self._began_at >= self._segment_bytes and not is_sealing

    def prepare(self) -> None:
        """Make and lock the next file, and give the open one its name as a segment."""
        with self._lock:
            folder = self._journal.parent
            closing = segment_path(self._journal, len(segments(self._journal)) + 1)
            self._next_fd = self.files.create(folder / _NEXT)
            fcntl.flock(self._next_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.files.link(self._journal, closing)
            self.files.sync_folder(folder)

    def switch(self, all_bytes: int) -> None:
        """Close the open file as a segment and go on in the prepared one.

        The rest of the old file is made durable first, so that no crash keeps the new lines and
        loses those before them.
        """
        with self._lock:
            assert self._next_fd is not None, "prepare comes first"
            self.files.sync(self.fd)
            self.files.rename(self._journal.with_name(_NEXT), self._journal)
            self.files.close(self.fd)
            self.fd, self._next_fd = self._next_fd, None
            self._identity = identity(os.fstat(self.fd))
            self._began_at, self._is_moved = all_bytes, True

    def _seal(self) -> None:
        self._sealing = threading.Thread(target=self._pack, name="journal-seal")
        self._sealing.start()

    def _pack(self) -> None:
        try:
            seal_all(self.files, self._journal.parent)
        except OSError as error:
            self.seal_failure = error

    def close(self) -> None:
        """Finish packing and let go of everything.

        Raises:
            OSError: The disk refused.
        """
        if self._sealing is not None:
            self._sealing.join()
        with self._lock:
            if self._next_fd is not None:  # prepared, and the session ended first
                self._repair()
                self.files.close(self._next_fd)
            self._head.close()
            try:
                self.emergency.close()
            finally:
                self.files.close(self.fd)


def begin(journal: Path, *, segment_bytes: int = SEGMENT_BYTES, files: FileSystem = OS) -> Keeper:
    """Make the journal of a new run, locked and empty, and everything around it.

    Raises:
        OSError: A file exists already, or there is no room.
    """
    fd = files.create(journal)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    keeper = Keeper(journal, fd, segment_bytes=segment_bytes, files=files)
    keeper.claim(0, GENESIS, 0, 0)
    return keeper


def begin_again(
    journal: Path, fd: int, *, segment_bytes: int = SEGMENT_BYTES, files: FileSystem = OS
) -> Keeper:
    """Take over a journal that was interrupted before its first whole line.

    Args:
        journal: Nothing of it was ever acknowledged.
        fd: The journal, open to append and locked.
        segment_bytes: See `Keeper`.
        files: What it is written through.

    Raises:
        FencedByEpoch: Another writer has taken over meanwhile.
        OSError: The disk refused, or has no room for the last words.
    """
    known = read_head(journal.with_name(HEAD_NAME))
    epoch = 1 if known is None else known.epoch + 1
    keeper = Keeper(journal, fd, epoch=epoch, segment_bytes=segment_bytes, files=files)
    keeper.claim(0, GENESIS, 0, 0)
    return keeper


def take_over(
    journal: Path,
    fd: int,
    recorded: Recorded,
    *,
    segment_bytes: int = SEGMENT_BYTES,
    files: FileSystem = OS,
) -> Keeper:
    """Go on with the journal of an interrupted run, as a writer of a higher epoch.

    Args:
        fd: The journal, open to append and locked.
        recorded: What it holds; what stands behind that is cut.

    Raises:
        FencedByEpoch: Another writer has taken over meanwhile.
        OSError: The disk refused, or has no room for the last words.
    """
    epoch = recorded.epoch + 1
    keeper = Keeper(journal, fd, epoch=epoch, segment_bytes=segment_bytes, files=files)
    keeper.claim(recorded.count, recorded.head, recorded.file_bytes, recorded.good_bytes)
    return keeper
