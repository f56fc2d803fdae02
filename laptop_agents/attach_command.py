"""`laptop-agents attach [RUN]`: a screen for a session that runs already."""

import argparse
import asyncio
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.model.errors import SessionUnreachable, UsageError
from engine.reports.final_report import NAME as REPORT_NAME
from engine.session.control.client import Connection
from engine.session.stops import GRACEFUL
from laptop_agents.catalogue import shown
from laptop_agents.cli import flags
from laptop_agents.home import find_home
from laptop_agents.line_mode import SENDER, told
from laptop_agents.looks import SECTION, Looks, is_dull, looks_at, surface
from laptop_agents.run_shelf import find_run, is_running, summary
from laptop_agents.sources import Flag
from laptop_agents.why_process import why
from tui.readonly import SCREEN
from tui.surface import Ending
from tui.terminal import no_screen_here

if TYPE_CHECKING:
    from laptop_agents.engine_process import EngineProcess
    from tui.app import Workstation

TEXTUAL_FPS: Final = "60"
"""Frames a second at most. Panes change four times a second, whatever stands here; what a key
changes waits for the next frame: 118 ms at 15, 48 ms at 60 (95th percentile, the same load)."""
REPORT_S: Final = 5.0
"""How long an ended session may take to write its report."""
REPORT_POLL_S: Final = 0.05
LEFT: Final = ("detached", "signal")
"""Endings of a screen that are none of its session."""
HUNG_UP: Final = Ending("signal", signal.SIGHUP.name)


def run(arguments: argparse.Namespace) -> int:
    """Show a running session until somebody leaves, or it ends.

    Raises:
        SessionUnreachable: No session runs there.
        UsageError: There is no such run, or no terminal to show it on.
    """
    if not arguments.lines and (reason := no_screen_here()):
        raise UsageError(f"attach needs a screen, and {reason}: attach --plain does without")
    folder = find_run(arguments.run, find_home(os.environ))
    greet(folder)
    if arguments.lines:
        return tell(folder, _limit(arguments) or SENDER)
    ending = show(folder, looks_at(folder, _own(arguments), os.environ), arguments)
    if ending == HUNG_UP:
        return 0  # there is nobody to tell
    if ending.how in LEFT:
        sys.stdout.write(f"Left run {folder.name}: the session goes on.\n")
    else:
        _say_how_it_ended(folder)
    return 0


def _own(arguments: argparse.Namespace) -> list[Flag]:
    """Return what was typed about the screen.

    Raises:
        UsageError: Something of it is about the session, which has its settings already.
    """
    typed = flags(arguments)
    for flag in typed:
        if not flag.name.startswith(SECTION):
            raise UsageError(f"{flag.spelled} {shown(flag.name)}: attach takes tui settings only")
    return typed


def show(
    folder: Path,
    wanted: Looks,
    arguments: argparse.Namespace,
    engine: "EngineProcess | None" = None,
) -> "Ending":
    """Open the screen on a session and return why it closed.

    Raises:
        Exception: A bug of the screen; the session goes on, and that was said.
    """
    os.environ.setdefault("TEXTUAL_FPS", TEXTUAL_FPS)
    if is_dull(arguments):
        os.environ["NO_COLOR"] = "1"  # Textual's own widgets obey nothing else
    from tui.app import Workstation  # noqa: PLC0415 - Textual, for a screen only
    from tui.link import Link  # noqa: PLC0415 - for a screen only

    stands_on = surface(
        wanted,
        folder,
        is_dull=is_dull(arguments),
        is_owner=engine is not None,
        is_alive=lambda: engine is None or engine.is_alive,
        at_start=heed_signals,
        why=partial(why, folder),
    )
    link = Link(folder, _limit(arguments) or SCREEN)
    link.start()
    app = Workstation(link, stands_on)
    ending = app.run(mouse=wanted.config.mouse)
    link.close(is_lost=ending is None or is_lost(ending))
    if ending is None:
        sys.stderr.write(
            f"The screen failed; the session goes on: laptop-agents attach {folder.name}"
            f" comes back, laptop-agents stop {folder.name} ends it.\n"
        )
        raise app.bug or AssertionError("the screen closed without an ending")
    return ending


def is_lost(ending: "Ending") -> bool:
    """Whether a screen closed because its terminal went, and not because somebody wanted it to."""
    return ending == HUNG_UP


def _limit(arguments: argparse.Namespace) -> str:
    """Return the kind of limited client that was asked for; empty where nothing limits it."""
    return str(getattr(arguments, "limit", None) or "")


def tell(folder: Path, sender: str) -> int:
    """Print a line for each change until the session ends, and pass on what is typed.

    Raises:
        SessionUnreachable: It went silent or broke off.
    """
    if not told(folder, sender=sender).is_detached:
        _say_how_it_ended(folder)
    return 0


def _say_how_it_ended(folder: Path) -> None:
    """Print the last words once the report is written: a session says farewell before that."""
    deadline_s = time.monotonic() + REPORT_S
    while not (folder / REPORT_NAME).exists() and time.monotonic() < deadline_s:
        time.sleep(REPORT_POLL_S)
    sys.stdout.write(last_words(folder))


def heed_signals(app: "Workstation") -> None:
    """Let signals close the screen, and a stop signal do nothing (Textual would obey it)."""
    loop = asyncio.get_running_loop()
    for number in GRACEFUL:
        loop.add_signal_handler(number, app.exit, Ending("signal", number.name))
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)


def last_words(folder: Path) -> str:
    """Return how a run ended and where its report is, as a headless session says it."""
    run_summary = summary(folder)
    ending = run_summary.ending
    money = ""
    if ending.equity is not None and ending.net_pnl is not None:
        money = f"equity {ending.equity:,.2f} ({ending.net_pnl:+,.2f}), {ending.fills} fills"
    simulated = " SIMULATED" if run_summary.simulated else ""
    report = folder / REPORT_NAME
    where = f"{report}\n" if report.exists() else f"{folder}\n"
    return f"{ending.stop_reason}: {money}{simulated}\n{where}"


def greet(folder: Path) -> None:
    """See whether a session runs there.

    Raises:
        SessionUnreachable: None does, and how the last one ended.
    """
    try:
        Connection.open(folder, "screen").close()
    except SessionUnreachable as error:
        if is_running(folder):
            raise
        how = summary(folder).ending.stop_reason or "it never began"
        raise SessionUnreachable(f"run {folder.name} is not running: {how}") from error
