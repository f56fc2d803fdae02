"""The journal's lines, proven by the definition of interface.md and nothing else."""

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from tests.simulation.checker.verdicts import Verdicts

TAIL: Final = 64 + len(',"hash":""}')
PREV: Final = 64 + len(',"prev":"",')


class Line:
    """One line; its data is parsed when somebody asks."""

    __slots__ = ("_data", "raw", "seq", "ts", "type")

    def __init__(self, raw: bytes, seq: int) -> None:
        self.raw = raw
        self.seq = seq
        at = raw.index(b'"ts":') + 5
        comma = raw.index(b",", at)
        self.ts = int(raw[at:comma])
        self.type = raw[comma + 9 : raw.index(b'"', comma + 9)].decode()
        self._data: dict[str, Any] | None = None

    @property
    def data(self) -> dict[str, Any]:
        """The decision or input, numbers that are money as text."""
        if self._data is None:
            self._data = json.loads(self.raw, parse_float=Decimal)["data"]
        return self._data

    @property
    def symbol(self) -> str:
        """The instrument of a market message, without parsing it."""
        at = self.raw.index(b'"symbol":"') + 10
        return self.raw[at : self.raw.index(b'"', at)].decode()

    @property
    def body(self) -> bytes:
        """Time, type and data as they stand: what two runs have in common."""
        return self.raw[self.raw.index(b'"ts":') : self.raw.rindex(b',"prev":"')]


def lines(journal: bytes, verdicts: Verdicts) -> Iterator[Line]:
    """Yield every line that ends, each proven; the chain begins with 64 zeros."""
    prev = b"0" * 64
    for seq, raw in enumerate(journal.split(b"\n")[:-1], 1):
        digest = hashlib.sha256(raw[:-TAIL] + b"}").hexdigest().encode()
        claimed = (
            raw[-66:-2],
            raw[-TAIL - 65 : -TAIL - 1],
            raw.startswith(b'{"v":1,"seq":%d,' % seq),
        )
        if not verdicts.hold("C10", seq, (digest, prev, True), claimed):
            return
        prev = digest
        yield Line(raw, seq)


def digest(journal: bytes) -> str:
    """Hash what a run decided and was told: all but the header, the chain and what resumes add.

    That is their note, their question for the venue's account, its answer and what it says.
    """
    whole = hashlib.sha256()
    asked: set[int] = set()
    is_own = False
    for seq, raw in enumerate(journal.split(b"\n")[:-1], 1):
        line = Line(raw, seq)
        if line.type in ("session_started", "session_resumed"):
            continue
        if line.type == "operator_command" and line.data["command"] == "reconcile":
            asked.add(line.ts)
        elif line.type == "venue_snapshot":
            is_own = line.data["asked_ns"] in asked
        elif line.type == "sync_report" and is_own:
            is_own = False
            continue
        if not (line.type in ("operator_command", "venue_snapshot") and line_is_own(line, asked)):
            whole.update(line.body + b"\n")
    return whole.hexdigest()


def line_is_own(line: Line, asked: set[int]) -> bool:
    """Say whether a line is a resume's question, or the answer to one asked at such a time."""
    if line.type == "venue_snapshot":
        return line.data["asked_ns"] in asked
    return line.data["command"] == "reconcile"
