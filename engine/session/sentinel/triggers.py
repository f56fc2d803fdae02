"""When the sentinel acts, and how hard: one table over what it sees.

Rule 1: the first row that holds decides; no row, no action.
Rule 2: nothing here reads a clock, a file or a process; what is seen arrives as data.
Rule 3: a kill file that was seen counts from then on, whatever becomes of it (reliability.md D2).
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from engine.session.sentinel.page import Phase

OBEYING_DEAF_S: Final = 1.0
"""Silence that ends an engine which is closing after a kill: its cancels are out, but a loop that
hangs now will not see them confirmed."""


class Limits(NamedTuple):
    """How patient the sentinel is, seconds."""

    grace_s: float
    """For the engine to obey a kill by itself."""
    deaf_after_s: float
    """Silence of the decision loop that counts as deafness."""


class Sight(NamedTuple):
    """What the sentinel sees at one look."""

    phase: Phase
    is_gone: bool
    silent_s: float
    """Since the last beat, as far as the sentinel itself was awake."""
    killed_s: float | None
    """Since a kill file was first seen; None when none was."""


class Cause(StrEnum):
    """Why the sentinel acts."""

    GOODBYE = "goodbye"
    KILL_FILE = "kill_file"
    GONE = "engine_gone"
    DEAF = "engine_deaf"


class Response(NamedTuple):
    """What follows."""

    stops_engine: bool
    """SIGKILL first: whatever it is doing, it does it no longer."""
    flattens: bool
    """Close positions, reduce-only, after the cancels (domain.md, EMERGENCY)."""
    is_sticky: bool
    """The run is over for good: `--resume` is refused."""
    cancels: bool = True
    """Take out what works; not where orders wait for a resume."""


class Rule(NamedTuple):
    """One row."""

    cause: Cause
    holds: Callable[[Sight, Limits], bool]
    response: Response


def _is_ignored(sight: Sight, limits: Limits) -> bool:
    """Whether a kill file was seen and the engine does not, or can't, close by itself."""
    if sight.killed_s is None:
        return False
    return sight.is_gone or (sight.phase < Phase.OBEYING and sight.killed_s >= limits.grace_s)


def _is_deaf(sight: Sight, limits: Limits) -> bool:
    match sight.phase:
        case Phase.TRADING:
            return sight.silent_s >= limits.deaf_after_s
        case Phase.OBEYING:
            return sight.silent_s >= min(limits.deaf_after_s, OBEYING_DEAF_S)
        case _:
            return False


TABLE: Final = (
    # cause, when, kills the engine? flattens? for good?
    Rule(Cause.GOODBYE, lambda s, _: s.phase is Phase.DONE, Response(False, False, False)),
    Rule(Cause.KILL_FILE, _is_ignored, Response(True, True, True)),
    Rule(Cause.GONE, lambda s, _: s.is_gone, Response(False, False, False)),
    Rule(Cause.DEAF, _is_deaf, Response(True, True, True)),
)
"""A crash is no kill: orders are canceled because nobody watches them, but the position stays and
the run can be resumed."""


def decide(sight: Sight, limits: Limits) -> Rule | None:
    """Return the row that holds, or None while all is well."""
    return next((rule for rule in TABLE if rule.holds(sight, limits)), None)
