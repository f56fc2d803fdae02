"""Reads a journal back: proves every line, then turns it into the event it was.

The proof comes before any parsing and works on raw bytes. A reader therefore never sees a value
that was not written, whatever happened to the file.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec

from engine.model.errors import JournalDamaged
from engine.model.events import INPUT_TYPES, RECORD_TYPES, Input
from engine.session.journal_line import GENESIS, proven

EventT = TypeVar("EventT", bound=msgspec.Struct)

TS_MAX: Final = 2**63 - 1
"""The year 2262."""

TYPE_MAX: Final = 64
"""Characters of a type's name."""

FORGED: Final = "no session wrote this line"

LINE_MAX: Final = 4 * 1024 * 1024
"""Longest line read: a depth snapshot of 1,000 levels a side takes 60 kB."""

_TAIL: Final = len(f',"prev":"{GENESIS}","hash":"{GENESIS}"}}\n')

_DECODERS: Final[dict[str, msgspec.json.Decoder[Input]]] = {
    name: msgspec.json.Decoder(cls) for name, cls in INPUT_TYPES.items()
}


class Line(NamedTuple):
    """One proven line."""

    seq: int
    ts_ns: int
    type: str
    data: bytes
    """The JSON object of `data`, as it stands in the file."""
    hash: str
    size: int
    """Bytes in the file, newline included."""


def read_journal(path: Path) -> Iterator[Line]:
    """Yield every line in order.

    Raises:
        JournalDamaged: At the first line that is not proven; the lines before it are good.
        OSError: The file can't be read.

    """
    prev, seq = GENESIS, 0
    with path.open("rb") as file:
        while raw := file.readline(LINE_MAX):
            seq += 1
            digest = proven(raw, prev, seq)
            if digest is None:
                raise JournalDamaged(str(path), seq, _diagnosis(raw, seq))
            yield _sound(raw, seq, digest, path)
            prev = digest
    if not seq:
        raise JournalDamaged(str(path), 1, "the journal is empty")


def _diagnosis(raw: bytes, seq: int) -> str:
    if not raw.endswith(b"\n"):
        return "the line is torn: it has no end"
    if f'"seq":{seq},'.encode() not in raw[:40]:
        return f"line {seq} is not next in the chain: one before it is missing, added or moved"
    return "the line was changed, or is not the one that followed the line before"


def _sound(raw: bytes, seq: int, digest: str, path: Path) -> Line:
    """Take a line apart; the chain proves that it was not changed, not that a session wrote it."""
    try:
        line = split_line(raw, seq, digest)
    except ValueError as error:
        raise JournalDamaged(str(path), seq, FORGED) from error
    if not 0 <= line.ts_ns <= TS_MAX or not line.type.isprintable() or len(line.type) > TYPE_MAX:
        raise JournalDamaged(str(path), seq, FORGED)
    return line


def split_line(raw: bytes, seq: int, digest: str) -> Line:
    """Take a proven line apart; its shape is ours, so places are known and nothing is parsed."""
    ts_at = raw.index(b'"ts":') + 5
    type_at = raw.index(b',"type":"', ts_at)
    data_at = raw.index(b'","data":', type_at)
    return Line(
        seq,
        int(raw[ts_at:type_at]),
        raw[type_at + 9 : data_at].decode(),
        raw[data_at + 9 : -_TAIL],
        digest,
        len(raw),
    )


def input_of(line: Line) -> Input | None:
    """Return the input a line holds; None for decisions and the session's own lines."""
    if line.type not in INPUT_TYPES:
        return None
    comma = b"," if len(line.data) > 2 else b""
    whole = b'{"ts_ns":%d%b%b' % (line.ts_ns, comma, line.data[1:])
    return _DECODERS[line.type].decode(whole)


def event_of(line: Line, kind: type[EventT]) -> EventT:
    """Return the event of a known class that a line holds."""
    comma = b"," if len(line.data) > 2 else b""
    return msgspec.json.decode(b'{"ts_ns":%d%b%b' % (line.ts_ns, comma, line.data[1:]), type=kind)


def is_decision(line: Line) -> bool:
    """Whether a line is one the kernel must make again from the inputs before it."""
    return line.type in RECORD_TYPES
