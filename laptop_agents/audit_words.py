"""How journal lines look to people and to programs. Pure; everything outside is sanitised here."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from engine.session.journal_reader import Line
from engine.session.sanitize import sanitize

VALUE_MAX: Final = 80
DETAIL_MAX: Final = 240
DIGITS_MAX: Final = 40
"""Before or behind the point: written out, 1E+999999999 would take a gigabyte."""
FLAGS: Final = frozenset({"post_only", "reduce_only", "is_waiting", "is_late"})
"""Facts worth a word only where they are true."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BEYOND_ASCII: Final = re.compile(r"[^\x20-\x7e]")


def iso(ts_ns: int) -> str:
    """Return a UTC time to the millisecond; the number itself where no calendar reaches."""
    try:
        moment = _EPOCH + timedelta(microseconds=ts_ns // 1_000)
    except OverflowError:
        return str(ts_ns)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1_000:03}Z"


def offset(ts_ns: int, began_ns: int) -> str:
    """Return the time since the journal began."""
    return f"{(ts_ns - began_ns) / 1e9:+.3f} s"


def fields(line: Line) -> dict[str, Any]:
    """Return a line's data; empty where a forger chained something that is no JSON object."""
    try:
        return msgspec.json.decode(line.data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def details(data: Mapping[str, object], leave_out: Sequence[str] = ()) -> str:
    """Return data as `key=value` words; what is empty, and flags that are down, are left out."""
    words = [
        f"{sanitize(key, VALUE_MAX)}={shown(value)}"
        for key, value in data.items()
        if key not in leave_out
        and value not in ("", None, [], (), {})
        and not (value is False and key in FLAGS)
    ]
    return sanitize(" ".join(words), DETAIL_MAX)


def shown(value: object) -> str:
    """Return one value as a person may see it."""
    if isinstance(value, dict):
        return sanitize(",".join(f"{key}:{item}" for key, item in value.items()), VALUE_MAX)
    if isinstance(value, list | tuple):
        return sanitize(",".join(map(shown, value)), VALUE_MAX)
    return sanitize(str(value), VALUE_MAX)


def figure(value: object) -> Decimal | None:
    """Return a finite number of a size that can be, from JSON text or number; else None."""
    try:
        number = Decimal(value) if isinstance(value, str | int | Decimal) else None
    except ArithmeticError:
        return None
    if number is None or not number.is_finite() or abs(number.adjusted()) > DIGITS_MAX:
        return None
    return number


def ascii_json(text: bytes) -> str:
    r"""Return JSON as it stands, what is not plain ASCII as `\u` escapes: it means the same.

    Outside ASCII, JSON has text only; inside it, a terminal could obey a control of the C1 set.
    """
    return _BEYOND_ASCII.sub(_escape, text.decode("utf-8", "replace"))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def columns(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Return rows as lines of aligned columns; those at `right` are aligned to their right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{cell:>{width}}" if place in right else f"{cell:<{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
