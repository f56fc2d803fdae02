"""The parts that one session's shell shares, as they were handed to it."""

from dataclasses import dataclass

from engine.session.checkpoint import Checkpoints
from engine.session.clock import Clock
from engine.session.commits import Commits
from engine.session.course import Course
from engine.session.journal import Journal
from engine.session.record import SessionRecord
from engine.session.sentinel.guard import Guard
from engine.session.stops import Stops
from engine.session.turn import Turn
from engine.venue import LiveBroker, LiveFeed, SessionBroker


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What stands round the kernel of one session."""

    course: Course
    live: LiveFeed | None
    """The source, where it happens now."""
    broker: SessionBroker
    venue: LiveBroker | None
    """The broker, where a real venue stands behind it."""
    turn: Turn
    commits: Commits
    clock: Clock
    journal: Journal
    record: SessionRecord
    stops: Stops
    checkpoints: Checkpoints
    guard: Guard
