"""A live session at a sandbox, wired as the program does, in one loop whose time is virtual."""

import asyncio
import traceback
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from brokers.link.account import Facts, VenueAccount
from brokers.link.broker import LiveBroker
from brokers.link.secret import Credentials
from engine.kernel import Kernel
from engine.model.commands import CancelOrder, Command, Query
from engine.model.errors import CredentialsRefused, DataUnavailable
from engine.model.venue_events import VenueEvent
from engine.reports.schema import FinalReport
from engine.session.health import HealthReading
from engine.session.journal import Journal
from engine.session.log import open_log
from engine.session.progress import Progress
from engine.session.recorded_feed import RecordedFeed
from engine.session.resumed_feed import ResumedFeed
from engine.session.runner import Arming
from engine.session.withheld import is_reducing
from engine.venue import LiveFeed
from laptop_agents import compose
from laptop_agents.admission import Asked, examine, insist
from laptop_agents.keys_places import Environment
from laptop_agents.opening import Run
from laptop_agents.reaching import Permit
from laptop_agents.recorded_kernel import started_with
from laptop_agents.running import KILL_NAME, LOG_NAME
from laptop_agents.sandbox_venues import VENUES
from laptop_agents.settings import Settings
from laptop_agents.venues import open_account
from tests.live_simulation.death import Death
from tests.simulation.life import made
from tests.simulation.operators import PlannedStops, plan
from tests.simulation.records import VenueLog
from tests.simulation.swarm import Swarm

REACH_S: Final = 60.0
RETRY_S: Final = 0.5


@dataclass
class Life:
    """One process: what it was made of, and what it leaves behind."""

    run: Run
    log: VenueLog
    journal: Journal
    death: Death
    report: FinalReport | None = None
    error: str = ""
    live_orders: list[str] = field(default_factory=list)
    """Orders that the session still believed in."""


class Calm:
    """Readings of a machine that is never busy: the real one's differ each time, and are told."""

    def read(self) -> HealthReading:
        return HealthReading(cpu_pct=5.0, rss_mb=100.0, disk_free_mb=50_000.0)


class Witnessed(LiveBroker):
    """A live broker whose commands are written down as they come; it may die before one leaves."""

    life: Life

    def _submit(self, command: Command) -> None:
        life = self.life
        is_rerun = life.journal.is_catching_up
        if not is_rerun:
            life.death.before_command()
        if not isinstance(command, Query):
            life.log.request(command)
            entry = life.log.entries[-1]
            entry["at"] = life.journal.events
            is_bound = not (isinstance(command, CancelOrder) or is_reducing(command))
            if is_bound and not is_rerun:
                entry["lines"] = life.journal.durable
        super()._submit(command)


async def reached(settings: Settings, run: Run | None, journal: Path) -> LiveFeed:
    """Find the source as a start or a resume does."""
    feed = compose.make_feed(settings, 0)
    assert isinstance(feed, LiveFeed)
    await _discovered(feed)
    if run is None:
        return feed
    assert run.recorded is not None, "it was interrupted"
    started = started_with(journal, run.recorded.first)
    past = RecordedFeed(
        journal,
        started.instruments,
        source=started.source,
        is_simulated=started.simulated,
        lines_max=run.recorded.count,
    )
    return ResumedFeed(past, feed)


async def _discovered(feed: LiveFeed) -> None:
    async with asyncio.timeout(REACH_S):
        while True:
            try:
                return await feed.discover()
            except DataUnavailable:
                await asyncio.sleep(RETRY_S)


async def admitted(
    settings: Settings, feed: LiveFeed, *, is_resumed: bool
) -> tuple[Settings, VenueAccount]:
    """Hold the account against the table of admission."""
    key = _credentials(settings)
    account = open_account(settings.source, key, settings, feed.instruments)
    async with asyncio.timeout(REACH_S), account:
        facts = await _told(account)
    examine(Asked(settings, facts), is_resumed=is_resumed)
    account = open_account(settings.source, key, settings, feed.instruments)
    return (settings if is_resumed else insist(settings, facts)), account


async def _told(account: VenueAccount) -> Facts:
    while True:
        try:
            return await account.facts()
        except (DataUnavailable, CredentialsRefused):  # a person tries again
            await asyncio.sleep(RETRY_S)


def _credentials(settings: Settings) -> Credentials:
    """Read the first key that the sandbox announces."""
    announced = VENUES[settings.source]
    said = [word for text in announced.keys() for word in text.split() if "=" in word]  # noqa: SIM118 - no mapping
    surroundings = dict(word.split("=", 1) for word in reversed(said))
    kept = Environment(surroundings).read(settings.source)
    assert kept is not None, "it announces one"
    return kept.credentials


async def traded(
    life: Life, settings: Settings, feed: LiveFeed, account: VenueAccount, swarm: Swarm
) -> None:
    """Run one session to its end, wired as the program wires it."""
    run, journal = life.run, life.journal
    inbox: deque[VenueEvent] = deque()
    arming = Arming(f"{settings.source} {settings.live.arm_ttl_s}", "a simulation")
    permit = Permit(account, lambda *_: b"", arming)
    kernel = compose.make_kernel(settings, feed.instruments, venue=account.capabilities)
    clock = compose.make_clock(settings, feed)
    broker = Witnessed(
        account,
        feed.instruments,
        inbox.append,
        ids=account.capabilities.ids_of(run.run_id),
        now_ns=lambda: max(kernel.now_ns, clock.reached()),
        wake=feed.nudge,
        dead_man_s=settings.live.dead_man_s or None,
    )
    broker.life = life
    parts = compose.Parts(
        feed, kernel, broker, clock, inbox, journal, _stops(life, settings, swarm, kernel),  # type: ignore[arg-type]
        permit=permit, venue=account.capabilities, probe=Calm(),
    )  # fmt: skip
    log = open_log(run.folder.path / LOG_NAME)
    progress = Progress(None, "quiet")
    session, record = compose.wire_session(settings, run, parts, log=log, progress=progress)
    try:
        if run.checkpoint is not None:
            session.resume(run.checkpoint)
        reason = await session.run()
        life.report = record.finish(reason)
    except Exception:  # noqa: BLE001 - whatever a bug raises, the proof reports it
        life.error = traceback.format_exc()
        journal.close()
    finally:
        life.live_orders = sorted(kernel.blotter.live)
        record.close()
        log.close()


def _stops(life: Life, settings: Settings, swarm: Swarm, kernel: Kernel) -> PlannedStops:
    """Return the people of this seed, who repeat nothing that the journal already holds."""
    orders = plan(swarm, life.run.start_ns, settings.agents.enabled)
    kill_file = life.run.folder.path / KILL_NAME
    stops = PlannedStops(orders, swarm, lambda: kernel.now_ns, kill_file)
    stops.forget(made(life.run))
    return stops
