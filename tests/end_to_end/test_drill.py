"""Drills as a person runs them: a sandbox, a live session, a fault, and a verdict that can be no."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from laptop_agents import drill_command, drill_proof, drills
from laptop_agents.drill_command import carried_out
from laptop_agents.drill_stage import DrillFailed, Stage
from laptop_agents.drills import DRILLS, Drill, Finding
from tests.end_to_end.shell import ROOT


def drill(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "laptop_agents", "drill", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip


def kept(out: str) -> Path:
    found = re.search(r"kept: (\S+)", out)
    assert found, out
    return Path(found[1])


@pytest.mark.timeout(180)
@pytest.mark.parametrize("venue", ["binance", "hyperliquid"])
def test_the_kill_switch_drill_passes(venue: str) -> None:
    done = drill("kill-switch", "--venue", venue)
    folder = kept(done.stdout)
    fills = (folder / "venue.jsonl").read_text().count('"kind":"fill"')
    shutil.rmtree(folder)

    assert (0, "") == (done.returncode, done.stderr), done.stdout
    assert f"{fills} fills at the venue, {fills} in our records: 0 differ" in done.stdout
    assert "PASS" in done.stdout


@pytest.mark.timeout(180)
def test_all_of_them_where_one_is_not_possible(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says why, and is not counted as passed; one that breaks fails the whole."""
    some = {name: DRILLS[name] for name in ("dead-man", "kill-switch")}
    monkeypatch.setattr(drill_command, "DRILLS", some)
    asked = argparse.Namespace(name="all", venue="bitunix")

    assert 0 == drill_command.run(asked)

    out = capsys.readouterr().out
    shutil.rmtree(kept(out))
    assert "NONE  bitunix: it has no dead-man switch" in out
    assert "1 passed, 0 failed, 1 not possible there" in out
    monkeypatch.setattr(drill_command, "carried_out", lambda *_: [Finding(False, "broken")])
    assert 1 == drill_command.run(asked)
    out = capsys.readouterr().out
    shutil.rmtree(kept(out))
    assert "0 passed, 1 failed, 1 not possible there" in out


@pytest.mark.timeout(180)
def test_the_sentinel_drill_passes() -> None:
    done = drill("sentinel")
    shutil.rmtree(kept(done.stdout))
    assert (0, "") == (done.returncode, done.stderr), done.stdout
    assert "frozen engine was killed by its sentinel" in done.stdout


def _forge(stage: Stage) -> Iterator[Finding]:
    """Take a fill out of the venue's ledger once the session is over, and leave an order in it."""
    (stage.home / "kill.txt").touch()
    stage.end()
    lines = [json.loads(line) for line in stage.ledger.read_text().splitlines()]
    last = max(number for number, line in enumerate(lines) if line["kind"] == "fill")
    forged = {**lines[last], "kind": "new", "order_id": "forged", "state": "new"}
    lines[last : last + 1] = [forged]
    stage.ledger.write_text("".join(json.dumps(line) + "\n" for line in lines))
    yield Finding(True, "forged")


@pytest.mark.timeout(180)
def test_a_drill_that_does_not_hold_fails() -> None:
    """A ledger that says otherwise: another fill, a position, an order that works."""
    forged = Drill("a venue that tells something else", _forge, (4,))
    with Stage("binance") as stage:
        found = list(carried_out(stage, forged))
    shutil.rmtree(stage.folder)
    wrong = " | ".join(finding.text for finding in found if not finding.holds)

    assert re.search("[12] orders work at the venue", wrong)
    assert "position at the venue: " in wrong
    assert "1 differ" in wrong


@pytest.mark.timeout(180)
def test_a_session_that_is_gone_fails() -> None:
    """Killed where nobody expects it: the drill says where it stuck."""

    def vanish(stage: Stage) -> Iterator[Finding]:
        stage.send(9)
        stage.until(lambda: False, 20, "something that never comes")
        yield Finding(True, "never reached")

    with Stage("binance") as stage:
        *_, last = carried_out(stage, Drill("vanishes", vanish))
    shutil.rmtree(stage.folder)
    assert (False, "the session ended before something that never comes") == last


def test_both_sides_must_know_the_same() -> None:
    one, other = ("1", 1, 1), ("2", 1, 1)
    judge = drill_proof.agreement
    assert judge(Counter([one]), Counter([one])).holds
    assert not judge(Counter([one, other]), Counter([one])).holds
    assert not judge(Counter([one]), Counter([one, one])).holds
    assert not judge(Counter(), Counter()).holds


def test_the_list_and_what_is_not_on_it() -> None:
    done = drill()
    assert (0, list(DRILLS)) == (
        done.returncode, [line.split()[0] for line in done.stdout.splitlines()],
    )  # fmt: skip
    for words in (
        ("none-such",),
        ("kill-switch", "--venue", "ftx"),
        ("dead-man", "--venue", "bitunix"),
    ):
        refused = drill(*words)
        assert (2, "", 1) == (refused.returncode, refused.stdout, refused.stderr.count("\n"))


def test_a_fault_that_no_sandbox_has() -> None:
    with Stage("bitunix") as stage, pytest.raises(DrillFailed, match="refused the fault"):
        stage.strike("dead_man")
    shutil.rmtree(stage.folder)
    assert drills.working(stage) == set()
