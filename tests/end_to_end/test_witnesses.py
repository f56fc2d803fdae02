"""A cut journal is found by every place that knows more, and a place taken away is told (C10)."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.session.journal_head import Head, encode, read_head
from tests.end_to_end.shell import START, Ending, Process, Run
from tests.end_to_end.test_checkpoint import copied

WORDS = (
    "--headless", "-q", "--duration", "6", "--seed", "12", "--speed", "120",
    "--set", f"session.start_ns={START}", "--set", "checkpoint.every_s=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A guarded run that was killed after two checkpoints, its sentinel gone home."""
    process = Process(tmp_path_factory.mktemp("home"), *WORDS)
    process.until(lambda: len(list(process.run.path.glob("checkpoint-*"))) == 2, 60)
    run = Run(process.run.path.resolve())
    process.send(signal.SIGKILL)
    process.end()
    process.is_running = lambda: True  # type: ignore[method-assign]
    process.until(lambda: bool(run.sentinel("sentinel_ended")))
    (run.path / "control.sock").unlink()  # no copy can be made of it
    return run


def cut(run: Run) -> None:
    """Leave out the second half of the lines; what is left is whole and chained."""
    lines = run.raw().splitlines(keepends=True)
    (run.path / "events.jsonl").write_bytes(b"".join(lines[: len(lines) // 2]))


def behead(run: Run) -> None:
    (run.path / "journal.head").unlink()


def age(run: Run) -> None:
    """Put an older head of the same run in place of the newest."""
    first = json.loads(run.raw().splitlines()[99])
    old = encode(Head(1, 100, first["hash"]))
    (run.path / "journal.head").write_bytes(old + old)


def uncheck(run: Run) -> None:
    for path in run.path.glob("checkpoint-*"):
        path.unlink()


def unguard(run: Run) -> None:
    (run.path / "sentinel.jsonl").unlink()


CASES = [
    # what is done,                        cut?,  what is said
    ((),                                   True,  "journal.head knows line"),
    ((behead,),                            True,  "checkpoint-"),
    ((age,),                               True,  "checkpoint-"),
    ((behead, uncheck),                    True,  "sentinel.jsonl knows line"),
    ((age, uncheck),                       True,  "sentinel.jsonl knows line"),
    ((behead,),                            False, "journal.head is missing or empty; the end was held against"),
    ((age,),                               False, "journal.head is older than"),
    ((behead, uncheck, unguard),           False, "held against nothing: a cut end would not show"),
    ((),                                   False, ""),
]  # fmt: skip


def told(run: Run, home: Path) -> tuple[Ending, Ending]:
    verify = Process(home, "audit", "verify", str(run.path)).end()
    return verify, Process(home, "--headless", "--resume", str(run.path)).end()


@pytest.mark.parametrize(("deeds", "is_cut", "said"), CASES)
def test_a_cut_end_shows(
    crashed: Run, tmp_path: Path, deeds: tuple[Callable[[Run], None], ...], is_cut: bool, said: str
) -> None:
    """Where one place at least is left: exit 6. Where nothing was cut: a doubt, in both words."""
    run = copied(crashed, tmp_path / "copy")
    for deed in (*deeds, *((cut,) if is_cut else ())):
        deed(run)
    verify, resume = told(run, tmp_path)
    code = 6 if is_cut else 0

    assert (code, code) == (verify.code, resume.code)
    assert said in (verify.err if is_cut else verify.out)
    assert said in resume.err
    assert bool(said and not is_cut) is ("doubt: " in verify.out)
    assert ("lines that counted are gone" in resume.err) is is_cut


def test_the_sentinel_keeps_what_the_engine_acknowledged(crashed: Run) -> None:
    """In its own segment, in another process's hands."""
    (seen,) = crashed.sentinel("head_seen")
    head = read_head(crashed.path / "journal.head")

    assert head is not None
    assert {"seq": head.seq, "hash": head.hash} == seen["data"]


def test_a_checkpoint_comes_after_its_line(crashed: Run) -> None:
    """Its line was durable and acknowledged before it was written."""
    head = read_head(crashed.path / "journal.head")
    numbers = [int(path.stem.rpartition("-")[2]) for path in crashed.path.glob("checkpoint-*")]

    assert head is not None
    assert max(numbers) <= head.seq
