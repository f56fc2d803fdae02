"""Every place that knows how far a journal has come, held against the journal and one another.

    journal.head      the last acknowledged line, always the newest of all
    checkpoint-*.bin  named after its line, and written only once that line was durable
    sentinel.jsonl    what `journal.head` said when the engine's guard took leave or saw it dead

A journal cut at a line's end shows in none of its own lines. It shows in each of these, so whoever
wants to hide a cut must change all of them, and taking one away is told.

Source: reliability.md section 0.3, C10, row 68.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from engine.model.errors import JournalDamaged
from engine.session.checkpoint import decode, paths
from engine.session.journal_head import HEAD_NAME, read_head
from engine.session.manifest import NAME as MANIFEST_NAME
from engine.session.sentinel.segment import HEAD_SEEN, read_verdict
from engine.session.sentinel.segment import NAME as SEGMENT_NAME

GONE: Final = (
    "the journal ends at line {}, but {} knows line {}: lines that counted are gone; put the run's"
    " files back from a copy, or start a new run"
)


class Witness(NamedTuple):
    """A place that knows a line."""

    seq: int
    hash: str
    """Empty where the place is encrypted: its name still tells the number."""
    place: str


class _Seen(msgspec.Struct):
    seq: int
    hash: str


def witnesses(run: Path) -> tuple[Witness, ...]:
    """Return what each place of a run knows, `journal.head` first; places without a line are out.

    Raises:
        JournalDamaged: The sentinel's segment was changed.
        OSError: A file can't be read.
    """
    head = read_head(run / HEAD_NAME)
    found = [Witness(head.seq, head.hash, HEAD_NAME)] if head is not None and head.seq else []
    for path in paths(run):
        number = path.stem.rpartition("-")[2]
        with suppress(FileNotFoundError):  # a running session keeps only its newest
            point = decode(path.read_bytes())
            if number.isdecimal():
                found.append(Witness(int(number), "" if point is None else point.hash, path.name))
    for line in read_verdict(run).lines:
        if line.type == HEAD_SEEN:
            with suppress(msgspec.DecodeError):
                seen = msgspec.json.decode(line.data, type=_Seen)
                found.append(Witness(seen.seq, seen.hash, SEGMENT_NAME))
    return tuple(found)


def refuse_cut(journal: Path, last: int, known: Sequence[Witness]) -> None:
    """Hold the number of the last line against every witness.

    Raises:
        JournalDamaged: One of them knows a later line.
    """
    for witness in known:
        if witness.seq > last:
            told = GONE.format(last, witness.place, witness.seq)
            raise JournalDamaged(str(journal), last + 1, told)


def doubts(run: Path, known: Sequence[Witness], hashes: Mapping[int, str]) -> list[str]:
    """Return what is wrong with the witnesses of an uncut journal, in words.

    Args:
        run: The run folder; a journal that was copied out of one has no witnesses to miss.
        known: See `witnesses`.
        hashes: Of the journal's lines that they know, by number.
    """
    if not (run / MANIFEST_NAME).exists():
        return []
    found = [
        f"{one.place} knows another line {one.seq} than the journal"
        for one in known
        if one.hash and hashes.get(one.seq, one.hash) != one.hash
    ]
    heads = [one for one in known if one.place == HEAD_NAME]
    newest = max(known, default=None)
    if not (run / HEAD_NAME).exists() or (not heads and known):
        against = "nothing: a cut end would not show" if newest is None else newest.place
        found.insert(0, f"{HEAD_NAME} is missing or empty; the end was held against {against}")
    elif heads and newest is not None and newest.seq > heads[0].seq:
        found.insert(
            0,
            f"{HEAD_NAME} is older than {newest.place}, which knows line {newest.seq}: it was"
            " replaced",
        )
    return found
