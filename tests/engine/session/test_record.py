"""What a session leaves behind besides its journal."""

import csv
import itertools
import json
import stat
from decimal import Decimal
from pathlib import Path

import pytest

from engine.model.records import Alert, ErrorRecord
from tests.engine.session.test_runner import START, ListFeed, Stage, mock, quote


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    found = Stage(tmp_path, mock(), duration_s=30)
    found.run()
    return found


def test_the_folder_is_complete_and_private(stage: Stage) -> None:
    """Every file of this release, for its owner alone."""
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in stage.folder.path.iterdir()}

    assert dict.fromkeys(
        ["events.jsonl", "final_report.json", "manifest.json", "metrics.csv", "metrics.json",
         "session.log"], 0o600,
    ) | {"evidence": 0o700} == files  # fmt: skip
    assert 0o700 == stat.S_IMODE(stage.folder.path.stat().st_mode)


def test_both_series_tell_the_same(stage: Stage) -> None:
    """A row a second; CSV and JSON agree; the last equity is the books'."""
    with (stage.folder.path / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    document = json.loads((stage.folder.path / "metrics.json").read_text(), parse_float=Decimal)

    assert 29 <= len(rows) == len(document) <= 36
    assert [row["equity"] for row in rows] == [format(Decimal(x["equity"]), "f") for x in document]
    steps = {int(two["ts"]) - int(one["ts"]) for one, two in itertools.pairwise(rows)}
    assert {1_000_000_000} == steps


def test_the_manifest_gets_its_end(stage: Stage) -> None:
    """Written at the start without it, and again with it."""
    manifest = json.loads((stage.folder.path / "manifest.json").read_text())

    assert manifest["ended_at"] is not None
    assert "r1" == manifest["run_id"]


def test_a_running_session_has_a_manifest_without_an_end(tmp_path: Path) -> None:
    """So that a crash shows."""
    stage = Stage(tmp_path, ListFeed([quote(START)]))
    manifest = json.loads((stage.folder.path / "manifest.json").read_text())
    stage.record.close()
    stage.journal.close()

    assert manifest["ended_at"] is None


def test_the_last_line_tells_how_it_ended(stage: Stage) -> None:
    """The stop reason and code are in the journal, not only in the report."""
    ended = stage.lines("session_ended")[0]["data"]

    assert ("duration", 0, "STOPPED") == (ended["stop_reason"], ended["exit_code"], ended["state"])
    assert stage.report is not None
    assert str(stage.report.equity) == ended["equity"]


def test_an_unknown_reason_is_a_bug(tmp_path: Path) -> None:
    """Code 1 for what no table knows."""
    stage = Stage(tmp_path, ListFeed([quote(START)]))
    stage.record.begin(START, None)
    stage.kernel.step(quote(START))
    report = stage.record.finish("error")
    stage.record.close()
    stage.record.close()

    assert 1 == report.exit_code


def test_alerts_and_errors_are_logged_once_and_harmless(tmp_path: Path) -> None:
    """One JSON object a line, whatever the text."""
    stage = Stage(tmp_path, ListFeed([quote(START)]))
    stage.record.follow([Alert(START, "k", "critical", "evil\n\x1b[31m text")])
    stage.record.follow([ErrorRecord(START, "kind", "scope", "detail")])
    stage.record.close()
    stage.journal.close()
    text = (stage.folder.path / "session.log").read_text()

    assert "\x1b" not in text
    assert ["alert", "error"] == [json.loads(line)["event"] for line in text.splitlines()]


def test_a_failed_journal_is_told_once(tmp_path: Path) -> None:
    """True the first time only."""
    stage = Stage(tmp_path, ListFeed([quote(START)]))
    told = [stage.record.journal_failed(OSError(28, "No space left on device")) for _ in range(3)]
    stage.record.close()
    stage.journal.close()

    assert [True, False, False] == told


def test_replayed_heartbeats_hold_event_time_only(stage: Stage) -> None:
    """No figure of this machine: two runs write the same beats."""
    beat = stage.lines("heartbeat")[-1]["data"]

    assert not {"rss_mb", "cpu_pct", "loop_lag_ms", "wall", "pid"} & set(beat)
