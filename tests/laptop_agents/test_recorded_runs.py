"""`replay` and `audit verify` on a run that a real process recorded."""

import decimal
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.model.errors import JournalDamaged, UsageError
from engine.session.journal_line import Chain
from laptop_agents.cli import run
from tests.end_to_end.warm import ran

SESSION = ("--headless", "-q", "--speed", "max", "--seed", "5")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a two-minute mock session; return its home."""
    home = tmp_path_factory.mktemp("home")
    environment = {"PATH": os.environ["PATH"], "LAPTOP_AGENTS_HOME": str(home)}
    done = ran((*SESSION, "--duration", "2", "--source", "mock"), environment)
    assert 0 == done.returncode, done.stderr
    return home


@pytest.fixture(autouse=True)
def _in_that_home(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(recorded))
    with decimal.localcontext():
        yield


def journal_of(home: Path) -> Path:
    return home / "runs" / "latest" / "events.jsonl"


def test_replay_is_identical(capsys: pytest.CaptureFixture[str]) -> None:
    """The newest run by default; every decision is compared, heartbeats too."""
    assert run(["replay"]) == 0

    told = capsys.readouterr().out
    inputs, decisions = map(int, re.findall(r"(\d+) (?:inputs|decisions)", told))
    assert told.startswith("identical: ")
    assert (inputs > 2_000, decisions > 200) == (True, True)


def test_a_changed_decision_is_shown_with_both_sides(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A journal whose chain was made whole again after an edit still does not replay."""
    lines = journal_of(recorded).read_text().splitlines()
    at, edited = next((i, line) for i, line in enumerate(lines) if '"type":"intent"' in line)
    lines[at] = edited.replace('"side":"BUY"', '"side":"SEL"').replace("SEL", "SELL")
    lines[at] = lines[at] if lines[at] != edited else edited.replace('"SELL"', '"BUY"')
    forged = tmp_path / "events.jsonl"
    forged.write_bytes(rechained(lines))

    assert run(["audit", "verify", str(forged)]) == 0
    assert run(["replay", str(forged)]) == 6

    told = capsys.readouterr().out
    assert f"different at {forged}:{at + 1}" in told
    assert {"recorded", "replayed"} == set(re.findall(r"^  (\w+): intent", told, re.M))


def rechained(lines: list[str]) -> bytes:
    """Chain the lines anew, as a forger with our code would."""
    chain, content = Chain(), b""
    for line in map(json.loads, lines):
        content += chain.data(line["type"], line["ts"], line["data"])
    return content


def test_a_journal_without_inputs_says_so(recorded: Path, tmp_path: Path) -> None:
    """What was not recorded can't be replayed, and that is no mismatch."""
    first = journal_of(recorded).read_text().splitlines()[0]
    poor = tmp_path / "events.jsonl"
    less = first.replace('"journal.detail":"inputs"', '"journal.detail":"orders"')
    poor.write_bytes(rechained([less]))

    with pytest.raises(UsageError, match="holds no inputs"):
        run(["replay", str(poor)])


def test_verify_proves_the_chain_and_the_head(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By id, by folder and by file; the report keeps the head a second time."""
    folder = (recorded / "runs" / "latest").resolve()
    for name in ("latest", folder.name, str(folder), str(folder / "events.jsonl")):
        assert run(["audit", "verify", name, "--json"]) == 0

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    report = json.loads((folder / "final_report.json").read_text())
    assert {report["journal"]["head_hash"]} == {row["head_hash"] for row in told}
    assert {report["journal"]["events"]} == {row["lines"] for row in told}


DAMAGES = [
    ("a changed byte", 40, lambda lines: [*lines[:39], lines[39].replace(b"1", b"2", 1), *lines[40:]]),
    ("a lost line", 40, lambda lines: [*lines[:39], *lines[40:]]),
    ("a repeated line", 41, lambda lines: [*lines[:40], lines[39], *lines[40:]]),
    ("swapped lines", 40, lambda lines: [*lines[:39], lines[40], lines[39], *lines[41:]]),
    ("a torn end", -1, lambda lines: [*lines[:-1], lines[-1][:-1]]),
    ("a cut end", 0, lambda lines: lines[:-1]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "line", "damage"), DAMAGES, ids=[row[0] for row in DAMAGES])
def test_damage_is_named_by_line(recorded: Path, tmp_path: Path, what, line, damage) -> None:
    """The first bad line, or the line after the last one where the end is gone."""
    lines = journal_of(recorded).read_bytes().splitlines(keepends=True)
    (tmp_path / "events.jsonl").write_bytes(b"".join(damage(lines)))
    report = (recorded / "runs" / "latest" / "final_report.json").read_bytes()
    (tmp_path / "final_report.json").write_bytes(report)

    with pytest.raises(JournalDamaged) as caught:
        run(["audit", "verify", str(tmp_path)])

    assert (line if line > 0 else len(lines) + 0) == caught.value.line
    assert caught.value.exit_code == 6


@pytest.mark.parametrize("name", ["no-such-run", "../../etc", ""])
def test_an_unknown_run_is_a_usage_error(name: str) -> None:
    """One line, nothing read."""
    with pytest.raises(UsageError, match="no run"):
        run(["audit", "verify", name])
