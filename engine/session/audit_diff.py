"""Two journals side by side: where their decisions part, and what each counted.

Decisions are compared by what they say, not by when: the same market from the same seed, begun at
another moment, has the same decisions at other times.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from engine.model.events import INPUT_TYPES
from engine.session.journal_reader import Line, is_decision, read_journal


class Parting(NamedTuple):
    """One side of the first decision that differs."""

    decision: Line | None
    """None where this run has no further decision."""
    cause: Line | None
    """The input before it; None where inputs were not recorded."""


class Side(NamedTuple):
    """What one journal holds, read to its end."""

    started: dict[str, Any]
    counts: Counter[str]
    """Decisions by type, verdicts split by rule, in words for a table."""
    last: dict[str, Any]
    """Data of the last heartbeat or of the end."""
    began_ns: int


class Difference(NamedTuple):
    """Both sides, and where they part; None where every decision is the same."""

    same: int
    """Decisions before that."""
    partings: tuple[Parting, Parting] | None
    sides: tuple[Side, Side]


class _Reading:
    """Reads one journal to its end, decision by decision."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.cause: Line | None = None
        self.side = Side({}, Counter(), {}, 0)

    def decisions(self) -> Iterator[tuple[Line, Line | None]]:
        """Yield each decision with the input before it.

        Raises:
            JournalDamaged: A line is not proven.

        """
        started: dict[str, Any] = {}
        last: dict[str, Any] = {}
        counts = self.side.counts
        for line in read_journal(self._path):
            if line.seq == 1:
                started = _object(line.data)
                self.side = self.side._replace(started=started, began_ns=line.ts_ns)
            if line.type in INPUT_TYPES:
                self.cause = line
            elif is_decision(line):
                counts[line.type] += 1
                if line.type == "gate_verdict":
                    _count_verdict(counts, line)
                yield line, self.cause
            elif line.type in ("heartbeat", "session_ended"):
                last = line._asdict()
        self.side = self.side._replace(last=_object(last["data"]) if last else {})


def difference(first: Path, second: Path) -> Difference:
    """Read both journals to their ends, in one pass and in little memory.

    Raises:
        JournalDamaged: A line of either is not proven.

    """
    one, other = _Reading(first), _Reading(second)
    same = 0
    partings: tuple[Parting, Parting] | None = None
    for ours, theirs in zip_longest(one.decisions(), other.decisions()):
        if partings is not None:
            continue
        if ours and theirs and _says(ours[0], one.side) == _says(theirs[0], other.side):
            same += 1
            continue
        partings = Parting(*(ours or (None, one.cause))), Parting(*(theirs or (None, other.cause)))
    return Difference(same, partings, (one.side, other.side))


def _says(line: Line, side: Side) -> tuple[str, bytes]:
    """Return what a decision says; the one absolute time in it counts from the run's start."""
    if line.type != "round_trip":
        return line.type, line.data
    trip = _object(line.data)
    opened_ns = trip.get("opened_ns")
    if isinstance(opened_ns, int):
        trip["opened_ns"] = opened_ns - side.began_ns
    return line.type, msgspec.json.encode(trip)


def _count_verdict(counts: "Counter[str]", line: Line) -> None:
    verdict = _object(line.data)
    if verdict.get("is_approved"):
        counts["approved"] += 1
    elif not verdict.get("is_waiting"):
        counts["refused"] += 1
        counts[f"refused by {verdict.get('rule')}"] += 1


def _object(data: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # chained by somebody else
        return {}
