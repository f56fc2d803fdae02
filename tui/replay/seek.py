"""What a person types to go somewhere in a recorded session. Pure."""

import re
from datetime import UTC, datetime
from typing import Final

from engine.session.playback.words import Seek

HINT: Final = "hh:mm:ss (UTC), +mm:ss from the start, an event number, or #hash"
DIGITS_MIN: Final = 4
"""Of a hash: fewer are a slip."""
_FRACTION: Final = r"(?:\.(\d{1,9}))?"
_CLOCK: Final = re.compile(
    rf"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d){_FRACTION})?Z?", re.IGNORECASE
)
_DISTANCE: Final = re.compile(rf"\+(?:(\d{{1,3}}):)?(\d{{1,3}}):([0-5]\d){_FRACTION}")
_EVENT: Final = re.compile(r"\d[\d,_]{0,24}", re.ASCII)
_HASH: Final = re.compile(rf"#?([0-9a-f]{{{DIGITS_MIN},64}})", re.IGNORECASE)
_SECOND_NS: Final = 1_000_000_000
_DAY_NS: Final = 86_400 * _SECOND_NS


def parse(typed: str, began_ns: int, ended_ns: int) -> Seek | str:
    """Return where to go, or why that is nowhere.

    Args:
        typed: `12:02:19.5`, `12:02`, `+2:30`, `48,211`, `9f3c` or, of digits only, `#4821`.
        began_ns: Recorded time of the start.
        ended_ns: Recorded time of the known end.
    """
    word = typed.strip()
    if clock := _CLOCK.fullmatch(word):
        return Seek(ts_ns=_on_its_day(_span_ns(clock), began_ns, ended_ns))
    if distance := _DISTANCE.fullmatch(word):
        return Seek(ts_ns=began_ns + _span_ns(distance))
    if _EVENT.fullmatch(word):
        return Seek(seq=int(re.sub(r"[,_]", "", word)))
    if digits := _HASH.fullmatch(word):
        return Seek(digits=digits[1].lower())
    return f"nowhere: type {HINT}"


def _span_ns(found: re.Match[str]) -> int:
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
    fraction = int((found[4] or "0").ljust(9, "0"))
    return ((hours * 60 + minutes) * 60 + seconds) * _SECOND_NS + fraction


def _on_its_day(span_ns: int, began_ns: int, ended_ns: int) -> int:
    """Return a time of day on the session's first day, or on the next where only that is in it."""
    began = datetime.fromtimestamp(began_ns // _SECOND_NS, UTC)
    midnight = began.replace(hour=0, minute=0, second=0, microsecond=0)
    at_ns = int(midnight.timestamp()) * _SECOND_NS + span_ns
    is_next_day = at_ns + _SECOND_NS <= began_ns and at_ns + _DAY_NS <= ended_ns
    return at_ns + _DAY_NS if is_next_day else at_ns
