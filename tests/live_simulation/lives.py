"""The lives of one live session: it begins, things go wrong, it dies and is resumed, it ends."""

import asyncio
import traceback
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

from brokers.link.account import VenueAccount
from engine.model.errors import LaptopAgentsError
from engine.session.journal import Journal
from engine.venue import LiveFeed
from laptop_agents.opening import interrupted_run, new_run
from laptop_agents.runs import JOURNAL_NAME
from laptop_agents.settings import Settings
from tests.live_simulation.death import Death
from tests.live_simulation.disk import VirtualDisk
from tests.live_simulation.exchange import Sandbox, opened
from tests.live_simulation.kinds import MENU
from tests.live_simulation.life import Life, admitted, reached, traded
from tests.live_simulation.road import Road
from tests.live_simulation.virtual import VirtualTime
from tests.live_simulation.world import World
from tests.simulation.life import whole_lines
from tests.simulation.records import VenueLog
from tests.simulation.swarm import Swarm

LIVES_MAX: Final = 20
AWAY_S: Final = (0.5, 20.0)
"""How long nobody runs after a crash."""


@dataclass
class Outcome:
    """What became of one seed."""

    sandbox: Sandbox
    swarm: Swarm
    life: Life | None = None
    """The last one."""
    lives: int = 0
    prefixes: list[bytes] = field(default_factory=list)
    """What was on the disk at each crash, in whole lines."""
    struck: list[str] = field(default_factory=list)
    """Each fault and its moment."""
    error: str = ""
    left_open: list[str] = field(default_factory=list)
    """Orders at the venue once the session is over."""
    positions: dict[str, str] = field(default_factory=dict)
    wallet: Decimal = Decimal(0)
    """Money at the venue then."""


async def lived(world: World, home: Path, clock: VirtualTime) -> Outcome:
    """Live one session through its world."""
    calm_s = clock.now_ns / 1e9 + (world.calm_ns - world.start_ns) / 1e9
    dice = Random(f"{world.seed}:road")
    async with (
        opened(world, clock.wall_ns()) as sandbox,
        Road(sandbox.port, world.latency_s, dice, calm_s) as road,
    ):
        outcome = Outcome(sandbox, world.swarm())
        settings = world.settings(road.at)
        feed = await reached(settings, None, home)
        settings, account = await admitted(settings, feed, is_resumed=False)
        trouble = asyncio.create_task(_trouble(outcome, road, clock))
        try:
            await _lives(outcome, settings, feed, account, home, road, clock)
        finally:
            trouble.cancel()
            await asyncio.gather(trouble, return_exceptions=True)
            if not trouble.cancelled() and (error := trouble.exception()) is not None:
                outcome.error += "".join(traceback.format_exception(error))
        exchange = sandbox.exchange
        outcome.wallet = exchange.balance().wallet
        outcome.left_open = [order.client_id for order in exchange.open_orders()]
        outcome.positions = {p.symbol: f"{p.qty:f}" for p in exchange.positions() if p.qty}
    return outcome


async def _lives(
    outcome: Outcome,
    settings: Settings,
    feed: LiveFeed,
    account: VenueAccount,
    home: Path,
    road: Road,
    clock: VirtualTime,
) -> None:
    swarm = outcome.swarm
    death, dice = Death(swarm, clock, road.close), Random(f"{swarm.seed}:away")
    run = new_run(settings, home, None)
    requests: list[dict[str, Any]] = []
    for outcome.lives in range(1, LIVES_MAX):
        journal = Journal(run.keeper, run.recorded, disk=VirtualDisk("journal-disk"))
        outcome.life = life = Life(run, VenueLog(journal), journal, death)
        life.log.entries += requests
        death.threaten(run.folder.path, home / str(outcome.lives))
        await _until_death(life, settings, feed, account, swarm)
        if death.left is None:
            return
        left = death.left / JOURNAL_NAME
        outcome.prefixes.append(whole_lines(left))
        await asyncio.sleep(dice.uniform(*AWAY_S))
        road.open()
        try:
            settings, run = interrupted_run(left)
        except LaptopAgentsError as error:
            life.error = f"resume refused: {error}"
            return
        known = run.checkpoint.seq if run.checkpoint else 0
        requests = [entry for entry in life.log.entries if entry["at"] <= known]
        if run.recorded is not None:
            feed = await reached(settings, run, left)
            settings, account = await admitted(settings, feed, is_resumed=True)
        else:
            feed = await reached(settings, None, left)


async def _until_death(
    life: Life,
    settings: Settings,
    feed: LiveFeed,
    account: VenueAccount,
    swarm: Swarm,
) -> None:
    """Run a session to its end, or until it dies; what then still runs of it reaches nobody."""
    living = asyncio.create_task(traded(life, settings, feed, account, swarm))
    dying = asyncio.create_task(life.death.wait())
    over = asyncio.create_task(life.death.has_come.wait())
    await asyncio.wait({living, over}, return_when=asyncio.FIRST_COMPLETED)
    if life.death.left is not None:
        life.report, life.error = None, ""
        living.cancel()
    dying.cancel()
    over.cancel()
    await asyncio.gather(living, dying, over, return_exceptions=True)
    if not dying.cancelled():
        dying.result()


async def _trouble(outcome: Outcome, road: Road, clock: VirtualTime) -> None:
    """Strike at the moments that the seed has in store; then let nothing strike any more."""
    swarm = outcome.swarm
    kinds = [*(name for name, (what, _) in MENU.items() if what in outcome.sandbox.menu)]
    kinds += ["road.cut", "road.stall", "road.crawl", "clock.step"]
    moments = sorted((at, kind) for kind in kinds for at in swarm.moments(kind, clock.wall_ns()))
    began_ns, mono_ns = clock.wall_ns(), clock.now_ns

    async def until(at_ns: int) -> None:
        lived_ns = clock.now_ns - mono_ns
        await asyncio.sleep(max(0, at_ns - began_ns - lived_ns) / 1e9)

    for at_ns, kind in moments:
        await until(at_ns)
        swarm.injected[kind] += 1
        outcome.struck.append(f"{clock.wall_ns()} {kind}")
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
                await outcome.sandbox.strike(name, **{k: _drawn(v, dice) for k, v in how.items()})
    await until(swarm.calm_ns)
    await outcome.sandbox.mend()


def _drawn(value: Any, dice: Random) -> Any:
    return round(dice.uniform(*value), 3) if isinstance(value, tuple) else value
