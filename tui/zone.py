"""The zone of the clocks on this screen; one process shows one screen, so there is one zone.

Figures, files and the journal stay in UTC: only what a person reads off the screen is shifted, and
the session bar says by how much.
"""

from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from tui.config import LOCAL

SECOND_NS: Final = 1_000_000_000
YEAR_NS: Final = 366 * 86_400 * SECOND_NS
LAST_NS: Final = 7_900 * YEAR_NS
"""Times past what calendars know are shown in UTC."""


class _Chosen:
    """The zone in use."""

    name = "UTC"
    zone: tzinfo | None = UTC


def use(name: str) -> None:
    """Choose `UTC`, `local` or a zone of the IANA database; settings have proven that it is one."""
    _Chosen.name = name
    _Chosen.zone = UTC if name == "UTC" else None if name == LOCAL else ZoneInfo(name)


def name() -> str:
    """Return what was chosen."""
    return _Chosen.name


def is_utc() -> bool:
    """Say whether clocks show UTC."""
    return _Chosen.zone is UTC


def offset_s(ts_ns: int) -> int:
    """Return how many seconds the clocks are ahead of UTC at an instant."""
    if is_utc() or not 0 <= ts_ns < LAST_NS:
        return 0
    at = datetime.fromtimestamp(ts_ns // SECOND_NS, UTC).astimezone(_Chosen.zone)
    ahead = at.utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds())


def offset(ts_ns: int) -> str:
    """Return the same as clocks write it: `Z`, `+02:00`."""
    if is_utc():
        return "Z"
    seconds = offset_s(ts_ns)
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}"
