"""The only place that knows every part: settings in, a wired session out.

Nothing here decides anything about trading. What is chosen is chosen by a table or a setting, and
every part receives what it needs through its constructor.
"""

import asyncio
import gc
import os
import resource
import signal
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from brokers.paper.venue import CAPABILITIES, PaperVenue
from engine.agents.contract import Agent
from engine.kernel import Kernel, KernelConfig
from engine.model.errors import FencedByEpoch
from engine.model.events import VenueEvent
from engine.model.instrument import Instrument
from engine.model.money import use_exact_arithmetic
from engine.reports.final_report import NAME as REPORT_NAME
from engine.reports.schema import FinalReport
from engine.session.checkpoint import Checkpoints
from engine.session.clock import Clock, SimulatedClock, WallClock
from engine.session.control.address import Listener, listen
from engine.session.control.control import Control
from engine.session.control.frames import PROTOCOL
from engine.session.control.words import Welcome
from engine.session.health import HealthMonitor, ProcessProbe
from engine.session.journal import Journal
from engine.session.log import SessionLog, open_log
from engine.session.manifest import Manifest, current_versions, git_revision, shown_settings
from engine.session.progress import Progress, Style, choose_style
from engine.session.record import Identity, SessionRecord
from engine.session.runner import Plan, Session
from engine.session.sanitize import secrets_of
from engine.session.sentinel.guard import SentinelGuard
from engine.session.stops import GRACEFUL, Stops
from engine.session.turn import Turn
from engine.venue import Feed
from laptop_agents.agent_shelf import find_agent
from laptop_agents.guarding import make_guard, make_ledger
from laptop_agents.home import kill_path
from laptop_agents.opening import Run, interrupted_run, new_run
from laptop_agents.runs import find_journal
from laptop_agents.version import __version__

if TYPE_CHECKING:
    from laptop_agents.settings import Settings

KILL_NAME: Final = "kill.txt"
LOG_NAME: Final = "session.log"

LOG_LEVELS: Final = {-1: "warning", 0: "info"}
"""`-q` and silence; any `-v` is `debug`."""

GC_THRESHOLD: Final = 100_000
"""Young objects between two collections. A session makes almost no cycles; the default of 700 costs
a pause every few hundred quotes (performance.md T1)."""


def run_session(
    settings: "Settings",
    *,
    home: Path,
    run_dir: Path | None,
    kill_file: Path | None,
    verbosity: int,
    as_json: bool,
    color: bool,
    is_plain: bool,
) -> int:
    """Run one headless session and return its exit code.

    Raises:
        LaptopAgentsError: The session could not start; nothing is left behind but, at most, the
            folder it would have written to.
    """
    _prepare_process()
    kill_files = [path for path in (kill_path(home), kill_file) if path is not None]
    present = Stops([*kill_files, *([run_dir / KILL_NAME] if run_dir else [])]).present()
    if present is not None:
        return _refuse_kill_file(present)
    make_feed(settings, 0)  # what it refuses, it refuses before anything is written
    run = new_run(settings, home, run_dir)
    return _run(
        settings,
        run,
        kill_files=kill_files,
        style=_style(verbosity, as_json=as_json, is_plain=is_plain),
        level=LOG_LEVELS.get(verbosity, "debug"),
        color=color,
    )


def resume_session(
    name: str,
    *,
    home: Path,
    kill_file: Path | None,
    verbosity: int,
    as_json: bool,
    color: bool,
    is_plain: bool,
) -> int:
    """Go on with an interrupted run: rerun its journal, then continue where it ends.

    Raises:
        LaptopAgentsError: There is nothing to resume, or it can't be trusted; nothing was written.
    """
    _prepare_process()
    journal = find_journal(name, home)
    kill_files = [path for path in (kill_path(home), kill_file) if path is not None]
    present = Stops([*kill_files, journal.parent / KILL_NAME]).present()
    if present is not None:
        return _refuse_kill_file(present)
    settings, run = interrupted_run(journal)
    return _run(
        settings,
        run,
        kill_files=kill_files,
        style=_style(verbosity, as_json=as_json, is_plain=is_plain),
        level=LOG_LEVELS.get(verbosity, "debug"),
        color=color,
    )


def _prepare_process() -> None:
    use_exact_arithmetic()
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _style(verbosity: int, *, as_json: bool, is_plain: bool) -> Style:
    term = "dumb" if is_plain else os.environ.get("TERM", "")
    return choose_style(sys.stderr, is_quiet=verbosity < 0, is_json=as_json, term=term)


def _run(
    settings: "Settings",
    run: Run,
    *,
    kill_files: Sequence[Path],
    style: Style,
    level: str,
    color: bool,
) -> int:
    with ExitStack() as stack:
        log = open_log(run.folder.path / LOG_NAME, level, secrets=secrets_of(os.environ))
        stack.callback(log.close)
        progress = Progress(sys.stderr, style, is_color=color)
        stack.callback(progress.close)
        if run.recorded is not None and run.recorded.torn_bytes:
            progress.note(f"cut {run.recorded.torn_bytes} bytes of an unfinished last line")
        if run.envelope is None:
            progress.note("the checkpoints' key can't be had: going on without checkpoints")
        stops = Stops([*kill_files, run.folder.path / KILL_NAME])
        listener = listen(run.folder.path)
        stack.callback(listener.close)
        parts = make_session(
            settings,
            run,
            make_feed(settings, run.start_ns),
            log=log,
            progress=progress,
            stops=stops,
            listener=listener,
            is_json=style == "json",
        )
        stack.callback(parts.record.close)
        report = _drive(parts)
    if style in ("rich", "plain"):
        with suppress(OSError):  # nobody reads it; the report is where it always is
            sys.stderr.write(_last_words(report) + f"\n{run.folder.path / REPORT_NAME}\n")
            sys.stderr.flush()
    return report.exit_code


class Parts(NamedTuple):
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
) -> Parts:
    """Wire every part of a session around its source; its sentinel, if it has one, is started.

    Without a listener nobody can attach to it.
    """
    inbox: deque[VenueEvent] = deque()
    broker = make_broker(settings, run, feed, inbox)
    guard = make_guard(
        settings, run, kill_files=stops.kill_files, is_json=is_json, each_check=broker.note_exits
    )
    kernel, clock = make_kernel(settings, feed.instruments), make_clock(settings)
    journal = Journal(run.keeper, run.recorded)
    identity = make_identity(settings, feed, run)
    record = SessionRecord(
        identity,
        kernel=kernel,
        folder=run.folder,
        journal=journal,
        log=log,
        progress=progress,
        health=HealthMonitor(
            settings.health,
            ProcessProbe(run.folder.path),
            reserve_mb=settings.journal.reserve_mb,
        ),
        is_paced=not clock.is_simulated,
        kept=run.kept,
    )
    control = None
    if listener is not None:
        control = Control(
            listener,
            make_welcome(identity.manifest),
            kernel=kernel,
            record=record,
            journal=journal,
            stops=stops,
        )
    session = Session(
        make_plan(settings),
        feed=feed,
        broker=broker,
        turn=Turn(
            kernel,
            broker,
            inbox,
            journal,
            detail=settings.journal.detail,
            observe=(control or record).follow,
            on_order_ns=record.on_order_ns,
            hand_over=None if clock.is_simulated else journal.hand_over,
            commit=journal.commit if settings.journal.sync == "live" else None,
        ),
        clock=clock,
        journal=journal,
        record=record,
        stops=stops,
        checkpoints=Checkpoints(run.folder, settings.checkpoint.every_s, run.envelope, run.run_id),
        control=control,
        guard=guard,
    )
    if run.checkpoint is not None:
        session.resume(run.checkpoint)
    return Parts(session, record, guard)


def make_broker(settings: "Settings", run: Run, feed: Feed, inbox: deque[VenueEvent]) -> PaperVenue:
    """Open the simulated account; a guarded one keeps a ledger."""
    return PaperVenue(
        feed.instruments,
        settings.paper,
        settings.session.seed,
        settings.session.starting_balance,
        inbox.append,
        run.run_id,
        make_ledger(settings, run, feed.instruments),
    )


def _drive(parts: Parts) -> FinalReport:
    """Run the session's loop and write its report, also after a bug of ours.

    A bug says no goodbye: the sentinel takes out what it left at the venue.
    """
    session, record, guard = parts
    if guard is not None:
        guard.wait_until_ready()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)
    try:
        stop_reason = run_loop(session.run())
        for number in GRACEFUL:
            signal.signal(number, signal.SIG_IGN)  # the report takes milliseconds: let it be whole
        if guard is not None:
            guard.goodbye()
    except FencedByEpoch:
        raise  # the run, its report included, belongs to the other session
    except Exception as error:
        record.failed(error)
        record.finish("error", getattr(error, "exit_code", 1))
        raise
    return record.finish(stop_reason)


def _last_words(report: FinalReport) -> str:
    return (
        f"{report.stop_reason}: equity {report.equity:,.2f} ({report.pnl.net:+,.2f}),"
        f" {report.trades} fills, {report.round_trips} round trips, exit {report.exit_code}"
    )


def run_loop(main: Coroutine[Any, Any, str]) -> str:
    """Run a coroutine on uvloop where it exists, else on asyncio's own loop."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    try:
        import uvloop  # noqa: PLC0415 - absent on some platforms

        factory = uvloop.new_event_loop
    except ImportError:
        factory = None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def _refuse_kill_file(path: str) -> int:
    sys.stderr.write(
        f"error: the kill file {path} exists, so no session starts: remove it to trade again\n"
    )
    return 4


def make_feed(settings: "Settings", start_ns: int) -> Feed:
    """Open the source; only the chosen one is imported."""
    kind, _, paths = settings.source.partition(":")
    if kind == "file":
        from brokers.file.feed import FileFeed, paths_of  # noqa: PLC0415 - the chosen source only

        return FileFeed(paths_of(paths), settings.symbols or None, settings.file)
    from brokers.mock.feed import MockFeed  # noqa: PLC0415 - the chosen source only

    return MockFeed(settings.symbols, settings.mock, settings.session.seed, start_ns)


def make_agents(settings: "Settings") -> list[Agent]:
    """Build every enabled agent with its validated parameters."""
    params = settings.agents.params
    return [find_agent(name)(params[name]) for name in settings.agents.enabled]


def make_kernel(settings: "Settings", instruments: Sequence[Instrument]) -> Kernel:
    """Build the decision core; nothing in it knows the mode or the source."""
    session, enabled = settings.session, settings.agents.enabled
    config = KernelConfig(
        limits=settings.risk,
        market=settings.market,
        router=settings.router,
        starting_balance=session.starting_balance,
        policy=session.policy,
        priorities={name: len(enabled) - place for place, name in enumerate(enabled)},
        flatten_on_stop=session.flatten_on_stop,
        holds_emergency=session.on_emergency == "hold",
        asserts_identity=session.debug,
    )
    return Kernel(config, instruments, make_agents(settings), CAPABILITIES)


def make_clock(settings: "Settings") -> Clock:
    """Return the clock that the speed asks for."""
    speed = settings.session.speed
    return SimulatedClock() if speed == "max" else WallClock(float(speed))


def make_plan(settings: "Settings") -> Plan:
    """Return when the session ends and how it keeps its journal."""
    minutes = settings.session.duration_min
    return Plan(
        duration_s=None if minutes is None else minutes * 60,
        close_deadline_s=settings.session.close_deadline_s,
        flush_s=settings.journal.flush_ms / 1_000,
        sync_s=settings.journal.sync_ms / 1_000,
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
    )


def make_identity(settings: "Settings", feed: Feed, run: Run) -> Identity:
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
    )
