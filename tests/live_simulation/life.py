"""A live session at a sandbox, wired as the program does, in one loop whose time is virtual."""

import asyncio
import traceback
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from brokers.link.account import VenueAccount
from brokers.link.broker import LiveBroker
from brokers.link.secret import Credentials
from engine.model.commands import CancelOrder, Command, Query
from engine.model.errors import DataUnavailable
from engine.model.venue_events import VenueEvent
from engine.reports.schema import FinalReport
from engine.session.journal import Journal
from engine.session.log import open_log
from engine.session.progress import Progress
from engine.session.runner import Arming
from engine.session.withheld import is_reducing
from engine.venue import LiveFeed
from laptop_agents import compose
from laptop_agents.admission import Asked, examine, insist
from laptop_agents.keys import credentials
from laptop_agents.opening import Run, new_run
from laptop_agents.reaching import Permit
from laptop_agents.running import KILL_NAME, LOG_NAME
from laptop_agents.sandbox_venues import VENUES
from laptop_agents.settings import Settings
from laptop_agents.venues import open_account
from tests.live_simulation.exchange import Sandbox, opened
from tests.live_simulation.kinds import MENU
from tests.live_simulation.road import Road
from tests.live_simulation.virtual import VirtualTime
from tests.live_simulation.world import World
from tests.simulation.operators import PlannedStops, plan
from tests.simulation.records import VenueLog
from tests.simulation.swarm import Swarm

REACH_S: Final = 60.0
RETRY_S: Final = 0.5


@dataclass
class Life:
    """What a session leaves behind."""

    run: Run
    log: VenueLog
    swarm: Swarm
    sandbox: Sandbox
    report: FinalReport | None = None
    error: str = ""
    struck: list[str] = field(default_factory=list)
    """Each fault and its moment."""
    left_open: list[str] = field(default_factory=list)
    """Orders at the venue once the session is over."""
    positions: dict[str, str] = field(default_factory=dict)
    live_orders: list[str] = field(default_factory=list)
    """Orders that the session still believed in."""


class Witnessed(LiveBroker):
    """A live broker whose commands are written down as they come."""

    witness: VenueLog
    journal: Journal

    def submit(self, command: Command) -> None:
        if not isinstance(command, Query):
            self.witness.request(command)
            is_bound = not (isinstance(command, CancelOrder) or is_reducing(command))
            if is_bound and not self.journal.is_catching_up:
                self.witness.entries[-1]["lines"] = self.journal.durable
        super().submit(command)


async def lived(world: World, home: Path, clock: VirtualTime) -> Life:
    """Live one session through its world."""
    swarm = world.swarm()
    calm_s = clock.now_ns / 1e9 + (world.calm_ns - world.start_ns) / 1e9
    async with (
        opened(world, clock.wall_ns()) as sandbox,
        Road(sandbox.port, world.latency_s, Random(f"{world.seed}:road"), calm_s) as road,
    ):
        settings = world.settings(road.at)
        feed = compose.make_feed(settings, 0)
        assert isinstance(feed, LiveFeed)
        await _discovered(feed)
        settings, account = await _admitted(settings, feed)
        run = new_run(settings, home, None)
        life = Life(run, VenueLog(Journal(run.keeper)), swarm, sandbox)
        trouble = asyncio.create_task(_trouble(life, road, clock))
        try:
            await _traded(life, settings, feed, account, world)
        finally:
            trouble.cancel()
            await asyncio.gather(trouble, return_exceptions=True)
            if not trouble.cancelled() and (error := trouble.exception()) is not None:
                life.error = life.error or "".join(traceback.format_exception(error))
        exchange = sandbox.exchange
        life.left_open = [order.client_id for order in exchange.open_orders()]
        life.positions = {p.symbol: f"{p.qty:f}" for p in exchange.positions() if p.qty}
    return life


async def _discovered(feed: LiveFeed) -> None:
    async with asyncio.timeout(REACH_S):
        while True:
            try:
                return await feed.discover()
            except DataUnavailable:
                await asyncio.sleep(RETRY_S)


async def _admitted(settings: Settings, feed: LiveFeed) -> tuple[Settings, VenueAccount]:
    key = _credentials(settings)
    account = open_account(settings.source, key, settings, feed.instruments)
    async with asyncio.timeout(REACH_S), account:
        facts = await account.facts()
    examine(Asked(settings, facts))
    account = open_account(settings.source, key, settings, feed.instruments)
    return insist(settings, facts), account


def _credentials(settings: Settings) -> Credentials:
    """Read the first key that the sandbox announces."""
    announced = VENUES[settings.source]
    said = [word for text in announced.keys() for word in text.split() if "=" in word]  # noqa: SIM118 - no mapping
    surroundings = dict(word.split("=", 1) for word in reversed(said))
    return credentials(settings.source, surroundings, Path("/nonexistent")).credentials


async def _traded(
    life: Life, settings: Settings, feed: LiveFeed, account: VenueAccount, world: World
) -> None:
    run, swarm = life.run, life.swarm
    inbox: deque[VenueEvent] = deque()
    journal = life.log._journal
    arming = Arming(f"{settings.source} {settings.live.arm_ttl_s}", "a simulation")
    permit = Permit(account, lambda *_: b"", arming)
    kernel = compose.make_kernel(settings, feed.instruments, venue=account.capabilities)
    clock = compose.make_clock(settings, feed)
    broker = Witnessed(
        account,
        feed.instruments,
        inbox.append,
        client_id=compose.client_ids(run, account.capabilities),
        prefix=compose.prefix_of(run),
        now_ns=lambda: max(kernel.now_ns, clock.reached()),
        wake=feed.nudge,
        dead_man_s=settings.live.dead_man_s or None,
    )
    broker.witness, broker.journal = life.log, journal
    orders = plan(swarm, run.start_ns, settings.agents.enabled)
    stops = PlannedStops(orders, swarm, lambda: kernel.now_ns, run.folder.path / KILL_NAME)
    parts = compose.Parts(
        feed, kernel, broker, clock, inbox, journal, stops,  # type: ignore[arg-type]
        permit=permit, venue=account.capabilities,
    )  # fmt: skip
    log = open_log(run.folder.path / LOG_NAME)
    session, record = compose.wire_session(
        settings, run, parts, log=log, progress=Progress(None, "quiet")
    )
    try:
        reason = await session.run()
        life.report = record.finish(reason)
    except Exception:  # noqa: BLE001 - whatever a bug raises, the proof reports it
        life.error = traceback.format_exc()
        journal.close()
    finally:
        life.live_orders = sorted(kernel.blotter.live)
        record.close()
        log.close()


async def _trouble(life: Life, road: Road, clock: VirtualTime) -> None:
    """Strike at the moments that the seed has in store."""
    swarm = life.swarm
    kinds = [*(name for name, (what, _) in MENU.items() if what in life.sandbox.menu)]
    kinds += ["road.cut", "road.stall", "road.crawl", "clock.step"]
    moments = sorted((at, kind) for kind in kinds for at in swarm.moments(kind, clock.wall_ns()))
    began_ns, mono_ns = clock.wall_ns(), clock.now_ns
    for at_ns, kind in moments:
        lived_ns = clock.now_ns - mono_ns
        await asyncio.sleep(max(0, at_ns - began_ns - lived_ns) / 1e9)
        swarm.injected[kind] += 1
        life.struck.append(f"{clock.wall_ns()} {kind}")
        dice = swarm.dice(kind)
        match kind:
            case "road.cut":
                road.cut()
            case "road.stall":
                road.stall(dice.uniform(0.5, 20.0))
            case "road.crawl":
                road.crawl(dice.uniform(1.0, 20.0))
            case "clock.step":
                clock.step_wall(int(dice.uniform(-2.0, 2.0) * 1e9))
            case _:
                name, how = MENU[kind]
                await life.sandbox.strike(name, **{k: _drawn(v, dice) for k, v in how.items()})


def _drawn(value: Any, dice: Random) -> Any:
    return round(dice.uniform(*value), 3) if isinstance(value, tuple) else value
