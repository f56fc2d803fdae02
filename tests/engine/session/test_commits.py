"""Row 65: orders wait for their lines, at most so long, and the loop waits for nothing."""

import asyncio
import errno
import os
import threading
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from brokers.paper.config import PaperConfig
from brokers.paper.venue import CAPABILITIES, PaperVenue
from engine.kernel import Kernel, KernelConfig
from engine.model.commands import PlaceOrder
from engine.model.events import JOURNAL_SYNC, HealthChanged, Operator, OperatorCommand, Timer
from engine.model.market import Quote
from engine.model.venue_events import VenueRejected
from engine.session.commits import Commits
from engine.session.file_system import OsFileSystem
from engine.session.journal import Journal
from engine.session.journal_keeper import begin
from engine.session.journal_reader import read_journal
from engine.session.turn import Turn
from tests.engine.kernel.rig import BUY, INSTANT, MS, START, UNASKED, Scripted, instrument, market

LIMIT_MS = 50


class SlowDisk(OsFileSystem):
    """A disk whose syncs last until somebody lets them end."""

    def __init__(self) -> None:
        self.goes = threading.Event()
        self.goes.set()
        self.has_begun = threading.Event()
        self.failure: OSError | None = None

    def sync(self, fd: int) -> None:
        self.has_begun.set()
        assert self.goes.wait(30)
        if self.failure is not None:
            raise self.failure
        super().sync(fd)


class Scene:
    """A turn and its journal on such a disk."""

    def __init__(self, path: Path, limit_ms: int | None = LIMIT_MS) -> None:
        self.disk = SlowDisk()
        self.journal = Journal(os.open(path, os.O_CREAT | os.O_RDWR, 0o600), files=self.disk)
        self.agent = Scripted("a")
        self.seen: list[Any] = []
        self.early: list[str] = []
        """Orders that reached the venue before their lines reached the disk."""
        inbox: deque[Any] = deque()
        config = PaperConfig(**INSTANT, latency_jitter=0.0)  # type: ignore[arg-type]
        venue = Venue([instrument("BTC")], config, 1, Decimal(10_000), inbox.append)
        venue.on_submit = self.submitted
        self.sent = 0
        kernel = Kernel(KernelConfig(sync=UNASKED), [instrument("BTC")], [self.agent], CAPABILITIES)
        self.turn = Turn(
            kernel, venue, inbox, self.journal,
            detail="inputs", observe=self.seen.extend, must_wait=lambda: True,
        )  # fmt: skip
        self.commits = Commits(self.turn, self.journal, limit_ms)

    def submitted(self, command: Any) -> None:
        if type(command) is PlaceOrder:
            self.sent += 1
            if self.journal.durable < self.journal.events:
                self.early.append(command.order_id)

    @property
    def state(self) -> str:
        return self.turn.kernel.conduct.lifecycle.state

    def order(self, ms: int) -> None:
        """Let the agent wish for one; its line is written, and the turn waits."""
        self.agent.next.append(("BTC", market(BUY, "0.1")))
        self.quote(ms)

    def quote(self, ms: int) -> None:
        self.turn.market(Quote(START + ms * MS, "BTC", 10_000, 9_000, 10_001, 9_000))

    def slows(self) -> list[HealthChanged]:
        return [event for event in self.seen if type(event) is HealthChanged]

    def refused(self) -> int:
        return sum(type(event) is VenueRejected for event in self.seen)


class Venue(PaperVenue):
    """The paper venue, telling when a command reaches it."""

    __slots__ = ("on_submit",)
    on_submit: Callable[[Any], None]

    def submit(self, commands: Any) -> None:
        for command in commands:
            self.on_submit(command)
            super().submit([command])


@pytest.fixture
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Done in a moment, however crowded the machine is."""
    monkeypatch.setattr("engine.session.journal.PATIENCE_S", 30.0)


async def turns(until: Callable[[], bool]) -> int:
    """Count how often the loop comes round until something holds."""
    count = 0
    while not until():
        await asyncio.sleep(0.001)
        count += 1
    return count


def test_an_order_leaves_once_its_line_is_on_the_disk(tmp_path: Path) -> None:
    """A1; and what waits for one sync waits for no second one."""
    scene = Scene(tmp_path / "e")

    async def trade() -> None:
        scene.order(0)
        assert (0, True) == (scene.sent, scene.turn.is_waiting)
        await scene.commits.settle()

    asyncio.run(trade())
    assert (1, [], []) == (scene.sent, scene.early, scene.slows())


@pytest.mark.usefixtures("_quick_disk")
def test_in_a_hurry_it_leaves_before_the_turn_goes_on(tmp_path: Path) -> None:
    """Once its line is on the disk; the rest of the turn comes with `settle`, and nothing twice."""
    scene = Scene(tmp_path / "e")

    async def trade() -> None:
        scene.order(0)
        scene.commits.hurry()
        assert (1, True, []) == (scene.sent, scene.turn.is_waiting, scene.seen)
        await scene.commits.settle()
        assert not scene.turn.is_waiting
        assert scene.seen

    asyncio.run(trade())
    assert (1, [], []) == (scene.sent, scene.early, scene.slows())


@pytest.mark.usefixtures("_quick_disk")
def test_what_left_in_a_hurry_waits_for_no_later_sync(tmp_path: Path) -> None:
    """Nor is it said to be refused because one of those is slow."""
    scene = Scene(tmp_path / "e")

    async def trade() -> None:
        scene.order(0)
        scene.commits.hurry()
        scene.disk.goes.clear()
        scene.journal.extend([Timer(START)])
        later = asyncio.create_task(scene.journal.sync())
        await asyncio.sleep(0)
        await scene.commits.settle()
        scene.disk.goes.set()
        await later

    asyncio.run(trade())
    assert (1, 0, []) == (scene.sent, scene.refused(), scene.slows())


def test_no_hurry_sends_what_is_not_on_the_disk(tmp_path: Path) -> None:
    """A1: a slow disk is waited for, and may be too slow."""
    scene = Scene(tmp_path / "e")

    async def trade() -> None:
        scene.disk.goes.clear()
        scene.order(0)
        scene.commits.hurry()
        scene.commits.hurry()
        assert (0, True) == (scene.sent, scene.turn.is_waiting)
        await scene.commits.settle()
        scene.disk.goes.set()

    asyncio.run(trade())
    assert ("DEGRADED", 0, 1) == (scene.state, scene.sent, scene.refused())


@pytest.mark.usefixtures("_quick_disk")
def test_in_a_hurry_a_sync_that_fails_refuses_what_waited_for_it(tmp_path: Path) -> None:
    """C4, once."""
    scene = Scene(tmp_path / "e")
    scene.disk.failure = OSError(errno.EIO, "gone")

    async def trade() -> None:
        scene.order(0)
        scene.commits.hurry()
        await scene.commits.settle()

    asyncio.run(trade())
    assert (0, 1, []) == (scene.sent, scene.refused(), scene.slows())


def test_the_loop_goes_on_while_the_disk_does_not(tmp_path: Path) -> None:
    """A simulated session has no limit: it waits as long as it takes, and decides the same."""
    scene = Scene(tmp_path / "e", limit_ms=None)

    async def trade() -> None:
        scene.order(0)
        scene.disk.goes.clear()
        waits = asyncio.create_task(scene.commits.settle())
        await turns(scene.disk.has_begun.is_set)
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert (0, False) == (scene.sent, waits.done())
        scene.disk.goes.set()
        await waits

    asyncio.run(trade())
    assert (1, [], []) == (scene.sent, scene.early, scene.slows())


def test_past_the_limit_the_order_is_refused_until_the_disk_keeps_up(tmp_path: Path) -> None:
    """DEGRADED with the figures; the next order is refused at once; then it is taken back."""
    scene = Scene(tmp_path / "e")
    scene.turn.input(Timer(START))

    async def trade() -> None:
        scene.disk.goes.clear()
        scene.order(1)
        await scene.commits.settle()
        assert ("DEGRADED", 0, 1) == (scene.state, scene.sent, scene.refused())
        assert [] == scene.commits.check(START + 2 * MS)
        scene.disk.goes.set()
        await turns(lambda: bool(scene.commits.check(START + 2 * MS)))
        for change in scene.commits.check(START + 2 * MS):
            scene.turn.input(change)
        assert [] == scene.commits.check(START + 3 * MS)

    asyncio.run(trade())
    over, again = scene.slows()
    assert (JOURNAL_SYNC, LIMIT_MS, True) == (over.kind, over.limit, over.is_over)
    assert over.reading >= LIMIT_MS
    assert (JOURNAL_SYNC, False) == (again.kind, again.is_over)
    assert () == scene.turn.kernel.conduct.lifecycle.reasons
    assert not scene.turn.is_waiting


def test_behind_a_slow_sync_nothing_waits_again(tmp_path: Path) -> None:
    """Refused at once, and no second sync is asked for, until the first is done."""
    scene = Scene(tmp_path / "e")

    async def trade() -> None:
        scene.disk.goes.clear()
        scene.order(0)
        await scene.commits.settle()
        scene.turn.input(HealthChanged(START, JOURNAL_SYNC, LIMIT_MS, 0.0, is_over=False))
        for beat in range(1, 120):
            scene.quote(beat * 250)
            scene.turn.input(Timer(START + beat * 250 * MS))
        scene.order(30_000)
        await scene.commits.settle()
        assert 1 == sum(task.get_name() == "journal-commit" for task in asyncio.all_tasks())
        scene.disk.goes.set()

    asyncio.run(trade())
    assert (0, 2, [True, False, True]) == (
        scene.sent, scene.refused(), [change.is_over for change in scene.slows()],
    )  # fmt: skip


def test_a_kill_waits_for_no_disk(tmp_path: Path) -> None:
    """Its cancels and its flatten leave at once."""
    scene = Scene(tmp_path / "e")

    async def trade() -> None:
        scene.order(0)
        await scene.commits.settle()
        scene.disk.goes.clear()
        scene.turn.input(OperatorCommand(START + MS, Operator.KILL, "cli"))

    asyncio.run(trade())
    assert (2, "STOPPED") == (scene.sent, scene.state)


def test_a_sync_that_fails_refuses_what_waited_for_it(tmp_path: Path) -> None:
    """C4: fail-stop, not DEGRADED; it is never tried again."""
    scene = Scene(tmp_path / "e")
    scene.disk.failure = OSError(errno.EIO, "gone")

    async def trade() -> None:
        scene.order(0)
        await scene.commits.settle()

    asyncio.run(trade())
    assert (0, 1, []) == (scene.sent, scene.refused(), scene.slows())
    assert scene.disk.failure is scene.journal.failure


@pytest.mark.usefixtures("_quick_disk")
@pytest.mark.parametrize("failure", [None, OSError(errno.EIO, "gone")], ids=["good", "bad"])
def test_no_hurry_asks_the_disk_twice(tmp_path: Path, failure: OSError | None) -> None:
    """What is durable costs no second sync, and a disk that failed is never asked again (C4)."""
    disk = SlowDisk()
    disk.failure = failure
    log = Journal(os.open(tmp_path / "e", os.O_CREAT | os.O_RDWR, 0o600), files=disk)
    log.extend([Timer(START)])
    assert log.commits_at_once()
    assert disk.has_begun.is_set()
    disk.has_begun.clear()
    log.extend([] if failure is None else [Timer(START + 1)])
    assert log.commits_at_once()
    was_asked = disk.has_begun.is_set()
    found = (log.failure, log.durable)
    log.close()

    assert not was_asked
    assert (failure, int(failure is None)) == found


@pytest.mark.parametrize("failure", [None, OSError(errno.EIO, "gone")], ids=["good", "bad"])
async def test_the_end_waits_for_the_sync_under_way(
    tmp_path: Path, failure: OSError | None
) -> None:
    """Nobody closes the file under the thread, and what the disk says last is heard (C4)."""
    disk = SlowDisk()
    disk.failure = failure
    disk.goes.clear()
    log = Journal(os.open(tmp_path / "e", os.O_CREAT | os.O_RDWR, 0o600), files=disk)
    log.extend([Timer(START)])
    assert not log.commits_at_once()
    assert not log.commits_at_once(), "one is under way"
    quiet = asyncio.create_task(log.quiet())
    await turns(disk.has_begun.is_set)
    for _ in range(20):
        await asyncio.sleep(0)
    was_early = quiet.done()
    disk.goes.set()
    await quiet
    found = (log.failure, log.durable)
    log.close()

    assert not was_early
    assert (failure, int(failure is None)) == found


def test_a_new_segment_begins_beside_the_loop(tmp_path: Path) -> None:
    """The sync of the old file is no reason to stand still; no line is lost between the two."""
    path, disk = tmp_path / "events.jsonl", SlowDisk()
    keeper = begin(path, segment_bytes=4_000, files=disk)
    log = Journal(keeper)
    log.extend([Timer(START + n) for n in range(40)])

    async def rotate() -> None:
        prepare = keeper.prepare

        def prepare_and_stall() -> None:
            prepare()
            disk.has_begun.clear()
            disk.goes.clear()

        keeper.prepare = prepare_and_stall  # type: ignore[method-assign]
        sync = asyncio.create_task(log.sync())
        await turns(lambda: log.is_behind and disk.has_begun.is_set())
        log.extend([Timer(START + 100 + n) for n in range(10)])
        log.hand_over()
        assert not sync.done()
        disk.goes.set()
        await sync
        assert not log.is_behind

    asyncio.run(rotate())
    log.close()
    assert log.failure is None
    assert [*range(1, 51)] == [line.seq for line in read_journal(path)]
    assert 10 == path.read_bytes().count(b"\n")
