"""The index of a journal: what it finds, and that it never answers for another journal."""

import json
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from engine.model.errors import JournalDamaged, StateDamaged
from engine.session.audit_database import AGENT, BATCH_LINES, NAME, ORDER, SYMBOL
from engine.session.audit_index import AuditIndex, Question, open_index
from engine.session.journal_line import Chain

SECOND = 1_000_000_000
STARTED = {"symbols": ["BTC", "ETH"], "agents": ["trend", "grid-2"]}
LINES = [
    # seconds, type, data
    (0, "session_started", STARTED),
    (1, "quote", {"symbol": "BTC", "bid_ticks": 1}),
    (1, "quote", {"symbol": "ETH", "bid_ticks": 2}),
    (2, "meta_decision", {"symbol": "BTC", "inputs": ["trend-1", "grid-2-7"], "chosen": []}),
    (2, "intent", {"intent_id": "trend-1", "agent": "trend", "symbol": "BTC"}),
    (2, "router_decision", {"intent_id": "grid-2-7", "symbol": "ETH", "working_order_id": "trend-1"}),
    (3, "venue_fill", {"symbol": "BTC", "order_id": "trend-1"}),
    (4, "round_trip", {"symbol": "BTC", "agent": "trend", "order_ids": ["trend-1", "house-1"]}),
    (5, "error", {"kind": "refused_answer", "scope": "trend-1"}),
    (5, "error", {"kind": "agent_quarantined", "scope": "trend"}),
    (6, "fsm_transition", {"scope": "ETH", "event": "FEED_STALLED"}),
    (7, "alert", {"kind": "nothing of \u009b[31m ours"}),
]  # fmt: skip


def write(path: Path, lines=LINES) -> Path:
    chain = Chain()
    path.write_bytes(b"".join(chain.data(kind, s * SECOND, data) for s, kind, data in lines))
    return path


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return write(tmp_path / "events.jsonl")


def seqs(journal: Path, **asked: object) -> list[int]:
    with open_index(journal) as index:
        question = Question(**asked)
        found = [one.line.seq for one in index.find(question)]
        assert len(found) == min(index.count(question), asked.get("limit") or 10**9)
        return found


QUESTIONS = [
    ({}, list(range(1, 13))),
    ({"types": ["quote"]}, [2, 3]),
    ({"types": ["quote", "alert"]}, [2, 3, 12]),
    ({"types": []}, []),
    ({"symbol": "ETH"}, [3, 6, 11]),
    ({"symbol": "eth"}, []),
    ({"agent": "trend"}, [4, 5, 6, 7, 8, 9, 10]),
    ({"agent": "grid-2"}, [4, 6]),
    ({"agent": "house"}, [8]),
    ({"order": "trend-1"}, [4, 5, 6, 7, 8, 9]),
    ({"order": "house-1"}, [8]),
    ({"order": "' OR 1=1 --"}, []),
    ({"since_ns": 5 * SECOND}, [9, 10, 11, 12]),
    ({"until_ns": 2 * SECOND}, [1, 2, 3]),
    ({"since_ns": 2 * SECOND, "until_ns": 5 * SECOND, "symbol": "BTC"}, [4, 5, 7, 8]),
    ({"limit": 2}, [1, 2]),
    ({"limit": 2, "newest_first": True}, [12, 11]),
]


@pytest.mark.parametrize(("asked", "expected"), QUESTIONS)
def test_question(journal: Path, asked: dict, expected: list[int]) -> None:
    """Filters add up; the newest built index and the kept one answer alike."""
    assert expected == seqs(journal, **asked)
    assert expected == seqs(journal, **asked)


def test_lines_come_as_they_stand(journal: Path) -> None:
    """What is found is the journal's own line, to the byte."""
    with open_index(journal) as index:
        raw = [one.raw for one in index.find(Question())]
        last = list(index.find(Question()))[-1].line

    assert journal.read_bytes().splitlines() == raw
    assert (7 * SECOND, "alert") == (last.ts_ns, last.type)
    assert {"kind": "nothing of \u009b[31m ours"} == json.loads(last.data)


def test_names_and_types(journal: Path) -> None:
    """What may be asked for."""
    with open_index(journal) as index:
        assert ["BTC", "ETH"] == index.named(SYMBOL)
        assert ["grid-2", "house", "trend"] == index.named(AGENT)
        assert ["grid-2-7", "house-1", "trend-1"] == index.named(ORDER)
        assert sorted({row[1] for row in LINES}) == index.types()


def test_the_file_is_private_and_kept(journal: Path) -> None:
    """0600 under any umask; the second question finds it as it is, and nothing lies about."""
    old = os.umask(0)
    try:
        seqs(journal)
    finally:
        os.umask(old)
    index = journal.with_name(NAME)
    first = index.stat()
    seqs(journal)

    assert 0o600 == stat.S_IMODE(first.st_mode)
    assert (first.st_ino, first.st_mtime_ns) == (index.stat().st_ino, index.stat().st_mtime_ns)
    assert {NAME, "events.jsonl"} == {path.name for path in journal.parent.iterdir()}


def test_a_journal_that_went_on_is_indexed_anew(journal: Path) -> None:
    """Another head, another index."""
    seqs(journal)
    write(journal, [*LINES, (8, "quote", {"symbol": "BTC"})])

    assert [2, 3, 13] == seqs(journal, types=["quote"])


def test_same_size_and_other_head(journal: Path) -> None:
    """A rewritten journal of the same length, with its clock set back, is still another one."""
    seqs(journal)
    before = journal.stat()
    other = [(s, kind, {"symbol": "XTH", "bid_ticks": 2} if n == 2 else data)
             for n, (s, kind, data) in enumerate(LINES)]  # fmt: skip
    write(journal, other)
    os.utime(journal, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert before.st_size == journal.stat().st_size
    assert [3] == seqs(journal, symbol="XTH")


def changed(journal: Path, line: int) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(b'"kind":"refused', b'"kind":"REFUSED', 1)
    journal.write_bytes(b"".join(lines))


def test_damage_is_found_by_line(journal: Path) -> None:
    """A changed line makes the index worthless, and no other is built from what is damaged."""
    seqs(journal)
    changed(journal, 9)

    with pytest.raises(JournalDamaged) as caught:
        open_index(journal)
    assert 9 == caught.value.line
    assert {NAME, "events.jsonl"} == {path.name for path in journal.parent.iterdir()}


def test_damage_behind_our_back_is_found_when_read(journal: Path) -> None:
    """With size and clock forged the index still fits, but the line does not pass."""
    seqs(journal)
    before = journal.stat()
    changed(journal, 9)
    os.utime(journal, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert [2, 3] == seqs(journal, types=["quote"])
    with pytest.raises(JournalDamaged) as caught:
        seqs(journal, types=["error"])
    assert 9 == caught.value.line


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_torn_end_is_refused(journal: Path, cut: int) -> None:
    """Nothing is answered from a journal that was cut in a line."""
    journal.write_bytes(journal.read_bytes()[:-cut])

    with pytest.raises(JournalDamaged) as caught:
        open_index(journal)
    assert 12 == caught.value.line
    assert not journal.with_name(NAME).exists()


def foreign(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE journal (inode INT, size INT, mtime_ns INT, head TEXT)")
    database.commit()
    database.close()


def broken(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4_000)


def link(path: Path) -> None:
    target = path.with_name("elsewhere")
    target.write_text("precious")
    path.symlink_to(target)


@pytest.mark.parametrize("made", [foreign, broken, link, Path.mkdir])
def test_what_stands_in_its_place(journal: Path, made) -> None:
    """Somebody else's file is no index; a link is replaced and never written through."""
    made(journal.with_name(NAME))

    assert [2, 3] == seqs(journal, types=["quote"])
    assert not journal.with_name(NAME).is_symlink()
    assert not list(journal.parent.glob(".*"))
    if made is link:
        assert "precious" == journal.with_name("elsewhere").read_text()


def test_a_folder_that_can_t_be_written(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive on a read-only disk is answered from all the same."""
    blocked = journal.with_name(f".{NAME}-{os.getpid()}")
    blocked.mkdir()  # stands where the new index would be written: also root can't create it

    assert [2, 3] == seqs(journal, types=["quote"])
    assert not journal.with_name(NAME).exists()


def test_more_lines_than_one_batch(tmp_path: Path) -> None:
    """Lines across the border of a batch are neither lost nor doubled."""
    count = BATCH_LINES + 3
    rows = [(0, "session_started", STARTED)]
    rows += [(n, "quote", {"symbol": "BTC"}) for n in range(1, count)]
    journal = write(tmp_path / "events.jsonl", rows)

    with open_index(journal) as index:
        assert count == index.lines == index.count(Question())
        assert [count] == [one.line.seq for one in index.find(Question(limit=1, newest_first=True))]


def test_a_forged_chain_is_found_by_type_and_time(tmp_path: Path) -> None:
    """Lines of a shape nobody of us writes break no index: they just name nothing."""
    rows = [(0, "session_started", []), (1, "quote", {"symbol": 5}), (2, "quote", "text")]
    journal = write(tmp_path / "events.jsonl", rows)

    assert [2, 3] == seqs(journal, types=["quote"])


def test_an_unreadable_journal_says_so(tmp_path: Path) -> None:
    """No bare operating system error reaches the caller."""
    with pytest.raises(StateDamaged, match="can't read or index"):
        open_index(tmp_path)


def test_close_lets_go(journal: Path) -> None:
    """Both files can be moved away afterwards."""
    index: AuditIndex = open_index(journal)
    index.close()

    with pytest.raises(sqlite3.ProgrammingError):
        index.types()
