"""`runs list` and `runs show`: every state a run can be in, and files nobody should trust."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from engine.model.errors import StateDamaged, UsageError
from laptop_agents.cli import run
from laptop_agents.run_shelf import is_running, shelf, summary
from tests.laptop_agents.recorded import ROOT, age, copied, record


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    record(home, run_id="a")
    return home


@pytest.fixture
def home(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = copied(original, tmp_path / "home")
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(home))
    return home


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    assert 0 == run(["runs", "list", "--json"])
    return json.loads(capsys.readouterr().out, parse_float=Decimal)


def cut(folder: Path) -> None:
    """Leave what a kill would have left."""
    (folder / "final_report.json").unlink()
    journal = folder / "events.jsonl"
    journal.write_bytes(journal.read_bytes()[:-700])


def test_a_run_that_ended(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The figures are the report's, to the digit."""
    report = json.loads((home / "runs/a/final_report.json").read_text(), parse_float=Decimal)
    (row,) = listed(capsys)

    assert ("a", "paper", True, False) == (
        row["run_id"], row["mode"], row["simulated"], row["is_running"])  # fmt: skip
    assert (report["equity"], report["pnl"]["net"]) == (row["equity"], row["net_pnl"])
    assert (report["trades"], "duration") == (row["fills"], row["stop_reason"])
    assert 0 == run(["runs", "list"])
    assert "paper SIMULATED" in capsys.readouterr().out


def test_a_run_that_was_killed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No report, an old journal: the last heartbeat is what is known."""
    cut(home / "runs" / "a")
    (young,) = listed(capsys)
    age(home / "runs" / "a", 1)
    (old,) = listed(capsys)

    assert ("running", True) == (young["stop_reason"], young["is_running"])
    assert ("ended abruptly", False) == (old["stop_reason"], old["is_running"])
    assert 100 < old["duration_s"] < 121
    assert Decimal(9_000) < old["equity"] < Decimal(11_000)
    assert old["fills"] is not None


def test_who_holds_the_journal_is_running(home: Path) -> None:
    """However long it was silent: a stopped process is not a dead one."""
    folder = home / "runs" / "a"
    cut(folder)
    age(folder, 3)
    assert not is_running(folder)
    fd = os.open(folder / "events.jsonl", os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        assert is_running(folder)
    finally:
        os.close(fd)
    assert not is_running(folder)


def test_a_live_session_is_running(tmp_path: Path) -> None:
    """A real one, seen from outside."""
    home = tmp_path / "home"
    words = ("--headless", "-q", "--duration", "1", "--set", "session.run_id=live")
    environment = {"PATH": os.environ["PATH"], "LAPTOP_AGENTS_HOME": str(home)}
    session = subprocess.Popen(
        [sys.executable, "-m", "laptop_agents", *words], cwd=ROOT, env=environment
    )
    try:
        while not (home / "runs/live/events.jsonl").exists():
            assert session.poll() is None
        assert is_running(home / "runs" / "live")
    finally:
        session.kill()
        session.wait()


def test_newest_first_and_no_links(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`latest` is a name, not a run; foreign folders and files are none either."""
    for name, started in (("b", "2099-01-01T00:00:00Z"), ("c", "1999-01-01T00:00:00Z")):
        shutil.copytree(home / "runs" / "a", home / "runs" / name)
        manifest = home / "runs" / name / "manifest.json"
        document = json.loads(manifest.read_text()) | {"started_at": started}
        manifest.write_text(json.dumps(document))
    (home / "runs" / "empty").mkdir()
    (home / "runs" / ".import-1").mkdir()
    (home / "runs" / "file").write_text("x")

    assert ["b", "a", "c"] == [row["run_id"] for row in listed(capsys)]


DAMAGE = [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"equity": "x", "pnl": 5}',
          b'{"pnl": {"net": "NaN"}, "trades": "many", "simulated": "yes", "duration_s": 1e999}',
          b'{"equity": 1e999999999, "duration_s": 1e39, "pnl": {"net": -1e-999999999}}']  # fmt: skip


@pytest.mark.parametrize("content", DAMAGE)
def test_files_nobody_should_trust(home: Path, content: bytes, capsys) -> None:
    """A figure that can't be read is unknown; the list is told all the same."""
    for name in ("final_report.json", "manifest.json"):
        (home / "runs" / "a" / name).write_bytes(content)
    (row,) = listed(capsys)

    assert 0 == run(["runs", "list"])
    assert row["mode"] is None
    assert row["simulated"] is None


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"nonsense\n" * 9, b'{"v":1,"seq":1,"ts":', b"\0" * 999]
)
def test_a_journal_without_lines(home: Path, content: bytes) -> None:
    """Nothing to show is shown as nothing."""
    folder = home / "runs" / "a"
    (folder / "final_report.json").unlink()
    (folder / "events.jsonl").write_bytes(content)

    assert (None, None, None, None) == summary(folder).ending[:4]


def test_hostile_text_is_shown_harmless(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever wrote the manifest writes no escape sequence to this terminal."""
    evil = "\x1b]0;x\x07\u202e\n"
    manifest = home / "runs" / "a" / "manifest.json"
    document = json.loads(manifest.read_text())
    settings = {evil: {"value": {evil: [evil]}, "origin": evil}, "x": {"value": evil}, "y": evil}
    document |= {"mode": evil, "source": evil, "symbols": [evil], "settings": settings}
    manifest.write_text(json.dumps(document))

    for words in (["list"], ["show", "a"], ["list", "--json"], ["show", "a", "--json"]):
        assert 0 == run(["runs", *words])
        out = capsys.readouterr().out
        assert [] == [line for line in out.splitlines() if not line.isprintable()]


def test_show_has_manifest_and_report(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both files whole for programs; what was set and what came of it for people."""
    assert 0 == run(["runs", "show", "a", "--json"])
    told = json.loads(capsys.readouterr().out, parse_float=Decimal)
    assert 0 == run(["runs", "show", "a"])
    text = capsys.readouterr().out

    for name, file in (("manifest", "manifest.json"), ("report", "final_report.json")):
        content = (home / "runs" / "a" / file).read_text()
        assert json.loads(content, parse_float=Decimal) == told[name]
    assert "(--seed)" in text
    assert "risk.max_leverage" not in text
    assert told["report"]["journal"]["head_hash"] in text


def test_show_says_what_can_t_be_shown(home: Path) -> None:
    """No run: exit 2. A manifest cut in two: exit 6."""
    with pytest.raises(UsageError, match="no run"):
        run(["runs", "show", "nowhere"])
    (home / "runs" / "a" / "manifest.json").write_text("{")
    with pytest.raises(StateDamaged, match="manifest"):
        run(["runs", "show", "a"])


def test_an_empty_home(tmp_path: Path, monkeypatch, capsys) -> None:
    """Nothing is created by looking."""
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(tmp_path / "home"))
    assert 0 == run(["runs", "list"])

    assert capsys.readouterr().out.startswith("no runs in ")
    assert [] == shelf(tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_setting_before_runs_show_is_refused() -> None:
    """`--seed 1 runs show` would otherwise be silently ignored."""
    with pytest.raises(UsageError, match="--seed belongs to a session"):
        run(["--seed", "1", "runs", "show"])
