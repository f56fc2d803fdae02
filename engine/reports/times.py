"""Times as reports write them."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def iso(ts_ns: int) -> str:
    """Return a UTC time as `2026-11-20T12:02:19.123456Z`, nanoseconds cut off."""
    moment = _EPOCH + timedelta(microseconds=ts_ns // 1_000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
