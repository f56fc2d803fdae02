"""Runs a session from its first file to its exit code: opened, composed, driven, reported."""

import asyncio
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from brokers.link.secret import held
from engine.model.errors import FencedByEpoch
from engine.model.money import use_exact_arithmetic
from engine.reports.final_report import NAME as REPORT_NAME
from engine.reports.schema import FinalReport
from engine.session.control.address import listen
from engine.session.log import open_log
from engine.session.progress import Progress, Style, choose_style
from engine.session.sanitize import secrets_of
from engine.session.stops import GRACEFUL, Stops
from laptop_agents import compose
from laptop_agents.arming import NO_CONSENT, Consent
from laptop_agents.ending_words import last_words
from laptop_agents.home import kill_path
from laptop_agents.opening import Run, interrupted_run, new_run
from laptop_agents.permits import agreed, permitted
from laptop_agents.reaching import Reached, reached, reached_again
from laptop_agents.runs import find_journal

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
    consent: Consent = NO_CONSENT,
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
    agreed(settings, consent)
    found = permitted(reached(settings), consent, home)
    # What is refused, is refused before anything is written.
    run = new_run(found.settings, home, run_dir)
    return _run(
        found,
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
    consent: Consent = NO_CONSENT,
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
    agreed(settings, consent)
    found = permitted(reached_again(settings, journal, run), consent, home, is_resumed=True)
    return _run(
        found,
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
    found: Reached,
    run: Run,
    *,
    kill_files: Sequence[Path],
    style: Style,
    level: str,
    color: bool,
) -> int:
    settings = found.settings
    with ExitStack() as stack:
        secrets = (*secrets_of(os.environ), *held())
        log = open_log(run.folder.path / LOG_NAME, level, secrets=secrets)
        stack.callback(log.close)
        progress = Progress(sys.stderr, style, is_color=color)
        stack.callback(progress.close)
        if run.recorded is not None and run.recorded.torn_bytes:
            progress.note(f"cut {run.recorded.torn_bytes} bytes of an unfinished last line")
        for doubt in run.doubts:
            progress.note(doubt)
        if run.is_begun_again:
            progress.note("it was interrupted before its first event: nothing had happened yet")
        if run.envelope is None:
            progress.note("the checkpoints' key can't be had: going on without checkpoints")
        if found.trouble:
            progress.note(f"{found.trouble}: going on with the mock market, SIMULATED")
        for warning in found.watched.warnings if found.watched else ():
            progress.note(warning)
        stops = Stops([*kill_files, run.folder.path / KILL_NAME])
        listener = listen(run.folder.path)
        stack.callback(listener.close)
        wired = compose.make_session(
            settings,
            run,
            found.feed or compose.make_feed(settings, run.start_ns),
            permit=found.permit,
            rehearsal=found.rehearsal,
            watched=found.watched,
            references=found.references,
            log=log,
            progress=progress,
            stops=stops,
            listener=listener,
            is_json=style == "json",
        )
        record = wired.record
        run.folder.announce()
        stack.callback(record.close)
        report = _drive(wired)
    if style in ("rich", "plain"):
        with suppress(OSError):  # nobody reads it; the report is where it always is
            sys.stderr.write("\n".join(last_words(report, record.asked, record.left_working)))
            sys.stderr.write(f"\n{run.folder.path / REPORT_NAME}\n")
            sys.stderr.flush()
    return report.exit_code


def _drive(wired: compose.Wired) -> FinalReport:
    """Run the session's loop and write its report, also after a bug of ours.

    A bug says no goodbye: the sentinel takes out what it left at the venue.
    """
    session, record, guard = wired
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
