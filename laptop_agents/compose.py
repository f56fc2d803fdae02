"""The only place that knows every part: settings in, a wired session out.

Nothing here decides anything about trading. What is chosen is chosen by a table or a setting, and
every part receives what it needs through its constructor.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from brokers.paper.venue import CAPABILITIES, PaperVenue
from engine.agents.contract import Agent
from engine.execution.ids import client_order_id
from engine.kernel import Kernel, KernelConfig
from engine.model.instrument import Instrument
from engine.model.venue_events import VenueEvent
from engine.session.agent_meter import AgentMeter
from engine.session.checkpoint import Checkpoints
from engine.session.clock import Clock, SimulatedClock, WallClock
from engine.session.control.address import Listener
from engine.session.control.control import Control, ScreenConfig
from engine.session.control.frames import PROTOCOL
from engine.session.control.gauges import UNMEASURED, Gauges
from engine.session.control.words import Welcome
from engine.session.health import HealthMonitor, ProcessProbe
from engine.session.journal import Journal
from engine.session.log import SessionLog
from engine.session.manifest import Manifest, current_versions, git_revision, shown_settings
from engine.session.progress import Progress
from engine.session.record import Identity, SessionRecord
from engine.session.runner import Plan, Session
from engine.session.sentinel.guard import SentinelGuard
from engine.session.stops import Stops
from engine.session.turn import Turn
from engine.session.watched import recalling
from engine.venue import AccountWatch, Capabilities, Charges, Feed, LiveFeed, SessionBroker
from laptop_agents.agent_shelf import find_agent
from laptop_agents.guarding import make_guard, make_ledger
from laptop_agents.opening import Run
from laptop_agents.version import __version__

if TYPE_CHECKING:
    from brokers.link.feed import MarketFeed, Tap
    from brokers.link.rehearsal import Rehearsal
    from laptop_agents.reaching import Permit, Watched
    from laptop_agents.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What a session is wired from; a simulation brings faulty ones."""

    feed: Feed
    kernel: Kernel
    broker: SessionBroker
    clock: Clock
    inbox: deque[VenueEvent]
    """Where the broker puts its answers."""
    journal: Journal
    stops: Stops
    meter: AgentMeter | None = None
    """Where the agents are watched."""
    permit: "Permit | None" = None
    """To send real orders."""
    venue: Capabilities | None = None
    """What the real venue can do, of orders that are meant for one."""
    watch: AccountWatch | None = None
    """Looks at a real account."""


class Wired(NamedTuple):
    """What somebody drives, and who has to be told of its end."""

    session: Session
    record: SessionRecord
    guard: SentinelGuard | None


def make_session(
    settings: "Settings",
    run: Run,
    feed: Feed,
    *,
    log: SessionLog,
    progress: Progress,
    stops: Stops,
    listener: Listener | None = None,
    is_json: bool = False,
    permit: "Permit | None" = None,
    rehearsal: "Rehearsal | None" = None,
    watched: "Watched | None" = None,
) -> Wired:
    """Make every part of a session around its source, and wire them; its sentinel is started.

    Without a listener nobody can attach to it.
    """
    inbox: deque[VenueEvent] = deque()
    agents = make_agents(settings)
    meter, clock = AgentMeter(agents), make_clock(settings, feed)
    venue = abilities(permit, rehearsal)
    kernel = make_kernel(settings, feed.instruments, agents, venue=venue)
    broker: SessionBroker
    if permit is None:
        broker, simulated = make_simulated(settings, run, feed, inbox, rehearsal)
        each_check = simulated.note_exits
    else:
        broker = make_live_broker(settings, run, feed, inbox, permit, kernel, clock)
        each_check = _nothing
    guard = make_guard(
        settings,
        run,
        account=permit and partial(permit.handed, settings, feed.instruments, prefix_of(run)),
        kill_files=stops.kill_files,
        is_json=is_json,
        each_check=each_check,
    )
    journal = Journal(run.keeper, run.recorded)
    watch = watched and make_watch(settings, feed, watched)
    parts = Parts(feed, kernel, broker, clock, inbox, journal, stops, meter, permit, venue, watch)
    session, record = wire_session(
        settings, run, parts, log=log, progress=progress, listener=listener, guard=guard
    )
    if run.checkpoint is not None:
        session.resume(run.checkpoint)
    return Wired(session, record, guard)


def wire_session(
    settings: "Settings",
    run: Run,
    parts: Parts,
    *,
    log: SessionLog,
    progress: Progress,
    listener: Listener | None = None,
    guard: SentinelGuard | None = None,
) -> tuple[Session, SessionRecord]:
    """Wire a session from given parts."""
    journal, clock = parts.journal, parts.clock
    identity = make_identity(settings, parts.feed, run, parts.venue)
    checkpoints = Checkpoints(
        run.folder, settings.checkpoint.every_s, run.envelope, run.run_id, journal.reaches_disk
    )
    record = SessionRecord(
        identity,
        kernel=parts.kernel,
        folder=run.folder,
        journal=journal,
        log=log,
        progress=progress,
        health=make_health(settings, run),
        is_paced=not clock.is_simulated,
        kept=run.kept,
    )
    control = listener and make_control(
        settings, listener, identity, parts, record, gauges=make_gauges(parts, checkpoints)
    )
    is_live = settings.journal.sync == "live"
    turn = Turn(
        parts.kernel,
        parts.broker,
        parts.inbox,
        journal,
        detail=settings.journal.detail,
        observe=(control or record).follow,
        on_order_ns=record.on_order_ns,
        hand_over=None if clock.is_simulated else journal.hand_over,
        must_wait=lambda: is_live or journal.is_behind,
    )
    session = Session(
        make_plan(settings),
        feed=parts.feed,
        broker=parts.broker,
        turn=turn,
        clock=clock,
        journal=journal,
        record=record,
        stops=parts.stops,
        checkpoints=checkpoints,
        control=control,
        guard=guard,
        arming=parts.permit and parts.permit.arming,
        watch=parts.watch,
    )
    if parts.watch is not None:
        record.recall = recalling(record.recall, parts.watch)
    return session, record


def make_health(settings: "Settings", run: Run) -> HealthMonitor:
    """Watch this process and the disk it writes to."""
    probe = ProcessProbe(run.folder.path)
    return HealthMonitor(settings.health, probe, reserve_mb=settings.journal.reserve_mb)


def make_gauges(parts: Parts, checkpoints: Checkpoints) -> Gauges:
    """Name who knows what a screen shows beyond the kernel and the record."""
    return Gauges(
        agent_cost_us=UNMEASURED.agent_cost_us if parts.meter is None else parts.meter.p99_us,
        queue_ahead=parts.broker.queue_ahead,
        margin=parts.broker.margin,
        checkpoint_age_s=checkpoints.age_s,
    )


def make_control(
    settings: "Settings",
    listener: Listener,
    identity: Identity,
    parts: Parts,
    record: SessionRecord,
    *,
    gauges: Gauges,
) -> Control:
    """Let screens and commands attach."""
    session, paper = settings.session, settings.paper
    return Control(
        listener,
        make_welcome(identity.manifest),
        kernel=parts.kernel,
        record=record,
        journal=parts.journal,
        stops=parts.stops,
        charges=Charges(
            maker_fee_bps=paper.maker_fee_bps,
            taker_fee_bps=paper.taker_fee_bps,
            leverage=paper.leverage,
        ),
        screens=ScreenConfig(session.on_screen_lost, session.watch_only),
        gauges=gauges,
    )


def make_simulated(
    settings: "Settings",
    run: Run,
    feed: Feed,
    inbox: deque[VenueEvent],
    rehearsal: "Rehearsal | None",
) -> tuple[SessionBroker, PaperVenue]:
    """Open the simulated account, and stand the rehearsal of a real one before it."""
    if rehearsal is None:
        alone = make_broker(settings, run, feed, inbox.append)
        return alone, alone
    from laptop_agents.rehearsing import rehearsed  # noqa: PLC0415 - for a dry run only

    return rehearsed(settings, run, feed, inbox, rehearsal)


def abilities(permit: "Permit | None", rehearsal: "Rehearsal | None") -> Capabilities | None:
    """Return what a session may ask for; None leaves it to the simulated venue."""
    if permit is not None:
        return permit.account.capabilities
    return None if rehearsal is None else meant_for(rehearsal.capabilities)


def meant_for(real: Capabilities) -> Capabilities:
    """Return what a dry run asks for: what live would, of an account that ends with its session."""
    return replace(
        CAPABILITIES,
        can_amend_price=real.can_amend_price,
        can_amend_qty=real.can_amend_qty,
        amend_down_keeps_queue=real.amend_down_keeps_queue,
        client_id_max=real.client_id_max,
        client_id_alphabet=real.client_id_alphabet,
    )


def client_ids(run: Run, can: Capabilities) -> Callable[[str], str]:
    """Return what derives a venue's id of an order from ours."""
    return partial(
        client_order_id,
        run.run_id,
        max_length=can.client_id_max,
        alphabet=can.client_id_alphabet,
    )


def make_broker(
    settings: "Settings", run: Run, feed: Feed, sink: Callable[[VenueEvent], None]
) -> PaperVenue:
    """Open the simulated account; a guarded one keeps a ledger."""
    return PaperVenue(
        feed.instruments,
        settings.paper,
        settings.session.seed,
        settings.session.starting_balance,
        sink,
        run.run_id,
        make_ledger(settings, run, feed.instruments),
    )


def make_live_broker(  # noqa: PLR0917 - every part it stands between
    settings: "Settings",
    run: Run,
    feed: Feed,
    inbox: deque[VenueEvent],
    permit: "Permit",
    kernel: Kernel,
    clock: Clock,
) -> SessionBroker:
    """Put a real account behind the session."""
    from brokers.link.broker import LiveBroker  # noqa: PLC0415 - for live only

    assert isinstance(feed, LiveFeed), "real orders follow a real market"
    return LiveBroker(
        permit.account,
        feed.instruments,
        inbox.append,
        client_id=client_ids(run, permit.account.capabilities),
        prefix=prefix_of(run),
        now_ns=lambda: max(kernel.now_ns, clock.reached()),
        wake=feed.nudge,
        dead_man_s=settings.live.dead_man_s or None,
    )


def make_watch(settings: "Settings", feed: Feed, watched: "Watched") -> AccountWatch:
    """Look at a real account beside the session."""
    from brokers.link.watch import Watch  # noqa: PLC0415 - for shadow only

    assert isinstance(feed, LiveFeed), "a real account belongs to a real market"
    return Watch(watched.reader, settings.shadow.look_every_s, feed.nudge)


def prefix_of(run: Run) -> str:
    """Return what a venue's name of our orders begins with, where it is in plain."""
    return f"{run.run_id}-"


def _nothing() -> None:
    """Keep no ledger: a real venue has its own."""


def make_feed(settings: "Settings", start_ns: int) -> Feed:
    """Open the source; only the chosen one is imported."""
    kind, _, paths = settings.source.partition(":")
    if kind == "file":
        from brokers.file.feed import FileFeed, paths_of  # noqa: PLC0415 - the chosen source only

        return FileFeed(paths_of(paths), settings.symbols or None, settings.file)
    live = make_live_feed(settings)
    if live is not None:
        return live
    from brokers.mock.feed import MockFeed  # noqa: PLC0415 - the chosen source only

    return MockFeed(settings.symbols, settings.mock, settings.session.seed, start_ns)


def make_live_feed(settings: "Settings", tap: "Tap | None" = None) -> "MarketFeed | None":
    """Open a source that happens now; None where the settings name none.

    Args:
        settings: Which, and where it is.
        tap: Gets every message as it came; None listens alone.
    """
    match settings.source:
        case "binance":
            from brokers.binance.feed import BinanceFeed  # noqa: PLC0415 - the chosen source only

            return BinanceFeed(settings.symbols, settings.binance, tap)
        case "bitunix":
            from brokers.bitunix.feed import BitunixFeed  # noqa: PLC0415 - the chosen source only

            return BitunixFeed(settings.symbols, settings.bitunix, tap)
        case "hyperliquid":
            from brokers.hyperliquid.feed import HyperliquidFeed  # noqa: PLC0415 - the chosen source only

            return HyperliquidFeed(settings.symbols, settings.hyperliquid, tap)
        case _:
            return None


def make_agents(settings: "Settings") -> list[Agent]:
    """Build every enabled agent with its validated parameters."""
    params = settings.agents.params
    return [find_agent(name)(params[name]) for name in settings.agents.enabled]


def make_kernel(
    settings: "Settings",
    instruments: Sequence[Instrument],
    agents: Sequence[Agent] | None = None,
    *,
    venue: Capabilities | None = None,
) -> Kernel:
    """Build the decision core; nothing in it knows the mode or the source.

    Args:
        agents: Those somebody watches; None makes them anew.
        venue: What a real one can do; None simulates one.
    """
    session, enabled = settings.session, settings.agents.enabled
    config = KernelConfig(
        limits=settings.risk,
        market=settings.market,
        router=settings.router,
        sync=settings.sync,
        starting_balance=session.starting_balance,
        policy=session.policy,
        priorities={name: len(enabled) - place for place, name in enumerate(enabled)},
        flatten_on_stop=session.flatten_on_stop,
        holds_emergency=session.on_emergency == "hold",
        asserts_identity=session.debug,
    )
    chosen = make_agents(settings) if agents is None else agents
    return Kernel(config, instruments, chosen, venue or CAPABILITIES)


def make_clock(settings: "Settings", feed: Feed) -> Clock:
    """Return the clock that the speed asks for; what happens now has one speed."""
    speed = 1.0 if isinstance(feed, LiveFeed) else settings.session.speed
    return SimulatedClock() if speed == "max" else WallClock(float(speed))


def make_plan(settings: "Settings") -> Plan:
    """Return when the session ends and how it keeps its journal."""
    minutes = settings.session.duration_min
    return Plan(
        duration_s=None if minutes is None else minutes * 60,
        close_deadline_s=settings.session.close_deadline_s,
        flush_s=settings.journal.flush_ms / 1_000,
        sync_s=settings.journal.sync_ms / 1_000,
        commit_wait_ms=settings.journal.commit_wait_ms,
    )


def make_welcome(manifest: Manifest) -> Welcome:
    """Say at the control socket who the session is."""
    return Welcome(
        version=PROTOCOL,
        run_id=manifest.run_id,
        pid=os.getpid(),
        mode=manifest.mode,
        is_simulated=manifest.simulated,
        source=manifest.source,
        symbols=manifest.symbols,
        agents=manifest.agents,
        started_at=manifest.started_at,
        profile=str(manifest.settings["profile"].value) if "profile" in manifest.settings else "",
    )


def make_identity(
    settings: "Settings", feed: Feed, run: Run, venue: Capabilities | None = None
) -> Identity:
    """Describe the session for its journal, manifest and report."""
    minutes = settings.session.duration_min
    flat = {name: (s.value, s.origin) for name, s in settings.flat().items()}
    shown = shown_settings(flat)
    manifest = Manifest(
        run_id=run.run_id,
        versions=current_versions(__version__),
        git_revision=git_revision(Path(__file__).resolve().parent),
        mode=settings.mode,
        simulated=feed.is_simulated,
        source=settings.source,
        symbols=tuple(i.symbol for i in feed.instruments),
        agents=settings.agents.enabled,
        settings=shown,
        seed=settings.session.seed,
        started_at=run.started_at,
    )
    return Identity(
        manifest=manifest,
        starting_balance=settings.session.starting_balance,
        requested_duration_s=None if minutes is None else minutes * 60,
        instruments=tuple(feed.instruments),
        settings={name: setting.value for name, setting in shown.items()},
        start_ns=run.start_ns,
        venue=venue,
    )
