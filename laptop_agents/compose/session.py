"""Settings in, a wired session out.

Every part receives what it needs through its constructor.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from engine.kernel import Kernel
from engine.model.instrument import Instrument
from engine.model.venue_events import VenueEvent
from engine.session.agent_meter import AgentMeter
from engine.session.checkpoint import Checkpoints
from engine.session.clock import Clock
from engine.session.control.address import Listener
from engine.session.control.control import Control, ScreenConfig
from engine.session.control.gauges import UNMEASURED, Gauges
from engine.session.course import Plan
from engine.session.health import HealthMonitor, Probe, ProcessProbe
from engine.session.journal import Journal
from engine.session.log import SessionLog
from engine.session.progress import Progress
from engine.session.record import Identity, SessionRecord
from engine.session.runner import Session
from engine.session.sentinel.guard import SentinelGuard
from engine.session.stops import Stops
from engine.session.turn import Turn
from engine.session.watched import recalling
from engine.venue import AccountWatch, BarSource, Capabilities, Charges, Feed, SessionBroker
from laptop_agents.compose.account import abilities, make_live_broker, make_simulated, make_watch
from laptop_agents.compose.identity import make_identity, make_welcome
from laptop_agents.compose.kernel import bar_lengths, make_agents, make_kernel
from laptop_agents.compose.source import make_clock
from laptop_agents.guarding import make_guard
from laptop_agents.opening import Run

if TYPE_CHECKING:
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
    references: Mapping[str, Instrument] = field(default_factory=dict)
    """What each instrument is held against."""
    probe: Probe | None = None
    """Reads how busy the machine is; None: of this process, by psutil."""


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
    references: Mapping[str, Instrument] = MappingProxyType({}),
) -> Wired:
    """Make every part of a session around its source, and wire them; its sentinel is started.

    Without a listener nobody can attach to it.
    """
    inbox: deque[VenueEvent] = deque()
    agents = make_agents(settings)
    meter, clock = AgentMeter(agents), make_clock(settings, feed)
    venue = abilities(permit, rehearsal)
    kernel = make_kernel(settings, feed.instruments, agents, venue=venue, references=references)
    if settings.session.warm_up and isinstance(feed, BarSource):
        feed.want_bars(bar_lengths(agents), settings.market.bar_window)
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
        account=permit and partial(permit.handed, settings, feed.instruments, run.run_id),
        kill_files=stops.kill_files,
        is_json=is_json,
        each_check=each_check,
    )
    journal = Journal(run.keeper, run.recorded)
    watch = watched and make_watch(settings, feed, watched)
    parts = Parts(
        feed, kernel, broker, clock, inbox, journal, stops, meter, permit, venue, watch, references
    )
    session, record = wire_session(
        settings, run, parts, log=log, progress=progress, listener=listener, guard=guard
    )
    if watch is not None:
        record.recall = recalling(record.recall, watch)
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
    identity = make_identity(settings, run, parts)
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
        health=make_health(settings, run, parts.probe),
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
    return session, record


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


def make_health(settings: "Settings", run: Run, probe: Probe | None = None) -> HealthMonitor:
    """Watch this process and the disk it writes to."""
    probe = probe or ProcessProbe(run.folder.path)
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
            leverages={terms.symbol: terms.leverage for terms in identity.margin},
        ),
        screens=ScreenConfig(session.on_screen_lost, session.watch_only),
        gauges=gauges,
    )


def _nothing() -> None:
    """Keep no ledger: a real venue has its own."""
