"""A stretch of a journal; the oracle reads all of it."""

import json
import random
import tracemalloc
from pathlib import Path

import pytest
import zstandard

from engine.model.errors import JournalDamaged
from engine.session.journal_line import Chain
from engine.session.journal_window import SCAN_BYTES, lines_between, newest, oldest

LINES = 4_000


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many lines of uneven length, several of each instant, where it is parted, too."""
    path = tmp_path_factory.mktemp("run") / "events.jsonl"
    rng, chain, ts = random.Random(3), Chain(), 100  # noqa: S311 - lengths, not secrets
    content = []
    for number in range(LINES):
        ts += rng.choice((0, 0, 1, 7, 400)) if number % (LINES // 3) else 0
        content.append(chain.data("timer", ts, {"x": "y" * rng.choice((0, 10, 900))}))
    path.write_bytes(b"".join(content))
    assert path.stat().st_size > 10 * SCAN_BYTES
    return path


@pytest.fixture(scope="module")
def parted(journal: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same lines in two segments, one of them packed, and the file that goes on."""
    lines = journal.read_bytes().splitlines(keepends=True)
    path = tmp_path_factory.mktemp("parted") / "events.jsonl"
    third = LINES // 3
    packed = zstandard.ZstdCompressor().compress(b"".join(lines[:third]))
    path.with_name("events-000001.jsonl.zst").write_bytes(packed)
    path.with_name("events-000002.jsonl").write_bytes(b"".join(lines[third : 2 * third]))
    path.write_bytes(b"".join(lines[2 * third :]))
    return path


@pytest.mark.parametrize("where", ["journal", "parted"])
def test_it_finds_what_a_whole_reading_finds(
    journal: Path, where: str, request: pytest.FixtureRequest
) -> None:
    """For stretches before, in, across and behind the journal, also of no time at all."""
    raw = journal.read_bytes().splitlines(keepends=True)
    read: Path = request.getfixturevalue(where)
    times = [json.loads(line)["ts"] for line in raw]
    rng = random.Random(4)  # noqa: S311
    ends = [0, times[0], times[-1], times[-1] + 1, *(rng.randrange(times[-1]) for _ in range(100))]
    instants = [times[LINES // 3], times[2 * LINES // 3], *rng.sample(times, 100)]
    stretches = [*zip(ends, reversed(ends), strict=True), *((ts, ts + 1) for ts in instants)]
    for since, until in stretches:
        expected = [line for line, ts in zip(raw, times, strict=True) if since <= ts < until]
        assert expected == [one.raw for one in lines_between(read, since, until)]


def test_a_line_longer_than_a_scan_is_found(tmp_path: Path) -> None:
    """Also as the last one: behind it there is nothing to compare with."""
    chain, path = Chain(), tmp_path / "events.jsonl"
    texts = ["y", "y" * 3 * SCAN_BYTES, "y", "y" * 6 * SCAN_BYTES]
    raw = [chain.data("timer", ts, {"x": text}) for ts, text in enumerate(texts)]
    path.write_bytes(b"".join(raw))

    for since in range(len(raw)):
        assert raw[since:] == [one.raw for one in lines_between(path, since, 99)]


def test_a_line_being_written_is_not_there_yet(journal: Path, tmp_path: Path) -> None:
    """Nor what comes behind it."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(journal.read_bytes()[:-1])

    assert LINES - 1 == len(list(lines_between(path, 0, 2**62)))


def test_damage_inside_the_stretch_is_refused(journal: Path, tmp_path: Path) -> None:
    """A changed line, one that is missing, and one of the same number from another run."""
    raw = journal.read_bytes().splitlines(keepends=True)
    path, chain = tmp_path / "events.jsonl", Chain()
    other = [chain.data("timer", 9, {}) for _ in range(51)][50]
    spoiled = [[raw[50].replace(b"timer", b"tamer")], [], [other]]
    for lines in ([*raw[:50], *line, *raw[51:]] for line in spoiled):
        path.write_bytes(b"".join(lines))
        with pytest.raises(JournalDamaged, match=":51: "):
            list(lines_between(path, 0, 2**62))


def test_bounds_keep_the_near_side(journal: Path) -> None:
    """The last lines before an incident, the first ones after it; the rest is counted."""
    whole = list(lines_between(journal, 0, 2**62))
    for keep, side in ((newest, slice(-9, None)), (oldest, slice(0, 9))):
        expected = b"".join(one.raw for one in whole[side])
        kept = keep(iter(whole), len(expected))
        assert (expected, LINES - 9, 9) == (b"".join(kept.pieces), kept.dropped, kept.lines)
        assert (whole[side][0].line.seq, whole[side][-1].line.seq) == kept.ends


def test_of_nothing_nothing_is_kept(journal: Path) -> None:
    """Nor of lines none of which fits; a shorter one behind does not take their place."""
    whole = sorted(lines_between(journal, 0, 2**62), key=lambda one: -len(one.raw))
    fits = len(whole[-1].raw)
    for keep, lines, dropped in (
        (newest, [], 0),
        (newest, whole[:9], 9),
        (oldest, [whole[0], whole[-1]], 2),
    ):
        kept = keep(lines, fits)
        assert (b"", dropped, None) == (b"".join(kept.pieces), kept.dropped, kept.ends)


def test_rows_that_are_no_lines_have_the_numbers_of_theirs(journal: Path) -> None:
    """A table of decisions is kept so."""
    rows = [one._replace(raw=b"a,b\n") for one in lines_between(journal, 0, 2**62)][5:9]
    assert (rows[0].line.seq, rows[-1].line.seq) == oldest(rows, 100).ends


def test_what_is_kept_takes_as_much_memory_as_its_text(journal: Path) -> None:
    """A list of lines takes four times that."""
    tracemalloc.start()
    try:
        kept = oldest(lines_between(journal, 0, 2**62), 2**62)
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    size = journal.stat().st_size
    assert kept.size == size
    assert held < 1.2 * size
    assert peak < 1.3 * size
