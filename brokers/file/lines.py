"""Lines of a recording, `<receive time> <message>`: whose they are, and when each arrived."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from brokers.file.capture import HEAD_LINES, CutGzipError, blocks
from brokers.link.arrivals import Arrivals, received_ns
from brokers.link.grid import Refused
from engine.model.market import Flaw, Malformed
from engine.model.text import sanitize

TOLD_BY: Final = 50
"""Lines after which a file has shown whose it is."""
LINE_BYTES_MAX: Final = 1024 * 1024
DETAIL_CHARS_MAX: Final = 120


def first_message(path: Path) -> bytes:
    """Return the first message that has a receive time; empty where none of the first lines has.

    Raises:
        DataUnavailable: The file can't be opened.
    """
    for line in islice(head_of(path), TOLD_BY):
        stamp, _, body = line.partition(b" ")
        if received_ns(stamp):
            return body
    return b""


def head_of(path: Path) -> Iterator[bytes]:
    """Yield the first lines of a file, as far as it can be unpacked."""
    with suppress(CutGzipError):
        yield from islice((line for lines in blocks(path) for line in lines), HEAD_LINES)


def message_of(line: bytes, arrivals: Arrivals) -> bytes | Malformed:
    """Return the message in a line, whose time `arrivals` then knows, or what is wrong with it."""
    if len(line) > LINE_BYTES_MAX:
        return flawed(arrivals.last_ns, "oversize", f"line over {LINE_BYTES_MAX} bytes")
    stamp, _, body = line.partition(b" ")
    try:
        arrivals.take(stamp)
    except Refused as refused:
        return flawed(arrivals.last_ns, refused.flaw, refused.detail)
    return body


def flawed(at_ns: int, flaw: Flaw, detail: str) -> Malformed:
    """Say what is wrong with a line of no instrument."""
    return Malformed(at_ns, "", flaw, sanitize(detail, DETAIL_CHARS_MAX))
