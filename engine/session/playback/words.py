"""What a screen asks of a recorded session, and what it is shown.

Rule 1: every word is whole: a screen that missed frames has missed nothing.
Rule 2: a cursor counts inputs taken; an event number is that of a journal line.
"""

from typing import Final, Literal

import msgspec

from engine.session.control.views import View
from engine.session.playback.landmarks import Landmark

SPEED_MAX: Final = 0.0
"""As fast as the machine can."""
SPEEDS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, SPEED_MAX)
"""Recorded time per wall time, in the order of `+`."""
NORMAL: Final = SPEEDS.index(1.0)


class Step(msgspec.Struct, frozen=True, tag="step"):
    """Go to the next or previous instant of a kind."""

    by: Literal[-1, 1]
    to: Landmark | None = None
    """None is the next input, whatever it is."""


class Seek(msgspec.Struct, frozen=True, tag="seek"):
    """Go somewhere; exactly one is given."""

    ts_ns: int | None = None
    """The last instant at or before this recorded time."""
    seq: int | None = None
    """The instant after which this journal line had been written."""
    digits: str = ""
    """The instant of the first journal line whose hash begins so, lower case."""
    is_end: bool = False


class Play(msgspec.Struct, frozen=True, tag="play"):
    """Let recorded time run, or stop it."""

    is_on: bool
    speed: int = NORMAL
    """Place in `SPEEDS`."""


Ask = Step | Seek | Play


class Scrub(msgspec.Struct, frozen=True, kw_only=True):
    """Where the shown instant lies, and what the rerun has proven."""

    cursor: int
    """Inputs taken."""
    cursors: int
    """Inputs known; all once `is_whole`."""
    seq: int
    """Number of the newest journal line of this instant: the event number."""
    lines: int
    """Lines known."""
    hash: str
    """Of that line."""
    ts_ns: int
    began_ns: int
    ended_ns: int
    """Recorded time of the known end."""
    known: float
    """Share of the journal that was made again, 0 to 1."""
    is_whole: bool
    decisions: int
    """Decision lines held against the journal up to this instant."""
    decisions_known: int
    diverged: int
    """Decisions that came out differently, wherever they were found; must be 0."""
    is_playing: bool
    speed: int
    """Place in `SPEEDS`."""
    is_seeking: bool
    """A seek waits for a part of the journal that is not known yet."""
    refusal: str = ""
    """Why the newest wish led nowhere."""
    asked: int = 0
    """Wishes heard so far."""


class Shown(msgspec.Struct, frozen=True, tag="shown"):
    """One instant."""

    view: View
    scrub: Scrub


class Broken(msgspec.Struct, frozen=True, tag="broken"):
    """The session can't be played back any further."""

    exit_code: int
    reason: str


Frame = Shown | Broken
