"""What the ends of a journal say of a run that left no report: not proven, only shown."""

import contextlib
import os
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from engine.model.errors import JournalDamaged
from engine.session.journal_parts import BrokenSeal, open_part, segments

TAIL_BYTES: Final = 256 * 1024
"""How much of a journal's end is searched for its last heartbeat: one comes each second."""
_MONEY: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_LAST_WORDS: Final = re.compile(
    rb'"type":"(?:heartbeat|session_ended)","data":(\{.*\}),"prev":"[0-9a-f]{64}","hash"'
)


class Ends(NamedTuple):
    """None, or empty, is what can't be read."""

    began_ns: int | None
    last_ns: int | None
    beat: dict[str, Any]
    """Data of the last heartbeat."""


def ends_of(journal: Path) -> Ends:
    """Return the time of the first and the last whole line, and the last heartbeat's data."""
    try:
        older = segments(journal)
        began_ns = _ts(_head(older[0] if older else journal))
        lines = _tail(journal)
        if older and _beat(lines) is None:  # a segment has just begun
            lines = [*_tail(older[-1]), *lines]
    except (OSError, BrokenSeal, JournalDamaged):
        return Ends(None, None, {})
    last_ns = next((ts for ts in map(_ts, reversed(lines)) if ts is not None), None)
    return Ends(began_ns, last_ns, _beat(lines) or {})


def _head(path: Path) -> bytes:
    with open_part(path) as file:
        return file.readline(200)


def _tail(path: Path) -> list[bytes]:
    """Return the whole lines in a file's end; what is packed has to be read from its beginning."""
    tail = b""
    with open_part(path) as file:
        if file.seekable():
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
        while chunk := file.read(TAIL_BYTES):
            tail = (tail + chunk)[-TAIL_BYTES:]
    return tail.split(b"\n")[:-1]


def _beat(lines: Sequence[bytes]) -> dict[str, Any] | None:
    for line in reversed(lines):
        match = _LAST_WORDS.search(line)
        if match is not None:
            with contextlib.suppress(msgspec.DecodeError, ValueError, RecursionError):
                return _MONEY.decode(match[1])
    return None


def _ts(line: bytes) -> int | None:
    match = re.match(rb'\{"v":\d+,"seq":\d+,"ts":(\d{1,19}),', line)
    return int(match[1]) if match else None
