"""The venue's times, in nanoseconds: milliseconds as number or text, or ISO 8601 to the nanosecond.

Source: sheet sections 4, 5 and 7.
"""

import re
from datetime import UTC, datetime
from typing import Final

from brokers.link.grid import Refused

MS_NS: Final = 1_000_000
S_NS: Final = 1_000_000_000
MS_MAX: Final = 9_223_372_036_854
"""Bounded so that nanoseconds fit 64 bits."""
CHARS_MAX: Final = 40
FRACTION_DIGITS: Final = 9
_ISO: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)


def moment_ns(told: str | int) -> int:
    """Return a time in nanoseconds; without a zone it is UTC.

    Raises:
        Refused: It is none.
    """
    if isinstance(told, str) and not (told.isascii() and told.isdigit()):
        return _iso_ns(told)
    if len(str(told)[: CHARS_MAX + 1]) > CHARS_MAX:
        raise Refused("malformed", "no time")
    return _ms_ns(int(told))


def _ms_ns(ms: int) -> int:
    if not 0 <= ms <= MS_MAX:
        raise Refused("malformed", f"no time: {ms}")
    return ms * MS_NS


def _iso_ns(text: str) -> int:
    match = _ISO.fullmatch(text[: CHARS_MAX + 1])
    if match is None:
        raise Refused("malformed", f"no time: {text[:CHARS_MAX]!r}")
    whole, fraction, zone = match.groups()
    try:
        second = datetime.fromisoformat(whole + ("+00:00" if zone in (None, "Z") else zone))
    except ValueError as error:
        raise Refused("malformed", f"no time: {text!r}") from error
    since_s = (second - datetime(1970, 1, 1, tzinfo=UTC)) // _SECOND
    ns = since_s * S_NS + int((fraction or "").ljust(FRACTION_DIGITS, "0"))
    if not 0 <= ns <= MS_MAX * MS_NS:
        raise Refused("malformed", f"no time: {text!r}")
    return ns


_SECOND: Final = datetime(1970, 1, 1, 0, 0, 1) - datetime(1970, 1, 1)
