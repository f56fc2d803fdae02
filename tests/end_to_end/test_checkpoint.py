"""A resume from a checkpoint differs from one without in nothing but the time it takes."""

import signal
from pathlib import Path

import pytest

from tests.end_to_end.shell import CAPTURE, START, Process, Run, copied_run, needs, session
from tests.end_to_end.test_resume import decided

MOCK = ("--duration", "3", "--seed", "12", "--symbols", "BTCUSDT,ETHUSDT")
RECORDED = ("--duration", "1.5", "--source", f"file:{CAPTURE}")
MOCK_SPEED, RECORDED_SPEED = "30", "15"
"""It runs for six seconds: two checkpoints are there, and much is left to do on any machine."""
OFTEN = ("--set", f"session.start_ns={START}", "--set", "checkpoint.every_s=1")


def interrupted(home: Path, *words: str) -> Run:
    """Kill a run that has left two checkpoints and traded on."""
    process = Process(home, "--headless", "-q", *words, *OFTEN)
    process.until(lambda: len(list(process.run.path.glob("checkpoint-*"))) == 2, 60)
    process.until_lines(process.run.raw().count(b"\n") + 500)
    process.send(signal.SIGKILL)
    assert -signal.SIGKILL == process.end().code
    return Run(process.run.path.resolve())


@pytest.fixture(scope="module")
def torn(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One such run, to be copied."""
    return interrupted(tmp_path_factory.mktemp("torn"), *MOCK, "--speed", MOCK_SPEED)


def resumed(run: Run, home: Path) -> tuple[Run, int]:
    """Go on to the end; return the run and the line its rerun began after."""
    done = Process(home, "--headless", "-q", "--resume", str(run.path)).end(120)
    assert (0, "") == (done.code, done.err)
    (note,) = run.lines("session_resumed")
    return run, note["data"]["rerun_after_line"]


def copied(run: Run, home: Path) -> Run:
    home.mkdir(0o700)
    return copied_run(run, home / "run")


@pytest.mark.parametrize(
    ("words", "speed"),
    [(MOCK, MOCK_SPEED), pytest.param(RECORDED, RECORDED_SPEED, marks=needs(CAPTURE))],
)
def test_deleting_checkpoints_changes_nothing_but_time(
    tmp_path: Path, words: tuple[str, ...], speed: str
) -> None:
    """The same lines, figures and metrics rows as with them, and as of a run never disturbed."""
    whole = session(tmp_path / "whole", *words, *OFTEN, "--speed", "max").run
    one = interrupted(tmp_path / "torn", *words, "--speed", speed)
    other = copied(one, tmp_path / "bare")
    for path in other.path.glob("checkpoint-*"):
        path.unlink()
    with_them, after = resumed(one, tmp_path / "torn")
    without, after_none = resumed(other, tmp_path / "bare")

    assert after > 500
    assert after_none == 0
    assert decided(whole) == decided(with_them) == decided(without)
    for figure in ("equity", "pnl", "trades", "orders", "per_agent", "max_drawdown", "sharpe",
                   "exposure_pct", "errors", "fsm", "duration_s"):  # fmt: skip
        assert whole.report()[figure] == with_them.report()[figure] == without.report()[figure]
    assert [row["ts"] for row in whole.metrics()] == [row["ts"] for row in with_them.metrics()]
    assert [r["equity"] for r in whole.metrics()] == [r["equity"] for r in with_them.metrics()]


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, torn: Run) -> None:
    """The one before serves; with all of them damaged the rerun starts at the first line."""
    run = copied(torn, tmp_path / "home")
    older, newer = sorted(run.path.glob("checkpoint-*"))
    newer.write_bytes(newer.read_bytes()[:-1] + b"?")
    spare = copied(run, tmp_path / "spare")
    (spare.path / older.name).write_bytes(b"")

    assert int(older.stem.rpartition("-")[2]) == resumed(run, tmp_path / "home")[1]
    assert resumed(spare, tmp_path / "spare")[1] == 0


def test_metrics_that_end_before_it_bar_a_checkpoint(tmp_path: Path, torn: Run) -> None:
    """Rows lost in a power cut are written again by a rerun from the start."""
    run = copied(torn, tmp_path / "home")
    rows = (run.path / "metrics.csv").read_bytes().splitlines(keepends=True)
    (run.path / "metrics.csv").write_bytes(b"".join(rows[:5]))

    assert resumed(run, tmp_path / "home")[1] == 0
    assert len(run.metrics()) > len(rows)


def test_encrypted_checkpoints_serve_who_has_the_key(tmp_path: Path) -> None:
    """With the passphrase they save the way; without it the journal alone does, and says so."""
    words = tmp_path / "words"
    words.write_text("correct horse battery staple")
    words.chmod(0o600)
    sealed = ("--set", "checkpoint.encryption=file",
              "--set", f"checkpoint.key_file={words}")  # fmt: skip
    run = interrupted(tmp_path / "a", *MOCK, "--speed", MOCK_SPEED, *sealed)
    other = copied(run, tmp_path / "b")
    contents = [path.read_bytes() for path in run.path.glob("checkpoint-*")]
    _, after = resumed(run, tmp_path / "a")
    words.unlink()
    done = Process(tmp_path / "b", "--headless", "--resume", str(other.path)).end(120)

    assert all(content.startswith(b"laptop-agents sealed") for content in contents)
    assert not any(b"BTCUSDT" in content for content in contents)
    assert after > 500
    assert done.code == 0
    assert "going on without checkpoints" in done.err
    assert decided(run) == decided(other)


def test_no_key_no_session(tmp_path: Path) -> None:
    """Encryption that was asked for and can't be had: exit 7, nothing written."""
    words = ("--set", "checkpoint.encryption=file", "--set", "checkpoint.key_file=/no")
    done = Process(tmp_path, "--headless", *MOCK, *words).end()

    assert done.code == 7
    assert done.err == "error: can't read the key file /no\n"
    assert not (tmp_path / "runs").exists()
