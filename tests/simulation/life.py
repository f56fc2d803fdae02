"""One life of a session: every real part, wired to a faulty world, run to its end or its crash."""

import asyncio
import json
import traceback
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from brokers.paper.venue import PaperVenue
from engine.kernel import Kernel
from engine.model.errors import StateDamaged
from engine.model.venue_events import VenueEvent
from engine.reports.schema import FinalReport
from engine.session.journal import Journal
from engine.session.log import open_log
from engine.session.progress import Progress
from engine.session.record import SessionRecord
from engine.session.runner import Session
from engine.venue import Sink
from laptop_agents.compose import Parts, make_clock, make_feed, make_kernel, wire_session
from laptop_agents.opening import Run
from laptop_agents.running import KILL_NAME, LOG_NAME
from tests.simulation.at_once import DiskAtOnce
from tests.simulation.disk import Disk
from tests.simulation.feed import FaultyFeed
from tests.simulation.loop import SimulatedLoop
from tests.simulation.mortal import Crash, Mortality, let_go
from tests.simulation.operators import PlannedStops, plan
from tests.simulation.records import VenueLog
from tests.simulation.swarm import Swarm
from tests.simulation.venue import FaultyVenue
from tests.simulation.world import World


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


def begin(world: World, run: Run, mortality: Mortality, *, is_healed: bool) -> Life:
    """Wire one life; what it meets depends on the seed alone."""
    settings, swarm = world.settings, world.swarm()
    disk = Disk(run.keeper.fd, swarm, run.start_ns)
    journal = Journal(run.keeper, run.recorded, disk=DiskAtOnce(disk.note_sync))
    feed = FaultyFeed(make_feed(settings, run.start_ns), swarm, run.start_ns, world.batch)
    kernel = make_kernel(settings, feed.instruments)
    log = VenueLog(journal)
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
    stops = _stops(world, run, swarm, kernel)
    clock = make_clock(settings, feed)
    parts = Parts(feed, kernel, broker, clock, inbox, journal, stops)  # type: ignore[arg-type]
    session_log, quiet = open_log(run.folder.path / LOG_NAME), Progress(None, "quiet")
    session, record = wire_session(settings, run, parts, log=session_log, progress=quiet)
    return Life(run, kernel, session, record, journal, feed, log, disk, swarm)


def _stops(world: World, run: Run, swarm: Swarm, kernel: Kernel) -> PlannedStops:
    """Return the people of this seed, who repeat nothing that the journal already holds."""
    orders = plan(swarm, run.start_ns, world.settings.agents.enabled)
    stops = PlannedStops(orders, swarm, lambda: kernel.now_ns, run.folder.path / KILL_NAME)
    stops.forget(made(run))
    return stops


def made(run: Run) -> list[tuple[str, str, str]]:
    """Return the requests that the journal of the lives before holds."""
    if run.recorded is None:
        return []
    made = []
    for line in whole_lines(run.recorded.path).splitlines():
        if b'"type":"operator_command"' in line:
            data = json.loads(line)["data"]
            made.append((data["command"], data["by"], data["argument"]))
    return made


def live_on(life: Life, start_ns: int) -> bool:
    """Run to the end or to a crash; return False after a crash."""
    loop = SimulatedLoop()
    loop.now_s = lambda: max(0, life.kernel.now_ns - start_ns) / 1e9
    loop.on_thread_done = life.disk.note_sync
    has_crashed = False
    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            reason = runner.run(life.session.run())
        life.report = life.record.finish(reason)
    except Crash:
        has_crashed = True
    except Exception as error:  # noqa: BLE001 - whatever a bug raises, the checker reports it
        if not (isinstance(error, StateDamaged) and life.disk.has_failed):
            life.error = traceback.format_exc()
        life.journal.close()
    finally:
        life.record.close()
        if has_crashed:
            let_go(life.run.folder.path)
    return not has_crashed


def whole_lines(path: Path) -> bytes:
    """Return what of a file ends in a newline."""
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1]
