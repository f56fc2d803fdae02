"""Words to a running session: `status`, `pause`, `flatten`, `kill`, the rest of `CONTROLS`."""

import argparse
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from engine.model.errors import SessionUnreachable, UsageError
from engine.model.events import Operator
from engine.session.control.client import Connection
from engine.session.control.docket import PATIENCE_S
from engine.session.control.views import View
from engine.session.control.words import Outcome, Ruling
from laptop_agents.audit_words import ascii_json
from laptop_agents.control_words import ended_lines, outcome_line, status_lines
from laptop_agents.home import find_home
from laptop_agents.run_shelf import ABRUPT, RunSummary, find_run, is_held, summary

WAIT_S: Final = PATIENCE_S + 2.0
"""The session answers within its own patience; this is for one that hangs."""
VIEW_S: Final = 2.0

EXIT_CODES: Final = {
    Ruling.DONE: 0,
    Ruling.UNCHANGED: 0,
    Ruling.REFUSED: UsageError.exit_code,
    Ruling.UNCONFIRMED: SessionUnreachable.exit_code,
}
"""What was asked for holds; can't be had; is not known to hold."""


class Given(NamedTuple):
    """A command as typed."""

    operator: Operator
    argument: str = ""


WORDS: Final = {
    "pause": Operator.PAUSE,
    "resume": Operator.RESUME,
    "reduce-only": Operator.REDUCE_ONLY,
    "flatten": Operator.FLATTEN,
    "stop": Operator.STOP,
    "kill": Operator.KILL,
    "reset": Operator.RESET,
}
OF_AGENTS: Final = {"pause": Operator.PAUSE_AGENT, "resume": Operator.RESUME_AGENT}

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def run(arguments: argparse.Namespace) -> int:
    """Do what the word says.

    Raises:
        SessionUnreachable: No session runs there, or it does not answer.
        UsageError: There is no such run.
    """
    folder = find_run(arguments.run, find_home(os.environ))
    if arguments.command == "status":
        return _status(folder, as_json=arguments.json)
    outcome = _told(folder, _given(arguments))
    _print(outcome_line(outcome), outcome, as_json=arguments.json)
    return EXIT_CODES[outcome.ruling]


def _given(arguments: argparse.Namespace) -> Given:
    if arguments.command == "reset":
        return Given(Operator.RESET, arguments.confirm)
    if arguments.command != "agents":
        return Given(WORDS[arguments.command])
    if arguments.verb == "weight":
        return Given(Operator.WEIGH_AGENT, f"{arguments.name}={arguments.weight}")
    return Given(OF_AGENTS[arguments.verb], arguments.name)


def _told(folder: Path, given: Given) -> Outcome:
    with _connection(folder) as connection:
        outcome = connection.ask(given.operator, given.argument, within_s=WAIT_S)
    if outcome is None:
        raise SessionUnreachable(
            f"run {folder.name} did not answer within {WAIT_S:g} s: the kill file"
            f" {folder / 'kill.txt'} or a signal stops it without an answer"
        )
    return outcome


def _status(folder: Path, *, as_json: bool) -> int:
    try:
        connection = Connection.open(folder, "cli", wants_views=True)
    except SessionUnreachable:
        if is_held(folder):
            raise
        ended = _ended(folder)
        facts = {"run_id": ended.run_id, "is_running": False, **ended.ending._asdict()}
        _print("\n".join(ended_lines(ended)), facts, as_json=as_json)
        return 0
    with connection:
        for word in connection.views(within_s=VIEW_S):
            if isinstance(word, View):
                live = {"run_id": connection.welcome.run_id, "is_running": True}
                facts = live | msgspec.to_builtins(word, builtin_types=(Decimal,))
                lines = status_lines(connection.welcome, word)
                _print("\n".join(lines), facts, as_json=as_json)
                return 0
    raise SessionUnreachable(f"run {folder.name} sent no view within {VIEW_S:g} s")


def _connection(folder: Path) -> Connection:
    try:
        return Connection.open(folder, "cli")
    except SessionUnreachable as error:
        if is_held(folder):
            raise
        how = _ended(folder).ending.stop_reason
        raise SessionUnreachable(f"run {folder.name} is not running: {how}") from error


def _ended(folder: Path) -> RunSummary:
    """Describe a run that nobody holds, even one written to a moment ago."""
    run = summary(folder)
    return run._replace(ending=run.ending._replace(stop_reason=ABRUPT)) if run.is_running else run


def _print(text: str, facts: object, *, as_json: bool) -> None:
    sys.stdout.write((ascii_json(_ENCODER.encode(facts)) if as_json else text) + "\n")
