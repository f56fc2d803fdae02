"""Every byte a journal can be cut at, and 20,000 ways to damage it (reliability.md section 3).

The journal holds every type of line, in `make sweeps` several times. The oracle is the list of
lines that were written: what is recovered is exactly the whole ones before the cut, and no damage
goes unnoticed.
"""

import os
import random
from bisect import bisect
from pathlib import Path
from typing import Final

import pytest

from engine.model.errors import JournalDamaged, UsageError
from engine.session.journal_head import SLOT, Head, encode
from engine.session.journal_reader import read_journal
from engine.session.recorded import Recorded
from tests.crash.journals import TYPES, lines_of_all_types, types_in, written
from tests.sweeps import counted

pytestmark = pytest.mark.timeout(300)
"""A shard takes seconds of processor time; on a crowded machine that is minutes."""

SIZE: Final = counted(75_000, sample=18_000)
SHARDS: Final = counted(16, sample=4)
MUTATIONS: Final = counted(20_000, sample=8_000)
LINES: Final = lines_of_all_types(SIZE)
WHOLE: Final = b"".join(LINES)
HASHES: Final = [line[-67:-3].decode() for line in LINES]


def test_every_type_of_line_is_there() -> None:
    """A type that is added to the journal joins the sweeps by itself."""
    assert types_in(LINES) == TYPES
    assert len(WHOLE) >= SIZE


def proven_lines(path: Path) -> tuple[int, int | None]:
    """Return how many lines are proven as they were written, and the first bad one's number."""
    count, bad = 0, None
    try:
        for line in read_journal(path):
            assert HASHES[count] == line.hash
            count += 1
    except JournalDamaged as damage:
        bad = damage.line
    return count, bad


@pytest.mark.parametrize("shard", range(SHARDS))
def test_cut_at_every_byte(tmp_path: Path, shard: int) -> None:
    """The whole lines before the cut, no more and no less; the torn one is told by number."""
    path = written(tmp_path / "events.jsonl", WHOLE)
    first, last = len(WHOLE) * shard // SHARDS, len(WHOLE) * (shard + 1) // SHARDS
    for size in reversed(range(first, last)):
        os.truncate(path, size)
        whole = WHOLE[:size].count(b"\n")
        is_torn = size == 0 or WHOLE[size - 1 : size] != b"\n"

        assert (whole, whole + 1 if is_torn else None) == proven_lines(path), size


def test_recovery_keeps_the_whole_lines_before_every_cut(tmp_path: Path) -> None:
    """What a resume takes over, at each place near a line's end and at a seeded choice of others."""
    path = written(tmp_path / "events.jsonl", WHOLE)
    ends = [sum(map(len, LINES[:n])) for n in range(1, len(LINES) + 1)]
    near = {end + step for end in ends for step in (-2, -1, 0, 1, 2)}
    chosen = random.Random(1).sample(range(len(WHOLE)), 500)  # noqa: S311 - places, not secrets
    for size in sorted({*near, *chosen} & set(range(len(WHOLE))), reverse=True):
        os.truncate(path, size)
        whole = WHOLE[:size].count(b"\n")
        if not whole:
            with pytest.raises(UsageError):
                Recorded(path)
            continue
        recorded = Recorded(path)
        kept = ends[whole - 1]

        assert (whole, HASHES[whole - 1]) == (recorded.count, recorded.head)
        assert (kept, size - kept) == (recorded.file_bytes, recorded.torn_bytes)


def test_no_cut_before_the_head_is_taken_for_a_crash(tmp_path: Path) -> None:
    """At every byte of the last lines; a cut at a line's end is the one the chain can't see."""
    path = written(tmp_path / "events.jsonl", WHOLE)
    head = encode(Head(1, len(LINES), HASHES[-1]))
    written(tmp_path / "journal.head", head + bytes(SLOT))
    for size in reversed(range(len(WHOLE) - 2_000, len(WHOLE))):
        os.truncate(path, size)
        with pytest.raises(JournalDamaged):
            Recorded(path)


def mutated(rng: random.Random) -> bytes:
    """Damage the journal in one of five ways."""
    at = rng.randrange(len(WHOLE))
    match rng.randrange(5):
        case 0:
            return WHOLE[:at] + bytes([WHOLE[at] ^ 1 << rng.randrange(8)]) + WHOLE[at + 1 :]
        case 1:
            size = rng.choice((1, 8, 512, 4096))
            return WHOLE[:at] + bytes(len(WHOLE[at : at + size])) + WHOLE[at + size :]
        case 2:
            one, two = sorted(rng.sample(range(len(LINES)), 2))
            lines = [*LINES]
            lines[one], lines[two] = lines[two], lines[one]
            return b"".join(lines)
        case 3:
            if rng.random() < 0.5:
                place = rng.randrange(len(LINES))
                return b"".join([*LINES[:place], *LINES[place + 1 :]])
            return WHOLE[:at] + WHOLE[at + rng.choice((1, 64, 4096)) :]
        case _:
            extra = rng.choice((bytes([rng.randrange(256)]), b"\n", rng.choice(LINES)))
            return WHOLE[:at] + extra + WHOLE[at:]


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_mutation_goes_unnoticed(tmp_path: Path, shard: int) -> None:
    """0 of 20,000: refused at the first line that is not what was written, never past it."""
    rng = random.Random(shard)  # noqa: S311 - damage, not a secret
    path = tmp_path / "events.jsonl"
    written(tmp_path / "journal.head", encode(Head(1, len(LINES), HASHES[-1])) + bytes(SLOT))
    for _ in range(MUTATIONS // SHARDS):
        content = mutated(rng)
        if content == WHOLE:  # a line swapped with its equal, a zero zeroed
            continue
        path.write_bytes(content)
        good = bisect(range(len(WHOLE)), 0, key=lambda n: content[: n + 1] != WHOLE[: n + 1])
        whole = WHOLE[:good].count(b"\n")
        count, bad = proven_lines(path)

        assert (whole, whole + 1) == (count, bad)
        with pytest.raises(JournalDamaged):
            Recorded(path)
