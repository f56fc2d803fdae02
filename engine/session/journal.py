"""The journal on disk: append only, chained, written ahead of every effect.

Lines gather in memory for one turn and reach the kernel's page cache with one `write`; `fdatasync`
runs on its own beat, or before each order leaves (`journal.sync`), always in a thread: the loop
goes on, or looks on for `PATIENCE_S` where an order waits. An error of write or sync is final: the
file is not touched again and the session is told (reliability.md C4, row 65).
"""

import asyncio
import errno
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

import msgspec

from engine.model.errors import FencedByEpoch
from engine.model.events import Input
from engine.session.disk_thread import DiskThread, Job
from engine.session.file_system import OS, FileSystem
from engine.session.journal_keeper import Keeper
from engine.session.journal_line import Chain
from engine.session.journal_reader import Line
from engine.session.recorded import STARTED, Recorded, paused_ns

FLUSH_BYTES: Final = 256 * 1024
"""Buffered bytes that trigger a write within a turn, so a burst can't grow memory."""

PATIENCE_S: Final = 0.001
"""How long the loop looks on while an order's lines are synced: a good disk takes a fifth of it."""


class LastWords(NamedTuple):
    """Lines that came after the journal had failed."""

    kept: int
    """In the emergency segment."""
    lost: int
    """Nowhere."""


class Journal:
    """Writes `events.jsonl`. Not thread-safe: it belongs to the engine's loop.

    `events`, `bytes` and `head` speak of all lines taken; after a failure, of those in the file.
    """

    def __init__(
        self,
        file: int | Keeper,
        recorded: Recorded | None = None,
        *,
        files: FileSystem = OS,
        disk: DiskThread | None = None,
    ) -> None:
        """Take over a journal: a new one, or one that ends where `recorded` does.

        Args:
            file: A run's keeper, or a bare descriptor that nobody acknowledges lines of.
            recorded: What an interrupted run left in it.
            files: What a bare descriptor is written through.
            disk: Who waits for it; a thread of its own where none is given.
        """
        self._keeper = None if isinstance(file, int) else file
        self._fd = file if isinstance(file, int) else file.fd
        self._files = files if self._keeper is None else self._keeper.files
        self._recorded = recorded
        self.failure: OSError | None = None
        self.fence: FencedByEpoch | None = None
        """Set where another session has taken over the run; then nothing is written any more."""
        self.bytes = recorded.good_bytes if recorded else 0
        """Length of the lines."""
        self._chain = Chain()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._unsynced = False
        self.durable = recorded.count if recorded else 0
        """Lines known to be on the disk."""
        self._syncing = asyncio.Lock()
        self._disk = disk or DiskThread("journal-disk")
        self._under_way: Job | None = None
        """What the thread works on."""
        self._is_switching = False
        """A new segment begins: lines stay in memory."""
        self._paused_ns = 0

    @property
    def epoch(self) -> int:
        """Number of this writer among those of the run."""
        return 1 if self._keeper is None else self._keeper.epoch

    @property
    def is_full(self) -> bool:
        """Whether the open file waits to become a segment; the next `sync` sees to it."""
        return self._keeper is not None and self._keeper.is_full(self.bytes)

    @property
    def is_behind(self) -> bool:
        """Whether lines may not be where they belong: in a rerun, and while a segment begins."""
        return self._is_switching or self.is_catching_up

    @property
    def last_words(self) -> LastWords:
        """What became of lines after a failure."""
        if self._keeper is None:
            return LastWords(0, 0)
        return LastWords(self._keeper.emergency.lines, self._keeper.emergency.lost)

    @property
    def seal_failure(self) -> OSError | None:
        """Why a closed segment is not packed."""
        return None if self._keeper is None else self._keeper.seal_failure

    @property
    def events(self) -> int:
        """Lines so far."""
        return self._chain.seq

    @property
    def head(self) -> str:
        """Hash of the last line."""
        return self._chain.head

    def extend(self, events: Sequence[msgspec.Struct]) -> None:
        """Add inputs or records, in order; after a failure, to the emergency segment."""
        if self.failure is None:
            self._take(self._chain.events(events))
        elif self._keeper is not None and self.fence is None:
            self._keeper.emergency.take(events)

    @property
    def is_catching_up(self) -> bool:
        """Whether lines are still held against those of an interrupted run, not written."""
        return self._recorded is not None

    @property
    def began_ns(self) -> int:
        """When the interrupted run began, while its lines are held against these."""
        assert self._recorded is not None, "of an interrupted run only"
        return self._recorded.first.ts_ns

    def pass_over(self, seq: int) -> Iterator[Line]:
        """Yield the recorded lines up to `seq`: a checkpoint stands for what they made."""
        while self._recorded is not None and self._chain.seq < seq:
            line = self._recorded.take()
            self._chain.adopt(line.hash)
            self._end_catching_up()
            yield line

    def outside_input(self) -> Input | None:
        """Return the input from outside that the interrupted run took next, if it did."""
        recorded = self._recorded
        while recorded is not None and recorded.is_own():
            line = recorded.take()
            self._chain.adopt(line.hash)
            self._paused_ns += paused_ns(line)
            self._recorded = recorded = None if recorded.is_exhausted else recorded
        return recorded.outside_input() if recorded else None

    def take_pause(self) -> int:
        """Return once, in ns, what `outside_input` passed of time that nobody lived through."""
        paused, self._paused_ns = self._paused_ns, 0
        return paused

    def note(self, name: str, ts_ns: int, data: object) -> None:
        """Add a line of the session's own; `data` encodes to a JSON object."""
        if self._recorded is not None and name == STARTED:
            self._chain.adopt(self._recorded.take().hash)
            self._end_catching_up()
        elif self.failure is None:
            self._take([self._chain.data(name, ts_ns, data)])
        elif self._keeper is not None and self.fence is None:
            self._keeper.emergency.note(name, ts_ns, data)

    def _hold(self, lines: list[bytes]) -> list[bytes]:
        """Hold lines against the recorded ones; return those that are new."""
        for held, line in enumerate(lines):
            if self._recorded is None:
                return lines[held:]
            self._recorded.hold(line)
            self._end_catching_up()
        return []

    def _end_catching_up(self) -> None:
        if self._recorded is not None and self._recorded.is_exhausted:
            self._recorded = None

    def _take(self, lines: list[bytes]) -> None:
        if self._recorded is not None:
            lines = self._hold(lines)
        size = sum(map(len, lines))
        self._pending += lines
        self._pending_bytes += size
        self.bytes += size
        if self._pending_bytes >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand everything buffered to the operating system; remember a failure, never raise it."""
        if not self._pending or self.failure is not None or self._is_switching:
            return
        block = memoryview(b"".join(self._pending))
        try:
            while block:
                block = block[self._files.write(self._fd, block) :]
        except OSError as error:
            self._fail(error, unwritten=len(block))
            return
        self._pending.clear()
        self._pending_bytes = 0
        self._unsynced = True

    def _fail(self, error: OSError, *, unwritten: int) -> None:
        """Touch the file no more; lines that did not reach it whole go where there is room."""
        self.failure = error
        self.bytes -= unwritten
        lost: list[bytes] = []
        while self._pending and unwritten > 0:
            line = self._pending.pop()
            unwritten -= len(line)
            self._chain.take_back(line)
            lost.append(line)
        self._pending.clear()
        self._pending_bytes = 0
        if self._keeper is not None:
            self._keeper.emergency.begin(self.head, self.events, lost[::-1])

    async def sync(self) -> None:
        """Make everything taken so far durable, off the loop, and begin a segment if it is time.

        It returns when that is so, whoever began.
        """
        async with self._syncing:
            try:
                await self._work_done()
                self.flush()
                await self._settle()
            except (OSError, FencedByEpoch) as error:
                self._stop(error)

    async def _settle(self) -> None:
        keeper = self._keeper
        if self.failure is not None or not (self._unsynced or (keeper and keeper.is_pending)):
            return
        self._unsynced = False
        await self._do(partial(self._harden, self.events, self.head, is_settled=True))
        if keeper is not None and keeper.is_full(self.bytes):
            await self._do(keeper.prepare)
            await self._rotate(keeper)

    async def _do(self, work: Callable[[], object]) -> None:
        self._under_way = self._disk.begin(work)
        await self._work_done()

    async def _work_done(self) -> None:
        """Return once the thread works on nothing of ours, whoever began it."""
        if self._under_way is not None:
            await self._under_way.ended()
            job, self._under_way = self._under_way, None
            job.tell()

    async def reaches_disk(self) -> bool:
        """Make everything taken so far durable; return whether it is."""
        await self.sync()
        return self.failure is None

    async def quiet(self) -> None:
        """Return once no thread works on the file."""
        async with self._syncing:
            try:
                await self._work_done()
            except (OSError, FencedByEpoch) as error:
                self._stop(error)

    def hand_over(self) -> None:
        """Let the system have every line: the process may be killed, not the machine."""
        self.flush()

    def commits_at_once(self) -> bool:
        """Make everything taken so far durable, but for the head, if that takes but a moment.

        Returns:
            False where it takes longer: `commit` waits for it without holding up the loop.
        """
        if self._syncing.locked() or self._under_way is not None:
            return False
        self.flush()
        if not self._unsynced or self.failure is not None:
            return True
        job = self._begin_commit()
        if not job.ended_within(PATIENCE_S):
            return False
        self._under_way = None
        try:
            job.tell()
        except (OSError, FencedByEpoch) as error:
            self._stop(error)
        return True

    def _begin_commit(self) -> Job:
        self._unsynced = False
        harden = partial(self._harden, self.events, self.head, is_settled=False)
        self._under_way = job = self._disk.begin(harden)
        return job

    async def commit(self) -> bool:
        """Make everything taken so far durable, but for the head, off the loop; return whether.

        One sync covers every line since the last one: the group commit of a burst.
        """
        async with self._syncing:
            try:
                await self._work_done()
                self.flush()
                if self._unsynced and self.failure is None:
                    self._begin_commit()
                    await self._work_done()
            except (OSError, FencedByEpoch) as error:
                self._stop(error)
        return self.failure is None

    def _harden(self, seq: int, digest: str, *, is_settled: bool) -> None:
        """Sync what was flushed; `is_settled` asks for the head, too, to be on the disk."""
        if self._keeper is None:
            self._files.sync(self._fd)
        else:
            self._keeper.harden(seq, digest)
            if is_settled:
                self._keeper.settle()
        self.durable = seq

    async def _rotate(self, keeper: Keeper) -> None:
        """Let no line in between the last one of the old file and the first of the new."""
        self.flush()
        if self.failure is not None:
            return
        self._is_switching = True
        try:
            await self._do(partial(keeper.switch, self.bytes))
            self._fd = keeper.fd
        finally:
            self._is_switching = False

    def _stop(self, error: OSError | FencedByEpoch) -> None:
        if self.failure is None:
            if isinstance(error, FencedByEpoch):
                self.fence = error
                error = OSError(errno.ESTALE, str(error))
            self._fail(error, unwritten=self._pending_bytes)

    def close(self) -> None:
        """Flush, sync and close; a failure stays readable in `failure`."""
        self._disk.close()
        self.flush()
        try:
            if self.failure is None and not self.is_catching_up:
                self._harden(self.events, self.head, is_settled=True)
        except (OSError, FencedByEpoch) as error:
            self._stop(error)
        try:
            if self._keeper is None:
                self._files.close(self._fd)
            else:
                self._keeper.close()
        except OSError as error:
            self.failure = self.failure or error


class MemoryJournal:
    """The same lines kept in memory: for tests and for measuring without a disk."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.failure: OSError | None = None
        self._chain = Chain()

    def extend(self, events: Sequence[msgspec.Struct]) -> None:
        """Add inputs or records, in order."""
        self.lines += self._chain.events(events)

    def note(self, name: str, ts_ns: int, data: object) -> None:
        """Add a line of the session's own."""
        self.lines.append(self._chain.data(name, ts_ns, data))

    def flush(self) -> None:
        """Do nothing: memory is always written."""
