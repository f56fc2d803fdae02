"""What each place beside a journal knows of its end, and what is said when they do not agree."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.model.errors import JournalDamaged
from engine.session.checkpoint import Checkpoint, ShellState
from engine.session.checkpoint import encode as checkpointed
from engine.session.envelope import KEY_BYTES, Keyed
from engine.session.journal_head import Head, encode
from engine.session.journal_witness import Witness, doubts, refuse_cut, witnesses
from engine.session.sentinel.segment import HEAD_SEEN, STARTED, Segment

HEAD, SENTINEL, MANIFEST = "journal.head", "sentinel.jsonl", "manifest.json"
SHELL = ShellState(
    began_ns=1, planned_end_ns=None, next_timer_ns=2, deadline_ns=3, close_by_ns=4, taken=5
)

Deed = Callable[[Path], object]
"""Leaves a file in a run folder."""


def digest(seq: int) -> str:
    return f"{seq:064x}"


def file(name: str, content: bytes = b"") -> Deed:
    return lambda run: (run / name).write_bytes(content)


def head(seq: int) -> Deed:
    return file(HEAD, encode(Head(1, seq, digest(seq))))


def state(seq: int) -> bytes:
    return checkpointed(Checkpoint("1", seq, digest(seq), 10 * seq, seq, SHELL, b"k", b"v"))


def name(seq: int) -> str:
    return f"checkpoint-{seq:012d}.bin"


def point(seq: int) -> Deed:
    return file(name(seq), state(seq))


def sealed(seq: int) -> Deed:
    return file(name(seq), Keyed(bytes(KEY_BYTES)).seal(state(seq), b"r/" + name(seq).encode()))


def gone(seq: int) -> Deed:
    """A checkpoint that the running session took away once it had been listed."""
    return lambda run: (run / name(seq)).symlink_to(run / "nowhere")


def guard(note: str, **data: object) -> Deed:
    def write(run: Path) -> None:
        segment = Segment(run / SENTINEL)
        segment.note(note, data)
        segment.close()

    return write


def seen(seq: int) -> Deed:
    return guard(HEAD_SEEN, seq=seq, hash=digest(seq))


def knows(seq: int, place: str, hashed: str | None = None) -> Witness:
    return Witness(seq, digest(seq) if hashed is None else hashed, place)


def run_of(folder: Path, deeds: tuple[Deed, ...]) -> Path:
    for deed in deeds:
        deed(folder)
    return folder


PLACES = [
    # what is in the run,                        who knows what
    ((),                                         ()),
    ((head(0),),                                 ()),
    ((file(HEAD, b"\0" * 1024),),                ()),
    ((head(1),),                                 (knows(1, HEAD),)),
    ((point(5),),                                (knows(5, name(5)),)),
    ((sealed(5),),                               (knows(5, name(5), ""),)),
    ((file(name(5), b"no checkpoint"),),         (knows(5, name(5), ""),)),
    ((file("checkpoint-last.bin", state(5)),),   ()),
    ((file("checkpoint-².bin", state(5)),),      ()),
    ((gone(9), point(5)),                        (knows(5, name(5)),)),
    ((seen(6),),                                 (knows(6, SENTINEL),)),
    ((guard(STARTED, seq=6, hash=digest(6)),),   ()),
    ((guard(HEAD_SEEN, seq="six", hash=""),),    ()),
    ((guard(HEAD_SEEN, seq=6),),                 ()),
    ((seen(4), seen(8)),                         (knows(4, SENTINEL), knows(8, SENTINEL))),
    ((seen(8), point(3), point(7), head(8)),
     (knows(8, HEAD), knows(7, name(7)), knows(3, name(3)), knows(8, SENTINEL))),
]  # fmt: skip


@pytest.mark.parametrize(("deeds", "known"), PLACES)
def test_what_each_place_knows(
    tmp_path: Path, deeds: tuple[Deed, ...], known: tuple[Witness, ...]
) -> None:
    """The head first; a checkpoint by its name where it is encrypted; what names no line is out."""
    assert known == witnesses(run_of(tmp_path, deeds))


def test_a_changed_sentinel_is_no_witness(tmp_path: Path) -> None:
    """Whoever edits what it saw is told so, and not believed."""
    run = run_of(tmp_path, (seen(6),))
    (run / SENTINEL).write_bytes((run / SENTINEL).read_bytes().replace(b'"seq":6', b'"seq":5'))
    with pytest.raises(JournalDamaged, match=r"sentinel\.jsonl:1"):
        witnesses(run)


CUTS = [
    # last line, who knows what,                      who is named: nobody where no line is gone
    (0,          (),                                  None),
    (7,          (knows(7, HEAD),),                   None),
    (7,          (knows(3, HEAD), knows(7, name(7))), None),
    (0,          (knows(1, HEAD),),                   (HEAD, 1)),
    (6,          (knows(7, HEAD),),                   (HEAD, 7)),
    (6,          (knows(6, HEAD), knows(9, name(9))), (name(9), 9)),
    (6,          (knows(6, HEAD), knows(5, name(5)), knows(7, SENTINEL)), (SENTINEL, 7)),
]  # fmt: skip


@pytest.mark.parametrize(("last", "known", "named"), CUTS)
def test_a_line_that_somebody_knows_must_be_there(
    last: int, known: tuple[Witness, ...], named: tuple[str, int] | None
) -> None:
    """Refused at the line after the last, with the place, its line and what to do."""
    if named is None:
        return refuse_cut(Path("run/events.jsonl"), last, known)
    with pytest.raises(JournalDamaged) as caught:
        refuse_cut(Path("run/events.jsonl"), last, known)

    place, seq = named
    said = f"run/events.jsonl:{last + 1}: the journal ends at line {last}, but {place} knows"
    assert str(caught.value).startswith(f"{said} line {seq}: lines that counted are gone; put")
    assert 6 == caught.value.exit_code
    return None


MISSING = "journal.head is missing or empty; the end was held against "
BLIND = f"{MISSING}nothing: a cut end would not show"
OLDER = "journal.head is older than {}, which knows line {}: it was replaced"
OTHER = "{} knows another line {} than the journal"

DOUBTS = [
    # what is in the run,                             lines that differ, what is said
    ((),                                              (),     []),
    ((point(5),),                                     (5,),   []),
    ((file(MANIFEST),),                               (),     [BLIND]),
    ((file(MANIFEST), head(0)),                       (),     []),
    ((file(MANIFEST), file(HEAD)),                    (),     []),
    ((file(MANIFEST), file(HEAD), point(5)),          (),     [MISSING + name(5)]),
    ((file(MANIFEST), head(0), point(5)),             (),     [MISSING + name(5)]),
    ((file(MANIFEST), point(5)),                      (),     [MISSING + name(5)]),
    ((file(MANIFEST), point(5), seen(7)),             (),     [MISSING + SENTINEL]),
    ((file(MANIFEST), head(7), point(7), seen(7)),    (),     []),
    ((file(MANIFEST), head(7), point(5), seen(6)),    (),     []),
    ((file(MANIFEST), head(6), point(7)),             (),     [OLDER.format(name(7), 7)]),
    ((file(MANIFEST), head(6), point(7), seen(8)),    (),     [OLDER.format(SENTINEL, 8)]),
    ((file(MANIFEST), head(7)),                       (7,),   [OTHER.format(HEAD, 7)]),
    ((file(MANIFEST), head(7), sealed(5)),            (5,),   []),
    ((file(MANIFEST), head(7), point(3), point(5)),   (3, 5),
     [OTHER.format(name(5), 5), OTHER.format(name(3), 3)]),
    ((file(MANIFEST), head(6), point(7)),             (6,),
     [OLDER.format(name(7), 7), OTHER.format(HEAD, 6)]),
    ((file(MANIFEST), point(5)),                      (5,),
     [MISSING + name(5), OTHER.format(name(5), 5)]),
]  # fmt: skip


@pytest.mark.parametrize(("deeds", "differ", "said"), DOUBTS)
def test_what_is_doubted_of_an_uncut_journal(
    tmp_path: Path, deeds: tuple[Deed, ...], differ: tuple[int, ...], said: list[str]
) -> None:
    """The head first, then whoever knows another line; a copied journal alone misses nobody."""
    run = run_of(tmp_path, deeds)
    lines = {seq: digest(seq + 100 * (seq in differ)) for seq in range(1, 9)}

    assert said == doubts(run, witnesses(run), lines)


def test_a_line_that_was_not_read_is_not_doubted(tmp_path: Path) -> None:
    """Only hashes that were asked for can differ."""
    run = run_of(tmp_path, (file(MANIFEST), head(7)))

    assert [] == doubts(run, witnesses(run), {})
