"""Where a wish leads on what is known of a session. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from engine.session.playback.tape import HASH_DIGITS, Tape
from engine.session.playback.words import Seek, Step

NEAR_NS: Final = 1_000_000_000
"""A second is as exact as people type a session's edges."""


class Wish(NamedTuple):
    """What was asked, and where one stood then."""

    ask: Step | Seek
    cursor: int


def reach(wish: Wish, tape: Tape, hash_of: Callable[[int], str]) -> int | str | None:
    """Return the cursor to go to, why there is none, or None while that is not known.

    Args:
        wish: What was asked for.
        tape: What is known.
        hash_of: Reads the whole hash of a known line.
    """
    if isinstance(wish.ask, Step):
        return _stepped(wish.ask, wish.cursor, tape)
    return _sought(wish.ask, tape, hash_of)


def _stepped(step: Step, cursor: int, tape: Tape) -> int | str | None:
    what = "event" if step.to is None else step.to.value
    if step.by < 0:
        before = cursor - 1 if step.to is None else tape.preceding(step.to, cursor)
        return f"no {what} before this" if before is None or before < 0 else before
    if step.to is None:
        after = cursor + 1 if cursor < tape.length else None
    else:
        after = tape.following(step.to, cursor)
    return f"no {what} after this" if after is None and tape.is_whole else after


def _timed(ts_ns: int, tape: Tape) -> int | str | None:
    began_ns, ended_ns = tape.time_of(1), tape.time_of(tape.length)
    if began_ns is None or ended_ns is None:
        return "the session has no events" if tape.is_whole else None
    if ts_ns < began_ns - NEAR_NS:
        return f"the session began at {_clock(began_ns)}"
    if ts_ns < ended_ns:
        return tape.at_time(ts_ns)
    if not tape.is_whole:
        return None
    is_near = ts_ns <= ended_ns + NEAR_NS
    return tape.length if is_near else f"the session ended at {_clock(ended_ns)}"


def _clock(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC):%H:%M:%SZ}"


def _sought(seek: Seek, tape: Tape, hash_of: Callable[[int], str]) -> int | str | None:
    if seek.ts_ns is not None:
        return _timed(seek.ts_ns, tape)
    if seek.seq is not None:
        cursor = tape.at_line(seek.seq)
        missing = f"there is no event {seek.seq:,}: the last is {tape.lines:,}"
        return missing if cursor is None and tape.is_whole else cursor
    if seek.digits:
        seq = tape.with_hash(seek.digits)
        is_it = seq is not None and (
            len(seek.digits) <= HASH_DIGITS or hash_of(seq).startswith(seek.digits)
        )
        if seq is not None and is_it:
            return tape.at_line(seq)
        return f"no event's hash begins with {seek.digits}" if tape.is_whole else None
    return tape.length if tape.is_whole else None
