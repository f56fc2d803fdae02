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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from brokers.paper.venue import CAPABILITIES, PaperVenue
from engine.agents.contract import Agent
from engine.kernel import Kernel, KernelConfig
from engine.model.events import VenueEvent
from engine.model.instrument import Instrument
from engine.model.money import use_exact_arithmetic
from engine.reports.final_report import NAME as REPORT_NAME
from engine.reports.schema import FinalReport
from engine.session.clock import Clock, SimulatedClock, WallClock
from engine.session.health import HealthMonitor, ProcessProbe
from engine.session.journal import Journal
from engine.session.log import SessionLog, open_log
from engine.session.manifest import Manifest, current_versions, git_revision, shown_settings
from engine.session.progress import Progress, Style, choose_style
from engine.session.record import Identity, SessionRecord
from engine.session.runner import Plan, Session
from engine.session.stops import GRACEFUL, Stops
from engine.session.turn import Turn
from engine.venue import Feed, SimulatedBroker
from laptop_agents.agent_shelf import find_agent
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
        log = open_log(run.folder.path / LOG_NAME, level)
        stack.callback(log.close)
        progress = Progress(sys.stderr, style, is_color=color)
        stack.callback(progress.close)
        if run.recorded is not None and run.recorded.torn_bytes:
            progress.note(f"cut {run.recorded.torn_bytes} bytes of an unfinished last line")
        stops = Stops([*kill_files, run.folder.path / KILL_NAME])
        session, record = make_session(settings, run, log=log, progress=progress, stops=stops)
        stack.callback(record.close)
        report = _drive(session, record)
    if style in ("rich", "plain"):
        with suppress(OSError):  # nobody reads it; the report is where it always is
            sys.stderr.write(_last_words(report) + f"\n{run.folder.path / REPORT_NAME}\n")
            sys.stderr.flush()
    return report.exit_code


@dataclass(frozen=True, slots=True)
class Parts:
    """What a session is wired from; a simulation brings faulty ones."""

    feed: Feed
    kernel: Kernel
    broker: SimulatedBroker
    inbox: deque[VenueEvent]
    """Where the broker puts its answers."""
    journal: Journal
    stops: Stops


def make_session(
    settings: "Settings", run: Run, *, log: SessionLog, progress: Progress, stops: Stops
) -> tuple[Session, SessionRecord]:
    """Wire every part of a session."""
    feed = make_feed(settings, run.start_ns)
    inbox: deque[VenueEvent] = deque()
    broker = PaperVenue(
        feed.instruments,
        settings.paper,
        settings.session.seed,
        settings.session.starting_balance,
        inbox.append,
        run.run_id,
    )
    kernel = make_kernel(settings, feed.instruments)
    journal = Journal(run.fd, run.recorded)
    parts = Parts(feed, kernel, broker, inbox, journal, stops)
    return wire_session(settings, run, parts, log=log, progress=progress)


def wire_session(
    settings: "Settings", run: Run, parts: Parts, *, log: SessionLog, progress: Progress
) -> tuple[Session, SessionRecord]:
    """Wire a session from given parts."""
    feed, kernel, journal = parts.feed, parts.kernel, parts.journal
    clock = make_clock(settings)
    record = SessionRecord(
        make_identity(settings, feed, run),
        kernel=kernel,
        folder=run.folder,
        journal=journal,
        log=log,
        progress=progress,
        health=HealthMonitor(settings.health, ProcessProbe(run.folder.path)),
        is_paced=not clock.is_simulated,
    )
    turn = Turn(
        kernel,
        parts.broker,
        parts.inbox,
        journal,
        detail=settings.journal.detail,
        observe=record.follow,
        on_order_ns=record.on_order_ns,
    )
    session = Session(
        make_plan(settings),
        feed=feed,
        broker=parts.broker,
        turn=turn,
        clock=clock,
        journal=journal,
        record=record,
        stops=parts.stops,
    )
    return session, record


def _drive(session: Session, record: SessionRecord) -> FinalReport:
    """Run the session's loop and write its report, also after a bug of ours."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)
    try:
        stop_reason = run_loop(session.run())
        for number in GRACEFUL:
            signal.signal(number, signal.SIG_IGN)  # the report takes milliseconds: let it be whole
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
