"""From words to work: parse, then import only what the chosen command needs."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.model.errors import UsageError
from laptop_agents.options import CONTROLS, Typed, build_parser
from tui.terminal import NO_SCREEN, no_screen_here

if TYPE_CHECKING:
    from laptop_agents.arming import Consent
    from laptop_agents.sources import Flag

COMMANDS = {
    # sub-command: module with `run(arguments) -> exit code`
    "profiles": "laptop_agents.profiles_command",
    "agents": "laptop_agents.agents_command",
    "replay": "laptop_agents.replay_command",
    "runs": "laptop_agents.runs_command",
    "audit": "laptop_agents.audit_command",
    "doctor": "laptop_agents.doctor",
    "completion": "laptop_agents.completion_command",
    "attach": "laptop_agents.attach_command",
    "sandbox": "laptop_agents.sandbox_command",
    "drill": "laptop_agents.drill_command",
    "record": "laptop_agents.record_command",
    "keys": "laptop_agents.keys_command",
    "serve": "laptop_agents.serve_command",
    **dict.fromkeys(CONTROLS, "laptop_agents.control_command"),
}
SESSION_ONLY = (
    "headless", "resume", "replay", "run_dir", "kill_file", "yes_live", "arm_token", "plain",
    "verbose", "quiet",
)  # fmt: skip
"""Options that mean nothing to a sub-command."""
TAKE_SETTINGS = (
    ("profiles", "show"), ("replay", None), ("attach", None), ("record", None),
    ("keys", "check"), ("keys", "rotate"),
)  # fmt: skip
"""Sub-commands and verbs that settings may be typed to."""
SCREENLESS = ("headless", "plain", "json", "quiet")
"""Options that ask for lines, or for none, in the place of the screen."""


def run(argv: Sequence[str] | None = None) -> int:
    """Do what the command line asks and return the exit code.

    Raises:
        LaptopAgentsError: With the exit code of interface.md.
        SystemExit: After `--help`, `--version`, or a word the parser does not know.
    """
    arguments = build_parser().parse_args(argv)
    if arguments.replay and arguments.command is None:
        _become_replay(arguments)
    if arguments.command is None:
        if _wants_lines(arguments) or (_wants_screen(arguments) and not no_screen_here()):
            from laptop_agents import workstation  # noqa: PLC0415 - not where nobody looks

            return workstation.run(arguments, sys.argv[1:] if argv is None else argv)
        return resume(arguments) if arguments.resume else run_session(arguments)
    _refuse_session_options(arguments)
    code: int = importlib.import_module(COMMANDS[arguments.command]).run(arguments)
    return code


def run_session(arguments: argparse.Namespace) -> int:
    """Start a session with the resolved settings."""
    from laptop_agents.home import find_home, prepare_home, profile_folder  # noqa: PLC0415 - lazy
    from laptop_agents.settings import load  # noqa: PLC0415 - pydantic

    home = find_home(os.environ)
    settings = load(
        flags(arguments),
        os.environ,
        profiles=profile_folder(home),
        headless=arguments.headless,
    )
    run_dir = _path("--run-dir", arguments.run_dir)
    kill_file = _path("--kill-file", arguments.kill_file)
    prepare_home(home)
    if _wants_screen(arguments):
        sys.stderr.write(NO_SCREEN.format(reason=no_screen_here()) + "\n")
    from laptop_agents import running  # noqa: PLC0415 - the whole engine

    return running.run_session(
        settings,
        home=home,
        run_dir=run_dir,
        kill_file=kill_file,
        consent=consent_of(arguments),
        verbosity=-1 if arguments.quiet else arguments.verbose,
        as_json=arguments.json,
        color=_wants_color(arguments),
        is_plain=arguments.plain,
    )


def resume(arguments: argparse.Namespace) -> int:
    """Go on with an interrupted session; everything but its looks comes from its journal."""
    if arguments.typed or arguments.run_dir:
        option = arguments.typed[0][0] if arguments.typed else "--run-dir"
        raise UsageError(f"--resume and {option} conflict: a resumed run keeps its own settings")
    from laptop_agents import running  # noqa: PLC0415 - the whole engine
    from laptop_agents.home import find_home  # noqa: PLC0415 - lazy

    return running.resume_session(
        arguments.resume,
        home=find_home(os.environ),
        kill_file=_path("--kill-file", arguments.kill_file),
        consent=consent_of(arguments),
        verbosity=-1 if arguments.quiet else arguments.verbose,
        as_json=arguments.json,
        color=_wants_color(arguments),
        is_plain=arguments.plain,
    )


def consent_of(arguments: argparse.Namespace) -> "Consent":
    """Return what was typed about real money."""
    from laptop_agents.arming import Consent  # noqa: PLC0415 - not for --help

    return Consent(arguments.yes_live or "", _path("--arm-token", arguments.arm_token))


def _become_replay(arguments: argparse.Namespace) -> None:
    """Read `--replay PATH` as the sub-command; there is no screen and no kill file to it."""
    arguments.command, arguments.run = "replay", arguments.replay
    arguments.kept_in, arguments.tui = arguments.run_dir, False
    arguments.replay = arguments.run_dir = None
    arguments.headless = arguments.plain = False


def flags(arguments: argparse.Namespace) -> list["Flag"]:
    """Return the settings typed before and after the sub-command, in that order."""
    from laptop_agents.sources import Flag  # noqa: PLC0415 - not for --help

    typed: list[Typed] = [
        *(arguments.typed or ()),
        *(getattr(arguments, "typed_after", None) or ()),
    ]
    return [Flag(*row) for row in typed]


def _wants_screen(arguments: argparse.Namespace) -> bool:
    """Say whether nothing was asked for in its place."""
    return not any(getattr(arguments, name) for name in SCREENLESS)


def _wants_lines(arguments: argparse.Namespace) -> bool:
    """Say whether each change shall be told in a line, and commands be typed."""
    return bool(arguments.plain) and not any(
        getattr(arguments, name) for name in SCREENLESS if name != "plain"
    )


def _wants_color(arguments: argparse.Namespace) -> bool:
    """Say whether colors are welcome; whether there is a terminal is for the session to see."""
    dull = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not (arguments.no_color or arguments.plain or dull)


def _path(option: str, text: str | None) -> Path | None:
    if text is None:
        return None
    if not text or not text.isprintable():
        raise UsageError(f"{option} needs a path")
    return Path(text).expanduser().absolute()


def _refuse_session_options(arguments: argparse.Namespace) -> None:
    typed = [name for name in SESSION_ONLY if getattr(arguments, name)]
    if typed:
        option = {"verbose": "-v", "quiet": "-q"}.get(typed[0], "--" + typed[0].replace("_", "-"))
        raise UsageError(f"{option} belongs to a session, not to {arguments.command}")
    asked = (arguments.command, getattr(arguments, "verb", None))
    if arguments.typed and asked not in TAKE_SETTINGS:
        raise UsageError(
            f"{arguments.typed[0][0]} belongs to a session, record, replay, attach, profiles show,"
            f" keys check, not to {arguments.command}"
        )
