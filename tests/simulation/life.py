"""The lives of one session: it begins, crashes, is recovered by the real code, and ends."""

import asyncio
import json
import os
import shutil
import tempfile
import traceback
from collections import Counter, deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from brokers.paper.venue import PaperVenue
from engine.kernel import Kernel
from engine.model.errors import StateDamaged
from engine.model.events import VenueEvent
from engine.reports.schema import FinalReport
from engine.session.journal import Journal
from engine.session.log import open_log
from engine.session.manifest import utc
from engine.session.progress import Progress
from engine.session.record import SessionRecord
from engine.session.runner import Session
from engine.session.stops import Stops
from engine.venue import Sink
from laptop_agents.compose import (
    KILL_NAME,
    LOG_NAME,
    REPORT_NAME,
    Parts,
    make_feed,
    make_kernel,
    wire_session,
)
from laptop_agents.opening import Run, interrupted_run, new_run
from laptop_agents.runs import JOURNAL_NAME
from tests.simulation.checker.evidence import Evidence
from tests.simulation.disk import Disk, unlimited
from tests.simulation.feed import FaultyFeed
from tests.simulation.loop import SimulatedLoop
from tests.simulation.mortal import Crash, Mortality
from tests.simulation.operators import PlannedStops, plan
from tests.simulation.records import VenueLog
from tests.simulation.swarm import Swarm
from tests.simulation.venue import FaultyVenue
from tests.simulation.world import World

LIVES_MAX: Final = 20
"""Far more than any seed draws crashes; a session that never ends must not run for ever."""


@dataclass
class Outcome:
    """What became of one seed."""

    evidence: list[Evidence]
    """Of every life that ended by itself."""
    injected: Counter[str]
    virtual_s: float
    """Event time of the session, reruns not counted."""
    lives: int
    refusal: str
    """Why the last resume was refused; empty where none was."""


@dataclass
class Life:
    """One process: every part, wired."""

    run: Run
    kernel: Kernel
    session: Session
    record: SessionRecord
    journal: Journal
    feed: FaultyFeed
    log: VenueLog
    disk: Disk
    swarm: Swarm
    report: FinalReport | None = None
    error: str = ""


def live(world: World) -> Outcome:
    """Run a seed's session through all its crashes to its end."""
    home = Path(tempfile.mkdtemp(prefix="simulation-"))
    try:
        with unlimited():
            return _live(world, home)
    finally:
        shutil.rmtree(home)


def _live(world: World, home: Path) -> Outcome:
    mortality = Mortality(world.swarm(), world.start_ns)
    run = new_run(world.settings, home, None)
    run = replace(run, started_at=utc(run.start_ns))
    evidence: list[Evidence] = []
    prefixes: list[bytes] = []
    refusal, is_healed, injected = "", False, Counter[str]()
    lives, is_over = 0, False
    while not is_over and lives < LIVES_MAX:
        lives += 1
        life = begin(world, run, mortality, is_healed=is_healed)
        with unlimited():
            has_ended = _run(life, world.start_ns)
        injected |= life.swarm.injected
        if has_ended:
            evidence.append(_evidence(life, world, prefixes))
        is_over = has_ended and not life.disk.has_failed
        if is_over:
            break
        is_healed = is_healed or life.disk.has_failed
        if not has_ended:
            injected["disk.torn_tail"] += _tear(life)
        prefixes.append(_whole_lines(life.run.folder.file(JOURNAL_NAME)))
        refusal = _refusal(run)
        is_over = bool(refusal)
        if not is_over:
            _, run = interrupted_run(run.folder.file(JOURNAL_NAME))
    hostile = [name for name in world.settings.agents.enabled if name in world.hostile]
    injected.update({f"agent.{name}": 1 for name in hostile})
    virtual_s = (life.kernel.now_ns - world.start_ns) / 1e9
    return Outcome(evidence, injected + mortality.died, virtual_s, lives, refusal)


def begin(world: World, run: Run, mortality: Mortality, *, is_healed: bool) -> Life:
    """Wire one life; what it meets depends on the seed alone."""
    settings, swarm, journal = world.settings, world.swarm(), Journal(run.fd, run.recorded)
    feed = FaultyFeed(make_feed(settings, run.start_ns), swarm, run.start_ns, world.batch)
    kernel = make_kernel(settings, feed.instruments)
    disk, log = Disk(run.fd, swarm, run.start_ns), VenueLog(journal)
    if run.recorded is not None:
        disk.note_sync()
    if is_healed:
        disk.heal()
    mortality.is_reborn = lambda: journal.is_catching_up
    inbox: deque[VenueEvent] = deque()

    def make_venue(sink: Sink) -> PaperVenue:
        seed, balance = settings.session.seed, settings.session.starting_balance
        return PaperVenue(feed.instruments, settings.paper, seed, balance, sink, run.run_id)

    def pass_time(now_ns: int) -> None:
        if not journal.is_catching_up:
            disk.pass_time(now_ns)
        mortality.pass_time(now_ns)

    broker = FaultyVenue(
        make_venue,
        tuple(feed.instruments),
        inbox.append,
        swarm=swarm,
        start_ns=run.start_ns,
        log=log,
        before_submit=lambda: mortality.before_command(kernel.now_ns),
        on_time=pass_time,
    )
    orders = plan(swarm, run.start_ns, settings.agents.enabled)
    kill_file = run.folder.path / KILL_NAME
    stops = PlannedStops(orders, swarm, lambda: kernel.now_ns, kill_file)
    stops.forget(_made(run))
    parts = Parts(feed, kernel, broker, inbox, journal, stops)  # type: ignore[arg-type]
    session, record = wire_session(
        settings,
        run,
        parts,
        log=open_log(run.folder.path / LOG_NAME),
        progress=Progress(None, "quiet"),
    )
    return Life(run, kernel, session, record, journal, feed, log, disk, swarm)


def _run(life: Life, start_ns: int) -> bool:
    """Run to the end or to a crash; return False after a crash."""
    loop = SimulatedLoop()
    loop.now_s = lambda: max(0, life.kernel.now_ns - start_ns) / 1e9
    loop.on_thread_done = life.disk.note_sync
    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            reason = runner.run(life.session.run())
        life.report = life.record.finish(reason)
    except Crash:
        os.close(life.run.fd)
        return False
    except Exception as error:  # noqa: BLE001 - whatever a bug raises, the checker reports it
        if not (isinstance(error, StateDamaged) and life.disk.has_failed):
            life.error = traceback.format_exc()
        life.journal.close()
    finally:
        life.record.close()
    return True


def _tear(life: Life) -> int:
    """Take back some of what a power cut may take: any bytes that were never synced."""
    path = life.run.folder.file(JOURNAL_NAME)
    size = path.stat().st_size
    first_line = path.read_bytes().find(b"\n") + 1
    if "disk.torn_tail" not in life.swarm.kinds:
        return 0
    kept = life.swarm.dice("disk.torn_tail").randrange(max(first_line, life.disk.synced), size + 1)
    os.truncate(path, kept)
    return int(kept < size)


def _whole_lines(path: Path) -> bytes:
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1]


def _refusal(run: Run) -> str:
    """Say why a resume would be refused, as the command would find out."""
    present = Stops([run.folder.path / KILL_NAME]).present()
    if present is not None:
        return "kill file"
    return "" if _whole_lines(run.folder.file(JOURNAL_NAME)) else "died before its first line"


def _made(run: Run) -> list[tuple[str, str, str]]:
    """Return the requests that the journal of the lives before holds."""
    if run.recorded is None:
        return []
    made = []
    for line in _whole_lines(run.recorded.path).splitlines():
        if b'"type":"operator_command"' in line:
            data = json.loads(line)["data"]
            made.append((data["command"], data["by"], data["argument"]))
    return made


def _evidence(life: Life, world: World, prefixes: list[bytes]) -> Evidence:
    folder = life.run.folder
    report: dict[str, Any] | None = None
    if life.report is not None:
        content = folder.file(REPORT_NAME).read_bytes()
        report = json.loads(content, parse_float=str, parse_int=str)
    return Evidence(
        seed=world.seed,
        journal=folder.file(JOURNAL_NAME).read_bytes(),
        prefixes=tuple(prefixes),
        venue=tuple(life.log.entries),
        tags=tuple(life.feed.tags),
        calm_ns=world.calm_ns,
        report=report,
        logged_transitions=folder.file(LOG_NAME).read_bytes().count(b'"fsm_transition"'),
        has_disk_failed=life.disk.has_failed,
        error=life.error,
    )
