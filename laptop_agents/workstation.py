"""`laptop-agents` on a terminal: an engine of its own, the screen on it, and its ending."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.model.errors import SessionUnreachable
from engine.reports.final_report import NAME as REPORT_NAME
from engine.session.sanitize import sanitize
from engine.session.stops import GRACEFUL
from laptop_agents.armed_words import armed
from laptop_agents.attach_command import HUNG_UP, is_lost, last_words, show
from laptop_agents.cli import flags
from laptop_agents.engine_process import EngineProcess, runs_of
from laptop_agents.home import find_home
from laptop_agents.keys_prompt import typed_passphrase
from laptop_agents.line_mode import OWNER, told
from laptop_agents.looks import Looks, looks
from laptop_agents.run_shelf import find_run
from tui.surface import Ending

KILLED: Final = 1
"""Exit code of an engine that a signal took from outside: not as planned, and nobody's wish."""
ENDED: Final = (0, 4)
"""Exit codes of a session that was closed as it should be."""
LOST: Final = 4
"""Exit code of a screen whose terminal is gone, by a hang-up."""


class _HungUpError(Exception):
    """The terminal went while its lines were told."""


class _StoppedError(BaseException):
    """Somebody wants an end before there is anything to see."""


def run(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    """Start an engine, show it, and return its exit code.

    Raises:
        LaptopAgentsError: The session to resume is unknown, or the engine does not answer.
    """
    home = find_home(os.environ)
    named = find_run(arguments.resume, home) if arguments.resume else _run_dir(arguments.run_dir)
    wanted = looks(flags(arguments), os.environ)
    given = armed(arguments, words)
    engine = EngineProcess(given, typed_passphrase())
    for number in GRACEFUL:
        signal.signal(number, _stop)
    try:
        import tui.app  # noqa: PLC0415 - 0.3 s, while the engine starts
        import tui.link  # noqa: F401, PLC0415

        folder = engine.folder(runs_of(home), named)
    except _StoppedError:
        engine.stop()
        folder = None
    except BaseException:
        engine.stop()
        raise
    if folder is None:
        return _never_listened(engine, home, named)
    try:
        ending = _shown(folder, wanted, arguments, engine)
    except _StoppedError:
        ending = Ending("signal")
    if ending.how == "detached":
        sys.stdout.write(
            f"The session goes on without a screen: laptop-agents attach {folder.name} comes back,"
            f" laptop-agents stop {folder.name} ends it.\n"
        )
        return 0
    if is_lost(ending):
        return LOST  # what becomes of the session is its own setting: session.on_screen_lost
    if ending.how == "signal":
        engine.stop()
    return _ended(engine, folder)


def _shown(
    folder: Path, wanted: Looks, arguments: argparse.Namespace, engine: EngineProcess
) -> Ending:
    """Show or tell the session, and return why that ended."""
    if not arguments.plain:
        return show(folder, wanted, arguments, engine)
    for number in GRACEFUL:
        signal.signal(number, lambda *_: engine.stop())
    signal.signal(signal.SIGHUP, _hang_up)
    try:
        return Ending("detached" if told(folder, OWNER).is_detached else "ended")
    except _HungUpError:
        return HUNG_UP
    except SessionUnreachable as error:
        if engine.is_alive:
            raise
        return Ending("died", str(error))


def _hang_up(*_: object) -> None:
    raise _HungUpError


def _stop(*_: object) -> None:
    raise _StoppedError


def _run_dir(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser().absolute()


def _never_listened(engine: EngineProcess, home: Path, named: Path | None) -> int:
    """Pass on why a session did not start, or how one ended before it could be shown."""
    code = engine.wait()
    folder = named or next(iter(engine.candidates(runs_of(home))), None)
    if code in ENDED and folder is not None and (folder / REPORT_NAME).exists():
        sys.stdout.write(last_words(folder))
    _repeat(engine)
    return _exit_code(code)


def _ended(engine: EngineProcess, folder: Path) -> int:
    code = engine.wait()
    if code is None:
        sys.stderr.write(f"The engine is still closing: laptop-agents status {folder.name}\n")
        return KILLED
    _repeat(engine)
    exit_code = _exit_code(code)
    sys.stdout.write(last_words(folder).replace("\n", f", exit {exit_code}\n", 1))
    if code < 0:
        sys.stderr.write(
            f"error: signal {-code} ended the engine; laptop-agents --resume {folder.name}\n"
        )
    return exit_code


def _repeat(engine: EngineProcess) -> None:
    for line in engine.last_words.splitlines():
        sys.stderr.write(sanitize(line, 1_000) + "\n")


def _exit_code(code: int | None) -> int:
    return KILLED if code is None or code < 0 else code
