"""Reads a journal back: proves every line, then turns it into the event it was.

The proof comes before any parsing and works on raw bytes. A reader therefore never sees a value
that was not written, whatever happened to the file.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec

from engine.model.errors import JournalDamaged, StateDamaged
from engine.model.events import INPUT_TYPES, RECORD_TYPES, Input
from engine.session.journal_head import HEAD_NAME, Head, read_head
from engine.session.journal_line import GENESIS, proven
from engine.session.journal_parts import JOURNAL_NAME, LINE_MAX, BrokenSeal, open_parts
from engine.session.journal_versions import UPCASTERS, Upcaster, proven_version, upcast

EventT = TypeVar("EventT", bound=msgspec.Struct)
T = TypeVar("T")

TS_MAX: Final = 2**63 - 1
"""The year 2262."""

FORGED: Final = "no session wrote this line"
CUT: Final = (
    f"the journal ends at its line {{}}, but {HEAD_NAME} knows line {{}}: lines that counted are"
    " gone; put the run's files back from a copy, or start a new run"
)
OTHER: Final = (
    f"{HEAD_NAME} knows another line of this number: one of the two files is of another run"
)

_SHAPE: Final = re.compile(
    rb'\{"v":[0-9]{1,9},"seq":[0-9]{1,20},"ts":(0|[1-9][0-9]{0,18}),'
    rb'"type":"([ !#-\[\]-~]{1,64})","data":'
)
"""How every line begins: canonical numbers, a name of printable ASCII, no escapes."""

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


class Starts(NamedTuple):
    """Where one file of a journal begins, counted over all of them."""

    at: int
    """Bytes before it."""
    seq: int
    """Number of its first line."""


class JournalReading:
    """One pass through a journal, from its oldest segment to its newest line."""

    def __init__(self, journal: Path, upcasters: Mapping[int, Upcaster] = UPCASTERS) -> None:
        self._journal = journal
        self._upcasters = upcasters
        # Before the lines: a running session writes those first.
        known = read_head(journal.with_name(HEAD_NAME)) if journal.name == JOURNAL_NAME else None
        self.head: Head | None = known
        """What the run keeps outside its journal; None where it keeps nothing."""
        self.path = journal
        """The file that is being read."""
        self.starts: list[Starts] = []
        """Of every file so far."""
        self.good_bytes = 0
        """Length of the lines that are proven, over all files."""

    def lines(self) -> Iterator[Line]:
        """Yield every line in order.

        Raises:
            JournalDamaged: At the first line that is not proven, by its number in its file; the
                lines before it are good. Also where they end before the head.
            OSError: A file can't be read.
        """
        prev, seq = GENESIS, 0
        acknowledged = 0 if self.head is None else self.head.seq
        for path, file in open_parts(self._journal):
            self.path, first = path, seq
            self.starts.append(Starts(self.good_bytes, first + 1))
            try:
                while raw := file.readline(LINE_MAX):
                    seq += 1
                    line = proven_line(raw, prev, seq, self._upcasters)
                    if isinstance(line, str):
                        raise JournalDamaged(str(path), seq - first, line)
                    if seq == acknowledged:
                        self._hold_head(line, seq - first)
                    self.good_bytes += line.size
                    yield line
                    prev = line.hash
            except BrokenSeal as broken:
                raise JournalDamaged(str(path), seq - first + 1, str(broken)) from broken
        if not seq:
            raise JournalDamaged(str(self._journal), 1, "the journal is empty")
        self.refuse_cut(seq)

    def refuse_cut(self, last: int) -> None:
        """Hold the number of the last line against the head.

        Raises:
            JournalDamaged: Lines behind it were acknowledged and are gone.
        """
        if self.head is not None and self.head.seq > last:
            line = last - self.starts[-1].seq + 2
            raise JournalDamaged(str(self.path), line, CUT.format(last, self.head.seq))

    def _hold_head(self, line: Line, number: int) -> None:
        if self.head is not None and line.hash != self.head.hash:
            raise JournalDamaged(str(self.path), number, OTHER)


def read_journal(path: Path) -> Iterator[Line]:
    """Yield every line of a journal and its sealed segments; see `JournalReading.lines`."""
    return JournalReading(path).lines()


def proven_line(
    raw: bytes, prev: str, seq: int, upcasters: Mapping[int, Upcaster] = UPCASTERS
) -> Line | str:
    """Return what a line says if it is the next in the chain, or why it is not.

    Args:
        raw: The line with its newline.
        prev: Hash of the line before.
        seq: The number this line must have.
        upcasters: See `journal_versions`.
    """
    digest = proven(raw, prev, seq)
    if digest is not None:
        return _sound(raw, seq, digest)
    other = proven_version(raw, prev, seq)
    if other is None:
        return _diagnosis(raw, seq)
    version, digest = other
    line = _sound(raw, seq, digest)
    return line if isinstance(line, str) else upcast(line, version, upcasters)


def _diagnosis(raw: bytes, seq: int) -> str:
    if not raw.endswith(b"\n"):
        return "the line is torn: it has no end"
    if f'"seq":{seq},'.encode() not in raw[:40]:
        return f"line {seq} is not next in the chain: one before it is missing, added or moved"
    return "the line was changed, or is not the one that followed the line before"


def _sound(raw: bytes, seq: int, digest: str) -> Line | str:
    """Take a line apart; the chain proves that it was not changed, not that a session wrote it."""
    try:
        line = split_line(raw, seq, digest)
    except ValueError:
        return FORGED
    return line if line.ts_ns <= TS_MAX else FORGED


def split_line(raw: bytes, seq: int, digest: str) -> Line:
    """Take a proven line apart; its shape is ours, so nothing is parsed.

    Raises:
        ValueError: It begins as no line of ours does.
    """
    begins = _SHAPE.match(raw)
    if begins is None:
        raise ValueError(FORGED)
    ts, name = begins.groups()
    data = raw[begins.end() : -_TAIL]
    return Line(seq, int(ts), name.decode(), data, digest, len(raw))


def raw_lines(journal: Path) -> Iterator[bytes]:
    """Yield the lines of a journal and its sealed segments as they stand there, unproven.

    Raises:
        JournalDamaged: A segment is missing.
        OSError: A file can't be read.
    """
    for _, file in open_parts(journal):
        while raw := file.readline(LINE_MAX):
            yield raw


def input_of(line: Line) -> Input | None:
    """Return the input a line holds; None for decisions and the session's own lines.

    Raises:
        StateDamaged: It is chained, but has not the shape of its type.
    """
    decoder = _DECODERS.get(line.type)
    return None if decoder is None else _decoded(line, decoder)


def event_of(line: Line, kind: type[EventT]) -> EventT:
    """Return the event of a known class that a line holds.

    Raises:
        StateDamaged: It is chained, but has not that shape.
    """
    return _decoded(line, msgspec.json.Decoder(kind))


def _decoded(line: Line, decoder: msgspec.json.Decoder[T]) -> T:
    comma = b"," if len(line.data) > 2 else b""
    try:
        return decoder.decode(b'{"ts_ns":%d%b%b' % (line.ts_ns, comma, line.data[1:]))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateDamaged(f"line {line.seq} is chained, but no session wrote it so") from error


def is_decision(line: Line) -> bool:
    """Whether a line is one the kernel must make again from the inputs before it."""
    return line.type in RECORD_TYPES
