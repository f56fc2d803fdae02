"""validate_session.sh: passes a sound session, and names what is wrong with each other one."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.test_resume import rechained
from tests.laptop_agents.recorded import record
from tests.scripts.shell import SCRIPTS, script

NAME = "validate_session.sh"
CHECKS = ["journal", "replay", "report", "identity", "positions", "metrics"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two minutes, in a home of its own."""
    busy = ("--set", "agents.quoter.half_spread_bps=0.5")
    return record(tmp_path_factory.mktemp("home"), *busy, run_id="sound")


def marks(out: str) -> dict[str, str]:
    rows = (line.split(maxsplit=2) for line in out.splitlines()[1:])
    return {name: mark for mark, name, _ in rows}


def test_a_sound_session(sound: Path) -> None:
    """Every check passes, in order, and says what it saw."""
    done = script(sound.parents[1], NAME, "sound")

    assert (0, "") == (done.code, done.err)
    assert dict.fromkeys(CHECKS, "pass") == marks(done.out)
    assert f"{sound}\n" == done.out.splitlines(keepends=True)[0]
    assert "120 rows, one a second" in done.out


def flip_a_byte(run: Path) -> None:
    content = bytearray((run / "events.jsonl").read_bytes())
    content[len(content) // 2] ^= 1
    (run / "events.jsonl").write_bytes(content)


def decide_otherwise(run: Path) -> None:
    lines = [json.loads(line) for line in (run / "events.jsonl").read_bytes().splitlines()]
    next(line for line in lines if line["type"] == "fill")["data"]["qty"] = "1"
    (run / "events.jsonl").write_bytes(rechained(lines))


def lose_the_report(run: Path) -> None:
    (run / "final_report.json").unlink()


def edit(old: str, new: str) -> Callable[[Path], None]:
    def apply(run: Path) -> None:
        path = run / "final_report.json"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    return apply


def lose_a_row(run: Path) -> None:
    rows = (run / "metrics.csv").read_text().splitlines(keepends=True)
    (run / "metrics.csv").write_text("".join(rows[:40] + rows[41:]))


def lose_the_end(run: Path) -> None:
    rows = (run / "metrics.csv").read_text().splitlines(keepends=True)
    (run / "metrics.csv").write_text("".join(rows[:-5]))


HELD = '"positions_at_end": [{"symbol": "BTCUSDT", "qty": 0.002}]'
REPORT = ["report", "identity", "positions", "metrics"]


@pytest.mark.parametrize(
    ("spoil", "failing", "said"),
    [
        (flip_a_byte, ["journal", "replay"], "events.jsonl:"),
        (decide_otherwise, ["journal", "replay"], "replayed:"),
        (lose_the_report, REPORT, "No such file"),
    ],
)
def test_what_is_wrong_is_named(
    sound: Path, tmp_path: Path, spoil: Callable[[Path], None], failing: list[str], said: str
) -> None:
    """Exit 6; the checks that still hold still pass."""
    shutil.copytree(sound, tmp_path / "runs" / "spoilt")
    spoil(tmp_path / "runs" / "spoilt")
    done = script(tmp_path, NAME, str(tmp_path / "runs" / "spoilt"))

    assert 6 == done.code
    assert failing == [name for name, mark in marks(done.out).items() if mark == "FAIL"]
    assert said in done.out


@pytest.mark.parametrize(
    ("spoil", "failing", "said"),
    [
        (edit('"sharpe"', '"sharp"'), ["report"], "missing: sharpe"),
        (
            edit('"starting_balance": 1', '"starting_balance": 2'),
            ["identity"],
            "it comes to 1999",
        ),
        (edit('"fees": ', '"fees": 1'), ["identity"], "what made it comes to 9"),
        (edit('"positions_at_end": []', HELD), ["positions"], "still held: BTCUSDT +0.002"),
        (edit('"positions_at_end": []', '"positions_at_end": 3'), ["positions"], "can't be read"),
        (edit('"run_id"', "run_id"), REPORT, "can't be read"),
        (lose_a_row, ["metrics"], "after the row of ts"),
        (lose_the_end, ["metrics"], "115 rows for"),
    ],
)
def test_a_report_that_does_not_hold(
    sound: Path, tmp_path: Path, spoil: Callable[[Path], None], failing: list[str], said: str
) -> None:
    """The part of the script that reads the files, alone."""
    run = shutil.copytree(sound, tmp_path / "spoilt")
    spoil(run)
    done = subprocess.run(
        [sys.executable, SCRIPTS / "validate_report.py", run],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 6 == done.returncode, done.stderr
    found = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    assert REPORT == [name for _, name, _ in found]
    assert failing == [name for mark, name, _ in found if mark == "FAIL"]
    assert said in done.stdout


def test_no_such_run(tmp_path: Path) -> None:
    """Exit 2, as the program says it."""
    done = script(tmp_path, NAME, "nowhere")

    assert (2, "") == (done.code, done.out)
    assert "no run 'nowhere'" in done.err
